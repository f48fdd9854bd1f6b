"""One pump with its cards, its plant and its station, of which everything that outlives a power cut can be copied.

The supply is never really cut in the run of a story: at each flash operation and each card command a copy is made of
what would be left (flash, cards, fuel in the hose), and somebody (watch) finds out what becomes of the copy.
"""

import pickle
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pump.core import records
from pump.core.controller import Controller
from pump.core.keypad_entry import MOST_DIGITS
from tools.bench.desfire_card import DesfireCard
from tools.bench.plant import Plant
from tools.powercut.flash import WatchedFlash
from tools.sim import cards
from tools.sim.pump import FLOWING, Pump

S = 1_000_000
PRICES = {1: 756, 2: 806, 3: 906, 4: 722}
DEVICE = 257
SMALL_SECTORS = 3
START_FEN = 50_000
Make = Callable[..., Controller]
Watch = Callable[[Callable[[], "Kept"], str], None]


@dataclass(frozen=True)
class Setup:
    """How the pump of a story is built. make: the controller's class; lazy, trusting: see WatchedFlash."""

    mode: str = "slot"
    grades: tuple[int, ...] = (1, 2)
    journal_sectors: int = 4
    make: Make = Controller
    lazy: bool = False
    trusting: bool = False

    @property
    def identity(self) -> dict[str, Any]:
        return {
            "device": DEVICE,
            "issuer": cards.ISSUER_NO,
            "mode": self.mode,
            "nozzles": [{"grade": grade, "pulses_per_l": 100} for grade in self.grades],
            "keys": {"journal": "55" * 32, "pump": cards.PUMP.hex(), "issuer": cards.ISSUER.hex()},
        }


@dataclass(frozen=True)
class Kept:
    """What outlives a power cut, and what was promised before it."""

    setup: Setup
    journal: bytes
    small: bytes
    worn: dict[int, int]
    cards: tuple[dict[str, Any], ...]
    in_slot: int  # which of the cards is in the slot, -1: none
    plant: bytes  # pickled
    out_ul: tuple[int, ...]  # what has come out of each nozzle
    now_us: int
    lifted: int
    committed: dict[int, bytes]  # records for which append() had returned
    sent: tuple[bytes, ...]  # the records that the station has
    initial: tuple[int, ...]  # fen on the cards at the beginning of the story
    flowed_ml: int | None  # in the sale that the (first) cut ended

    @property
    def key(self) -> int:
        """Equal for states from which the same must follow."""
        held = tuple(str(sorted(card.items())) for card in self.cards)
        return hash((self.journal, self.small, held, self.in_slot, self.lifted, self.out_ul))


