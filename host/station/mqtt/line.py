"""The ingest's line to the broker: one thread that listens, works and listens again.

A network thread beside the writer costs more than it hides: SQLite lets go of the interpreter's lock for every row, and
a busy second thread keeps it for milliseconds each time. While the writer works, the kernel and the broker hold what
comes.
"""

import select
import ssl
import time
from collections.abc import Callable

import paho.mqtt.client as paho
import structlog

from station.mqtt.client import KEEPALIVE_S, RECONNECT_S
from station.mqtt.work import Message

log = structlog.get_logger()
GATHER_S = 0.05  # how long a batch may grow at most
LULL_S = 0.002  # ... and how long it waits for the next message


class Line:
    """Drives `client` by hand. on_up is called at every (re)connection, before anything is heard on it."""

    def __init__(self, client: paho.Client, host: str, port: int, on_up: Callable[[], None]) -> None:
        self.client, self.on_up = client, on_up
        self.is_up = False
        self._heard: list[Message] = []
        self._retry_s, self._retry_at = float(RECONNECT_S[0]), 0.0
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_message = self._on_message
        client.connect_async(host, port, KEEPALIVE_S)

    def hear(self, limit: int, timeout_s: float) -> list[Message]:
        """Waits up to timeout_s for a message, then gathers what follows closely, up to about `limit` messages."""
        if self._listen(timeout_s, limit):
            until = time.monotonic() + GATHER_S
            while len(self._heard) < limit and time.monotonic() < until and self._listen(LULL_S, limit):
                pass
        heard, self._heard = self._heard, []
        return heard

    def keep(self, limit: int, timeout_s: float) -> None:
        """Keeps the line alive for timeout_s while there is no use for messages; hear() gives them later.

        Beyond `limit` messages the broker has to hold the rest."""
        until = time.monotonic() + timeout_s
        while (left_s := until - time.monotonic()) > 0:
            if len(self._heard) >= limit or not self._listen(left_s, limit):
                time.sleep(min(max(0.0, until - time.monotonic()), 0.05))

    def close(self) -> None:
        """Says goodbye to the broker."""
        self.is_up = False
        self.client.disconnect()

    def _listen(self, timeout_s: float, limit: int) -> bool:
        """Moves what can be moved within timeout_s; True if messages came."""
        sock = self.client.socket()
        if sock is None:
            self._reconnect(timeout_s)
            return False
        wanting = [sock] if self.client.want_write() else []
        wait_s = 0.0 if isinstance(sock, ssl.SSLSocket) and sock.pending() else timeout_s
        readable, writable, _ = select.select([sock], wanting, [], wait_s)
        before = len(self._heard)
        if readable or not wait_s:
            self._read(limit)
        if writable or self.client.want_write():
            self.client.loop_write()
        self.client.loop_misc()
        return len(self._heard) > before

    def _read(self, limit: int) -> None:
        silent = 0
        while silent < 2 and len(self._heard) < limit and self.client.socket() is not None:
            before = len(self._heard)
            if self.client.loop_read() != paho.MQTT_ERR_SUCCESS:
                return
            # A packet that is no message looks like silence once: then one more try.
            silent = silent + 1 if len(self._heard) == before else 0

    def _reconnect(self, timeout_s: float) -> None:
        wait_s = self._retry_at - time.monotonic()
        if wait_s > 0:
            time.sleep(min(wait_s, timeout_s))
            return
        self._retry_at = time.monotonic() + self._retry_s
        self._retry_s = min(2 * self._retry_s, RECONNECT_S[1])
        try:
            self.client.reconnect()
        except (OSError, ValueError) as error:
            log.warning("broker not reached", error=str(error))

    def _on_connect(self, _c: paho.Client, _data: object, _flags: object, reason: object, _props: object) -> None:
        if getattr(reason, "is_failure", False):
            log.error("broker refused us", reason=str(reason))
            return
        log.info("broker connected")
        self.is_up, self._retry_s = True, float(RECONNECT_S[0])
        self.on_up()

    def _on_disconnect(self, _c: paho.Client, _d: object, _f: object, reason: object, _props: object) -> None:
        if self.is_up:
            log.warning("broker lost, reconnecting", reason=str(reason))
        self.is_up, self._retry_at = False, time.monotonic() + self._retry_s

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:  # no broker of ours lets one pass
            topic = "?"
        self._heard.append(Message(topic, bytes(message.payload)))
        if message.qos:
            client.ack(message.mid, message.qos)
