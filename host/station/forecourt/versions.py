"""Versioned data for the pumps: tariffs with an effective time, and the blacklist. Versions only rise."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
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

blacklists_table = append_only(
    Table(
        "blacklists",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("made", BigInt, nullable=False),
        Column("cards", Text, nullable=False),  # JSON list of card numbers, sorted
        **STRICT,
    )
)


MAX_FEN_PER_L = 99_999
MAX_BLACKLIST = 180  # cards: what a pump takes in one message (docs/mqtt.md)


@dataclass(frozen=True, slots=True)
class Tariff:
    """Prices in fen per litre by grade, from `effective` (Unix seconds) on."""

    version: int
    effective: int
    prices: Mapping[int, int]
    made: int
    made_by: str


@dataclass(frozen=True, slots=True)
class Blacklist:
    version: int
    made: int
    cards: tuple[str, ...]


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


def next_tariff(conn: Connection, now: int) -> Tariff | None:
    """The highest version, if it takes effect later."""
    latest = _first(tariffs(conn, 1))
    return latest if latest and latest.effective > now else None


def tariffs(conn: Connection, limit: int = 20) -> list[Tariff]:
    """Versions, newest first."""
    return _tariffs(conn, select(tariffs_table), limit)


def set_blacklist(conn: Connection, cards: Sequence[str], now: int) -> Blacklist:
    """Publishes the whole list of blocked cards as a new version; the same list again keeps its version.

    Raises ValueError for more than MAX_BLACKLIST cards: the pumps would drop it and go on with the old one.
    """
    latest = blacklist(conn)
    wanted = tuple(sorted(set(cards)))
    if wanted == latest.cards:
        return latest
    if len(wanted) > max(MAX_BLACKLIST, len(latest.cards) - 1):  # one that is too long already may get shorter
        raise ValueError(
            f"黑名单最多 {MAX_BLACKLIST} 张卡，请先恢复不再需要停用的卡 "
            f"the blacklist holds at most {MAX_BLACKLIST} cards: unblock one that need not stay blocked first"
        )
    insert_rows(conn, blacklists_table, [(latest.version + 1, now, json.dumps(wanted))])
    return Blacklist(latest.version + 1, now, wanted)


def blacklist(conn: Connection) -> Blacklist:
    """The latest list; version 0 and empty before the first."""
    query = select(blacklists_table).order_by(blacklists_table.c.version.desc()).limit(1)
    row = conn.execute(query).first()
    return Blacklist(row.version, row.made, tuple(json.loads(row.cards))) if row else Blacklist(0, 0, ())


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
