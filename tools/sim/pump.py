"""One simulated pump: the real core on RAM flash, its plant and its reader, run from event to event."""

import random
from collections.abc import Callable
from typing import Any

import desfire
from pump.core import view
from pump.core.checkpoint import Checkpoint
from pump.core.config import Config
from pump.core.controller import Controller
from pump.core.journal import RESTATE_SLACK, Journal
from pump.core.records import TIME_SYNCED, TIME_UNKNOWN
from tools.bench.desfire_card import DesfireCard
from tools.bench.plant import Plant
from tools.sim import hints
from tools.sim.flash import PowerCut, RamFlash

TICK_US = 10_000
LOOK_US = 20_000  # how often wait() looks at a condition
TICKS_MASK = (1 << 30) - 1
FRAME_US = 15_000  # one frame to the card and back, PN532 at 115,200 baud
FOUND_US = 100_000  # until the reader sees a card that came
WAIT_US = 50_000  # a job that has nothing to send now
WALL_START_S = 1_790_000_000
FLOWING = (view.STARTING, view.FUELLING, view.SLOW)
PROVED_US = 180_000_000  # stated: so long a PIN typed holds, over the contacts of a customer in tap mode
TOLERANCE_UL = 10_000  # stated: what may flow beyond a limit


class ViolationError(Exception):
    """An invariant does not hold."""


