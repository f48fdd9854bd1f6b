"""The day close: what the meters moved beside what was sold, what was paid and how, drawers, refunds, invoices.

A day is a local one. Closed, its report is kept as it was, with the heads of the audit's chain and of the books, which
are worth writing down elsewhere. Money in fen, volumes in ml.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from station import ledger, sales
from station.platform import audit
from station.tills import drawers, tables
from station.tills.billing import PAID
from station.tills.errors import TillError
from station.tills.refunding import DONE

PAGE = 500


@dataclass(frozen=True, slots=True)
class NozzleDay:
    """moved_ml: by the totalizer, from before the day's first sale to after its last. tested_ml: test measures."""

    pump: str
    nozzle: int
    grade: int | None
    start_ml: int
    end_ml: int
    sales: int
    sold_ml: int
    sold_fen: int
    tested_ml: int

    @property
    def moved_ml(self) -> int:
        return self.end_ml - self.start_ml

    @property
    def difference_ml(self) -> int:
        """What moved beyond sales and tests: 0, or somebody should look."""
        return self.moved_ml - self.sold_ml - self.tested_ml


@dataclass(frozen=True, slots=True)
class TenderDay:
    """One way to pay: what it took for the day's bills, and what went back that way in the day."""

    kind: str
    count: int
    taken_fen: int
    returned_fen: int


@dataclass(frozen=True, slots=True)
class ShiftDay:
    """A shift of the day. difference_fen: counted less expected, None while it lasts."""

    till: str
    shift: int
    cashier: str
    float_fen: int
    expected_fen: int | None
    counted_fen: int | None
    difference_fen: int | None


@dataclass(frozen=True, slots=True)
class DayReport:
    """books: what the day moved by kind of account (kind, asset, debit, credit); heads as hexadecimal digests."""

    day: str
    nozzles: tuple[NozzleDay, ...]
    bills: int
    bills_fen: int
    goods_fen: int
    fuel_fen: int
    tenders: tuple[TenderDay, ...]
    shifts: tuple[ShiftDay, ...]
    safe_fen: int
    refunds: int
    refunds_fen: int
    refunds_open: int
    invoices: int
    invoices_fen: int
    red_letters: int
    red_letters_fen: int
    books: tuple[tuple[str, str, int, int], ...]
    books_head: str
    audit_rows: int
    audit_head: str

    @property
    def tenders_agree(self) -> bool:
        """The ways to pay add up to the bills."""
        return sum(one.taken_fen for one in self.tenders) == self.bills_fen


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """report: as it was when it was closed (asdict of a DayReport)."""

    day: str
    closed_at: int
    closed_by: str
    report: Mapping[str, object]


def bounds(day: str) -> tuple[int, int]:
    """Unix seconds of the local day's beginning and end. TillError for what is no day."""
    try:
        first = date.fromisoformat(day)
        next_ = first + timedelta(days=1)
    except (ValueError, OverflowError):
        raise TillError(f"日期写法如 2026-12-01 write a day like 2026-12-01: {day}") from None
    begins, ends = (datetime(d.year, d.month, d.day).astimezone().timestamp() for d in (first, next_))
    return int(begins), int(ends)


def day_of(now: int) -> str:
    """The local day, ISO 8601."""
    return datetime.fromtimestamp(now, UTC).astimezone().date().isoformat()


def day_report(conn: Connection, day: str) -> DayReport:
    """The day as the database stands now. TillError."""
    since, until = bounds(day)
    b, ln = tables.bills.c, tables.lines.c
    in_day = (b.state == PAID) & (b.paid_at >= since) & (b.paid_at < until)
    count, total = conn.execute(select(func.count(), func.sum(b.total_fen)).where(in_day)).one()
    kinds = select(ln.kind, func.sum(ln.amount_fen)).join(tables.bills, b.bill == ln.bill).where(in_day)
    by_kind = {kind: int(fen) for kind, fen in conn.execute(kinds.group_by(ln.kind))}
    refunds, refunds_fen, refunds_open = _refunds(conn, since, until)
    invoices, red = _invoices(conn, since, until)
    books = tuple((m.kind, m.asset, m.debit, m.credit) for m in ledger.trial_balance(conn, until, since))
    rows, audit_head = audit.head(conn)
    return DayReport(
        day=day,
        nozzles=_nozzles(conn, since, until),
        bills=int(count),
        bills_fen=int(total or 0),
        goods_fen=by_kind.get("goods", 0),
        fuel_fen=by_kind.get("fuel", 0),
        tenders=_tenders(conn, since, until),
        shifts=tuple(_shift(one) for one in drawers.shifts(conn, since, until)),
        safe_fen=drawers.in_drawer(conn, drawers.SAFE),
        refunds=refunds,
        refunds_fen=refunds_fen,
        refunds_open=refunds_open,
        invoices=invoices[0],
        invoices_fen=invoices[1],
        red_letters=red[0],
        red_letters_fen=red[1],
        books=books,
        books_head=hashlib.sha256(json.dumps(books).encode()).hexdigest(),
        audit_rows=rows,
        audit_head=audit_head,
    )


