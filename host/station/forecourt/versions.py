"""Versioned data for the pumps: tariffs with an effective time, and the blacklist. Versions only rise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, Text

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
    raise NotImplementedError


def current_tariff(conn: Connection, now: int) -> Tariff | None:
    """The highest version in effect at `now`."""
    raise NotImplementedError


def next_tariff(conn: Connection, now: int) -> Tariff | None:
    """The highest version, if it takes effect later."""
    raise NotImplementedError


def tariffs(conn: Connection, limit: int = 20) -> list[Tariff]:
    """Versions, newest first."""
    raise NotImplementedError


def set_blacklist(conn: Connection, cards: Sequence[str], now: int) -> Blacklist:
    """Publishes the whole list of blocked cards as a new version; the same list again keeps its version."""
    raise NotImplementedError


def blacklist(conn: Connection) -> Blacklist:
    """The latest list; version 0 and empty before the first."""
    raise NotImplementedError
