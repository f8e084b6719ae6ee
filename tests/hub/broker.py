"""A device at a real broker, as the tests of the ingest need one."""

import threading
import time

import msgspec
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from wire.codec import encode
from wire.receipt import Grant, Receipt
from wire.topics import down, up

FIRST_PAUSE_S, LAST_PAUSE_S = 0.01, 0.2


def wait_for(condition, timeout_s=60.0):
    """Until `condition()` is true; the value it gave.

    Asked less and less often: what takes long must not be kept from happening by the asking.
    """
    until = time.monotonic() + timeout_s
    pause_s = FIRST_PAUSE_S
    while not (value := condition()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {timeout_s} s")
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, LAST_PAUSE_S)
    return value


class Device:
    """Publishes as a device would and remembers what the hub answered."""

    def __init__(self, port, name="cam-1", password="secret", user=None):
        self.name = name
        self.receipts = []
        self.grants = []
        self._lock = threading.Lock()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, name, clean_session=False)
        self._client.username_pw_set(user or name, password)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(down(name, "receipt"), 1), (down(name, "grant"), 1)]
        )
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.reconnect_delay_set(1, 1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert subscribed.wait(60)

    def _on_message(self, _client, _data, message):
        with self._lock:
            if message.topic.endswith("grant"):
                self.grants.append(msgspec.json.decode(message.payload, type=Grant))
            else:
                self.receipts.append(msgspec.json.decode(message.payload, type=Receipt))

    def send(self, name, message, retain=False):
        payload = message if isinstance(message, bytes) else encode(message)
        return self._client.publish(up(self.name, name), payload, qos=1, retain=retain)

    def confirmed(self, stream):
        """Numbers the hub has confirmed."""
        with self._lock:
            return {
                seq
                for receipt in self.receipts
                if receipt.stream == stream
                for first, last in receipt.seqs
                for seq in range(first, last + 1)
            }

    def refused(self, stream):
        """(number, code) the hub has refused."""
        with self._lock:
            return {
                (refusal.seq, refusal.code)
                for receipt in self.receipts
                if receipt.stream == stream
                for refusal in receipt.refused
            }

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()
