"""`python -m station ingest`: takes the pumps' messages from the broker into the database, one writer, in batches.

The network runs in paho's thread and only fills a bounded queue; a full queue holds the broker back. The broker gets
its PUBACK as soon as a message stands in the queue: brokers hand out few messages at a time (Mosquitto 20, amqtt one),
and waiting for the commit would make the commits as small. Nothing hangs on the broker's copy: a pump frees a record,
and stops sending it, only at our own `ack`, which goes out after the commit.
"""

import gc
import queue
import threading
import time

import paho.mqtt.client as paho
import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from station.mqtt import signing
from station.mqtt.client import KEEPALIVE_S, make_client
from station.mqtt.outbound import Outbound, Sending
from station.mqtt.work import UP, Message, Reply, work
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.platform.topics import PREFIX, topic

log = structlog.get_logger()
QUEUE_LIMIT = 4096
BATCH_MESSAGES = 512
IDLE_S = 0.5  # how long to wait for a message before looking for outbound work
OUTBOUND_EVERY_S = 1.0
RETRY_S = 2.0


class IngestService:
    """Connects, takes messages, writes, answers. Run it in a thread or as the process's main loop; stop() ends it."""

    def __init__(self, settings: Settings, secrets: Secrets, engine: Engine, now: clock.Clock = clock.now) -> None:
        self.settings, self.secrets, self.engine, self.now = settings, secrets, engine, now
        self.queue: queue.Queue[Message] = queue.Queue(QUEUE_LIMIT)
        self.outbound = Outbound()
        self.ready = threading.Event()  # subscribed
        self.commits = 0  # batches written
        self._stop = threading.Event()
        self._connected = threading.Event()
        self._devices: dict[tuple[str, str], int] = {}
        self._outbound_due = 0.0
        self.client = make_client(settings, secrets, "ingest")
        self.client.on_connect = self._on_connect
        self.client.on_disconnect = self._on_disconnect
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self._on_message

    def run(self) -> None:
        """Until stop()."""
        # A batch makes tens of thousands of objects without a cycle among them: looking for cycles costs a sixth.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        self.client.connect_async(self.settings.broker_host, self.settings.broker_port, KEEPALIVE_S)
        self.client.loop_start()
        try:
            while not self._stop.is_set():
                self._step()
        finally:
            self.client.disconnect()
            self.client.loop_stop()

    def stop(self) -> None:
        """Ends run() after the batch in hand."""
        self._stop.set()

    def _step(self) -> None:
        some = self._take()
        if some and not self._write(some):
            return
        if self._connected.is_set() and time.monotonic() >= self._outbound_due:
            self._outbound_due = time.monotonic() + OUTBOUND_EVERY_S
            self._send_outbound()

    def _take(self) -> list[Message]:
        try:
            some = [self.queue.get(timeout=IDLE_S)]
        except queue.Empty:
            return []
        while len(some) < BATCH_MESSAGES:
            try:
                some.append(self.queue.get_nowait())
            except queue.Empty:
                break
        return some

    def _write(self, some: list[Message]) -> bool:
        while True:
            try:
                replies = work(self.engine, self.secrets, some, self.now())
                break
            except OperationalError as error:
                log.error("database not writable, trying again", error=str(error.orig))
                if self._stop.wait(RETRY_S):
                    return False
        self.commits += 1
        for reply in replies:
            self._publish(Sending(reply, False))
        return True

    def _send_outbound(self) -> None:
        try:
            with database.write(self.engine) as conn:
                due = self.outbound.due(conn, self.now())
        except OperationalError as error:
            log.error("database not readable", error=str(error.orig))
            return
        for sending in due:
            self._publish(sending)

    def _publish(self, sending: Sending) -> None:
        reply = sending.reply
        where = topic(reply.station, reply.pump, reply.leaf)
        payload = signing.sign(self.secrets.device(self._device(reply)).link, where, reply.message)
        self.client.publish(where, payload, qos=1, retain=sending.retain)

    def _device(self, reply: Reply) -> int:
        name = (reply.station, reply.pump)
        if name not in self._devices:
            from station import forecourt

            with database.read(self.engine) as conn:
                self._devices = {(pump.station, pump.pump): pump.device for pump in forecourt.pumps(conn)}
        return self._devices[name]

    def _on_connect(self, client: paho.Client, _data: object, _flags: object, reason: object, _props: object) -> None:
        if getattr(reason, "is_failure", False):
            log.error("broker refused us", reason=str(reason))
            return
        log.info("broker connected")
        client.subscribe([(f"{PREFIX}/+/+/{leaf}", 0 if leaf == "live" else 1) for leaf in UP])
        self.outbound.connected()
        self._outbound_due = 0.0
        self._connected.set()

    def _on_disconnect(self, _c: paho.Client, _d: object, _f: object, reason: object, _props: object) -> None:
        self._connected.clear()
        self.ready.clear()
        if not self._stop.is_set():
            log.warning("broker lost, reconnecting", reason=str(reason))

    def _on_message(self, client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        taken = Message(message.topic, bytes(message.payload), message.mid, message.qos, message.retain)
        while not self._stop.is_set():
            try:
                self.queue.put(taken, timeout=1.0)
            except queue.Full:
                continue
            if taken.qos:
                client.ack(taken.mid, taken.qos)
            return
