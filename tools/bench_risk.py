"""How much planted fraud the default risk rules find, and how often they cry wolf: `python -m tools.bench_risk`.

A month of a region by a seed: private drivers, taxis and fleets with their honest oddities (a second small fill, one
card for two cars of a family, mistyped PINs and kilometres, nights on the road, a customer who wants a load back), and
frauds planted among them. All of it goes through the rules as at a head office, in batches, some records late. An
incident counts as found if a rule names its card or member of staff while it went on or within a day after; every other
finding is a false alarm.
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path

from pump.core import codes
from station import risk
from station.platform import database
from station.platform.settings import load
from station.risk import LOAD, REFUND, REFUSAL, SALE, Event, Place, Subject
from station.setup import prepare

DAY_S, HOUR_S, DAYS = 86_400, 3_600, 30
T0 = 1_790_035_200  # a midnight, UTC
PRICE_FEN_PER_L = 760
PLACES = {
    "s1": Place(39_904_200, 116_407_400),
    "s2": Place(39_343_400, 117_361_600),
    "s3": Place(38_042_300, 114_514_900),
}
STATIONS = tuple(PLACES)
BATCH, LATE_PERCENT = 400, 3
FOUND_WITHIN_S = DAY_S


@dataclass
class Driver:
    card_no: str
    kind: int  # 1: a private card, 4: a fleet's
    tank_ml: int
    home: str
    per_day: float
    night: bool = False
    odometer_km: int = 0
    free_at: int = 0


@dataclass
class Incident:
    kind: str
    subject: str
    since: int
    until: int


@dataclass
class Month:
    """Everything that happens, by a seed."""

    seed: int
    drivers: list[Driver] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    sales: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)

    # -- honest people

    def make(self, cards: int) -> None:
        rng = self.rng
        for number in range(cards):
            sort = rng.random()
            card_no, home = f"62{number:014d}", rng.choice(STATIONS)
            if sort < 0.7:
                self.drivers.append(Driver(card_no, 1, 0, home, rng.uniform(0.1, 0.35)))
            elif sort < 0.8:
                self.drivers.append(Driver(card_no, 1, 55_000, home, rng.uniform(0.9, 1.6), night=rng.random() < 0.4))
            else:
                tank_ml = rng.choice((60_000, 80_000, 300_000, 400_000))
                self.drivers.append(
                    Driver(card_no, 4, tank_ml, home, rng.uniform(0.4, 0.9), odometer_km=rng.randrange(1_000, 300_000))
                )
        for driver in self.drivers:
            for day in range(DAYS):
                fills = sum(rng.random() < driver.per_day / 2 for _ in range(2))
                for fill in range(fills):
                    self._honest_fill(driver, T0 + day * DAY_S + (6 + 8 * fill) * HOUR_S + rng.randrange(7 * HOUR_S))
        self._honest_desk()

    def _honest_fill(self, driver: Driver, at: int) -> None:
        rng = self.rng
        if driver.kind == 4 and rng.random() < 0.002:  # a night on the road, agreed with nobody
            at = at // DAY_S * DAY_S + rng.randrange(5 * HOUR_S)
        if at < driver.free_at:
            return
        while rng.random() < 0.03:  # a slip of the finger, sometimes two
            self.events.append(Event(REFUSAL, at, driver.card_no, driver.home, 257, code=codes.REFUSE_PIN))
            at += 20
        volume_ml = int((driver.tank_ml or 50_000) * rng.uniform(0.3, 0.95))
        station = driver.home
        if driver.kind == 4 and rng.random() < 0.25:
            station = rng.choice(STATIONS)
            at = max(at, driver.free_at + 6 * HOUR_S)
        if driver.odometer_km:
            driver.odometer_km += rng.randrange(80, 600)
        odometer_km = driver.odometer_km
        if odometer_km and rng.random() < 0.001:
            odometer_km += rng.randrange(1, 90)  # a mistyped digit, above what the next day will show at times
        end = self.sale(driver, at, volume_ml, station, odometer_km)
        if rng.random() < 0.01:  # topped up, or the other car of the family
            left_ml = (driver.tank_ml or 100_000) - volume_ml
            end = self.sale(driver, end + rng.randrange(120, 900), max(3_000, left_ml // 2), station, odometer_km)
        driver.free_at = end + (HOUR_S if station == driver.home else 6 * HOUR_S)

    def _honest_desk(self) -> None:
        """Loads, and the refunds that a cashier gives on an ordinary day."""
        rng = self.rng
        for day in range(DAYS):
            for shift in range(3):
                for station in STATIONS:
                    staff, start = f"{station}-cashier{shift}", T0 + day * DAY_S + shift * 8 * HOUR_S
                    for _ in range(rng.randrange(8, 20)):
                        card = rng.choice(self.drivers).card_no
                        self._desk(
                            LOAD, start + rng.randrange(8 * HOUR_S), card, station, staff, rng.randrange(10, 100) * 1000
                        )
                    for _ in range(rng.choice((0, 0, 0, 1, 1, 2, 3))):
                        card = rng.choice(self.drivers).card_no
                        self._desk(
                            REFUND,
                            start + rng.randrange(8 * HOUR_S),
                            card,
                            station,
                            staff,
                            rng.randrange(10, 300) * 100,
                        )

    # -- what is planted

    def plant(self) -> None:
        for kind in _FRAUDS:
            for _ in range(12):
                getattr(self, f"_{kind}")(T0 + self.rng.randrange(2, DAYS - 1) * DAY_S + 9 * HOUR_S)

    def _incident(self, kind: str, subject: str, since: int, until: int) -> None:
        self.incidents.append(Incident(kind, subject, since, until))

    def _victim(self, fleet: bool = False) -> Driver:
        return self.rng.choice([d for d in self.drivers if (d.kind == 4) == fleet])

    def _stolen_card(self, at: int) -> None:
        victim, start = self._victim(), at
        for _ in range(self.rng.randrange(5, 9)):
            at = self.sale(victim, at, self.rng.randrange(30_000, 60_000), victim.home) + self.rng.randrange(60, 400)
        self._incident("stolen_card", victim.card_no, start, at)

    def _clone_beside(self, at: int) -> None:
        victim = self._victim()
        end = self.sale(victim, at, 45_000, victim.home, pump=1)
        self.sale(victim, at + self.rng.randrange(5, 40), 40_000, victim.home, pump=2)
        self._incident("clone_beside", victim.card_no, at, end)

    def _clone_far(self, at: int) -> None:
        victim = self._victim()
        end = self.sale(victim, at, 40_000, "s1")
        self.sale(victim, end + self.rng.randrange(300, 2_400), 40_000, self.rng.choice(("s2", "s3")))
        self._incident("clone_far", victim.card_no, at, end + HOUR_S)

    def _into_cans(self, at: int) -> None:
        victim = self._victim(fleet=True)
        end = self.sale(victim, at, int(victim.tank_ml * self.rng.uniform(0.6, 0.95)), victim.home)
        self.sale(
            victim, end + self.rng.randrange(60, 600), int(victim.tank_ml * self.rng.uniform(0.55, 0.9)), victim.home
        )
        self._incident("into_cans", victim.card_no, at, end + HOUR_S)

    def _private_night(self, at: int) -> None:
        victim = self._victim(fleet=True)
        at = at // DAY_S * DAY_S + self.rng.randrange(30 * 60, 4 * HOUR_S)
        self.sale(victim, at, 40_000, victim.home)
        self._incident("private_night", victim.card_no, at, at + HOUR_S)

    def _turned_back(self, at: int) -> None:
        victim = self._victim(fleet=True)
        last = max((e.odometer_km for e in self.events if e.card_no == victim.card_no and e.at < at), default=0)
        if not last:
            return self._turned_back(at)
        recent = [e for e in self.events if e.card_no == victim.card_no and 0 < at - e.at < 6 * DAY_S and e.odometer_km]
        if not recent:
            return self._turned_back(at)
        self.sale(victim, at, 40_000, victim.home, max(1, last - self.rng.randrange(100, 3_000)))
        self._incident("turned_back", victim.card_no, at, at + HOUR_S)
        return None

    def _pin_guessing(self, at: int) -> None:
        victim = self._victim()
        tries = self.rng.randrange(4, 10)
        for number in range(tries):
            wrong = codes.REFUSE_PIN if number < 3 else codes.REFUSE_PIN_BLOCKED
            self.events.append(Event(REFUSAL, at + 15 * number, victim.card_no, victim.home, 258, code=wrong))
        self._incident("pin_guessing", victim.card_no, at, at + 15 * tries)

    def _refund_spree(self, at: int) -> None:
        staff = f"{self.rng.choice(STATIONS)}-cashier1"
        for _ in range(self.rng.randrange(8, 16)):
            self._desk(REFUND, at + self.rng.randrange(6 * HOUR_S), self._victim().card_no, "s1", staff, 20_000)
        self._incident("refund_spree", f"staff:{staff}", at, at + 6 * HOUR_S)

    def _passed_through(self, at: int) -> None:
        staff, card = f"{self.rng.choice(STATIONS)}-cashier2", self._victim().card_no
        self._desk(LOAD, at, card, "s1", staff, 80_000)
        self._desk(REFUND, at + self.rng.randrange(120, 1_800), card, "s1", staff, self.rng.randrange(50_000, 80_000))
        self._incident("passed_through", f"staff:{staff}", at, at + HOUR_S)

    def _great_day(self, at: int) -> None:
        victim, start = self._victim(), at
        for _ in range(self.rng.randrange(9, 13)):
            at = self.sale(victim, at, 55_000, victim.home) + self.rng.randrange(2_000, 3_600)
        self._incident("great_day", victim.card_no, start, at)

    # -- writing down

    def sale(self, driver: Driver, at: int, volume_ml: int, station: str, odometer_km: int = 0, pump: int = 0) -> int:
        """One sale; returns when it ended."""
        self.sales += 1
        device = (STATIONS.index(station) + 1) * 256 + (pump or self.rng.randrange(1, 5))
        end = at + 30 + volume_ml // 600
        fen = volume_ml * PRICE_FEN_PER_L // 1000
        self.events.append(
            Event(SALE, end, driver.card_no, station, device, at, fen, volume_ml, odometer_km, ref=self.sales)
        )
        return end

    def _desk(self, kind: str, at: int, card_no: str, station: str, staff: str, fen: int) -> None:
        ref = 1_000_000 + len(self.events)
        self.events.append(Event(kind, at, card_no, station, amount_fen=fen, staff=staff, ref=ref))

    def arriving(self) -> Iterator[list[Event]]:
        """Batches in the order in which a station's head would get them: some pumps were off the line for hours."""
        rng = self.rng
        order = sorted(
            self.events, key=lambda e: e.at + (rng.randrange(6 * HOUR_S) if rng.randrange(100) < LATE_PERCENT else 0)
        )
        for at in range(0, len(order), BATCH):
            yield order[at : at + BATCH]


