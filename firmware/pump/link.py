"""The pump's line to the station: state, live figures and journal go up; prices, lists, commands and answers come down.

docs/mqtt.md is the contract. Nothing here decides about fuel or money: what comes down is checked and handed to the
controller (downlink.py), what goes up is what the controller and the journal hold (uplink.py). All of it may fail at
any time and loses nothing: a record stays in the journal until the station's own signed acknowledgement names it.
"""

import asyncio
import binascii
import gc
import json
import os
from time import ticks_diff, ticks_ms

import mqtt
from pump import downlink, uplink
from pump.core.backoff import Backoff

CONNECT_MS = 15000
KEEPALIVE_S = 10
LIVE_BUSY_MS, LIVE_IDLE_MS = 200, 2000
STATE_MS, STATE_MIN_MS = 30000, 500
ACK_FIRST_MS, ACK_LAST_MS = 5000, 40000
TIME_MS, TIME_RETRY_MS = 3600000, 30000
PART_MS = 5000  # for a part of a list or an image, before it is asked for again
MISSED_MS = 3000
DOWN = ("ack", "command", "answer") + downlink.LASTING


class Link:
    """up: connected and subscribed; error: why not, net, cert, auth or fault; rejected: payloads not believed;
    unkept: messages that the file system did not take."""

    def __init__(self, identity, controller, journal, clock, ca_der, software, boot):
        """identity: the parsed identity.json; clock: now_s(), quality, set(Unix seconds); boot: number of this start;
        software: 16 hex characters; ca_der: certificate of the station's authority, without which there is no line."""
        broker = identity["broker"]
        self.up, self.error, self.rejected, self.unkept = False, "", 0, 0
        self.device = identity["device"]
        self.grades = [nozzle["grade"] for nozzle in identity["nozzles"]]
        self.key = binascii.unhexlify(identity["keys"]["link"])
        self.base = "pumpside/v1/" + identity["station"] + "/" + identity["pump"] + "/"
        self.controller = controller
        self.journal = journal
        self.clock = clock
        self.software = software
        self.boot = boot
        user = broker["user"]
        try:
            tls = mqtt.context(ca_der)
        except (ValueError, TypeError):  # missing or damaged: the pump sells without the line, and the line says why
            tls = None
        self._trusts = tls is not None
        self._client = mqtt.MQTT(
            user, broker["host"], broker["port"], user, broker["password"], KEEPALIVE_S, tls, broker["name"]
        )
        self._client.set_callback(lambda topic, payload: downlink.heard(self, topic, payload))
        self._client.set_last_will(self.base + "state", b'{"v":1,"online":false}', True, 1)
        self._backoff = Backoff()
        self.done = []  # acknowledgements of commands still to be sent
        self.results = []  # (id, acknowledgement) of the last commands: a repeated one is answered, not run again
        self._ask = self._time_at = self.sent_at = self._state_key = self._state_at = None
        self.time_id = self.part_id = ""  # of the questions for the time and for a part of what is fetched
        self._part_at = 0
        self.acked_at_send = -1
        self.first = 0  # no readable record is older
        self.record = bytearray(128)
        self._patience_ms = ACK_FIRST_MS
        self.missed, self._asked_at = False, ticks_ms()  # something that lasts came at a bad time
        from pump import kept

        kept.recall(controller, self.key, self.base)

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
            await self._client.subscribe([self.base + leaf for leaf in DOWN])
            self.up = self.controller.link_online = True
            self.error = ""
            self._backoff.succeeded()
            self.sent_at = self._state_at = None
            tasks.append(asyncio.create_task(self._part(self._send_up())))
            await self._send_live()
        finally:
            self.up = self.controller.link_online = False
            self._client.drop()
            for task in tasks:
                task.cancel()

    async def _connect(self):
        """Only while nobody fuels: name look-up and TLS handshake stop the control tick for too long."""
        if not self._trusts:
            raise mqtt.BadCertificate("no authority")
        while self.controller.busy:
            await asyncio.sleep_ms(200)
        failed = [OSError("busy")]
        task = asyncio.create_task(self._try_to_connect(failed))
        while not task.done():
            if self.controller.busy:
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
            pause_ms = LIVE_BUSY_MS if self.controller.busy else LIVE_IDLE_MS
            if ticks_diff(ticks_ms(), sent_at) >= pause_ms:
                sent_at = ticks_ms()
                live = self.controller.live()
                live["link"] = 1
                await self._client.publish(self.base + "live", json.dumps(live).encode())
        raise OSError("lost")

    async def _send_up(self):
        """One QoS 1 message after the other: state, results of commands, questions, records, what was asked for."""
        client = self._client
        while True:
            if self._state_due():
                self._state_at = ticks_ms()
                await client.publish(self.base + "state", uplink.state(self), True, 1)
            elif self.done:
                done = json.dumps(self.done.pop(0)).encode()  # if it is lost, the station repeats its command
                await client.publish(self.base + "done", done, False, 1)
            elif self._question():
                await client.publish(self.base + "ask", json.dumps(self._ask).encode(), False, 1)
                self._ask = None
            elif self._batch_due():
                batch = await uplink.batch(self)
                if batch:
                    await client.publish(self.base + "journal", batch, False, 1)
            elif self.missed and not self.controller.busy and ticks_diff(ticks_ms(), self._asked_at) > MISSED_MS:
                self.missed, self._asked_at = False, ticks_ms()
                gc.collect()
                await client.subscribe([self.base + leaf for leaf in downlink.LASTING])
            else:
                upload = self.controller.take_upload()
                if upload:
                    await client.publish(self.base + upload[0], upload[1], False, 1)
                else:
                    await asyncio.sleep_ms(20)  # somebody may wait with a card in the hand

    def _state_due(self):
        c = self.controller
        key = (c.view.state, c.alarms, c.locked, c.tariff, self.journal.acked, c.lists[2], c.update)
        fetching = c.errand or c.image
        key += (fetching and fetching.at >> 14,)
        age_ms = STATE_MS if self._state_at is None else ticks_diff(ticks_ms(), self._state_at)
        if age_ms < STATE_MS and (key == self._state_key or age_ms < STATE_MIN_MS):
            return False
        self._state_key = key
        return True

    def _question(self):
        if self._ask is None:
            self._ask = self.controller.take_ask()
        pause_ms = TIME_RETRY_MS if self.time_id else TIME_MS
        if self._ask is None and (self._time_at is None or ticks_diff(ticks_ms(), self._time_at) > pause_ms):
            self._time_at = ticks_ms()
            self.time_id = _new_id()
            self._ask = {"id": self.time_id, "ask": "time"}
        if self._ask is None and not (self.part_id and ticks_diff(ticks_ms(), self._part_at) < PART_MS):
            self._ask = self.controller.next_part()
            if self._ask:
                self._part_at = ticks_ms()
                self.part_id = self._ask["id"] = _new_id()
        return self._ask

    def _batch_due(self):
        """At most one batch is on its way; it goes again, ever more patiently, if the acknowledgement does not come."""
        journal = self.journal
        if journal.acked + 1 >= journal.head:
            return False
        if self.sent_at is None or journal.acked != self.acked_at_send:
            self._patience_ms = ACK_FIRST_MS
            return True
        if ticks_diff(ticks_ms(), self.sent_at) < self._patience_ms:
            return False
        self._patience_ms = min(2 * self._patience_ms, ACK_LAST_MS)
        return True

    async def _part(self, work):
        """A task of the session; whatever ends it ends the connection, which the others see."""
        try:
            await work
        except Exception:  # noqa: BLE001
            self._client.drop()


def _new_id():
    return binascii.hexlify(os.urandom(4)).decode()


def _random16():
    return int.from_bytes(os.urandom(2), "big")
