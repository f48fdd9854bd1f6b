"""Parameters of the station that people change while it runs (O1): whole numbers with bounds, each change a version.

What a machine needs to start stands in the settings; what a manager decides (caps, deadlines) stands here. One table of
them all, so that they can be read and shown whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Column, Connection, Integer, Table, Text, func, insert, select

from station.platform import audit
from station.platform.database import STRICT, BigInt, append_only, metadata


@dataclass(frozen=True, slots=True)
class Parameter:
    """default, lowest, highest: in `unit` (fen, day, hour, minute, count, ppm)."""

    default: int
    lowest: int
    highest: int
    unit: str


DAY_S = 86_400
_MOST_FEN = 100_000_000

PARAMETERS: Mapping[str, Parameter] = {
    "cap.load": Parameter(200_000, 0, _MOST_FEN, "fen"),  # above it a second person signs (Y8)
    "cap.refund": Parameter(50_000, 0, _MOST_FEN, "fen"),
    "cap.adjust": Parameter(10_000, 0, _MOST_FEN, "fen"),  # differences of drawers, manual postings
    "bonus.load_from": Parameter(100_000, 0, _MOST_FEN, "fen"),  # loads from this on get a bonus (C6)
    "bonus.load_ppm": Parameter(0, 0, 1_000_000, "ppm"),
    "incentive.card": Parameter(0, 0, _MOST_FEN, "fen"),  # for who issues a card that customers hold (S5)
    "incentive.days": Parameter(30, 0, 3_650, "day"),  # a card closed within them earns nothing
    "till.account": Parameter(0, 0, 1_000_000, "count"),  # the account of walk-in fuel, paid at the till; 0: none (Y3)
    "refund.days": Parameter(30, 0, 3_650, "day"),  # after a sale
    "refund.hours": Parameter(24, 1, 720, "hour"),  # an open request is late after them
}


class ParameterError(ValueError):
    """No such parameter or value; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Version:
    """A value and since when it holds; version 0 of a parameter is its default, by nobody."""

    name: str
    version: int
    value: int
    at: int
    by: str
    why: str


table = append_only(
    Table(
        "parameters",
        metadata,
        Column("name", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("value", BigInt, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        Column("why", Text, nullable=False),
        **STRICT,
    )
)


def value(conn: Connection, name: str) -> int:
    """What holds now. KeyError for a parameter that does not exist: that is a programming error."""
    return newest(conn, name).value


def newest(conn: Connection, name: str) -> Version:
    """What holds now, since when and why; as value()."""
    initial = Version(name, 0, PARAMETERS[name].default, 0, "", "")
    query = select(table).where(table.c.name == name).order_by(table.c.version.desc()).limit(1)
    found = conn.execute(query).mappings().first()
    return Version(**found) if found else initial


def change(conn: Connection, name: str, new: int, by: str, why: str, now: int) -> Version:
    """Another value from now on. Raises ParameterError."""
    known = PARAMETERS.get(name)
    if known is None:
        raise ParameterError(f"没有这个参数 there is no such parameter: {name}")
    if not known.lowest <= new <= known.highest:
        raise ParameterError(
            f"{name}: 须在 {known.lowest} 与 {known.highest} 之间 must lie between them ({known.unit})"
        )
    if not why.strip():
        raise ParameterError("须写明原因 say why")
    old = value(conn, name)
    last = conn.execute(select(func.max(table.c.version)).where(table.c.name == name)).scalar() or 0
    made = Version(name, last + 1, new, now, by, why.strip())
    row = {"name": name, "version": made.version, "value": new, "at": now, "by": by, "why": made.why}
    conn.execute(insert(table), row)
    audit.record(conn, now, by, "parameter", name, {"value": old}, {"value": new}, made.why)
    return made


def history(conn: Connection, name: str) -> list[Version]:
    """All versions of a parameter, newest first."""
    rows = conn.execute(select(table).where(table.c.name == name).order_by(table.c.version.desc()))
    return [Version(**row) for row in rows.mappings()]
