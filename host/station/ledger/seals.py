"""What is closed is sealed, day by day: a digest over the day's transfers, so that a changed one is found by its day.

A closed period takes no more transfers, so its digests never change. One digest over all of a period's days stands in
the audit's row of the closing, whose chain guards it in turn.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import Column, Connection, Table, Text, func, insert, select

from station.ledger import book
from station.platform.database import STRICT, BigInt, append_only, metadata

DAY_S = 86_400

seals = append_only(
    Table(
        "ledger_seals",
        metadata,
        Column("day", BigInt, primary_key=True, autoincrement=False),  # its beginning, Unix seconds
        Column("transfers", BigInt, nullable=False),
        Column("digest", Text, nullable=False),
        **STRICT,
    )
)


@dataclass(frozen=True, slots=True)
class Seal:
    """SHA-256 over the transfers booked in the 24 hours from `day` on, in order of time, key and line."""

    day: int
    transfers: int
    digest: str


def make(conn: Connection, since: int, until: int) -> tuple[int, str]:
    """Seals since <= booked < until; returns (transfers, digest over the days) for the audit."""
    made = list(_days(conn, since, until))
    if made:
        conn.execute(insert(seals), [{"day": s.day, "transfers": s.transfers, "digest": s.digest} for s in made])
    return sum(seal.transfers for seal in made), over(made)


def kept(conn: Connection, since: int, until: int) -> list[Seal]:
    """The seals of the period since..until as they were made."""
    t = seals.c
    query = select(seals).where(t.day > since - DAY_S, t.day < until).order_by(t.day)
    return [Seal(*row) for row in conn.execute(query)]


def broken(conn: Connection, since: int, until: int) -> list[int]:
    """The days of a sealed period whose transfers are not what they were, by their beginnings."""
    then = {seal.day: seal for seal in kept(conn, since, until)}
    now = {seal.day: seal for seal in _days(conn, since, until)}
    return sorted(day for day in then.keys() | now.keys() if then.get(day) != now.get(day))


def over(some: list[Seal]) -> str:
    """One digest over many."""
    return hashlib.sha256("".join(seal.digest for seal in some).encode()).hexdigest()


def _days(conn: Connection, since: int, until: int) -> Iterator[Seal]:
    """Counted back from `until`, which is a local midnight as a rule."""
    t = book.transfers.c
    booked = func.coalesce(t.booked, t.at)
    query = (
        select(booked, t.key, t.line, t.at, t.debit, t.credit, t.asset, t.amount, t.memo)
        .where(booked >= since, booked < until)
        .order_by(booked, t.key, t.line)
        .execution_options(yield_per=10_000)
    )
    for days_back, rows in groupby(conn.execute(query), lambda row: (until - 1 - int(row[0])) // DAY_S):
        digest, transfers = hashlib.sha256(), 0
        for row in rows:
            digest.update(json.dumps(list(row), ensure_ascii=False, separators=(",", ":")).encode())
            transfers += 1
        yield Seal(until - (days_back + 1) * DAY_S, transfers, digest.hexdigest())
