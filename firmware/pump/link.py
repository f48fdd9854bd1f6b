"""The pump's line to the station: state, live figures and journal go up; prices, lists, commands and answers come down.

docs/mqtt.md is the contract. Nothing here decides about fuel or money: what comes down is checked and handed to the
controller, what goes up is what the controller and the journal hold. All of it may fail at any time and loses nothing:
a record stays in the journal until the station's own signed acknowledgement names it.
"""

import asyncio
import binascii
import gc
import json
import os
from time import ticks_diff, ticks_ms

import mqtt
from pump import kept
from pump.core import signed
from pump.core.backoff import Backoff

CONNECT_MS = 15000
KEEPALIVE_S = 10
LIVE_BUSY_MS, LIVE_IDLE_MS = 200, 2000
STATE_MS, STATE_MIN_MS = 30000, 500
BATCH = 8  # records
ACK_FIRST_MS, ACK_LAST_MS = 5000, 40000
TIME_MS, TIME_RETRY_MS = 3600000, 30000
COMMANDS_KEPT = 8
MISSED_MS = 3000
DOWN = ("ack", "command", "answer") + kept.LEAVES


class Link:
    """up: connected and subscribed; error: why not, net, cert, auth or fault; rejected: payloads not believed;
    unkept: messages that the file system did not take."""

    def __init__(self, identity, controller, journal, clock, ca_der, software, boot):
        """identity: the parsed identity.json; clock: now_s(), quality, set(Unix seconds); boot: number of this start;
        software: 16 hex characters; ca_der: certificate of the station's authority, without which there is no line."""
        broker = identity["broker"]
        self.up, self.error, self.rejected, self.unkept = False, "", 0, 0
        self._device = identity["device"]
        self._grades = [nozzle["grade"] for nozzle in identity["nozzles"]]
        self._key = binascii.unhexlify(identity["keys"]["link"])
        self._base = "pumpside/v1/" + identity["station"] + "/" + identity["pump"] + "/"
        self._controller = controller
        self._journal = journal
        self._clock = clock
        self._software = software
        self._boot = boot
        user = broker["user"]
        try:
            tls = mqtt.context(ca_der)
        except (ValueError, TypeError):  # missing or damaged: the pump sells without the line, and the line says why
            tls = None
        self._trusts = tls is not None
        self._client = mqtt.MQTT(
            user, broker["host"], broker["port"], user, broker["password"], KEEPALIVE_S, tls, broker["name"]
        )
        self._client.set_callback(self._on_message)
        self._client.set_last_will(self._base + "state", b'{"v":1,"online":false}', True, 1)
        self._backoff = Backoff()
        self._done = []  # acknowledgements of commands still to be sent
        self._results = []  # (id, acknowledgement) of the last commands: a repeated one is answered, not run again
        self._ask = self._time_at = self._sent_at = self._state_key = self._state_at = None
        self._time_id = ""
        self._acked_at_send = -1
        self._first = 0  # no readable record is older
        self._record = bytearray(128)
        self._patience_ms = ACK_FIRST_MS
        self._missed, self._asked_at = False, ticks_ms()  # something that lasts came at a bad time
        kept.recall(controller, self._key, self._base)

    async def run(self):
        """Keeps the line up for ever."""
        while True:
            try:
                await self._session()
            except mqtt.BadCertificate:
                self.error = "cert"
            except mqtt.MQTTException:
                self.error = "auth"
            except Exception as error:  # noqa: BLE001 - the line must outlive everything, a full memory included
                self.error = "net" if isinstance(error, OSError) else "fault"
            await asyncio.sleep_ms(self._backoff.failed(_random16()))

    async def _session(self):
        tasks = []
        try:
            await self._connect()
            tasks.append(asyncio.create_task(self._part(self._client.run())))
            await self._client.subscribe([self._base + leaf for leaf in DOWN])
            self.up = self._controller.link_online = True
            self.error = ""
            self._backoff.succeeded()
            self._sent_at = self._state_at = None
            tasks.append(asyncio.create_task(self._part(self._send_up())))
            await self._send_live()
        finally:
            self.up = self._controller.link_online = False
            self._client.drop()
            for task in tasks:
                task.cancel()

    async def _connect(self):
        """Only while nobody fuels: name look-up and TLS handshake stop the control tick for too long."""
        if not self._trusts:
            raise mqtt.BadCertificate("no authority")
        while self._controller.busy:
            await asyncio.sleep_ms(200)
        failed = [OSError("busy")]
        task = asyncio.create_task(self._try_to_connect(failed))
        while not task.done():
            if self._controller.busy:
                task.cancel()
            await asyncio.sleep_ms(20)
        if failed:
            raise failed[0]

    async def _try_to_connect(self, failed):
        try:
            await self._client.connect(CONNECT_MS)
            failed.clear()
        except Exception as error:  # noqa: BLE001 - raised by who waits for this task
            failed[0] = error

    async def _send_live(self):
        sent_at = ticks_ms()
        while self._client.connected:
            await asyncio.sleep_ms(50)
            pause_ms = LIVE_BUSY_MS if self._controller.busy else LIVE_IDLE_MS
            if ticks_diff(ticks_ms(), sent_at) >= pause_ms:
                sent_at = ticks_ms()
                live = self._controller.live()
                live["link"] = 1
                await self._client.publish(self._base + "live", json.dumps(live).encode())
        raise OSError("lost")

    async def _send_up(self):
        """One QoS 1 message after the other: state, acknowledged commands, questions, records."""
        client = self._client
        while True:
            if self._state_due():
                self._state_at = ticks_ms()
                await client.publish(self._base + "state", self._state(), True, 1)
            elif self._done:
                done = json.dumps(self._done.pop(0)).encode()  # if it is lost, the station repeats its command
                await client.publish(self._base + "done", done, False, 1)
            elif self._question():
                await client.publish(self._base + "ask", json.dumps(self._ask).encode(), False, 1)
                self._ask = None
            elif self._batch_due():
                batch = await self._batch()
                if batch:
                    await client.publish(self._base + "journal", batch, False, 1)
            elif self._missed and not self._controller.busy and ticks_diff(ticks_ms(), self._asked_at) > MISSED_MS:
                self._missed, self._asked_at = False, ticks_ms()
                gc.collect()
                await client.subscribe([self._base + leaf for leaf in kept.LEAVES])
            else:
                await asyncio.sleep_ms(50)

    def _state_due(self):
        c = self._controller
        key = (c.view.state, c.alarms, c.locked, c.tariff, self._journal.acked)
        age_ms = STATE_MS if self._state_at is None else ticks_diff(ticks_ms(), self._state_at)
        if age_ms < STATE_MS and (key == self._state_key or age_ms < STATE_MIN_MS):
            return False
        self._state_key = key
        return True

    def _state(self):
        c, journal = self._controller, self._journal
        return json.dumps(
            {
                "v": 1,
                "online": True,
                "device": self._device,
                "boot": self._boot,
                "sw": self._software,
                "nozzles": [[n, grade, c.prices.get(grade, 0)] for n, grade in enumerate(self._grades)],
                "state": c.view.state,
                "alarms": list(c.alarms),
                "locked": c.locked,
                "journal": {"head": journal.head - 1, "acked": journal.acked, "free": journal.free},
                "tariff": c.tariff,
                "time": self._clock.now_s(),
                "quality": self._clock.quality,
            }
        ).encode()

    def _question(self):
        if self._ask is None:
            self._ask = self._controller.take_ask()
        pause_ms = TIME_RETRY_MS if self._time_id else TIME_MS
        if self._ask is None and (self._time_at is None or ticks_diff(ticks_ms(), self._time_at) > pause_ms):
            self._time_at = ticks_ms()
            self._time_id = binascii.hexlify(os.urandom(4)).decode()
            self._ask = {"id": self._time_id, "ask": "time"}
        return self._ask

    def _batch_due(self):
        """At most one batch is on its way; it goes again, ever more patiently, if the acknowledgement does not come."""
        journal = self._journal
        if journal.acked + 1 >= journal.head:
            return False
        if self._sent_at is None or journal.acked != self._acked_at_send:
            self._patience_ms = ACK_FIRST_MS
            return True
        if ticks_diff(ticks_ms(), self._sent_at) < self._patience_ms:
            return False
        self._patience_ms = min(2 * self._patience_ms, ACK_LAST_MS)
        return True

    async def _batch(self):
        journal = self._journal
        self._sent_at, self._acked_at_send = ticks_ms(), journal.acked
        seq = max(journal.acked + 1, self._first)
        # What is remembered of acknowledgements may lag behind what the ring has reused: those are gone, and known.
        while seq < journal.head and not journal.read(seq, self._record):
            seq += 1
            if not seq % 64:
                await asyncio.sleep_ms(0)
        self._first = seq
        batch = bytearray()
        while len(batch) < BATCH * len(self._record) and journal.read(seq, self._record):
            batch.extend(self._record)
            seq += 1
        return batch

    def _on_message(self, topic, payload):
        """What is not signed, well-formed and new is counted and dropped; it frees nothing and changes nothing."""
        taken, leaf = False, ""
        try:
            name = str(topic, "utf-8")
            leaf = name[len(self._base) :]
            if leaf in kept.LEAVES and (payload is None or self._controller.busy):
                # No memory, or memory and time are the sale's: not held but asked for again, because the broker has it.
                self._missed = True
                return
            taken = self._take(leaf, signed.text(self._key, name, payload))
        except MemoryError:
            self._missed = True
        except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
            pass
        if not taken:
            self.rejected += 1
        elif leaf in kept.LEAVES and not kept.keep(leaf, payload):
            self.unkept += 1

    def _take(self, leaf, text):
        c = self._controller
        if leaf in kept.LEAVES:
            return kept.take(c, leaf, text)
        message = signed.parse(text)
        if leaf == "ack":
            seq = kept.number(message["seq"])
            if message["device"] != self._device or not self._journal.acked < seq < self._journal.head:
                return seq == self._journal.acked  # the station says it again: true, but nothing new
            c.journal_ack(seq)
            return True
        if leaf == "command":
            return self._command(message)
        if leaf == "answer":
            if message["id"] == self._time_id:
                self._time_id = ""
                self._clock.set(kept.number(message["time"]))
            else:
                c.answer(message)
            return True
        return False

    def _command(self, message):
        """Runs a command once; a repeated one gets the same acknowledgement again."""
        name, do = message["id"], message["do"]
        if not isinstance(name, str) or not isinstance(do, str):
            return False
        for known, result in self._results:
            if known == name:
                if result not in self._done:
                    self._done.append(result)
                return True
        # A command from before this start may be a replay: the memory of what was done is gone.
        why = self._controller.command(do) if message["boot"] == self._boot else "boot"
        result = {"id": name, "ok": False, "why": why} if why else {"id": name, "ok": True}
        self._results.append((name, result))
        del self._results[:-COMMANDS_KEPT]
        self._done.append(result)
        return True

    async def _part(self, work):
        """A task of the session; whatever ends it ends the connection, which the others see."""
        try:
            await work
        except Exception:  # noqa: BLE001
            self._client.drop()


def _random16():
    return int.from_bytes(os.urandom(2), "big")
