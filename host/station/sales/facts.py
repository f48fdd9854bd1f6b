"""What the records say about a sale, merged so that their order and repetition do not matter; pure.

Each record contributes facts, facts never change, and the postings follow from the facts (PURSE.md, "The books").
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any

from pump.core import card_layout, money, records
from station.sales import reasons


@dataclass(slots=True)
class Facts:
    """One row of the sales table, in its column order; None: not known yet."""

    id: int
    card_no: str | None = None
    uid: str | None = None
    counter: int | None = None
    nozzle: int | None = None
    grade: int | None = None
    price_fen_per_l: int | None = None
    tariff: int | None = None
    plate: str | None = None
    started: int | None = None
    reserved_fen: int | None = None
    is_reserved: int = 0
    reserved_balance_fen: int | None = None
    ended: int | None = None
    amount_fen: int | None = None
    volume_ml: int | None = None
    total_start_ml: int | None = None
    total_end_ml: int | None = None
    overrun_ml: int | None = None
    duration_s: int | None = None
    reason: int | None = None
    flags: int | None = None
    settled: int | None = None
    settled_by: int | None = None
    returned_fen: int | None = None
    balance_fen: int | None = None
    how: int | None = None
    voided: int | None = None
    on_account: int | None = None
    lease: int | None = None
    account: int | None = None
    card_kind: int | None = None
    driver: str | None = None
    odometer_km: int | None = None


as_row = attrgetter(*(field.name for field in fields(Facts)))

HOW_PASSED = 5  # beside records.HOW_*: no report came, but the card did something later


def start(facts: Facts, body: tuple[Any, ...], at: int, _by: int) -> str | None:
    """Merges a START; returns a quarantine reason if it contradicts what is known (then nothing is merged)."""
    (
        uid, card_no, counter, reserved_fen, nozzle, grade, price, tariff, _, _, _, _, plate, kind, lease, driver, km,
    ) = body  # fmt: skip
    if reserved_fen < 1 or price < 1:
        return reasons.IMPOSSIBLE
    text = plate.rstrip(b"\0").decode("utf-8", "replace")
    sale = (uid.hex(), card_no.hex(), counter, reserved_fen, nozzle, grade, price, tariff)
    own = (text, at, driver.hex() if any(driver) else "", km)
    return _learn(facts, (_SALE, sale), (_PAYER, _payer(kind, lease)), (_START, own))


def reserved(facts: Facts, body: tuple[Any, ...], _at: int, _by: int) -> str | None:
    """Merges a RESERVED: the card gave the money."""
    _, _, counter, reserved_fen, balance_fen, _, uid = body
    if reserved_fen < 1:
        return reasons.IMPOSSIBLE
    if facts.voided is not None:
        return reasons.CONTRADICTION
    if facts.reserved_balance_fen not in (None, balance_fen):
        return reasons.CONTRADICTION
    fault = _learn(facts, (_RESERVED, (uid.hex(), counter, reserved_fen)))
    if fault is None:
        facts.is_reserved, facts.reserved_balance_fen = 1, balance_fen
    return fault


def end(facts: Facts, body: tuple[Any, ...], at: int, _by: int) -> str | None:
    """Merges an END. Its amount must be the price of its volume, and never more than was reserved less 1 fen."""
    (
        _, uid, card_no, counter, nozzle, grade, reason, flags, price, tariff, reserved_fen, amount_fen, volume_ml,
        total_start_ml, total_end_ml, _, _, overrun_ml, duration_s, _, kind, lease, *_,
    ) = body  # fmt: skip
    uncertain = flags & records.FLAG_UNCERTAIN
    if uncertain:
        possible = amount_fen == 0 and volume_ml == 0
    else:
        # An overrun beyond the money reserved is given away: the customer never pays more than was agreed.
        possible = 0 <= amount_fen == min(money.amount_fen(volume_ml, price), reserved_fen - 1)
    if not possible or total_end_ml - total_start_ml != volume_ml:
        return reasons.IMPOSSIBLE
    if facts.voided is not None and not uncertain:
        return reasons.CONTRADICTION
    if facts.amount_fen not in (None, amount_fen):  # a settlement elsewhere may have told it before
        return reasons.CONTRADICTION
    sale = (uid.hex(), card_no.hex(), counter, reserved_fen, nozzle, grade, price, tariff)
    own = (volume_ml, total_start_ml, total_end_ml, overrun_ml, duration_s, reason, flags, at)
    fault = _learn(facts, (_SALE, sale), (_PAYER, _payer(kind, lease)), (_END, own))
    if fault is None:
        facts.amount_fen = amount_fen
    if fault is None and not uncertain:
        facts.is_reserved = 1
    return fault


def settled(facts: Facts, body: tuple[Any, ...], at: int, by: int) -> str | None:
    """Merges a SETTLED, whoever reports it. Of several reports of one settlement the most direct is kept.

    That a pump later found the card past its uncertain start does not prove that it was this one which the card took:
    another pump may have used the same counter. Nothing flowed, so no money hangs on it.
    """
    _, _, uid, counter, reserved_fen, amount_fen, returned_fen, balance_fen, how = body
    if returned_fen < 1 or returned_fen != reserved_fen - amount_fen:
        return reasons.IMPOSSIBLE
    if facts.voided is not None:
        return reasons.CONTRADICTION
    fault = _learn(facts, (_SETTLED, (uid.hex(), counter, reserved_fen, amount_fen)))
    if fault is not None:
        return fault
    if how != records.HOW_OBSERVED:
        facts.is_reserved = 1
    facts.returned_fen = returned_fen
    if facts.settled is None or (how, at, by) < (facts.how, facts.settled, facts.settled_by):
        facts.settled, facts.settled_by, facts.balance_fen, facts.how = at, by, balance_fen, how
    return None


def is_unsettled(facts: Facts) -> bool:
    """True if the sale's money was taken and its end is known, but not that the rest went back."""
    return bool(facts.is_reserved and facts.ended is not None and facts.settled is None)


