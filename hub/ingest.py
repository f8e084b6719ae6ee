"""From the broker into the store: the only file of the hub that knows MQTT.

A lane is a connection with a thread that stores what it brings. Alerts, tracks and the rest have
lanes of their own, so that a backlog of fixes never delays an alert. Messages are gathered for a
moment, stored in one transaction, and only then acknowledged to the broker and confirmed to the
device: whatever dies before that, the broker or the device sends them again.
"""

import logging
import queue
import secrets
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from hub import metrics, pipeline, quarantine
from hub.config import Broker, HubConfig
from hub.courier import Courier, Letter
from hub.devices import store as device_store
from hub.errors import HubError
from hub.inbox import Received, Refusal
from hub.pipeline import Outcome, Site
from hub.quarantine import Suspect
from hub.receipts import Answers
from hub.store import Store, is_database_away, now, to_ms
from wire.codec import STREAMS, Code, Refused, decode, encode
from wire.coded import coded, words_of
from wire.envelope import Epoch, Seq
from wire.receipt import Receipt
from wire.status import HostState
from wire.topics import ROOT, BadTopic, down, host_state, parse_up

log = logging.getLogger(__name__)

MAX_BATCH = 1000
PAUSE_S = 0.003
FIRST_RETRY_S, LAST_RETRY_S = 0.25, 15.0
PROBE_S = 1.5
TAKEN_WITHIN_S = 5.0
QOS = 1
NO_EPOCH = "0" * 16


@dataclass(frozen=True)
class Lane:
    """A connection: the messages it brings, how long they are gathered, when receipts go out."""

    name: str
    brings: tuple[str, ...]
    gather_s: float
    answer_every_s: float
    urgent: bool = False
    shared: bool = True


def lanes(config: HubConfig) -> tuple[Lane, ...]:
    """The lanes of a hub process."""
    timing = config.receipts
    return (
        Lane("alert", ("alert",), timing.alert_gather_ms / 1000, 0.0, urgent=True),
        Lane("track", ("track", "driver"), timing.track_gather_ms / 1000, timing.track_every_s),
        Lane(
            "status",
            ("state", "birth", "health", "gap", "evidence", "reply", "settings"),
            0.02,
            0.0,
            shared=False,
        ),
    )


@dataclass(frozen=True)
class Delivery:
    """A message as the broker gave it: `life` counts the lane's connections."""

    topic: str
    payload: bytes
    mid: int
    qos: int
    life: int
    received_at: datetime
    arrived_s: float


class Ingest:
    """All lanes of one hub process."""

    def __init__(self, store: Store, site: Site, *, is_host: bool = True) -> None:
        """Make the lanes; a member that is not the host has no status lane and sends nothing."""
        self._links = [
            LaneLink(lane, store, site) for lane in lanes(site.config) if is_host or lane.shared
        ]
        sources = pipeline.down(site) if is_host else ()
        self._courier = Courier(store, sources, self._links[-1].send)

    def start(self) -> None:
        """Connect; returns at once and keeps trying."""
        for link in self._links:
            link.start()
        self._courier.start()

    def wake(self) -> None:
        """Something was committed that has to go down to a device. Any thread may call."""
        self._courier.wake()

    def wait_connected(self, timeout_s: float) -> bool:
        """Whether every lane receives within the time."""
        until = time.monotonic() + timeout_s
        return all(link.ready.wait(max(0.0, until - time.monotonic())) for link in self._links)

    @property
    def broker_name(self) -> str:
        """What the broker calls itself; empty when it does not say."""
        return self._links[-1].broker_name

    def is_connected(self) -> bool:
        """Whether every lane is connected."""
        return all(link.ready.is_set() for link in self._links)

    def backlog(self) -> int:
        """Messages received and not yet stored, of all lanes."""
        return sum(link.backlog for link in self._links)

    def confirm_file(self, dev: str, sha256: str) -> None:
        """Tell a device that its file is here."""
        self._links[-1].confirm_files(dev, [sha256])

    def stop(self) -> None:
        """Store what has been received, say goodbye, disconnect."""
        self._courier.ask_to_stop()
        for link in self._links:
            link.ask_to_stop()
        self._courier.join()
        for link in self._links:
            link.join()


