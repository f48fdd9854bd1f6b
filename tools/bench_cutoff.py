"""The learned cut-off against fixed advances (D16): python -m tools.bench_cutoff --deliveries 100000 [--seed 1].

Each seed is a nozzle of its own: pump of 25 to 80 L/min, small stage of 4 to 6.5 L/min, pulser of 100 to 1,000 pulses
per litre, valves new or worn. It serves the same customers twice: once with the controller as it is, once with what it
has learned taken away after each delivery, so that it closes at the settings' advances (0.50 L, 25 ml) for ever. The
controller, the delivery, the journal and the checkpoint ring are the board's own; only the card is taken as read.
Customers come over a year, by day and night, with the trigger full, half open or nearly shut, and squeeze harder or
let go on the way; a few hang up early. Power goes off now and then, in the middle of a delivery too; after some of
these the nozzle has two new valves. Nobody tells the controller.

deliveries              of all kinds, first uses and those after repairs and cut by power loss included
overspend_fen_max       greatest of what flowed (metered or true, the worse) in money - authorised; 0: never above
overrun_ml_max          greatest volume beyond the limit: of the metered and of what truly came out of the hose
leftover_ml_p50, p99    limit - metered volume, of deliveries that ended at their limit
fixed_leftover_ml_p50   the same customers with fixed advances
time_ratio              sum of the times from opening the valve to the END record, learned / fixed
"""

import argparse
import json
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pump.core import card_layout, codes, limits, money, records, sale, view
from pump.core.record_fields import body_dict
from tools.bench.plant import Plant
from tools.sim.pump import Pump

S = 1_000_000
PER_NOZZLE = 500
PRICE_FEN = 756
AT_LIMIT = (codes.STOP_PRESET, codes.STOP_CARD_LIMIT)


class _Unjudged(Pump):
    """What flows beyond a limit is measured here, not a violation."""

    def _check_limit(self) -> None:
        pass


@dataclass
class Figures:
    """Of one controller."""

    leftovers_ml: list[int] = field(default_factory=list)
    deliveries: int = 0
    overspend_fen: int = -(1 << 30)
    overrun_ml: int = 0
    overruns: int = 0
    time_ms: int = 0
    worst: str = ""

    def add(self, other: "Figures") -> None:
        self.leftovers_ml += other.leftovers_ml
        self.deliveries += other.deliveries
        self.overspend_fen = max(self.overspend_fen, other.overspend_fen)
        if other.overrun_ml > self.overrun_ml:
            self.overrun_ml, self.worst = other.overrun_ml, other.worst
        self.overruns += other.overruns
        self.time_ms += other.time_ms


@dataclass(frozen=True)
class Customer:
    """What one delivery will be. squeezes: (microlitres, hand in microlitres a second) from which on it holds so."""

    pause_us: int
    limit_fen: int
    hand_ul_s: int
    squeezes: tuple[tuple[int, int], ...]
    hangs_up_ul: int  # 0: waits for the pump
    power_off: bool  # before this delivery
    cut_ul: int  # power goes in the middle, 0: it does not
    repair: bool