def passed(facts: Facts) -> None:
    """Settles an unsettled sale that its card is past: a card takes no further reservation before that (PURSE.md).

    Whoever did it gave back what the END left. When is not known: it stands at the end of the sale, whatever proved it.
    """
    facts.returned_fen = (facts.reserved_fen or 0) - (facts.amount_fen or 0)
    facts.settled, facts.how = facts.ended, HOW_PASSED


def void(facts: Facts, body: tuple[Any, ...], at: int, _by: int) -> str | None:
    """Merges a VOID: the card never gave the money."""
    _, _, uid, counter, _ = body
    if facts.is_reserved:
        return reasons.CONTRADICTION
    fault = _learn(facts, (_SEEN, (uid.hex(), counter)))
    if fault is None:
        facts.voided = at if facts.voided is None else min(at, facts.voided)
    return fault


def _payer(kind: int, lease: int) -> tuple[int, int, int]:
    return (kind, 1, lease) if kind == card_layout.KIND_ACCOUNT else (kind, 0, 0)


class _Names:
    """Names of fields and a fast way to read and write them all."""

    def __init__(self, write: Callable[[Facts, tuple[Any, ...]], None], *names: str) -> None:
        self.read = attrgetter(*names)
        self.write = write
        self.nothing = (None,) * len(names)


def _write_seen(f: Facts, news: tuple[Any, ...]) -> None:
    f.uid, f.counter = news


def _write_reserved(f: Facts, news: tuple[Any, ...]) -> None:
    f.uid, f.counter, f.reserved_fen = news


def _write_settled(f: Facts, news: tuple[Any, ...]) -> None:
    f.uid, f.counter, f.reserved_fen, f.amount_fen = news


def _write_sale(f: Facts, news: tuple[Any, ...]) -> None:
    f.uid, f.card_no, f.counter, f.reserved_fen, f.nozzle, f.grade, f.price_fen_per_l, f.tariff = news


def _write_payer(f: Facts, news: tuple[Any, ...]) -> None:
    f.card_kind, f.on_account, f.lease = news


def _write_start(f: Facts, news: tuple[Any, ...]) -> None:
    f.plate, f.started, f.driver, f.odometer_km = news


def _write_end(f: Facts, news: tuple[Any, ...]) -> None:
    f.volume_ml, f.total_start_ml, f.total_end_ml, f.overrun_ml, f.duration_s, f.reason, f.flags, f.ended = news


_SEEN = _Names(_write_seen, "uid", "counter")
_RESERVED = _Names(_write_reserved, "uid", "counter", "reserved_fen")
_SETTLED = _Names(_write_settled, "uid", "counter", "reserved_fen", "amount_fen")
_SALE = _Names(_write_sale, "uid", "card_no", "counter", "reserved_fen", "nozzle", "grade", "price_fen_per_l", "tariff")
_PAYER = _Names(_write_payer, "card_kind", "on_account", "lease")
_START = _Names(_write_start, "plate", "started", "driver", "odometer_km")
_END = _Names(
    _write_end, "volume_ml", "total_start_ml", "total_end_ml", "overrun_ml", "duration_s", "reason", "flags", "ended"
)


def _learn(facts: Facts, *groups: tuple[_Names, tuple[Any, ...]]) -> str | None:
    # Nearly always a whole group is known and the same, or not known at all: tuples compare that at once.
    fresh = []
    for group in groups:
        names, news = group
        known = names.read(facts)
        if known != news:
            if known != names.nothing and any(
                old is not None and old != new for old, new in zip(known, news, strict=True)
            ):
                return reasons.CONTRADICTION
            fresh.append(group)
    for names, news in fresh:
        names.write(facts, news)
    return None


def stage(facts: Facts) -> tuple[bool, bool, bool, bool]:
    """Which postings the facts allow: reservation, money for fuel, fuel from the tank, return of the rest.

    A settlement alone moves nothing: its sale's own pump must have told of it (START or END, which know the grade).
    """
    on_card = bool(facts.is_reserved and facts.card_no and facts.grade is not None)
    ended = facts.ended is not None and facts.grade is not None
    return (
        on_card,
        on_card and ended and bool(facts.amount_fen),
        ended and bool(facts.volume_ml),
        on_card and facts.settled is not None,
    )


def state(facts: Any) -> str:
    """started, open, ended, settled or void, of Facts or a row of the sales table."""
    if facts.settled is not None:
        return "settled"
    if facts.voided is not None:
        return "void"
    if facts.is_reserved:
        return "open" if facts.ended is None else "ended"
    return "started"
