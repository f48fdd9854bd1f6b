"""Price agreements (Y7): what a company pays below the price at the pump, by grade, with versions.

The price at the pump stays what it is, on the display and in the sale; the difference comes back as a rebate on the
statement. What holds for a sale is the newest version in force when the sale began; a version never reaches back, so
no sale changes its price afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from pump.core import money
from station.fleets import units
from station.fleets.tables import prices
from station.fleets.units import FleetError
from station.platform import audit

DISCOUNT, FIXED = "discount", "fixed"
MOST_FEN_PER_L = 99_999


@dataclass(frozen=True, slots=True)
class Agreement:
    """kind DISCOUNT: fen off each litre; FIXED: fen per litre. For sales begun in since <= start < until (0: open)."""

    company: int
    version: int
    grade: int
    kind: str
    fen_per_l: int
    since: int
    until: int
    at: int
    by: str
    why: str


def agree(
    conn: Connection,
    company: int,
    grade: int,
    kind: str,
    fen_per_l: int,
    since: int,
    until: int,
    by: str,
    why: str,
    now: int,
) -> Agreement:
    """A new agreement for a grade; from its beginning it takes the place of older ones. A discount of 0 ends them.

    FleetError: no company, out of range, without a reason, or reaching back.
    """
    if units.unit(conn, company).parent is not None:
        raise FleetError("价格协议按单位签订 price agreements are made with the company itself")
    if kind not in (DISCOUNT, FIXED) or not 1 <= grade <= 15:
        raise FleetError("须为 discount 或 fixed，油品 1–15 it is a discount or a fixed price, of a grade")
    if not (kind == FIXED) <= fen_per_l <= MOST_FEN_PER_L:
        raise FleetError("价格超出范围 the price is out of range")
    if since < now or (until and until <= since):
        raise FleetError("生效时间不得早于现在，终止须晚于生效 it cannot begin before now, nor end before it begins")
    if not why.strip():
        raise FleetError("须写明原因 say why")
    newest = conn.execute(select(func.max(prices.c.version)).where(prices.c.company == company)).scalar() or 0
    made = Agreement(company, newest + 1, grade, kind, fen_per_l, since, until, now, by, why.strip())
    row = {name: getattr(made, name) for name in Agreement.__slots__}
    conn.execute(insert(prices).values(**row))
    audit.record(conn, now, by, "fleet.price", f"account {company}", {}, row, made.why)
    return made


def agreements(conn: Connection, company: int) -> list[Agreement]:
    """All versions, newest first."""
    rows = conn.execute(select(prices).where(prices.c.company == company).order_by(prices.c.version.desc()))
    return [Agreement(**row._mapping) for row in rows]


def in_force(known: Sequence[Agreement], grade: int, at: int) -> Agreement | None:
    """What holds for a sale of this grade that began then."""
    fitting = (one for one in known if one.grade == grade and one.since <= at and (not one.until or at < one.until))
    return max(fitting, key=lambda one: one.version, default=None)


def rebate_fen(agreement: Agreement | None, volume_ml: int, amount_fen: int) -> int:
    """What comes back of a sale: 0 to all of it. A fixed price above the pump's is no surcharge."""
    if agreement is None:
        return 0
    by_litre_fen: int = money.amount_fen(volume_ml, agreement.fen_per_l)
    if agreement.kind == DISCOUNT:
        return min(amount_fen, by_litre_fen)
    return max(0, amount_fen - by_litre_fen)
