"""What a company's card may buy: rules as data, judged when a pump asks; pure (C12).

Rules stand at the company, at its parts and at vehicles; a sale must pass all of them, and the least of what they
leave is lent. Those that a card can carry are written on it at its next contact with the desk (carried()), and hold at
every pump without the station too.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from pump.core import card_layout, codes, money
from station import cards

DAY_S = 86_400
MOST = 1_000_000_000  # fen or ml: ten million yuan, a million litres


class RulesError(ValueError):
    """Rules that make no sense; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Rules:
    """0, empty or False: no such rule. Sums per day and calendar month, China time. Stations by number, hours of day.

    fill_ml, fill_fen: one fill. odometer_km: the most between two fills. only_listed: the card's plate must be of a
    vehicle in the company's list. needs_driver: only together with a driver's card. The last two hours, odometer and
    driver are asked by the pump itself.
    """

    fill_ml: int = 0
    fill_fen: int = 0
    day_ml: int = 0
    day_fen: int = 0
    day_fills: int = 0
    month_ml: int = 0
    month_fen: int = 0
    grades: tuple[int, ...] = ()
    stations: tuple[int, ...] = ()
    hours: tuple[int, ...] = ()
    odometer_km: int = 0
    only_listed: bool = False
    needs_driver: bool = False

    def check(self) -> None:
        """RulesError unless they are possible."""
        sums = (self.fill_ml, self.fill_fen, self.day_ml, self.day_fen, self.day_fills, self.month_ml, self.month_fen)
        if any(not 0 <= value <= MOST for value in sums):
            raise RulesError("限额超出范围 a limit is out of range")
        if any(not 1 <= grade <= 15 for grade in self.grades):
            raise RulesError("油品不正确 no such grade")
        try:
            carried([Rules(), self]).check()
        except cards.RulesError as error:
            raise RulesError(str(error)) from None


@dataclass(frozen=True, slots=True)
class Used:
    """What a subject has bought, and what was lent for it and is not known to be used: fen, ml, fills."""

    day_fen: int = 0
    day_ml: int = 0
    day_fills: int = 0
    month_fen: int = 0
    month_ml: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """What a pump asks for. grade 0: not told. is_listed: whether the card's vehicle is the company's."""

    want_fen: int
    grade: int
    price_fen_per_l: int
    station: int
    hour: int
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """code 0: up to `fen` may be bought. Otherwise a codes.REFUSE_*, the rule's name, what it allows, what is used."""

    fen: int
    code: int = 0
    rule: str = ""
    allowed: int = 0
    used: int = 0


def judge(rules: Rules, used: Used, wish: Wish, least_fen: int) -> Verdict:
    """One subject's rules. least_fen: what is not worth a sale any more is refused."""
    r = rules
    if r.only_listed and not wish.is_listed:
        return Verdict(0, codes.REFUSE_PAIR, "only_listed")
    if r.grades and wish.grade and wish.grade not in r.grades:
        return Verdict(0, codes.REFUSE_GRADE, "grades", used=wish.grade)
    if r.stations and wish.station not in r.stations:
        return Verdict(0, codes.REFUSE_STATION, "stations", used=wish.station)
    if r.hours and wish.hour not in r.hours:
        return Verdict(0, codes.REFUSE_HOURS, "hours", used=wish.hour)
    if r.day_fills and used.day_fills >= r.day_fills:
        return Verdict(0, codes.REFUSE_DAY_FILLS, "day_fills", r.day_fills, used.day_fills)
    left = Verdict(wish.want_fen)
    sums = (
        ("fill_fen", r.fill_fen, 0, codes.REFUSE_LIMIT),
        ("day_fen", r.day_fen, used.day_fen, codes.REFUSE_DAY_MONEY),
        ("month_fen", r.month_fen, used.month_fen, codes.REFUSE_LIMIT),
        ("fill_ml", r.fill_ml, 0, codes.REFUSE_LIMIT),
        ("day_ml", r.day_ml, used.day_ml, codes.REFUSE_LIMIT),
        ("month_ml", r.month_ml, used.month_ml, codes.REFUSE_LIMIT),
    )
    for name, allowed, gone, code in sums:
        rest = max(0, allowed - gone)
        fen = rest * wish.price_fen_per_l // 1000 if name.endswith("_ml") else rest
        if allowed and fen < least_fen:
            return Verdict(0, code, name, allowed, gone)
        left = replace(left, fen=min(left.fen, fen)) if allowed else left
    return left


def moment(now: int) -> tuple[int, int, int]:
    """(start of the day, start of the month, hour of the day), China time, as pumps and cards reckon them."""
    local = time.gmtime(now + card_layout.DAY_OFFSET_S)
    day = now - (now + card_layout.DAY_OFFSET_S) % DAY_S
    return day, day - (local.tm_mday - 1) * DAY_S, local.tm_hour


def held_ml(fen: int, price_fen_per_l: int) -> int:
    """Litres that may still be bought with what is lent, in ml."""
    return money.volume_for_amount_ml(fen, price_fen_per_l) if fen and price_fen_per_l else 0


def carried(subjects: Iterable[Rules]) -> cards.Rules:
    """What of these rules (a vehicle's and those above it, the vehicle's first) a card can carry. RulesError.

    Sums of a day are the card's own only if they stand at the vehicle itself.
    """
    every = list(subjects)
    own = every[0]
    return cards.Rules(
        fill_ml=min((r.fill_ml for r in every if r.fill_ml), default=0),
        day_fen=own.day_fen,
        day_fills=own.day_fills,
        stations=_all_allow(r.stations for r in every),
        hours=_all_allow(r.hours for r in every),
        odometer_km=min((r.odometer_km for r in every if r.odometer_km), default=0),
        needs_driver=any(r.needs_driver for r in every),
    )


def _all_allow(sets: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    named = [set(one) for one in sets if one]
    if not named:
        return ()
    common = set.intersection(*named)
    if not common:
        raise RulesError(
            "各级规则互相排斥，没有可用的油站或时段 the rules exclude each other: no station or hour is left"
        )
    return tuple(sorted(common))


def to_json(rules: Rules) -> dict[str, Any]:
    """Only what is demanded."""
    return {name: value for name, value in asdict(rules).items() if value}


def from_json(text: str) -> Rules:
    """Rules as they were kept."""
    known = {field.name for field in fields(Rules)}
    values = {name: value for name, value in json.loads(text).items() if name in known}
    whole: dict[str, Any] = {n: tuple(v) if isinstance(v, list) else v for n, v in values.items()}
    return Rules(**whole)