_FRAUDS = (
    "stolen_card", "clone_beside", "clone_far", "into_cans", "private_night", "turned_back", "pin_guessing",
    "refund_spree", "passed_through", "great_day",
)  # fmt: skip


def measure(seed: int, cards: int) -> dict[str, float]:
    """Runs the month; prints a line per fraud; returns the figures."""
    month = Month(seed)
    month.make(cards)
    month.plant()
    found: list[risk.Finding] = []
    known = {driver.card_no: Subject(driver.kind, driver.tank_ml) for driver in month.drivers}
    with tempfile.TemporaryDirectory(prefix="pumpside-risk-") as scratch:
        engine = prepare(load(data_dir=Path(scratch) / "var", database_url="", bench=True), T0)
        with database.write(engine) as conn:
            for station, where in PLACES.items():
                risk.place(conn, station, where)
        for batch in month.arriving():
            with database.write(engine) as conn:
                found += risk.observe(conn, batch, known, batch[-1].at, UTC)
        engine.dispose()
    return _score(month, found)


def _score(month: Month, found: list[risk.Finding]) -> dict[str, float]:
    hit: set[int] = set()
    wolf: Counter[str] = Counter()
    for one in found:
        meant = [
            number
            for number, incident in enumerate(month.incidents)
            if incident.subject == one.subject and incident.since <= one.at <= incident.until + FOUND_WITHIN_S
        ]
        hit.update(meant)
        if not meant:
            wolf[one.rule] += 1
    for kind in _FRAUDS:
        numbers = [number for number, incident in enumerate(month.incidents) if incident.kind == kind]
        print(f"{kind:<16}{sum(number in hit for number in numbers):>4} of {len(numbers)}")
    print("false alarms by rule:", dict(wolf.most_common()) or "none")
    print(f"{month.sales} sales, {len(month.incidents)} incidents, {len(found)} findings")
    return {
        "recall": round(len(hit) / len(month.incidents), 3),
        "false_alarms_per_1000": round(1000 * sum(wolf.values()) / month.sales, 3),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_risk", description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="种子 · seed, e.g. 7")
    parser.add_argument("--cards", type=int, default=2_000, help="卡数 · cards, e.g. 2000")
    chosen = parser.parse_args(arguments)
    print(json.dumps(measure(chosen.seed, chosen.cards)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
