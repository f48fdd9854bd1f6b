"""The audit: every change that a person makes, with who, when, why, old and new, in a chain of hashes (X5).

Each row's digest is SHA-256 over the digest of the row before and the row's own content in canonical JSON (RFC 8785's
order of keys, no blanks). A row that was edited, taken out or slipped in breaks the chain at its own place. Whoever can
rewrite the whole database could rewrite the whole chain: so its head is given out with every day close and every check,
to be kept elsewhere.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    and_,
    func,
    insert,
    select,
    true,
)  # fmt: skip

from station.platform.bulk import select_in
from station.platform.database import STRICT, BigInt, append_only, metadata

START = bytes(32)  # the digest before the first row

entries = append_only(
    Table(
        "audit",
        metadata,
        Column("seq", BigInt, primary_key=True, autoincrement=False),
        Column("at", BigInt, nullable=False),
        Column("who", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("old", Text, nullable=False),
        Column("new", Text, nullable=False),
        Column("why", Text, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        **STRICT,
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. action: what was done, as `card.block`; subject: to what; old, new: the values concerned."""

    seq: int
    at: int
    who: str
    action: str
    subject: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    why: str


@dataclass(frozen=True, slots=True)
class Break:
    """The chain does not hold at this row; the text (Chinese, then English) says what is wrong with it."""

    seq: int
    text: str


def record(
    conn: Connection,
    at: int,
    who: str,
    action: str,
    subject: str,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    why: str = "",
) -> int:
    """Appends a change inside the caller's writing transaction, so that there is no change without its row.

    at: Unix seconds. ValueError for a nameless person or values that are no JSON. Returns the row's number.
    """
    if not who.strip():
        raise ValueError("审计须有操作人 a change needs a name")
    last = conn.execute(select(entries.c.seq, entries.c.digest).order_by(entries.c.seq.desc()).limit(1)).first()
    seq, before = (last.seq + 1, last.digest) if last else (1, START)
    row = (seq, at, who, action, subject, _canonical(old or {}), _canonical(new or {}), why)
    names = [column.name for column in entries.c]
    conn.execute(insert(entries), dict(zip(names, (*row, _digest(before, row)), strict=True)))
    return int(seq)


def head(conn: Connection) -> tuple[int, str]:
    """(number of rows, hex digest of the last): what to keep elsewhere."""
    last = conn.execute(select(entries.c.seq, entries.c.digest).order_by(entries.c.seq.desc()).limit(1)).first()
    return (int(last.seq), bytes(last.digest).hex()) if last else (0, START.hex())


def digests(conn: Connection, rows: Iterable[int]) -> dict[int, str]:
    """{row's number: its hex digest}; row 0 is where the chain starts, a row that is not there is left out."""
    found = select_in(conn, select(entries.c.seq, entries.c.digest), entries.c.seq, set(rows))
    return {0: START.hex()} | {int(seq): bytes(digest).hex() for seq, digest in found}


def recent(
    conn: Connection,
    limit: int,
    offset: int = 0,
    *,
    who: str | None = None,
    subject: str | None = None,
    action: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[Entry]:
    """Changes, newest first; of one person, one subject, one action (or all that begin so), since <= time < until."""
    query = select(entries).where(_wanted(who, subject, action, since, until))
    return [
        Entry(row.seq, row.at, row.who, row.action, row.subject, json.loads(row.old), json.loads(row.new), row.why)
        for row in conn.execute(query.order_by(entries.c.seq.desc()).limit(limit).offset(offset))
    ]


def count(
    conn: Connection,
    *,
    who: str | None = None,
    subject: str | None = None,
    action: str | None = None,
    since: int | None = None,
    until: int | None = None,
) -> int:
    """How many changes recent() has in all."""
    query = select(func.count()).select_from(entries).where(_wanted(who, subject, action, since, until))
    return int(conn.execute(query).scalar_one())


def verify(conn: Connection) -> Iterator[Break]:
    """Every place where the chain does not hold; after a break it is followed on from the row as it stands."""
    expected, before = 1, START
    for row in conn.execute(select(entries).order_by(entries.c.seq)):
        if row.seq != expected:
            yield Break(expected, f"审计第 {expected} 行起缺失 audit rows are missing from {expected} on")
        elif _digest(before, tuple(row)[:-1]) != row.digest:
            yield Break(
                row.seq,
                f"审计第 {row.seq} 行（{row.action} {row.subject}，{row.who}）被改动，或其前一行被替换 "
                f"audit row {row.seq} ({row.action} {row.subject} by {row.who}) was edited, or the one before replaced",
            )
        expected, before = row.seq + 1, row.digest


def _wanted(
    who: str | None, subject: str | None, action: str | None, since: int | None, until: int | None
) -> ColumnElement[bool]:
    e = entries.c
    chosen = [
        None if who is None else e.who == who,
        None if subject is None else e.subject == subject,
        None if action is None else e.action.startswith(action, autoescape=True),
        None if since is None else e.at >= since,
        None if until is None else e.at < until,
    ]
    return and_(true(), *(condition for condition in chosen if condition is not None))


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _digest(before: bytes, row: tuple[Any, ...]) -> bytes:
    return hashlib.sha256(before + json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()).digest()
