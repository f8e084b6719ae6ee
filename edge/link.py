"""The only edge file that knows MQTT: sends the outbox, listens for receipts and grants.

MQTT 3.1.1, which every broker speaks; what is stored is known from the hub's receipts alone.
Files go by HTTP, on a thread of their own and only after the alert they belong to is stored.
"""

import logging
import queue
import random
import ssl
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from typing import Any, cast

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge.config import BrokerConfig
from edge.outbox import RETRY_FIRST_MS, TRACK, HeldFile, Item, Outbox
from edge.trust import believed
from edge.upload import Answer, BadAddress, is_intact, upload
from wire import topics
from wire.codec import Refused, decode, encode
from wire.command import Command, Reply
from wire.receipt import EvidenceOffer, Grant, GrantedFile, OfferedFile, Receipt
from wire.revision import ConfigPush, SettingsReport
from wire.status import Birth, Health, HostState, State
from wire.update import ModelUpdate

log = logging.getLogger(__name__)

LIVE_MS = 60_000
TRACKS_IN_FLIGHT = 500
PUBLISHED_AT_ONCE = 100
HEALTH_EVERY_S = 30.0
KEEP_ALIVE_S = 30
RECONNECT_MAX_S = 60
GIVE_WAY_S, GIVE_WAY_MOST_S = 0.02, 10.0
"""An upload waits while an alert is to be sent, but not so long that the hub hangs up."""
STOP_TIMEOUT_S = 3.0

_GONE_FOR_GOOD = {
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
}


class BadBroker(ValueError):
    """The broker's settings cannot be used; says which one and why."""


@dataclass(frozen=True)
class Reports:
    """What the agent says when the link asks: who it is, how it is, what became of a command."""

    births: Callable[[int], list[Birth]]
    health: Callable[[], Health]
    order: Callable[[Command, Callable[[Reply], None]], None] | None = None
    revision: Callable[[ConfigPush, Callable[[Reply], None]], None] | None = None
    settings: Callable[[], list[SettingsReport]] = list
    update: Callable[[ModelUpdate], None] | None = None


