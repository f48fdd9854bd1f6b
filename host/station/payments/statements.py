"""The day's statement of a gateway against our payments and refunds (Y7): kept, compared, shown; nothing is mended
in silence."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import Connection, Engine, func, insert, literal, select

from station.payments import tables
from station.payments.gateway import CHINA, Gateway, Line, Statement, china_day
from station.platform import audit, database
from station.platform.bulk import select_in
from station.platform.clock import DAY_S

# What can be wrong with a line; refunds have the same ones.
MISSING_HERE = "missing_here"  # they say paid, we do not know it at all or not as paid
MISSING_THERE = "missing_there"  # we say paid, no statement has it
AMOUNT = "amount"
TWICE = "twice"  # one number on two lines
KINDS = (MISSING_HERE, MISSING_THERE, AMOUNT, TWICE)


@dataclass(frozen=True, slots=True)
class Difference:
    """Where statement and payments disagree; 0 fen: the other side does not have it."""

    kind: str
    order_no: str
    refund_no: str
    ours_fen: int
    theirs_fen: int


@dataclass(frozen=True, slots=True)
class Report:
    """A statement as it was compared: lines that agree, sums of both sides (refunds below nought), differences."""

    id: int
    gateway: str
    day: str
    at: int
    by: str
    matched: int
    ours_fen: int
    theirs_fen: int
    differences: tuple[Difference, ...]


Name = tuple[str, str]  # (order_no, refund_no); no refund_no: the payment itself


def compare(lines: Iterable[Line], ours: Mapping[Name, int], expected: Iterable[Name]) -> tuple[int, list[Difference]]:
    """How many lines agree, and every difference. ours: what we hold as paid or given back, fen, for any day;
    expected: what this statement or one before has to show."""
    theirs: dict[Name, int] = {}
    told = Counter[Name]()
    for line in lines:
        name = (line.order_no, line.refund_no)
        told[name] += 1
        theirs[name] = line.amount_fen
    found = [
        Difference(TWICE, *name, ours.get(name, 0), theirs[name] * times) for name, times in told.items() if times > 1
    ]
    matched = 0
    for name, fen in theirs.items():
        if told[name] > 1:
            continue
        if name not in ours:
            found.append(Difference(MISSING_HERE, *name, 0, fen))
        elif ours[name] != fen:
            found.append(Difference(AMOUNT, *name, ours[name], fen))
        else:
            matched += 1
    found += [Difference(MISSING_THERE, *name, ours[name], 0) for name in expected if name not in theirs]
    return matched, found


def fetch(engine: Engine, gateway: Gateway, day: str, by: str, now: int) -> Report:
    """Fetches a day's statement, compares and keeps it. day: 2026-11-21, over by now. GatewayError, ValueError."""
    wanted = date.fromisoformat(day)
    if wanted >= china_day(now):
        raise ValueError("当日账单次日才有 the statement of a day comes on the next one")
    statement = gateway.statement(wanted)
    with database.write(engine) as conn:
        return keep(conn, gateway.name, wanted, statement, by, now)


def keep(conn: Connection, gateway: str, day: date, statement: Statement, by: str, now: int) -> Report:
    """Compares a statement with what we have, and keeps both. A day may be compared again: the newest counts."""
    ours, expected = _ours(conn, gateway, statement.lines, day)
    shown = _shown_before(conn, gateway, day, expected)
    matched, found = compare(statement.lines, ours, [name for name in expected if name not in shown])
    number = int(conn.execute(select(func.max(tables.statements.c.id))).scalar() or 0) + 1
    conn.execute(
        insert(tables.statements),
        {
            "id": number, "gateway": gateway, "day": day.isoformat(), "at": now, "by": by, "raw": statement.raw,
            "sha256": hashlib.sha256(statement.raw).digest(), "matched": matched,
        },
    )  # fmt: skip
    if statement.lines:
        rows = [
            {"statement": number, "line": place, **{name: getattr(line, name) for name in Line.__slots__}}
            for place, line in enumerate(statement.lines)
        ]
        conn.execute(insert(tables.lines), rows)
    if found:
        rows = [
            {"statement": number, "number": place, **{name: getattr(one, name) for name in Difference.__slots__}}
            for place, one in enumerate(found)
        ]
        conn.execute(insert(tables.differences), rows)
    new = {"matched": matched, "differences": len(found)}
    audit.record(conn, now, by, "payment.reconcile", f"{gateway} {day}", {}, new)
    return report(conn, number)


