"""`python -m station ingest`: takes the pumps' messages from the broker into the database, one writer, in batches.

Nothing hangs on the broker's copy of a record: a pump frees it, and stops sending it, only at our own `ack`, which goes
out after the commit. So records come with QoS 0 on the last stretch: brokers hand out few unacknowledged messages at a
time (Mosquitto 100, amqtt one), and the commits would be as small.
"""

import gc
import threading
import time

import structlog
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from station.mqtt import signing
from station.mqtt.client import make_client
from station.mqtt.line import Line
from station.mqtt.outbound import Outbound, Sending
from station.mqtt.work import UP, Message, Reply, work
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.platform.topics import PREFIX, topic

log = structlog.get_logger()
# The broker need not make sure of these: of `live` the next is as good, and a pump repeats its records until our `ack`.
UNPROMISED = ("live", "journal")
HELD_LIMIT = 4096  # messages kept while the database cannot be written
BATCH_MESSAGES = 250  # 2,000 records: a commit, and the acknowledgements, every tenth of a second at full load
IDLE_S = 0.5  # how long to wait for a message before looking for outbound work
OUTBOUND_EVERY_S = 1.0
RETRY_S = 2.0


class IngestService:
    """Connects, takes messages, writes, answers. Run it in a thread or as the process's main loop; stop() ends it."""

    def __init__(self, settings: Settings, secrets: Secrets, engine: Engine, now: clock.Clock = clock.now) -> None:
        self.settings, self.secrets, self.engine, self.now = settings, secrets, engine, now
        self.outbound = Outbound()
        self.ready = threading.Event()  # subscribed
        self.commits = 0  # batches written
        self._stop = threading.Event()
        self._devices: dict[tuple[str, str], int] = {}
        self._outbound_due = 0.0
        self.client = make_client(settings, secrets, "ingest")
        self.client.on_subscribe = lambda *_: self._subscribed()
        self.line = Line(self.client, settings.broker_host, settings.broker_port, self._on_up)

    def run(self) -> None:
        """Until stop()."""
        # A batch makes tens of thousands of objects without a cycle among them: looking for cycles costs a sixth.
        gc.freeze()
        gc.set_threshold(100_000, 50, 50)
        try:
            while not self._stop.is_set():
                self._step()
        finally:
            self.line.close()

    def stop(self) -> None:
        """Ends run() after the batch in hand."""
        self._stop.set()

    def _step(self) -> None:
        some = self.line.hear(BATCH_MESSAGES, IDLE_S)
        if some and not self._write(some):
            return
        if self.line.is_up and time.monotonic() >= self._outbound_due:
            self._outbound_due = time.monotonic() + OUTBOUND_EVERY_S
            self._send_outbound()

    def _write(self, some: list[Message]) -> bool:
        while True:
            try:
                replies = work(self.engine, self.secrets, some, self.now())
                break
            except OperationalError as error:
                log.error("database not writable, trying again", error=str(error.orig))
                self.line.keep(HELD_LIMIT, RETRY_S)
                if self._stop.is_set():
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
        payload = signing.sign(self.secrets.device(self._device(reply)).link, where, reply.message, reply.data)
        self.client.publish(where, payload, qos=1, retain=sending.retain)

    def _device(self, reply: Reply) -> int:
        name = (reply.station, reply.pump)
        if name not in self._devices:
            from station import forecourt

            with database.read(self.engine) as conn:
                self._devices = {(pump.station, pump.pump): pump.device for pump in forecourt.pumps(conn)}
        return self._devices[name]

    def _on_up(self) -> None:
        self.ready.clear()
        self.client.subscribe([(f"{PREFIX}/+/+/{leaf}", int(leaf not in UNPROMISED)) for leaf in UP])
        self.outbound.connected()
        self._outbound_due = 0.0

    def _subscribed(self) -> None:
        log.info("listening to the pumps")
        self.ready.set()
