"""Pumps, cards, customers and the station in one thread of time that jumps from event to event, all by a seed."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pump.core import card_layout, records
from pump.core.controller import Controller
from station.cards.rules import Rules
from tools.bench.desfire_card import DesfireCard
from tools.bench.desfire_files import ValueFile
from tools.sim import cards
from tools.sim.lending import Lending
from tools.sim.loads import Loads
from tools.sim.pump import WALL_START_S, Pump, ViolationError
from tools.sim.station import Station

S = 1_000_000
LINK_US = 20_000  # how often a pump looks at its line
LOAD_FEN = 40_000
COMPANY = 7  # the account of the fleet
PRICES = {1: 756, 2: 806, 3: 906, 4: 722}
TOLERANCE_ML = 10  # stated: what may flow beyond a limit
KEEP_ML = 500  # stated: what a sudden loss of power may cost beside what the valve lets through while it closes
CLOSING_ML = 350
LAYOUTS = (("slot", (1, 2, 3, 4)), ("tap", (1,)), ("tap", (2, 4)), ("slot", (3,)))

Condition = Callable[[], bool]


@dataclass
class Wait:
    """What a script waits for: a condition, or at the latest until some time from now."""

    us: int
    until: Condition | None = None


Script = Iterator[Wait]


@dataclass
class _Running:
    """A script, and the pump that it is about (None: about all of them)."""

    script: Script
    pump: Pump | None
    deadline_us: int = 0
    until: Condition | None = None


class World:
    """pumps, cards, station; run(scripts) lets time pass until all scripts have ended."""

    def __init__(
        self, seed: int, pumps: int = 2, card_count: int = 3, make: Callable[..., Controller] = Controller
    ) -> None:
        self.rng = rng = random.Random(seed)
        self.now_us = 0
        self.sales = self.measures = self.power_cuts = self.tears = 0
        layouts = rng.sample(LAYOUTS, pumps)
        self.pumps = [
            # Rings far smaller than a board's, so that they go round and fill up within a day.
            Pump(_identity(257 + i, *layouts[i]), rng, rng.choice((4, 4, 5, 8)), make)
            for i in range(pumps)
        ]
        self.online = {pump.config.device: True for pump in self.pumps}
        self.pins: dict[bytes, str] = {}
        self.odometer_km: dict[bytes, int] = defaultdict(int)
        self.driven: set[bytes] = set()  # vehicles' cards that want their driver's
        has_fleet = rng.random() < 0.3
        self.cards = [self._card(i + 1) for i in range(1 if has_fleet else card_count)]
        self.lending = Lending({COMPANY: rng.choice((8_000, 90_000, 1_000_000))})
        self.driver: DesfireCard | None = None
        self.tester: DesfireCard | None = None
        if has_fleet:
            self._fleet(rng.random() < 0.3)
        if rng.random() < 0.3:
            self.tester = cards.make_card(rng, 90, 0, kind=card_layout.KIND_TEST)
        self.initial = {card.uid: cards.held_fen(card) for card in self.cards}
        self.free_cards: list[DesfireCard] = list(self.cards)
        self.loads = Loads(rng)
        self.station = Station(
            {pump.config.device: pump.config.journal_key for pump in self.pumps}, self.loads, self.lending
        )
        self.station.purse.update(self.initial)
        for pump in self.pumps:
            pump.pins, pump.driven = self.pins, self.driven
            pump.power_on()

    def _card(self, number: int) -> DesfireCard:
        rng = self.rng
        pin = "2580" if rng.random() < 0.12 else ""
        rules = Rules(
            rng.choice((0, 0, 15_000)),
            60_000 if rng.random() < 0.06 else 0,
            8 if rng.random() < 0.06 else 0,
            odometer_km=500 if rng.random() < 0.06 else 0,
        )
        balance_fen = rng.choice((0, 90, 800, 5_000, 60_000, 60_000, 300_000, 400_000))
        card = cards.make_card(rng, number, balance_fen, rules=rules, pin=pin)
        if pin:
            self.pins[card.uid] = pin
        return card

    def _fleet(self, with_driver: bool) -> None:
        """Two vehicles of one account, so that two pumps may serve it at once; perhaps with a driver for both."""
        rng = self.rng
        for number in (10, 11):
            rules = Rules(odometer_km=500 if rng.random() < 0.2 else 0, needs_driver=with_driver)
            card = cards.make_card(rng, number, 0, rules=rules, kind=card_layout.KIND_ACCOUNT, company=COMPANY)
            self.lending.accounts[card.uid] = COMPANY
            self.cards.append(card)
            if with_driver:
                self.driven.add(card.uid)
        if with_driver:
            self.driver = cards.make_card(rng, 12, 0, kind=card_layout.KIND_DRIVER, company=COMPANY)

    # -- time

    def run(self, scripts: list[tuple[Pump | None, Script]]) -> None:
        """Until all scripts have ended. A pump's time stands still until it or a script of its own has something to
        do: what happens at one pump is not seen at another, but for the cards and the station."""
        running = [_Running(script, pump, self.now_us) for pump, script in scripts]
        while running:
            pump = self.pumps[0]
            due_us = pump.next_us()
            for other in self.pumps[1:]:
                other_us = other.next_us()
                if other_us < due_us:
                    pump, due_us = other, other_us
            first = running[0]
            for r in running:
                if r.deadline_us < first.deadline_us:
                    first = r
            if first.deadline_us <= due_us:
                self.now_us = first.deadline_us
                self._resume(running, first)
                continue
            self.now_us = due_us
            pump.advance(due_us)
            pump.act()
            if due_us >= pump.link_us:
                pump.link_us = due_us + LINK_US
                self._link(pump)
            for r in running:
                if r.until and (r.pump is pump or not r.pump) and r.until():
                    self._resume(running, r)
                    break

    def _resume(self, running: list[_Running], r: _Running) -> None:
        for pump in [r.pump] if r.pump else self.pumps:
            pump.advance(self.now_us)
        wait = next(r.script, None)
        if wait is None:
            running.remove(r)
        else:
            r.deadline_us, r.until = self.now_us + wait.us, wait.until

    def _link(self, pump: Pump) -> None:
        """Records go up, acknowledgements and answers come down, tariffs are repeated; some of it gets lost."""
        controller, device = pump.controller, pump.config.device
        if controller is None:
            return
        controller.link_online = self.online[device]
        if not self.online[device]:
            return
        if not controller.prices and not controller.coming:
            controller.set_tariff(1, 0, PRICES)
        journal = controller.journal
        if journal.acked + 1 < journal.head:
            if self.rng.random() < 0.5:
                return
            buf = bytearray(records.SIZE)
            for seq in range(journal.acked + 1, journal.head):
                if journal.read(seq, buf):
                    self.station.take(device, bytes(buf))
                elif seq > self.station.acked[device]:
                    raise ViolationError(f"record {seq} of {device} is gone before the station had it")
            if self.rng.random() < 0.9:
                controller.journal_ack(self.station.acked[device])
        question = controller.take_ask()
        if question and self.rng.random() < 0.95:
            answer = self.station.answer(device, question, WALL_START_S + self.now_us // S)
            if self.rng.random() < 0.95:
                controller.answer(answer)

    def top_up(self, card: DesfireCard) -> None:
        """Money for a poor card: by phone, to be loaded at a pump; or at the desk, unless a sale is open on it."""
        if card.uid in self.lending.accounts:
            return
        purse = card.applications[card_layout.AID].files[card_layout.FILE_PURSE]
        assert isinstance(purse, ValueFile)
        if purse.value < 20_000 and self.rng.random() < 0.2:
            self.loads.pay(card.uid, self.rng.randrange(1, LOAD_FEN))
        elif purse.value < 1_000 and not cards.open_sale(card) and self.rng.random() < 0.7:
            purse.value += LOAD_FEN
            self.initial[card.uid] += LOAD_FEN
            self.station.purse[card.uid] += LOAD_FEN

    # -- the end of the day

    def close(self) -> None:
        """Everything mended, every card at every pump once more: then all money and all fuel must be accounted for."""
        for pump in self.pumps:
            self.online[pump.config.device] = True
        self.run([(pump, self._mend(pump)) for pump in self.pumps])
        for card in self.cards:
            card.tear_at(1 << 40)  # what was still to come does not come any more
            for pump in self.pumps:
                if cards.open_sale(card) or self._unsettled(pump, card) or card.uid in self.loads.waiting:
                    self.run([(pump, self._last_visit(pump, card))])
            for _ in range(20):  # a line loses one question or answer in five
                if card.uid in self.loads.waiting:
                    self.run([(self.pumps[0], self._last_visit(self.pumps[0], card))])
            if cards.open_sale(card) or any(self._unsettled(pump, card) for pump in self.pumps):
                raise ViolationError(f"card {card.uid.hex()} stays unsettled at every pump")
        self.run([(None, self._upload())])
        self._check()

    @staticmethod
    def _unsettled(pump: Pump, card: DesfireCard) -> bool:
        assert pump.controller is not None
        return any(sale[2] == card.uid for sale in pump.controller.unsettled)

    def _upload(self) -> Script:
        yield Wait(900 * S, lambda: not any(self._behind(pump) for pump in self.pumps))

    def _behind(self, pump: Pump) -> bool:
        assert pump.controller is not None
        return bool(pump.controller.journal.acked + 1 < pump.controller.journal.head)

    def _mend(self, pump: Pump) -> Script:
        for nozzle in range(len(pump.config.grades)):
            pump.hang(nozzle)
            pump.plant.set_pulser(nozzle, "ok")
        pump.take()
        pump.estop, pump.every_tick = False, False
        pump.journal_flash.cut_at = pump.checkpoint_flash.cut_at = 0
        yield Wait(20 * S)
        if pump.controller is None:
            pump.power_on()
        pump.supply_ok = True
        yield Wait(100 * S)
        if pump.controller is None:
            raise ViolationError("the pump does not start")
        pump.command("unlock")
        yield Wait(20 * S)

    def _last_visit(self, pump: Pump, card: DesfireCard) -> Script:
        pump.put(card)
        yield Wait(6 * S)
        pump.take()
        yield Wait(6 * S)

    def _check(self) -> None:
        station = self.station
        for pump in self.pumps:
            device = pump.config.device
            assert pump.controller is not None
            if station.acked[device] != pump.controller.journal.head - 1:
                raise ViolationError("records stayed behind")
            for seq in pump.opened:
                if (device, seq) not in station.ends and (device, seq) not in station.measures:
                    raise ViolationError(f"sale {device, seq} was lost")
            self._check_fuel(pump)
        for card in self.cards:
            spent = sum(end["amount_fen"] for end in station.ends.values() if end["uid"] == card.uid)
            if card.uid in self.lending.accounts:
                spent = 0
            held, loaded = cards.held_fen(card), self.loads.done_fen[card.uid]
            if card.uid in self.loads.waiting:
                raise ViolationError("a load never reached its card")
            if held != self.initial[card.uid] + loaded - spent:
                raise ViolationError(f"card holds {held}, had {self.initial[card.uid]} + {loaded}, spent {spent}")
            if cards.open_sale(card):
                raise ViolationError("a reservation stayed open")
            self._check_card_shown(card)
            if station.purse[card.uid] + loaded != held or station.in_flight[card.uid]:
                raise ViolationError(
                    f"books: purse {station.purse[card.uid]} in flight {station.in_flight[card.uid]}, card {held}"
                )

    def _check_card_shown(self, card: DesfireCard) -> None:
        """The desk sees the card. All is settled in the books by then, but for sales whose report got lost and whose
        END no pump can still know of after a start."""
        for device, seq in self.station.unreturned[card.uid]:
            pump = next(pump for pump in self.pumps if pump.config.device == device)
            if seq > pump.forgotten:
                raise ViolationError(f"sale {device, seq} was never reported settled")
        self.station.past(card.uid, cards.counter(card))
        for counter in range(1, cards.counter(card) + 1):
            if not self.station.explains(card.uid, counter):
                raise ViolationError(f"no record tells what counter {counter} of card {card.uid.hex()} was")

    def _check_fuel(self, pump: Pump) -> None:
        for nozzle in range(len(pump.config.grades)):
            true_ml = pump.plant.true_ul(nozzle) // 1000
            total_ml = self.station.totals[pump.config.device, nozzle]
            lost_ml = pump.power_cuts * (KEEP_ML + CLOSING_ML) + pump.unmeasured_ml
            if not -TOLERANCE_ML - pump.unmeasured_ml <= true_ml - total_ml <= lost_ml + TOLERANCE_ML:
                raise ViolationError(f"{true_ml} ml came out, {total_ml} ml are in the totalizer")


def _identity(device: int, mode: str, grades: tuple[int, ...]) -> dict[str, Any]:
    return {
        "device": device,
        "issuer": cards.ISSUER_NO,
        "mode": mode,
        "nozzles": [{"grade": grade, "pulses_per_l": 100} for grade in grades],
        "keys": {
            "journal": (bytes([device & 255]) * 32).hex(),
            "pump": cards.PUMP.hex(),
            "issuer": cards.ISSUER.hex(),
        },
    }