class Link:
    """One device's connection to its hub; outlives every broker and hub restart."""

    def __init__(
        self,
        broker: BrokerConfig,
        outbox: Outbox,
        reports: Reports,
        now_ms: Callable[[], int],
        tracks_in_flight: int = TRACKS_IN_FLIGHT,
    ) -> None:
        """Prepare; nothing is sent before `start`.

        `tracks_in_flight`: how many tracks may wait for the hub's receipt. Raises BadBroker when
        the password or CA file cannot be read.
        """
        self._broker = broker
        self._outbox = outbox
        self._reports = reports
        self._most_tracks = tracks_in_flight
        self._now_ms = now_ms
        self._session = 0
        self._hubs_online: set[str] = set()
        self._tracks_in_flight: dict[int, int] = {}
        self._stopping = threading.Event()
        self._health_due = threading.Event()
        self._is_stranger = False
        self._granted: queue.SimpleQueue[GrantedFile | None] = queue.SimpleQueue()
        self._client = self._make_client()
        self._threads = [
            threading.Thread(target=self._send_forever, name="link-send", daemon=True),
            threading.Thread(target=self._upload_forever, name="link-upload", daemon=True),
        ]

    def start(self) -> None:
        """Connect and send from now on; a broker that is away is tried again."""
        self._client.connect_async(self._broker.host, self._broker.port, KEEP_ALIVE_S)
        self._client.loop_start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Say goodbye and stop within a few seconds; unsent items stay in the outbox."""
        self._stopping.set()
        self._outbox.added.set()
        self._granted.put(None)
        for thread in self._threads:
            thread.join(STOP_TIMEOUT_S)
        if self._client.is_connected():
            farewell = self._publish("state", self._state(online=False), retain=True)
            farewell.wait_for_publish(STOP_TIMEOUT_S)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def is_online(self) -> bool:
        """Whether the broker is connected and a hub listens behind it."""
        return self._client.is_connected() and bool(self._hubs_online)

    def health_changed(self) -> None:
        """Something in the health message changed: send it at once."""
        self._health_due.set()
        self._outbox.added.set()

    def _make_client(self) -> mqtt.Client:
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._outbox.dev,
            clean_session=False,
            protocol=mqtt.MQTTv311,
        )
        try:
            self._identify(client)
            self._trust = believed(self._broker.ca_file)
            if self._broker.ca_file is not None:
                client.tls_set(str(self._broker.ca_file), tls_version=ssl.PROTOCOL_TLS_CLIENT)
        except (OSError, ssl.SSLError) as fault:
            raise BadBroker(f"broker: password_file or ca_file cannot be used: {fault}") from None
        # Thousands of devices lose one broker at the same moment: spread their return.
        client.max_inflight_messages_set(PUBLISHED_AT_ONCE)
        client.reconnect_delay_set(random.randint(1, 4), RECONNECT_MAX_S)  # noqa: S311
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_pre_connect = self._on_pre_connect
        return client

    def _identify(self, client: mqtt.Client) -> None:
        if self._broker.password_file is not None:
            password = self._broker.password_file.read_text(encoding="utf-8").strip()
            client.username_pw_set(self._outbox.dev, password)

    def _on_pre_connect(self, client: mqtt.Client, _: Any) -> None:
        try:
            self._identify(client)  # it may have been given a new one
        except OSError as fault:
            log.warning("broker.password_file: %s: the one before is used", fault)
        self._session = self._outbox.next_session()
        will = encode(self._state(online=False))
        client.will_set(topics.up(self._outbox.dev, "state"), will, qos=1, retain=True)

    def _on_connect(
        self, client: mqtt.Client, _: Any, __: Any, reason: ReasonCode, ___: Any
    ) -> None:
        if reason.is_failure:
            log.error("broker %s:%d refused us: %s", self._broker.host, self._broker.port, reason)
            return
        log.info("broker %s:%d connected", self._broker.host, self._broker.port)
        dev = self._outbox.dev
        takers = {
            "cmd": self._reports.order,
            "config": self._reports.revision,
            "update": self._reports.update,
        }
        names = ["receipt", "grant", *(name for name, taker in takers.items() if taker)]
        wanted = [topics.ANY_HOST_STATE, *(topics.down(dev, name) for name in names)]
        client.subscribe([(topic, 1) for topic in wanted])
        self._publish("state", self._state(online=True), retain=True)
        self.introduce()
        self.health_changed()

    def introduce(self) -> None:
        """Say what we are: at every connection, and when it has changed."""
        for birth in self._reports.births(self._session):
            self._publish("birth", birth)
        for settings in self._reports.settings():
            self._publish("settings", settings)

    def _on_disconnect(
        self, _: mqtt.Client, __: Any, ___: Any, reason: ReasonCode, ____: Any
    ) -> None:
        if self._hubs_online and not self._stopping.is_set():
            log.warning("broker %s:%d lost: %s", self._broker.host, self._broker.port, reason)
        self._hubs_online.clear()

    def _on_message(self, _: mqtt.Client, __: Any, message: mqtt.MQTTMessage) -> None:
        name = message.topic.rsplit("/", 1)[-1]
        payload = bytes(message.payload)
        try:
            if message.topic.startswith(f"{topics.ROOT}/host/"):
                self._take_host_state(message.topic, cast("HostState", decode("host", payload)))
            elif name == "receipt":
                self._take_receipt(cast("Receipt", decode("receipt", payload)))
            elif name == "grant":
                self._take_grant(cast("Grant", decode("grant", payload)))
            elif name == "cmd" and not self._stopping.is_set():
                self._take_order(cast("Command", decode("cmd", payload)))
            elif name == "config" and payload and not self._stopping.is_set():
                self._take_revision(cast("ConfigPush", decode("config", payload)))
            elif name == "update" and not self._stopping.is_set():
                self._take_update(cast("ModelUpdate", decode("update", payload)))
        except Refused as refused:
            log.warning("message from the hub on %s is not understood: %s", message.topic, refused)

    def _take_update(self, update: ModelUpdate) -> None:
        if self._reports.update is not None and update.dev == self._outbox.dev:
            self._reports.update(update)

    def _take_order(self, command: Command) -> None:
        if self._reports.order is None or command.dev != self._outbox.dev:
            return
        if command.session not in (None, self._session):
            log.info("command %s was kept for us meanwhile; one that holds comes anew", command.id)
            return
        self._reports.order(command, self._say)

    def _take_revision(self, push: ConfigPush) -> None:
        if self._reports.revision is not None and push.dev == self._outbox.dev:
            self._reports.revision(push, self._say)

    def _say(self, reply: Reply) -> None:
        self._publish("reply", reply)

    def _take_host_state(self, topic: str, state: HostState) -> None:
        if not state.online:
            self._hubs_online.discard(topic)
            return
        if topic not in self._hubs_online:
            log.info("hub %s is online", state.hub)
            self.introduce()  # a hub that listens for the first time has not heard it
            self._tracks_in_flight.clear()
            # Before we count as online: what is sent in between would be sent twice.
            self._outbox.send_again()
            self._hubs_online.add(topic)
            self._outbox.added.set()

    def _take_receipt(self, receipt: Receipt) -> None:
        if receipt.epoch != self._outbox.epoch:
            return
        for refusal in receipt.refused:
            log.error(
                "the hub refused %s %d: %s %s",
                receipt.stream, refusal.seq, refusal.code, refusal.msg,
            )  # fmt: skip
        if receipt.stream == TRACK:
            self._land(receipt.seqs)
        self._outbox.settle(receipt.stream, receipt.seqs, receipt.refused)
        self._outbox.forget_files(receipt.sha256)

    def _land(self, ranges: list[tuple[int, int]]) -> None:
        flying = sorted(self._tracks_in_flight)
        for first, last in ranges:
            for seq in flying[bisect_left(flying, first) : bisect_right(flying, last)]:
                self._tracks_in_flight.pop(seq, None)

    def _take_grant(self, grant: Grant) -> None:
        for file in grant.files:
            if file.url:
                self._granted.put(file)
            else:
                self._outbox.forget_files([file.sha256])

    def _send_forever(self) -> None:
        health_at = 0.0
        while not self._stopping.is_set():
            self._outbox.added.wait(0.5)
            self._outbox.added.clear()
            if not self.is_online or self._stopping.is_set():
                continue
            self._send_due()
            if self._health_due.is_set() or time.monotonic() - health_at > HEALTH_EVERY_S:
                self._health_due.clear()
                health_at = time.monotonic()
                self._publish("health", self._reports.health())

    def _send_due(self) -> None:
        items = self._outbox.take_due(self._track_room())
        for item in items:
            self._client.publish(
                topics.up(self._outbox.dev, item.stream), self._marked(item), qos=1
            )
            if item.stream == TRACK:
                self._tracks_in_flight.pop(item.seq, None)  # the oldest stands first
                self._tracks_in_flight[item.seq] = self._now_ms()
        by_alert: dict[str, list[HeldFile]] = {}
        for file in self._outbox.files_due():
            by_alert.setdefault(file.alert, []).append(file)
        for alert, files in by_alert.items():
            offered = [OfferedFile(f.sha256, f.size, f.type, f.sealed) for f in files]
            offer = EvidenceOffer(dev=self._outbox.dev, alert=alert, files=offered)
            self._publish("evidence", offer)
        if items:
            self._outbox.added.set()

    def _track_room(self) -> int:
        now = self._now_ms()
        for seq, sent_ms in list(self._tracks_in_flight.items()):
            if now - RETRY_FIRST_MS <= sent_ms <= now:
                break
            self._tracks_in_flight.pop(seq, None)
        return max(0, self._most_tracks - len(self._tracks_in_flight))

    def _marked(self, item: Item) -> bytes:
        if self._now_ms() - item.added_ms <= LIVE_MS:
            return item.payload
        return item.payload.replace(b'"hist":false', b'"hist":true', 1)

    def _upload_forever(self) -> None:
        while (file := self._granted.get()) is not None and not self._stopping.is_set():
            held = self._outbox.held_file(file.sha256)
            if held is not None:
                self._upload(file, held)

    def _upload(self, file: GrantedFile, held: HeldFile) -> None:
        path = self._outbox.file_path(file.sha256)
        try:
            # What the hub seals it takes whole: no part of it may lie there open.
            answer = upload(
                file.url,
                path,
                held.type,
                whole=held.sealed,
                context=self._trust,
                give_way=self.give_way,
            )
        except (BadAddress, FileNotFoundError) as fault:
            log.warning("the file %s of %s is not sent: %s", file.sha256, held.alert, fault)
            if not path.exists():
                self._outbox.forget_files([file.sha256])
        except ssl.SSLCertVerificationError as fault:
            if not self._is_stranger:
                words = "broker.ca_file or this system must vouch for it, until then files wait"
                log.warning("the hub's certificate: %s: %s", fault.verify_message, words)
            self._is_stranger = True
        except (OSError, HTTPException) as fault:
            log.info("upload of %s put off: %s", file.sha256, fault)
        else:
            self._is_stranger = False
            if not answer.is_stored:
                self._upload_refused(file.sha256, answer)

    def give_way(self) -> None:
        """Wait while an alert is to be sent, but not for ever: what else is sent asks before."""
        until_s = time.monotonic() + GIVE_WAY_MOST_S
        while (
            self.is_online
            and self._outbox.has_fresh_alert()
            and not self._stopping.is_set()
            and time.monotonic() < until_s
        ):
            time.sleep(GIVE_WAY_S)

    def _upload_refused(self, sha256: str, answer: Answer) -> None:
        log.warning("the hub answered %d to the file %s", answer.status, sha256)
        if answer.says("bad_offset"):
            return  # the hub lost its part: the next try begins with asking
        is_damaged = not is_intact(self._outbox.file_path(sha256), sha256)
        if is_damaged:
            log.error("the file %s has changed on our disk; it proves nothing any more", sha256)
        if answer.says("hash_differs") and not is_damaged:
            return  # it was damaged on the way: it will be offered again
        if is_damaged or answer.status in _GONE_FOR_GOOD:
            self._outbox.forget_files([sha256])
        elif answer.status == HTTPStatus.FORBIDDEN:
            self._outbox.offer_again(sha256)

    def _state(self, *, online: bool) -> State:
        return State(
            dev=self._outbox.dev,
            online=online,
            epoch=self._outbox.epoch,
            session=self._session,
            ts=self._now_ms(),
        )

    def _publish(self, name: str, message: Any, *, retain: bool = False) -> mqtt.MQTTMessageInfo:
        topic = topics.up(self._outbox.dev, name)
        return self._client.publish(topic, encode(message), qos=1, retain=retain)