class Pump:
    """Power it with power_on(). `now_us` is the world's time; the board has its own, which may be about to wrap."""

    def __init__(
        self,
        identity: dict[str, Any],
        rng: random.Random,
        journal_sectors: int = 8,
        make: Callable[..., Controller] = Controller,
    ) -> None:
        self.config = Config(identity)
        self.rng = rng
        self._make = make
        self.journal_flash, self.checkpoint_flash = RamFlash(journal_sectors), RamFlash(3)
        self.plant = Plant(self.config.pulses_per_l, rng.randrange(1 << 30))
        self.controller: Controller | None = None
        self.card: DesfireCard | None = None
        self.now_us = 0
        self.link_us = 0  # when it looks at its line again
        self.lifted = 0
        self.estop = False
        self.supply_ok = True
        self.every_tick = False  # a broken pulser: nothing can be foreseen
        self.clock_offset_s = 0
        self.quality = TIME_SYNCED
        self.power_cuts = 0
        self.opened: set[int] = set()  # sales for which a valve has opened
        self.unmeasured_ml = 0  # what broken pulsers may have hidden
        self.boots = 0
        self.forgotten = 0  # sales up to this record may have been forgotten at a start
        self.pins: dict[bytes, str] = {}  # of the cards that have one
        self.proved_us: dict[bytes, int] = {}  # when the PIN of a card was typed here
        self.driven: set[bytes] = set()  # cards that fuel only after a driver's card
        self.driver_us = -PROVED_US  # when a driver's card was here
        self._ticks_base = 0
        self._due_us = 0
        self._found_us: int | None = None
        self._job: Any = None
        self._frame: bytes | None = None
        self._frame_us = 0
        self._stalls = 0
        self._broken = False  # its pulser is or was out of order
        self._torn = False  # the card has left since the job began
        self._sale: tuple[int, int, int] | None = None  # the sale that flows: nozzle, true ul at its start, limit in ml

    # -- power

    def power_on(self) -> None:
        self._ticks_base = self.rng.choice((0, TICKS_MASK - self.rng.randrange(100_000)))
        self.supply_ok = True
        self.boots += 1
        try:
            journal = Journal(self.journal_flash, self.config.device, self.config.journal_key)
            controller = self._make(self.config, journal, Checkpoint(self.checkpoint_flash), self.rng.randbytes)
            self._read(controller)
            controller.start(*self._clock(), 1, b"sim-sim-")
        except PowerCut:
            self._dead()
            return
        self.controller = controller
        self.forgotten = max(self.forgotten, journal.head - journal.restate_every - RESTATE_SLACK)
        self._stalls = controller.journal.stalls
        self._due_us = self.now_us
        self._found_us = self.now_us + FOUND_US if self.card else None

    def power_off(self) -> None:
        self._dead()

    def _dead(self) -> None:
        self.controller = self._job = None
        self.journal_flash.cut_at = self.checkpoint_flash.cut_at = 0
        self.plant.set_outputs(0, 0, 0)
        self.power_cuts += 1
        if self.card:
            self.card.reset()

    # -- hands

    def put(self, card: DesfireCard) -> None:
        card.reset()
        self.card = card
        self._found_us = self.now_us + FOUND_US

    def take(self) -> None:
        self.card = None
        self._found_us = None
        self._torn = True
        if self.controller and not self._job:
            self.controller.card_left()
        self._due_us = self.now_us

    def lift(self, nozzle: int) -> None:
        self.lifted |= 1 << nozzle
        self._due_us = self.now_us

    def hang(self, nozzle: int) -> None:
        self.plant.set_trigger(nozzle, "none")
        self.lifted &= ~(1 << nozzle)
        self._due_us = self.now_us

    def key(self, ch: str) -> None:
        """Somebody presses a key of the pump."""
        self._tell(lambda controller: controller.key(ch))

    def command(self, name: str) -> None:
        """The station commands something."""
        self._tell(lambda controller: controller.command(name))

    def _tell(self, what: Callable[[Controller], Any]) -> None:
        if self.controller:
            try:
                what(self.controller)
            except PowerCut:  # while it wrote down what was said
                self._dead()
        self._due_us = self.now_us

    def poke(self) -> None:
        """Something the board can see has changed: step at the next tick."""
        self._due_us = self.now_us

    # -- time

    def _clock(self) -> tuple[int, int, int]:
        ms = (self._ticks_base + self.now_us // 1000) & TICKS_MASK
        return ms, WALL_START_S + self.now_us // 1_000_000 + self.clock_offset_s, self.quality

    def _read(self, controller: Controller) -> None:
        inputs = controller.inputs
        inputs.edges[: 2 * len(self.config.grades)] = self.plant.all_edges()
        inputs.lifted, inputs.estop, inputs.supply_ok = self.lifted, self.estop, self.supply_ok

    def next_us(self) -> int:
        """When this pump has something to do."""
        if self.controller is None:
            return 1 << 62
        due = self._due_us
        if self._job:
            if self._frame_us < due:
                due = self._frame_us
        elif self._found_us is not None and self._found_us < due:
            due = self._found_us
        return due if due > self.now_us else self.now_us

    def advance(self, to_us: int) -> None:
        """Let time pass up to to_us; no event of this pump lies before that."""
        self.plant.advance(to_us)
        self.now_us = to_us

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """Let time pass for this pump alone, from event to event; True as soon as `until` holds."""
        end_us = self.now_us + int(seconds * 1_000_000)
        while self.now_us < end_us:
            look_us = end_us if until is None else self.now_us + LOOK_US
            self.advance(min(self.next_us(), end_us, look_us))
            self.act()
            if until and until():
                return True
        return until is None

    def act(self) -> None:
        """Do what is due now."""
        if self.controller is None:
            return
        try:
            if self._due_us <= self.now_us or not self._job or self._frame is None:
                self._step()
            if self._job:
                if self._frame_us <= self.now_us:
                    self._pump_frame()
            elif self._found_us is not None and self._found_us <= self.now_us and self.card:
                self._found_us = None
                self.controller.card_arrived(self.card.uid)
            if not self._job and self.card and not self.card.lost:
                job = self.controller.take_job()
                if job:
                    self._begin(job)
            if not self.controller.busy:
                self.controller.idle_work()
        except PowerCut:
            self._dead()

    def _step(self) -> None:
        controller = self.controller
        assert controller is not None
        self._read(controller)
        controller.step(*self._clock())
        out = controller.outputs
        flowing = controller.delivery.state in FLOWING
        if (out.motor or out.big or out.small or out.permit) and not flowing:
            raise ViolationError(f"outputs on in state {controller.delivery.state}")
        if flowing:
            if controller.journal.stalls > self._stalls:
                raise ViolationError("a commit waited for an erase while fuel flowed")
            self._check_reserved(controller)
        elif controller.delivery.sale is None:
            self._check_limit()
        self.plant.set_outputs(out.motor if out.permit else 0, out.big, out.small)
        self._stalls = controller.journal.stalls
        self._due_us = self._next_step(controller)

    def _check_reserved(self, controller: Controller) -> None:
        """Fuel may flow only against money that the journal says is reserved for this very sale."""
        sale = controller.delivery.sale
        if sale is None or sale.seq != controller.checkpoint.sale_seq:
            raise ViolationError("valve open without a reservation")
        self.opened.add(sale.seq)
        self._broken = self._broken or self.every_tick
        if self._sale is None:
            if sale.uid in self.pins and self.now_us - self.proved_us.pop(sale.uid, -PROVED_US) >= PROVED_US:
                raise ViolationError("fuel on a card whose PIN nobody has typed")
            if sale.uid in self.driven and self.now_us - self.driver_us >= PROVED_US:
                raise ViolationError("fuel on a vehicle's card without its driver's")
            self._sale = sale.nozzle, self.plant.true_ul(sale.nozzle), sale.limit_ml

    def _check_limit(self) -> None:
        """After a sale: what really came out of the hose was never above the limit and the stated tolerance."""
        if self._sale is None:
            return
        (nozzle, before_ul, limit_ml), self._sale = self._sale, None
        over_ul = self.plant.true_ul(nozzle) - before_ul - limit_ml * 1000
        broken, self._broken = self._broken, False
        if over_ul > TOLERANCE_UL and not broken:
            raise ViolationError(f"{over_ul // 1000} ml beyond the limit of {limit_ml} ml")

    def _next_step(self, controller: Controller) -> int:
        if self.every_tick and (controller.delivery.sale or self.plant.flowing(0)):
            return self.now_us + TICK_US
        ahead_us = hints.next_ms(controller) * 1000
        counts = hints.next_counts(controller)
        if counts:
            nozzle, wanted = counts
            a, b = self.plant.edges(nozzle)
            at = self.plant.time_of_counts(nozzle, max(1, wanted - a - b))
            if at is not None and at < self.now_us + ahead_us:
                ahead_us = at - self.now_us
        return self.now_us + (-(-ahead_us // TICK_US) * TICK_US if ahead_us > TICK_US else TICK_US)

    # -- the reader task

    def _begin(self, job: Any) -> None:
        self._job, self._torn = job, False
        self._go_on(job.send, None)

    def _pump_frame(self) -> None:
        job, frame = self._job, self._frame
        if self.card is None or self._torn:
            self._go_on(job.throw, desfire.CardLost())
        elif frame is None:
            self._go_on(job.send, None)
        else:
            try:
                answer = self.card.exchange(frame)
            except desfire.CardLost as lost:
                self._go_on(job.throw, lost)
            else:
                self._go_on(job.send, answer)

    def _go_on(self, move: Callable[[Any], bytes | None], value: Any) -> None:
        controller = self.controller
        assert controller is not None
        try:
            self._frame = move(value)
            self._frame_us = self.now_us + (WAIT_US if self._frame is None else FRAME_US)
            return
        except StopIteration as end:
            self._job = None
            controller.card_done(end.value)
        except desfire.CardLost as lost:
            self._job = None
            controller.card_failed(lost)
            if self.card is None or self._torn or self.card.lost:
                controller.card_left()
            if self.card and self.card.lost:
                self.card = None
        self._due_us = self.now_us


def synced(pump: Pump, known: bool) -> None:
    """Whether the board knows the time."""
    pump.quality = TIME_SYNCED if known else TIME_UNKNOWN
