"""Starts the parts, beats the 10 ms control tick, and is the only one to feed the watchdog.

The dog is fed only after a tick in which the counters were read, the core decided, the relays read back as set and the
journal took what there was to write; never by the network. Any unexpected exception ends in `main`: outputs off, an
alarm in the journal, restart.
"""

import asyncio
import gc
import os
import sys
import time

import machine

from pump import outputs, overlays, pins, wifi
from pump.buzzer import Buzzer
from pump.clock import Clock
from pump.core import records
from pump.core.checkpoint import Checkpoint
from pump.core.codes import ALARM_EXCEPTION
from pump.core.controller import Controller
from pump.core.journal import Journal
from pump.core.ticks import MASK, diff
from pump.core.trace import Trace
from pump.display import Display
from pump.keypad import Panel
from pump.link import Link
from pump.meter import Meter
from pump.reader import Reader
from pump.storage import open_flash
from pump.supply import Supply

_TICK_MS = 10
_WATCHDOG_MS = 3000
_IDLE_WORK_MS = 200
_DROP_MS = 5000
_HEALTHY_MS = 60000  # a start that lasts so long has not failed
_NO_NOZZLE = 255
_GC_BYTES = 12000
_FALLBACK_SECTORS = 64, 8  # journal and checkpoints in files: 2,048 records


class Board:
    """The parts of one pump, wired together. worst_late_us: how late a control tick has come at worst."""

    def __init__(self, relays, failed_starts):
        from pump import config

        self.identity, settings, self.ca, self.software = config.load()
        self.name = self.identity["pump"]
        self.relays = relays
        self.clock = Clock()
        self.meter = Meter(len(settings.grades), relays.close)
        self.supply = Supply()
        self.buzzer = Buzzer()
        i2c = machine.I2C(0, scl=machine.Pin(pins.I2C_SCL), sda=machine.Pin(pins.I2C_SDA), freq=pins.I2C_HZ)
        self.panel = Panel(i2c)
        self.display = Display(i2c, self)
        journal = Journal(open_flash("journal", _FALLBACK_SECTORS[0]), settings.device, settings.journal_key)
        checkpoint = Checkpoint(open_flash("ckpt", _FALLBACK_SECTORS[1]))
        self.controller = Controller(settings, journal, checkpoint, os.urandom)
        timelines = open_flash("trace", 0)
        if timelines:
            self.controller.trace = Trace(timelines)
        self.controller.list_flash = open_flash("lists", 0)
        self.controller.image_flash = open_flash("romfs", 0)
        self.link = None
        self.worst_late_us = 0
        self.failure = None
        self.failed_starts = failed_starts

    def start(self):
        """Recovery, BOOT record; a clock that was never set goes on from the journal's last time."""
        clock, journal = self.clock, self.controller.journal
        self.controller.start(
            time.ticks_ms(), clock.now_s(), clock.quality, machine.reset_cause(), bytes.fromhex(self.software)
        )
        buf = bytearray(records.SIZE)
        seq = journal.head - 1
        while not clock.quality and seq > 0 and journal.read(seq, buf):
            clock.estimate(records.header(buf)[6])
            seq -= 1
        if self.failed_starts:
            self.controller.raise_alarm(ALARM_EXCEPTION, _NO_NOZZLE, self.failed_starts)
        overlays.drop()

    def step(self):
        """One control tick."""
        controller, inputs = self.controller, self.controller.inputs
        key = self.panel.tick()
        inputs.supply_ok = self.supply.read()
        inputs.lifted = self.panel.lifted
        inputs.estop = self.panel.estop
        inputs.tamper = self.panel.tamper
        inputs.seal_open = self.panel.seal_open
        self.meter.read(inputs.edges)
        if controller.outputs.big:
            self.meter.look(controller.outputs.threshold_nozzle, inputs.backs)
        if key:
            controller.key(key)
        controller.step(time.ticks_ms(), self.clock.now_s(), self.clock.quality)
        self.meter.arm(controller.outputs, inputs.edges)
        self.relays.apply(controller.outputs)
        self.buzzer.tick(controller.outputs.buzzer, controller.view.refusal)
        controller.outputs.buzzer = 0

    async def control(self):
        """The tick, for ever. Raises what any task has failed with."""
        dog = machine.WDT(timeout=_WATCHDOG_MS)
        _end_service()
        due = time.ticks_ms()
        since_idle = since_drop = 0
        while True:
            if self.failure is not None:
                raise self.failure
            late_ms = diff(time.ticks_ms(), due)
            if late_ms * 1000 > self.worst_late_us:
                self.worst_late_us = late_ms * 1000
            self.step()
            if self.relays.healthy():
                dog.feed()
            since_idle += _TICK_MS
            if since_idle >= _IDLE_WORK_MS and not self.controller.busy:
                since_idle = 0
                self.controller.idle_work()
                if self.controller.restart:
                    self._healthy()
                    machine.reset()  # nobody is busy, the outputs are off
            since_drop += _TICK_MS
            if (
                since_drop >= _DROP_MS
                and not self.controller.dialog
                and (self.controller.delivery.sale or not self.controller.busy)
            ):
                since_drop = 0
                if self.failed_starts >= 0 and self.controller.uptime_ms >= _HEALTHY_MS and not self.controller.busy:
                    self._healthy()
                overlays.drop()
            due = (due + _TICK_MS) & MASK
            wait_ms = diff(due, time.ticks_ms())
            if wait_ms < -_TICK_MS:
                due = time.ticks_ms()  # after a stall the tick goes on from now, without a burst
            await asyncio.sleep_ms(max(0, wait_ms))

    def _healthy(self):
        """This start has lasted."""
        from pump import starts

        starts.healthy()
        self.controller.clear_alarm(ALARM_EXCEPTION, _NO_NOZZLE)
        self.failed_starts = -1

    async def guard(self, task):
        """Run a task; its failure ends the control loop."""
        try:
            await task
        except Exception as error:  # noqa: BLE001 - handed on to main
            self.failure = error

    async def run(self):
        gc.collect()  # the TLS context wants 3 KB in one piece
        self.link = Link(
            self.identity,
            self.controller,
            self.controller.journal,
            self.clock,
            ca_der=self.ca,
            software=self.software,
            boot=self.controller.boot_id,
        )
        tasks = [Reader(self.controller).run(), self.display.run(), self.link.run()]
        from pump import update

        trial = update.watch(self.controller, self.link, self.identity.get("trial_s", update.HEALTHY_S))
        if trial:
            tasks.append(trial)
        network = self.identity.get("wifi")
        if network:
            tasks.append(wifi.run(network["ssid"], network["key"]))
        self.identity = self.ca = None  # read to the end; a few KB
        for task in tasks:
            asyncio.create_task(self.guard(task))
        gc.collect()
        gc.threshold(_GC_BYTES)
        await self.control()