@dataclass
class Rig:
    """watch(kept, what) hears of each state that a cut could leave behind; kept() copies it."""

    setup: Setup
    watch: Watch | None = None
    cards: list[DesfireCard] = field(default_factory=list)
    committed: dict[int, bytes] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    initial: list[int] = field(default_factory=list)
    flowed_ml: int | None = None

    def __post_init__(self) -> None:
        self.rng = random.Random(7)
        self.pump = _CutPump(self)
        self.begun_ul: tuple[int, int] | None = None  # nozzle, and what had come out of it when the sale began

    @classmethod
    def after(cls, kept: Kept, watch: Watch | None = None) -> "Rig":
        """The pump without power, as the cut left it."""
        held = [DesfireCard.from_json(card) for card in kept.cards]
        rig = cls(kept.setup, watch, held, dict(kept.committed), list(kept.sent), list(kept.initial), kept.flowed_ml)
        pump = rig.pump
        pump.journal_flash.data[:] = kept.journal
        pump.checkpoint_flash.data[:] = kept.small
        pump.journal_flash.worn = dict(kept.worn)
        plant: Plant = pickle.loads(kept.plant)
        pump.plant = plant
        pump.plant.set_outputs(0, 0, 0)
        for nozzle in range(len(kept.setup.grades)):
            pump.plant.set_leak(nozzle, 0)  # a leak needs no power; here it ends with it, so that all else stands still
        pump.now_us, pump.lifted = kept.now_us, kept.lifted
        if kept.in_slot >= 0:
            pump.put(held[kept.in_slot])
        return rig

    def kept(self, flash: WatchedFlash | None = None, addr: int = 0, image: bytes = b"") -> Kept:
        """What a cut now would leave, with these bytes of a flash as its last operation left them."""
        pump = self.pump
        images = []
        for its in (pump.journal_flash, pump.checkpoint_flash):
            data = its.image
            images.append(data[:addr] + image + data[addr + len(image) :] if its is flash else data)
        flowed_ml = self.flowed_ml
        if self.begun_ul:
            flowed_ml = (pump.plant.true_ul(self.begun_ul[0]) - self.begun_ul[1]) // 1000
        in_slot = next((i for i, card in enumerate(self.cards) if card is pump.card), -1)
        return Kept(
            self.setup,
            images[0],
            images[1],
            pump.journal_flash.worn,
            tuple(card.to_json() for card in self.cards),
            in_slot if self.setup.mode == "slot" else -1,
            pickle.dumps(pump.plant),
            tuple(pump.plant.true_ul(n) for n in range(len(self.setup.grades))),
            pump.now_us,
            pump.lifted,
            dict(self.committed),
            tuple(self.sent),
            tuple(self.initial),
            flowed_ml,
        )

    def flash_works(self, flash: WatchedFlash, addr: int, images: list[bytes]) -> None:
        if self.watch:
            name = "journal" if flash is self.pump.journal_flash else "checkpoint"
            work = f"{'erase' if len(images[0]) == 4096 else 'program'} {name} at {addr}"
            for n, image in enumerate(images):
                self.watch(partial(self.kept, flash, addr, image), f"{work}, {n + 1} of {len(images)}")

    def frame_goes(self) -> None:
        if self.watch:
            self.watch(self.kept, "before a card command")

    # -- what people and the station do

    @property
    def controller(self) -> Any:
        assert self.pump.controller is not None
        return self.pump.controller

    @property
    def view(self) -> Any:
        return self.controller.view

    def power_on(self) -> None:
        self.pump.power_on()

    def card(self, balance_fen: int = START_FEN, grades: int = 0b11110, **details: Any) -> DesfireCard:
        made = cards.make_card(self.rng, len(self.cards) + 1, balance_fen, grades, **details)
        self.cards.append(made)
        self.initial.append(balance_fen)
        return made

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        return self.pump.wait(seconds, until)

    def flowing(self) -> bool:
        return self.pump.controller is not None and self.view.state in FLOWING

    def lift(self, nozzle: int = 0) -> None:
        self.pump.lift(nozzle)
        self.wait(0.5)

    def hang(self, nozzle: int = 0) -> None:
        self.pump.hang(nozzle)
        self.wait(3)

    def keys(self, text: str) -> None:
        assert len(text) <= MOST_DIGITS + 2
        for ch in text:
            self.controller.key(ch)

    def show(self, card: DesfireCard, seconds: float = 4) -> None:
        """Hold the card on the reader, or put it into the slot, until fuel may flow or the pump has done with it."""
        if self.pump.card is not card:
            self.pump.put(card)
        self.wait(seconds, self.flowing)
        if self.setup.mode == "tap":
            self.pump.take()

    def take(self) -> None:
        self.pump.take()
        self.wait(1)

    def authorise(self, card: DesfireCard, nozzle: int = 0, keys: str = "") -> None:
        self.lift(nozzle)
        self.keys(keys)
        self.show(card)
        assert self.flowing(), f"refused: {self.view.refusal}, notice {self.view.notice}"

    def fuel(self, litres: float, nozzle: int = 0) -> None:
        """Squeeze until so much has come out, or the pump stops."""
        plant = self.pump.plant
        wish_ul = plant.true_ul(nozzle) + int(litres * S)
        plant.set_trigger(nozzle, "full")
        self.pump.poke()
        self.wait(300, lambda: not self.flowing() or plant.true_ul(nozzle) >= wish_ul)
        plant.set_trigger(nozzle, "none")
        self.pump.poke()

    def upload(self, acknowledge: bool = True) -> None:
        """The station takes what it has not, and says so."""
        journal, buf = self.controller.journal, bytearray(records.SIZE)
        for seq in range(len(self.sent) + 1, journal.head):
            assert journal.read(seq, buf), f"record {seq} is gone before the station had it"
            self.sent.append(bytes(buf))
        if acknowledge:
            self.controller.journal_ack(journal.head - 1)


class _CutPump(Pump):
    """The simulation's pump on watched flash."""

    journal_flash: WatchedFlash
    checkpoint_flash: WatchedFlash

    def __init__(self, rig: Rig) -> None:
        setup = rig.setup
        super().__init__(setup.identity, random.Random(11), setup.journal_sectors, self._made)
        self._rig = rig
        self.journal_flash = WatchedFlash(setup.journal_sectors, setup.lazy, setup.trusting)
        self.checkpoint_flash = WatchedFlash(SMALL_SECTORS, setup.lazy)
        self.journal_flash.watch = self.checkpoint_flash.watch = rig.flash_works

    def _made(self, *parts: Any) -> Controller:
        """The story's controller, with an ear on what it commits."""
        controller = self._rig.setup.make(*parts)
        append: Any = controller.append
        rig = self._rig

        def noted(kind: int, fields: tuple[Any, ...]) -> int:
            seq: int = append(kind, fields)
            if seq:
                buf = bytearray(records.SIZE)
                rig.committed[seq] = bytes(buf) if controller.journal.read(seq, buf) else b""
            if kind == records.RESERVED:
                reserving: Any = controller.delivery.reserving
                nozzle = reserving.nozzle
                rig.begun_ul = nozzle, self.plant.true_ul(nozzle)
            elif kind == records.END:
                rig.begun_ul = rig.flowed_ml = None
            return seq

        controller.append = noted  # type: ignore[method-assign]
        return controller

    def _pump_frame(self) -> None:
        self._rig.frame_goes()
        super()._pump_frame()
