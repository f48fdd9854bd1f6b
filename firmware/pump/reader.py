"""The card reader: a PN532 on a serial line. Tells the controller who comes and goes, and pumps its card jobs."""

import asyncio
import gc
import time

from cardlost import CardLost
from machine import UART, Pin

import pn532
from pump import overlays, pins
from pump.core.codes import ALARM_READER
from pump.core.ticks import diff

_POLL_PAUSE_MS = 100
_PRESENCE_MS = 200
_JOB_WAIT_MS = 20
_RESTART_MS = 1000
_BYTE_WAIT_MS = 2
_NO_NOZZLE = 255
_SPARED = overlays.VISIT, "pump.core.prompts"  # what a visit needs, and what has asked for it


class Reader:
    """`await run()` for ever. A reader that does not answer is an alarm and tried again, never an exception."""

    def __init__(self, controller):
        self._controller = controller
        self._chip = pn532.Pn532()
        self._uart = UART(
            pins.READER_UART, pins.READER_BAUD, tx=Pin(pins.READER_TX), rx=Pin(pins.READER_RX), rxbuf=512, timeout=0
        )
        self._uid = None

    async def run(self):
        while True:
            try:
                await self._do(self._chip.start())
                self._controller.clear_alarm(ALARM_READER, _NO_NOZZLE)
                while True:
                    await self._once()
            except pn532.ReaderError:
                self._controller.raise_alarm(ALARM_READER, _NO_NOZZLE, 0)
                self._left()
                await asyncio.sleep_ms(_RESTART_MS)

    async def _once(self):
        """One look at the field, or one job."""
        controller = self._controller
        if not self._chip.target:
            await self._look()
            await asyncio.sleep_ms(_POLL_PAUSE_MS)
            return
        for _ in range(_PRESENCE_MS // _JOB_WAIT_MS):
            if controller.job_wanted:
                overlays.drop(spared=_SPARED)  # a visit needs the memory, in large pieces
                gc.collect()
            job = controller.take_job()
            if job is not None:
                await self._pump(job)
                return
            await asyncio.sleep_ms(_JOB_WAIT_MS)
        if not await self._do(self._chip.present()):
            await self._look()

    async def _look(self):
        """Poll for a card. One that was there and is found again at once has not left: a lost frame is no departure."""
        uid = await self._do(self._chip.poll())
        if uid == self._uid:
            return
        if uid is None and self._uid is not None:
            uid = await self._do(self._chip.poll())
            if uid == self._uid:
                return
        self._left()
        self._uid = uid
        if uid:
            self._controller.card_arrived(uid)
        elif uid is not None:
            self._controller.card_unreadable(uid)

    def _left(self):
        if self._uid:
            self._controller.card_left()
        self._uid = None

    async def _pump(self, job):
        """Carry a job's frames to the card until it ends, and report how."""
        answer = None
        try:
            while True:
                frame = job.send(answer)
                answer = None
                while frame is not None:
                    try:
                        answer = await self._do(self._chip.exchange(frame))
                        break
                    except CardLost as lost:
                        frame = job.throw(lost)
                else:
                    await asyncio.sleep_ms(50)
        except StopIteration as end:
            self._controller.card_done(end.value)
        except Exception as error:  # noqa: BLE001 - whatever a card provokes is that card's failure, not the pump's
            self._controller.card_failed(error)
        overlays.drop((overlays.VISIT,))

    def _do(self, operation):
        return pn532.run(operation, self._read, self._write)

    async def _read(self, count, timeout_ms):
        start = time.ticks_ms()
        data = self._uart.read(count)
        while data is None or len(data) < count:
            if diff(time.ticks_ms(), start) > timeout_ms:
                raise OSError(110)
            await asyncio.sleep_ms(_BYTE_WAIT_MS)
            more = self._uart.read(count - len(data or b""))
            if more:
                data = data + more if data else more
        return data

    async def _write(self, data):
        self._uart.write(data)