def main():
    """Runs the pump. Returns only to the console: after Ctrl-C, or on a board that was never commissioned."""
    relays = outputs.Relays()
    board = None
    try:
        board = Board(relays, _begin())
        board.start()
        asyncio.run(board.run())
    except KeyboardInterrupt:
        relays.off()
        _begin_service()
        print("console: the pump is stopped, outputs are off; machine.reset() starts it")
    except Exception as error:  # noqa: BLE001 - whatever it is: outputs off, tell, restart
        relays.off()
        if board is None and isinstance(error, ValueError):
            print("not commissioned:", error)
            return
        _report(board, error)
        time.sleep_ms(1000)
        machine.reset()


def _begin():
    """Counts this start; after many that failed it waits, outputs off, where Ctrl-C is heard. Returns their number."""
    from pump import starts

    failed = starts.begin(machine.reset_cause())
    left_s = starts.wait_s(failed)
    if left_s:
        print(failed, "starts have failed, waiting", left_s, "s; Ctrl-C for the console")
    while left_s:
        time.sleep_ms(1000)
        left_s -= 1
    return failed


def _report(board, error):
    global _reserve
    _reserve = None
    sys.print_exception(error)
    try:
        if board is not None:
            board.controller.raise_alarm(ALARM_EXCEPTION, _NO_NOZZLE, 0)
        with open("/crash.txt", "w") as file:
            sys.print_exception(error, file)
    except Exception as second:  # noqa: BLE001 - nothing may keep the restart away
        sys.print_exception(second)


_service = None
_reserve = bytearray(1024)  # memory to tell with that there is none


def _begin_service():
    """A person is at the console and the outputs are off: a timer feeds the watchdog, which cannot be stopped."""
    global _service
    _service = machine.Timer(0)
    dog = machine.WDT(timeout=_WATCHDOG_MS)
    _service.init(mode=machine.Timer.PERIODIC, period=500, callback=lambda _: dog.feed())


def _end_service():
    """The timer of boot.py or of an earlier visit at the console feeds no longer."""
    machine.Timer(0).deinit()