def customers(rng: random.Random, count: int, full_ul_s: int) -> list[Customer]:
    """A nozzle's customers over about a year."""
    out = []
    for _ in range(count):
        limit_fen = rng.choice((0, 0, 5_000, 10_000, 15_000)) or rng.randrange(300, 25_000)
        limit_ul = limit_fen * 1_000_000_000 // (PRICE_FEN * 1000)
        hands = (1 << 40, 1 << 40, 1 << 40, rng.randrange(60_000, full_ul_s), rng.randrange(15_000, 90_000))
        hand = rng.choice(hands[:4]) if rng.random() < 0.97 else hands[4]
        squeezes = []
        if rng.random() < 0.2:
            squeezes = [(rng.randrange(limit_ul), rng.choice(hands))]
        if rng.random() < 0.05:
            squeezes += [(limit_ul - rng.randrange(min(limit_ul, 500_000)), rng.choice(hands))]
        off = rng.random() < 0.01
        out.append(
            Customer(
                rng.randrange(30, 2 * 365 * 86_400 // max(365, count)) * S,
                limit_fen,
                hand,
                tuple(sorted(squeezes)),
                rng.randrange(1, limit_ul) if rng.random() < 0.06 else 0,
                off,
                rng.randrange(1, limit_ul) if rng.random() < 0.004 else 0,
                off and rng.random() < 0.4,
            )
        )
    return out


class Nozzle:
    """One pump with one nozzle, led from customer to customer. learns: False takes away what it learned each time."""

    def __init__(self, seed: int, learns: bool) -> None:
        rng = random.Random(seed)
        pulses = rng.choice((100, 100, 100, 200, 500, 1000))
        self.full_ul_s = rng.randrange(25, 80) * 1_000_000 // 60
        identity = {
            "device": 257,
            "issuer": 1,
            "mode": "tap",
            "nozzles": [{"grade": 1, "pulses_per_l": pulses}],
            "keys": {"journal": "55" * 32, "pump": "22" * 16, "issuer": "44" * 16},
        }
        self.learns = learns
        self.figures = Figures()
        self.name = f"seed {seed}"
        self.pump = _Unjudged(identity, rng, journal_sectors=4)
        self.pump.plant = Plant([pulses], seed, self.full_ul_s, rng.randrange(70_000, 105_000))
        self.pump.now_us = rng.randrange(365 * 86_400) * S
        self.pump.plant.advance(self.pump.now_us)
        self.plant = self.pump.plant
        self.start()

    @property
    def ctl(self) -> Any:
        assert self.pump.controller is not None
        return self.pump.controller

    def start(self) -> None:
        self.pump.power_on()
        ctl = self.ctl
        ctl.set_tariff(1, 0, {1: PRICE_FEN})
        self._run(300_000)

    def _run(self, us: int, until: Callable[[], bool] | None = None) -> None:
        """Let time pass, from event to event."""
        pump = self.pump
        end_us = pump.now_us + us
        while pump.now_us < end_us and not (until and until()):
            pump.advance(min(pump.next_us(), end_us))
            pump.act()

    def _leap(self, us: int) -> None:
        self.pump.advance(self.pump.now_us + us)
        self.pump.poke()
        self._run(300_000)

    def serve(self, customer: Customer) -> None:
        pump, plant = self.pump, self.plant
        self._leap(customer.pause_us)
        if customer.power_off:
            pump.power_off()
            self._leap(600 * S)
            if customer.repair:
                plant.repair(0)
            self.start()
        ctl = self.ctl
        ctl.journal_ack(ctl.journal.head - 1)
        pump.lift(0)
        self._run(100_000)
        card = limits.Card(b"\x04\1\2\3\4\5\6")
        card.kind, card.grades, card.balance_fen = card_layout.KIND_REGISTERED, 30, customer.limit_fen + 1
        sold = sale.begin(ctl, card)
        sale.reserved(ctl, sold, card)
        pump.poke()
        before_ul, since_us = plant.true_ul(0), pump.now_us
        plant.squeeze(0, customer.hand_ul_s)
        self._fuel(customer, before_ul)
        if pump.controller is None:
            plant.squeeze(0, 0)
            pump.hang(0)
            self._leap(60 * S)
            self.start()
            self._count(before_ul, sold.limit_ml)
            self._settle()
            return
        self.figures.time_ms += (pump.now_us - since_us) // 1000
        self._count(before_ul, sold.limit_ml)
        plant.squeeze(0, 0)
        pump.hang(0)
        self._settle()
        if not self.learns:
            ctl.cutoff[:] = [None] * len(ctl.cutoff)
            ctl.checkpoint.learned.clear()

    def _fuel(self, customer: Customer, before_ul: int) -> None:
        """From the valves' opening to END, or until power goes."""
        pump, plant = self.pump, self.plant
        acts = [(at_ul, "squeeze", hand) for at_ul, hand in customer.squeezes]
        if customer.hangs_up_ul:
            acts.append((customer.hangs_up_ul, "hang", 0))
        if customer.cut_ul:
            acts.append((customer.cut_ul, "cut", 0))

        def over() -> bool:
            return self.ctl.delivery.sale is None

        def reached(wish_ul: int) -> bool:
            return over() or plant.true_ul(0) >= wish_ul

        for at_ul, act, hand in sorted(acts):
            self._run(2_000 * S, partial(reached, before_ul + at_ul))
            if over():
                return
            if act == "squeeze":
                plant.squeeze(0, hand)
            elif act == "hang":
                pump.hang(0)
            else:
                pump.power_off()
                return
            pump.poke()
        self._run(2_000 * S, over)

    def _count(self, before_ul: int, limit_ml: int) -> None:
        ctl, f = self.ctl, self.figures
        buf = bytearray(records.SIZE)
        seq = ctl.journal.head - 1
        while not (ctl.journal.read(seq, buf) and buf[1] == records.END):
            seq -= 1
        end = body_dict(bytes(buf))
        true_ml = -(-(self.plant.true_ul(0) - before_ul) // 1000)
        over_ml = max(end["overrun_ml"], true_ml - limit_ml)
        f.deliveries += 1
        worth_fen = money.amount_fen(max(end["volume_ml"], true_ml), PRICE_FEN)
        f.overspend_fen = max(f.overspend_fen, worth_fen - (end["reserved_fen"] - 1))
        if over_ml > 0:
            f.overruns += 1
            if over_ml > f.overrun_ml:
                f.overrun_ml, f.worst = over_ml, f"{self.name}, delivery {f.deliveries}"
        if end["reason"] in AT_LIMIT:
            f.leftovers_ml.append(limit_ml - end["volume_ml"])

    def _settle(self) -> None:
        """The card has been here again."""
        ctl = self.ctl
        for unsettled in list(ctl.unsettled):
            sale.forget(ctl, unsettled[0])
        if ctl.delivery.state == view.SETTLING:
            ctl.delivery.settled()
        if ctl.locked:
            ctl.command("unlock")
        self._run(3 * S, lambda: ctl.delivery.armed and ctl.delivery.state == view.IDLE)


def serve_both(task: tuple[int, int]) -> tuple[Figures, Figures]:
    """One seed's customers, learned and fixed."""
    seed, count = task
    both = Nozzle(seed, True), Nozzle(seed, False)
    for customer in customers(random.Random(-seed), count, both[0].full_ul_s):
        for nozzle in both:
            nozzle.serve(customer)
    return both[0].figures, both[1].figures


def quantile(sorted_values: list[int], percent: int) -> int:
    """The smallest value that is not below so many percent of them."""
    return sorted_values[min(len(sorted_values) - 1, -(-len(sorted_values) * percent // 100) - 1)]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_cutoff", description=__doc__.split("\n")[0])
    parser.add_argument("--deliveries", type=int, default=100_000, help="over all nozzles (default 100000)")
    parser.add_argument("--seed", type=int, default=1, help="the first nozzle's seed (default 1)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    options = parser.parse_args(arguments)
    began = time.monotonic()
    nozzles = max(2, options.deliveries // PER_NOZZLE)
    tasks = [(options.seed + n, -(-options.deliveries // nozzles)) for n in range(nozzles)]
    learned, fixed = Figures(), Figures()
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for n, (one, other) in enumerate(pool.imap_unordered(serve_both, tasks), 1):
            learned.add(one)
            fixed.add(other)
            if n % 20 == 0 or n == nozzles:
                print(
                    f"{n}/{nozzles} nozzles, {learned.deliveries} deliveries, {learned.overruns} overruns", flush=True
                )
    for name, f in (("learned", learned), ("fixed", fixed)):
        f.leftovers_ml.sort()
        left = ", ".join(f"p{p} {quantile(f.leftovers_ml, p)}" for p in (1, 10, 50, 90, 99, 100))
        print(
            f"{name}: {f.deliveries} deliveries, {len(f.leftovers_ml)} at their limit, left over ml {left}; "
            f"{f.overruns} overruns, worst {f.overrun_ml} ml {f.worst}; {f.time_ms / 1000 / f.deliveries:.1f} s each"
        )
    print(f"{time.monotonic() - began:.0f} s on {options.jobs} cores")
    result = {
        "deliveries": learned.deliveries,
        "overspend_fen_max": max(0, learned.overspend_fen),
        "overrun_ml_max": learned.overrun_ml,
        "leftover_ml_p50": quantile(learned.leftovers_ml, 50),
        "leftover_ml_p99": quantile(learned.leftovers_ml, 99),
        "fixed_leftover_ml_p50": quantile(fixed.leftovers_ml, 50),
        "time_ratio": round(learned.time_ms / fixed.time_ms, 3),
    }
    print(json.dumps(result))
    return 0 if learned.overspend_fen <= 0 and learned.overrun_ml <= 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
