"""The check that is made every night and whenever somebody asks: kept with its result, so that a gap shows as well.

Balances are rebuilt from the transfers, closed days are held against their seals, the audit's chain is followed, and
what the last check saw must still be there: a chain that was made anew, or cut off at its end, has another head.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Column, Connection, Engine, Row, Table, Text, func, insert, select

from station.ledger import book, check, periods, seals
from station.ledger.check import Finding
from station.platform import audit, database
from station.platform.database import STRICT, BigInt, append_only, metadata

NIGHT_HOUR = 3  # local: the day is over, the next one has not begun
SYSTEM = "system"

table = append_only(
    Table(
        "ledger_checks",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=False),
        Column("at", BigInt, nullable=False),
        Column("by_whom", Text, nullable=False),
        Column("transfers", BigInt, nullable=False),
        Column("audit_rows", BigInt, nullable=False),
        Column("audit_head", Text, nullable=False),
        Column("found", Text, nullable=False),
        **STRICT,
    )
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a check saw: how many transfers, the head of the audit's chain, and what was wrong."""

    transfers: int
    audit_rows: int
    audit_head: str
    found: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """A check as it is kept."""

    id: int
    at: int
    by: str
    seen: Seen

    @property
    def ok(self) -> bool:
        return not self.seen.found


def look(conn: Connection) -> Seen:
    """Checks everything, changes nothing; scans the transfers. Use a connection of database.snapshot()."""
    transfers = int(conn.execute(select(func.count()).select_from(book.transfers)).scalar_one())
    rows, digest = audit.head(conn)
    found = [*check.verify(conn), *_seals(conn), *_audit(conn), *_seen_before(conn, transfers)]
    return Seen(transfers, rows, digest, tuple(found))


def keep(conn: Connection, seen: Seen, by: str, now: int) -> Check:
    """Writes a check down. by: who asked for it, SYSTEM by night."""
    number = int(conn.execute(select(func.max(table.c.id))).scalar() or 0) + 1
    found = json.dumps([[one.check, one.text] for one in seen.found], ensure_ascii=False)
    row = {"id": number, "at": now, "by_whom": by, "transfers": seen.transfers, "audit_rows": seen.audit_rows}
    conn.execute(insert(table), {**row, "audit_head": seen.audit_head, "found": found})
    return Check(number, now, by, seen)


def run_check(engine: Engine, by: str, now: int) -> Check:
    """look() at one moment, then keep(): writers are held up by the keeping only."""
    with database.snapshot(engine) as conn:
        seen = look(conn)
    with database.write(engine) as conn:
        return keep(conn, seen, by, now)


def newest(conn: Connection) -> Check | None:
    """The last check, if any was made."""
    return next(iter(checks(conn, 1)), None)


def checks(conn: Connection, limit: int, offset: int = 0) -> list[Check]:
    """Checks, newest first."""
    rows = conn.execute(select(table).order_by(table.c.id.desc()).limit(limit).offset(offset))
    return [Check(row.id, row.at, row.by_whom, _seen(row)) for row in rows]


def check_count(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def is_due(last_at: int, now: int) -> bool:
    """True if no check was made since the last local NIGHT_HOUR before `now`; last_at 0: never."""
    today = datetime.fromtimestamp(now).astimezone()
    night = today.replace(hour=NIGHT_HOUR, minute=0, second=0, microsecond=0)
    if night > today:
        night -= timedelta(days=1)
    return last_at < night.timestamp()


def _seen(row: Row[Any]) -> Seen:
    found = tuple(Finding(*one) for one in json.loads(row.found))
    return Seen(row.transfers, row.audit_rows, row.audit_head, found)


def _seen_before(conn: Connection, transfers: int) -> list[Finding]:
    """What earlier checks saw must still be there."""
    found = []
    most = int(conn.execute(select(func.max(table.c.transfers))).scalar() or 0)
    if transfers < most:
        text = f"以前核对所见的分录少了 {most - transfers} 条 transfers that an earlier check saw are missing"
        found.append(Finding("transfers", text))
    heads = conn.execute(select(table.c.audit_rows, table.c.audit_head).order_by(table.c.id)).all()
    digests = audit.digests(conn, {head.audit_rows for head in heads})
    replaced = [head.audit_rows for head in heads if digests.get(head.audit_rows) != head.audit_head]
    if replaced:
        text = (
            f"审计第 {min(replaced)} 行不是以前核对所见，链被截断或重做 "
            f"audit row {min(replaced)} is not what an earlier check saw: the chain was cut or made anew"
        )
        found.append(Finding("audit", text))
    return found


def _seals(conn: Connection) -> list[Finding]:
    ends = [period.until for period in reversed(periods.periods(conn))]
    found = []
    for since, until in zip([0, *ends], ends, strict=False):
        closing = next(iter(audit.recent(conn, 1, action="books.close", subject=str(until))), None)
        if closing is None or "digest" not in closing.new:
            continue  # closed before there were seals
        if closing.new["digest"] != seals.over(seals.kept(conn, since, until)):
            found.append(Finding("seals", f"{_day(until)} 止的封签被改动 the seals of the period to it were changed"))
        found += [
            Finding("seals", f"{_day(day)} 的分录在结账后被改动 transfers of that day were changed after its closing")
            for day in seals.broken(conn, since, until)
        ]
    return found


def _audit(conn: Connection) -> list[Finding]:
    return [Finding("audit", one.text) for one in audit.verify(conn)]


def _day(at: int) -> str:
    return datetime.fromtimestamp(at).astimezone().date().isoformat()