def has(conn: Connection, gateway: str, day: str) -> bool:
    """True if that day's statement was compared."""
    s = tables.statements.c
    return conn.execute(select(s.id).where(s.gateway == gateway, s.day == day).limit(1)).first() is not None


def report(conn: Connection, number: int) -> Report:
    """One comparison. KeyError if there is none."""
    s, d = tables.statements.c, tables.differences.c
    row = conn.execute(select(s.id, s.gateway, s.day, s.at, s.by, s.matched).where(s.id == number)).first()
    if row is None:
        raise KeyError(number)
    columns = [d[name] for name in Difference.__slots__]
    found = conn.execute(select(*columns).where(d.statement == number).order_by(d.number))
    differences = tuple(Difference(*one) for one in found)
    theirs = sum(
        -fen if kind == "refund" else fen
        for kind, fen in conn.execute(
            select(tables.lines.c.kind, tables.lines.c.amount_fen).where(tables.lines.c.statement == number)
        )
    )
    ours = theirs + sum((one.ours_fen - one.theirs_fen) * (-1 if one.refund_no else 1) for one in differences)
    return Report(*row, ours, theirs, differences)


def reports(conn: Connection, limit: int, offset: int = 0) -> list[Report]:
    """Comparisons, newest first."""
    query = select(tables.statements.c.id).order_by(tables.statements.c.id.desc()).limit(limit).offset(offset)
    return [report(conn, number) for number in conn.execute(query).scalars()]


def report_count(conn: Connection) -> int:
    """How many comparisons are kept."""
    return int(conn.execute(select(func.count()).select_from(tables.statements)).scalar() or 0)


def _ours(conn: Connection, gateway: str, lines: Iterable[Line], day: date) -> tuple[dict[Name, int], list[Name]]:
    """(what we hold as paid or given back of all that the lines name, or that falls into the day; the latter)."""
    p, r = tables.payments.c, tables.refunds.c
    begin = int(datetime.combine(day, time(), CHINA).timestamp())
    end = begin + DAY_S
    orders = {line.order_no for line in lines}
    paid = select(p.order_no, literal("").label("refund_no"), p.amount_fen, p.paid_at.label("at")).where(
        p.gateway == gateway, p.state == "paid"
    )
    back = (
        select(r.order_no, r.refund_no, r.amount_fen, r.done_at.label("at"))
        .join(tables.payments, p.order_no == r.order_no)
        .where(p.gateway == gateway, r.state == "done")
    )
    held = [
        *conn.execute(paid.where(p.paid_at >= begin, p.paid_at < end)),
        *conn.execute(back.where(r.done_at >= begin, r.done_at < end)),
    ]
    expected = [(row[0], row[1]) for row in held]
    held += [*select_in(conn, paid, p.order_no, orders), *select_in(conn, back, r.order_no, orders)]
    return {(row[0], row[1]): row[2] for row in held}, expected


def _shown_before(conn: Connection, gateway: str, day: date, names: Iterable[Name]) -> set[Name]:
    """Which of them a statement of an earlier day shows: the last second of a day may count to the one before."""
    s, line = tables.statements.c, tables.lines.c
    query = (
        select(line.order_no, line.refund_no)
        .join(tables.statements, s.id == line.statement)
        .where(s.gateway == gateway, s.day < day.isoformat())
    )
    orders = {order_no for order_no, _ in names}
    return {(row[0], row[1]) for row in select_in(conn, query, line.order_no, orders)}