class LaneLink:
    """One lane: the network thread fills a queue, the lane's thread stores what is in it."""

    def __init__(self, lane: Lane, store: Store, site: Site) -> None:
        """Prepare the connection; `start` makes it."""
        self._lane = lane
        self._store = store
        self._site = site
        self._queue: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._answers = Answers()
        self._stopping = threading.Event()
        self._life = 0
        self._share: bool | None = {"yes": True, "no": False}.get(site.config.broker.shared)
        if not lane.shared:
            self._share = False
        self._probe = secrets.token_hex(8)
        self.ready = threading.Event()
        self.broker_name = ""
        self._client = _client(site.config, lane.name)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._thread = threading.Thread(target=self._work, name=f"ingest-{lane.name}", daemon=True)

    @property
    def backlog(self) -> int:
        """Messages received and not yet stored."""
        return self._queue.qsize()

    # -- life

    def start(self) -> None:
        """Begin to connect and to store."""
        self._thread.start()
        broker = self._site.config.broker
        self._client.connect_async(broker.host, broker.port, keepalive=30)
        self._client.loop_start()

    def ask_to_stop(self) -> None:
        """Store what is queued, then stop."""
        self._stopping.set()
        self._queue.put(None)

    def join(self) -> None:
        """Wait until stopped and disconnect."""
        self._thread.join(2.0)
        if self._is_host and self._client.is_connected():
            self._say_host(online=False).wait_for_publish(0.5)
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def _is_host(self) -> bool:
        return not self._lane.shared

    # -- network thread

    def _on_connect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: Any, _properties: object
    ) -> None:
        if reason.is_failure:
            log.error("Broker refuses lane %s: %s", self._lane.name, reason)
            return
        self._life += 1
        metrics.CONNECTED.labels(self._lane.name).set(1)
        broker = self._site.config.broker
        log.info("Lane %s connected to %s:%s", self._lane.name, broker.host, broker.port)
        if self._share is None:
            self._try_sharing()
        else:
            self._subscribe()

    def _try_sharing(self) -> None:
        """Ask the broker for a shared subscription and see whether a message comes through it."""
        topic = f"{ROOT}/host/{self._site.config.hub_id}/probe-{self._probe}"
        self._client.subscribe([(f"$share/{self._probe}/{topic}", QOS), ("$SYS/broker/version", 0)])
        self._client.publish(topic, b"?", QOS)

        def give_up() -> None:
            if self._share is None and self._client.is_connected():
                log.info("Broker shares no subscriptions: one hub process, plain filters")
                self._share = False
                self._subscribe()

        timer = threading.Timer(PROBE_S, give_up)
        timer.daemon = True
        timer.start()

    def _subscribe(self) -> None:
        plain = [f"{ROOT}/+/up/{name}" for name in self._lane.brings]
        shared = [f"$share/hub-{self._lane.name}/{topic}" for topic in plain]
        # States are retained, and brokers send nothing retained to a share.
        use_share = bool(self._share) and self._lane.shared
        self._client.unsubscribe(plain if use_share else shared)
        self._client.subscribe([(topic, QOS) for topic in (shared if use_share else plain)])
        if self._is_host:
            self._client.subscribe("$SYS/broker/version", 0)
            self._say_host(online=True)

    def _on_subscribe(self, *_args: object) -> None:
        if self._share is not None:
            self.ready.set()

    def _on_disconnect(
        self, _client: mqtt.Client, _data: object, _flags: object, reason: Any, _properties: object
    ) -> None:
        self.ready.clear()
        metrics.CONNECTED.labels(self._lane.name).set(0)
        if not self._stopping.is_set():
            log.warning("Lane %s lost the broker: %s", self._lane.name, reason)

    def _on_message(self, client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        topic = message.topic
        if "/probe-" in topic or topic.startswith("$SYS/"):
            self._on_side_message(client, topic, message)
            return
        self._queue.put(
            Delivery(
                topic,
                bytes(message.payload),
                message.mid,
                message.qos,
                self._life,
                now(),
                time.monotonic(),
            )
        )

    def _on_side_message(self, client: mqtt.Client, topic: str, message: mqtt.MQTTMessage) -> None:
        client.ack(message.mid, message.qos)
        if topic.startswith("$SYS/"):
            self.broker_name = message.payload.decode("utf-8", "replace")[:100]
        elif self._share is None and topic.endswith(self._probe):
            self._share = True
            client.unsubscribe(f"$share/{self._probe}/{topic}")
            self._subscribe()

    def _say_host(self, *, online: bool) -> mqtt.MQTTMessageInfo:
        hub = self._site.config.hub_id
        state = HostState(hub=hub, online=online, ts=to_ms(now()))
        return self._client.publish(host_state(hub), encode(state), QOS, retain=True)

    # -- the lane's thread

    def _work(self) -> None:
        answered_s = time.monotonic()
        while True:
            batch = self._gather(self._lane.answer_every_s or 1.0)
            if batch:
                self._store_until_done(batch)
            due = time.monotonic() - answered_s >= self._lane.answer_every_s
            if due or self._stopping.is_set():
                self._send_answers()
                answered_s = time.monotonic()
            if self._stopping.is_set() and self._queue.empty():
                return

    def _gather(self, patience_s: float) -> list[Delivery]:
        """What comes within the lane's window, ended by a pause or a full batch."""
        try:
            first = self._queue.get(timeout=patience_s)
        except queue.Empty:
            return []
        batch = [first] if first is not None else []
        until = time.monotonic() + self._lane.gather_s
        while len(batch) < MAX_BATCH and not self._stopping.is_set():
            left = until - time.monotonic()
            try:
                more = self._queue.get(timeout=min(left, PAUSE_S)) if left > 0 else None
            except queue.Empty:
                break
            if left <= 0:
                break
            if more is not None:
                batch.append(more)
        while self._stopping.is_set() and len(batch) < MAX_BATCH and not self._queue.empty():
            more = self._queue.get()
            if more is not None:
                batch.append(more)
        return batch

    def _store_until_done(self, batch: Sequence[Delivery]) -> None:
        """Store a batch however long the database is away; nothing is acknowledged before."""
        wait_s, raced = FIRST_RETRY_S, False
        while True:
            try:
                self._store_and_answer(batch)
            except IntegrityError as fault:
                # Another member may have stored the same message a moment ago: look again.
                if raced:
                    self._one_by_one(batch, fault)
                    return
                raced = True
                continue
            except DBAPIError as fault:
                if not is_database_away(fault):
                    self._one_by_one(batch, fault)
                    return
                metrics.RETRIES.labels(self._lane.name).inc()
                if wait_s == FIRST_RETRY_S:
                    log.warning("Lane %s waits for the database: %s", self._lane.name, fault.orig)
            except Exception as fault:  # noqa: BLE001 - a fault of ours must not stop the lane
                self._one_by_one(batch, fault)
                return
            else:
                return
            if self._stopping.wait(wait_s):
                return
            wait_s = min(LAST_RETRY_S, wait_s * 2)

    def _one_by_one(self, batch: Sequence[Delivery], fault: Exception) -> None:
        """A message the hub fails on must not block the others: it alone is put aside."""
        if len(batch) > 1:
            for delivery in batch:
                self._store_until_done([delivery])
            return
        (delivery,) = batch
        log.error("Message on %s cannot be stored", delivery.topic, exc_info=fault)
        suspect = _suspect(
            delivery, Code.BUSY, coded("hub_failed", "the hub failed on it: {why!r}", why=fault)
        )
        try:
            with self._store.write() as tx:
                quarantine.keep(tx, [suspect], self._site.config.quarantine)
        except DBAPIError:
            log.exception("Quarantine cannot be written")
        self._acknowledge(batch)

    def _store_and_answer(self, batch: Sequence[Delivery]) -> None:
        readings = [_read(delivery) for delivery in batch]
        suspects = [reading for reading in readings if isinstance(reading, Suspect)]
        outcomes = []
        with self._store.write(urgent=self._lane.urgent) as tx:
            readable = [reading for reading in readings if not isinstance(reading, Suspect)]
            for name, group in groupby(readable, key=lambda reading: reading[0]):
                received = [each for _, each in group]
                outcome = pipeline.take(tx, self._site, name, received)
                outcomes.append((name, outcome))
                suspects += [_refused(name, refusal) for refusal in outcome.refused]
            quarantine.keep(tx, suspects, self._site.config.quarantine)
        self._acknowledge(batch)
        self._count(batch, readable, suspects)
        for name, outcome in outcomes:
            self._answer(name, outcome)
        for delivery, reading in zip(batch, readings, strict=True):
            if isinstance(reading, Suspect):
                self._answer_unreadable(delivery, reading)
        if self._lane.answer_every_s == 0:
            self._send_answers()

    def _acknowledge(self, batch: Sequence[Delivery]) -> None:
        for delivery in batch:
            if delivery.life == self._life:
                self._client.ack(delivery.mid, delivery.qos)

    def confirm_files(self, dev: str, hashes: Sequence[str]) -> None:
        """Tell a device that files are here; when it cannot be told now, it will offer again."""
        with self._store.read() as tx:
            known = device_store.known(tx, [dev])
        epoch = (known[dev].epoch if dev in known else "") or NO_EPOCH
        receipt = Receipt(dev=dev, epoch=epoch, stream="evidence", sha256=list(hashes))
        if self._client.is_connected():
            self._client.publish(down(dev, "receipt"), encode(receipt), QOS)

    def send(self, letters: Sequence[Letter]) -> list[Letter]:
        """Give letters to the broker; those it has confirmed come back."""
        if not self.ready.is_set():
            return []
        until = time.monotonic() + TAKEN_WITHIN_S
        handed = [
            self._client.publish(down(each.dev, each.name), each.payload, QOS, retain=each.retain)
            for each in letters
        ]
        return [each for each, info in zip(letters, handed, strict=True) if _is_taken(info, until)]

    def _answer(self, name: str, outcome: Outcome) -> None:
        for received, seqs in outcome.stored:
            message = received.message
            self._answers.stored((message.dev, message.epoch, name), seqs)
        for refusal in outcome.refused:
            message = refusal.received.message
            if name in STREAMS:
                stream = (refusal.received.dev, message.epoch, name)
                fault = refusal.fault
                self._answers.refused(stream, refusal.seq, fault.code, fault.message)
        for grant in outcome.grants:
            self._client.publish(down(grant.dev, "grant"), encode(grant), QOS)
            if held := [file.sha256 for file in grant.files if not file.url]:
                self.confirm_files(grant.dev, held)

    def _answer_unreadable(self, delivery: Delivery, suspect: Suspect) -> None:
        """A refusal for a message of which at least epoch and seq can be read."""
        name = delivery.topic.rsplit("/", 1)[-1]
        if name not in STREAMS or not suspect.device:
            return
        try:
            marks = msgspec.json.decode(delivery.payload, type=_Marks)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return
        stream = (suspect.device, marks.epoch, name)
        self._answers.refused(stream, marks.seq, suspect.code, suspect.message)

    def _send_answers(self) -> None:
        if not self._client.is_connected():
            return
        for receipt in self._answers.take():
            self._client.publish(down(receipt.dev, "receipt"), encode(receipt), QOS)

    def _count(
        self,
        batch: Sequence[Delivery],
        readable: Sequence[tuple[str, Received[Any]]],
        suspects: Sequence[Suspect],
    ) -> None:
        done_s, done_at = time.monotonic(), now()
        lane = self._lane.name
        for name in self._lane.brings:
            count = sum(each == name for each, _ in readable)
            if count:
                metrics.MESSAGES.labels(name).inc(count)
        commit = metrics.COMMIT.labels(lane)
        for delivery in batch[:: max(1, len(batch) // 20)]:
            commit.observe(done_s - delivery.arrived_s)
        lag = metrics.LAG.labels(lane)
        for _, received in readable[:: max(1, len(readable) // 20)]:
            message = received.message
            if getattr(message, "hist", True) is False:
                lag.observe(max(0.0, (to_ms(done_at) - message.ts) / 1000))
        for suspect in suspects:
            metrics.REFUSED.labels(suspect.code).inc()
        metrics.BACKLOG.labels(lane).set(self._queue.qsize())


def _is_taken(info: mqtt.MQTTMessageInfo, until: float) -> bool:
    """Whether the broker confirms a message before `until` of the monotonic clock."""
    try:
        info.wait_for_publish(max(0.0, until - time.monotonic()))
    except (RuntimeError, ValueError):  # not connected, or more waits than paho keeps
        return False
    return info.is_published()


class _Marks(msgspec.Struct):
    epoch: Epoch
    seq: Seq


def _read(delivery: Delivery) -> tuple[str, Received[Any]] | Suspect:
    """The message of a delivery, or why there is none."""
    try:
        topic = parse_up(delivery.topic)
    except BadTopic as fault:
        return _suspect(delivery, Code.DEVICE, words_of(fault), device="")
    try:
        message: Any = decode(topic.name, delivery.payload)
    except Refused as fault:
        return _suspect(delivery, fault.code, fault.message, topic.dev)
    if message.dev != topic.dev:
        text = "{message}: dev is {given!r}, the topic's is {of_topic!r}"
        other = coded(
            "other_device", text, message=topic.name, given=message.dev, of_topic=topic.dev
        )
        return _suspect(delivery, Code.DEVICE, other, topic.dev)
    received = Received(topic.dev, message, delivery.payload, delivery.received_at)
    return topic.name, received


def take_again(site: Site, tx: Connection, suspect: Suspect) -> Refused | None:
    """Take a refused message as if it came now; why not, where it is refused again.

    The device has been told that it was refused and is not told another word.
    """
    at = suspect.received_at
    reading = _read(Delivery(suspect.topic, suspect.payload, 0, QOS, 0, at, 0.0))
    if isinstance(reading, Suspect):
        return Refused(Code(reading.code), reading.message)
    name, received = reading
    outcome = pipeline.take(tx, site, name, [received])
    return outcome.refused[0].fault if outcome.refused else None


def _suspect(delivery: Delivery, code: str, message: str, device: str | None = None) -> Suspect:
    parts = delivery.topic.split("/")
    name = device if device is not None else (parts[2] if len(parts) > 2 else "")
    return Suspect(delivery.received_at, delivery.topic, name[:64], code, message, delivery.payload)


def _refused(name: str, refusal: Refusal) -> Suspect:
    received = refusal.received
    return Suspect(
        received.received_at,
        f"{ROOT}/{received.dev}/up/{name}",
        received.dev,
        refusal.fault.code,
        refusal.fault.message,
        received.raw,
    )


def _client(config: HubConfig, lane: str) -> mqtt.Client:
    broker = config.broker
    client = mqtt.Client(
        CallbackAPIVersion.VERSION2,
        client_id=f"{broker.username}-{config.hub_id}-{config.member}-{lane}",
        clean_session=False,
        protocol=mqtt.MQTTv311,
        manual_ack=True,
    )
    client.reconnect_delay_set(min_delay=1, max_delay=15)
    client.max_inflight_messages_set(1000)
    client.username_pw_set(broker.username, password(broker))
    if broker.ca_file is not None:
        client.tls_set_context(ssl.create_default_context(cafile=str(broker.ca_file)))
    if lane == "status":
        will = HostState(hub=config.hub_id, online=False)
        client.will_set(host_state(config.hub_id), encode(will), QOS, retain=True)
    return client


def password(broker: Broker) -> str | None:
    """The hub's password at the broker.

    Raises HubError when its file cannot be read.
    """
    if broker.password_file is None:
        return None
    try:
        return broker.password_file.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise HubError(f"broker.password_file: {broker.password_file}: {fault.strerror}") from None