def close_day(conn: Connection, day: str, by: str, now: int) -> ClosedDay:
    """Keeps the day's report for good. TillError: not over, closed before, or a shift of that day still open."""
    _, until = bounds(day)
    if now < until:
        raise TillError("当日尚未结束 the day is not over yet")
    if closed_day(conn, day) is not None:
        raise TillError(f"{day} 已日结 {day} is closed already")
    s = tables.shifts.c
    running = conn.execute(select(s.till).where(s.closed_at.is_(None), s.opened_at < until)).scalars().all()
    if running:
        raise TillError(f"收银台 {', '.join(running)} 还有未交的班次 a shift of that day is still open there")
    report = asdict(day_report(conn, day))
    row = {"day": day, "closed_at": now, "closed_by": by, "report": json.dumps(report, ensure_ascii=False)}
    conn.execute(insert(tables.days), row)
    told = {"bills_fen": report["bills_fen"], "books_head": report["books_head"]}
    audit.record(conn, now, by, "day.close", f"day {day}", {}, told)
    return ClosedDay(day, now, by, report)


def closed_day(conn: Connection, day: str) -> ClosedDay | None:
    """The day as it was closed."""
    row = conn.execute(select(tables.days).where(tables.days.c.day == day)).first()
    return ClosedDay(row.day, row.closed_at, row.closed_by, json.loads(row.report)) if row else None


def report_of(closed: ClosedDay) -> DayReport:
    """The report of a closed day, as it was."""
    kept: dict[str, Any] = dict(closed.report)
    kept["nozzles"] = tuple(NozzleDay(**one) for one in kept["nozzles"])
    kept["tenders"] = tuple(TenderDay(**one) for one in kept["tenders"])
    kept["shifts"] = tuple(ShiftDay(**one) for one in kept["shifts"])
    kept["books"] = tuple(tuple(one) for one in kept["books"])
    return DayReport(**kept)


def _nozzles(conn: Connection, since: int, until: int) -> tuple[NozzleDay, ...]:
    rows: defaultdict[tuple[str, int], list[sales.SaleRow]] = defaultdict(list)
    offset = 0
    while found := sales.recent(conn, PAGE, offset=offset, since=since, until=until):
        for row in found:
            if row.nozzle is not None and row.total_end_ml is not None and row.total_start_ml is not None:
                rows[row.pump, row.nozzle].append(row)
        offset += PAGE
    tested: defaultdict[tuple[str, int], int] = defaultdict(int)
    for measure in sales.measures(conn, PAGE):
        if since <= measure.at < until:
            tested[measure.pump, measure.nozzle] += measure.volume_ml
    return tuple(
        NozzleDay(
            pump=pump,
            nozzle=nozzle,
            grade=some[0].grade,
            start_ml=min(row.total_start_ml or 0 for row in some),
            end_ml=max(row.total_end_ml or 0 for row in some),
            sales=len(some),
            sold_ml=sum(row.volume_ml or 0 for row in some),
            sold_fen=sum(row.amount_fen or 0 for row in some),
            tested_ml=tested[pump, nozzle],
        )
        for (pump, nozzle), some in sorted(rows.items())
    )


def _tenders(conn: Connection, since: int, until: int) -> tuple[TenderDay, ...]:
    t, b, p, r = tables.tenders.c, tables.bills.c, tables.refund_parts.c, tables.refunds.c
    taken = (
        select(t.kind, func.count(), func.sum(t.amount_fen))
        .join(tables.bills, b.bill == t.bill)
        .where(b.state == PAID, b.paid_at >= since, b.paid_at < until)
        .group_by(t.kind)
    )
    back = (
        select(t.kind, func.sum(p.amount_fen))
        .join(tables.refunds, r.refund == p.refund)
        .join(tables.tenders, (t.bill == r.bill) & (t.number == p.number))
        .where(r.decided_at >= since, r.decided_at < until)
        .group_by(t.kind)
    )
    returned = {kind: int(fen) for kind, fen in conn.execute(back)}
    came = {kind: (int(count), int(fen)) for kind, count, fen in conn.execute(taken)}
    return tuple(
        TenderDay(kind, *came.get(kind, (0, 0)), returned.get(kind, 0))
        for kind in sorted(came.keys() | returned.keys())
    )


def _shift(one: drawers.Shift) -> ShiftDay:
    return ShiftDay(
        one.till, one.shift, one.cashier, one.float_fen, one.expected_fen, one.counted_fen, one.difference_fen
    )


def _refunds(conn: Connection, since: int, until: int) -> tuple[int, int, int]:
    """(done in the day, their fen, waiting now)."""
    r = tables.refunds.c
    done = select(func.count(), func.sum(r.amount_fen)).where(
        r.state == DONE, r.decided_at >= since, r.decided_at < until
    )
    count, fen = conn.execute(done).one()
    waiting = conn.execute(select(func.count()).select_from(tables.refunds).where(r.state == "open")).scalar()
    return int(count), int(fen or 0), int(waiting or 0)


def _invoices(conn: Connection, since: int, until: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """((count, fen) of invoices, (count, fen) of red letters)."""
    i = tables.invoices.c
    in_day = (i.at >= since) & (i.at < until)

    def sums(chosen: object) -> tuple[int, int]:
        query = select(func.count(), func.sum(i.amount_fen)).where(in_day, chosen)  # type: ignore[arg-type]
        count, fen = conn.execute(query).one()
        return int(count), int(fen or 0)

    return sums(i.red_of.is_(None)), sums(i.red_of.is_not(None))
