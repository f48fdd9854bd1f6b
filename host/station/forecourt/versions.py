"""Tariffs: versions that only rise, each with the time from which it is in force."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Select, Table, Text, func, select

from station.platform.bulk import insert_rows, select_in
from station.platform.database import STRICT, BigInt, append_only, metadata

tariffs_table = append_only(
    Table(
        "tariffs",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("effective", BigInt, nullable=False),
        Column("made", BigInt, nullable=False),
        Column("made_by", Text, nullable=False),
        **STRICT,
    )
)

prices_table = append_only(
    Table(
        "tariff_prices",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("grade", Integer, primary_key=True, autoincrement=False),
        Column("fen_per_l", Integer, CheckConstraint("fen_per_l > 0", name="positive"), nullable=False),
        **STRICT,
    )
)

MAX_FEN_PER_L = 99_999
MOST_COMING = 4  # plans that pumps are told of


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in fen per litre by grade, from `effective` (Unix seconds) on."""

    version: int
    effective: int
    prices: Mapping[int, int]
    made: int
    made_by: str


def set_tariff(conn: Connection, prices: Mapping[int, int], effective: int, made_by: str, now: int) -> Tariff:
    """A new tariff version. Raises ValueError for no prices or one outside 1..99,999 fen per litre."""
    wrong = [grade for grade, fen in prices.items() if not (type(fen) is int and 1 <= fen <= MAX_FEN_PER_L)]
    if not prices or wrong:
        raise ValueError(
            f"单价须为 1–{MAX_FEN_PER_L} 分/升 prices must be whole fen per litre, 1..{MAX_FEN_PER_L}: {wrong}"
        )
    version = int(conn.execute(select(func.max(tariffs_table.c.version))).scalar() or 0) + 1
    insert_rows(conn, tariffs_table, [(version, effective, now, made_by)])
    insert_rows(conn, prices_table, [(version, grade, fen) for grade, fen in sorted(prices.items())])
    return Tariff(version, effective, dict(sorted(prices.items())), now, made_by)


def current_tariff(conn: Connection, now: int) -> Tariff | None:
    """The highest version in effect at `now`."""
    return _first(_tariffs(conn, select(tariffs_table).where(tariffs_table.c.effective <= now), 1))


def coming_tariffs(conn: Connection, now: int) -> list[Tariff]:
    """The versions that will yet come into force, in that order.

    In force is the highest version whose time has come: a plan is void once a later version is in force before it.
    """
    found: list[Tariff] = []
    for tariff in _tariffs(conn, select(tariffs_table).where(tariffs_table.c.effective > now), MOST_COMING):
        if (
            not found or tariff.effective < found[0].effective
        ):  # newest version first: an older one only if it is earlier
            found.insert(0, tariff)
    current = current_tariff(conn, now)
    return [tariff for tariff in found if current is None or tariff.version > current.version]


def tariffs(conn: Connection, limit: int = 20) -> list[Tariff]:
    """Versions, newest first."""
    return _tariffs(conn, select(tariffs_table), limit)


def _tariffs(conn: Connection, query: Select[Any], limit: int) -> list[Tariff]:
    rows = conn.execute(query.order_by(tariffs_table.c.version.desc()).limit(limit)).all()
    prices: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for version, grade, fen in select_in(
        conn, select(prices_table).order_by(prices_table.c.grade), prices_table.c.version, [row.version for row in rows]
    ):
        prices[version][grade] = fen
    return [Tariff(row.version, row.effective, prices[row.version], row.made, row.made_by) for row in rows]


def _first(found: list[Tariff]) -> Tariff | None:
    return found[0] if found else None
