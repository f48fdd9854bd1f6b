"""Closing periods and the trial balance.

A period is closed up to a moment, once and in order. What is posted afterwards for a time before that moment (a pump
that was off the line) is booked in the period that is open; its own time stays on the posting.
"""

from collections import defaultdict
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, insert, select, union_all

from station.ledger import book, chart, seals
from station.platform import audit


class PeriodError(ValueError):
    """The period cannot be closed; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Period:
    """A closed period: it ends before `until`."""

    until: int
    closed_at: int
    closed_by: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the trial balance: what went out of (debit) and came into (credit) the accounts of a kind."""

    asset: str
    account_class: str
    kind: str
    accounts: int
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        return self.credit - self.debit


def close(conn: Connection, until: int, by: str, now: int) -> Period:
    """Closes everything booked before `until`. Raises PeriodError: not over yet, out of order, or the books do not
    balance."""
    if until > now:
        raise PeriodError("期间尚未结束 the period is not over yet")
    since = book.closed_until(conn)
    if until <= since:
        raise PeriodError("该期间已结账 that period is closed already")
    sums: defaultdict[str, int] = defaultdict(int)
    for line in trial_balance(conn, until):
        sums[line.asset] += line.balance
    if any(sums.values()):
        raise PeriodError("账不平，不能结账 the books do not balance: they cannot be closed")
    conn.execute(insert(book.periods), {"until": until, "closed_at": now, "closed_by": by})
    transfers, digest = seals.make(conn, since, until)
    audit.record(conn, now, by, "books.close", str(until), {}, {"transfers": transfers, "digest": digest})
    return Period(until, now, by)


def periods(conn: Connection) -> list[Period]:
    """Closed periods, newest first."""
    rows = conn.execute(select(book.periods).order_by(book.periods.c.until.desc()))
    return [Period(*row) for row in rows]


def trial_balance(conn: Connection, until: int | None = None, since: int = 0) -> list[Line]:
    """Debits and credits by kind of account of what was booked in since <= time < until; until None: to this moment.

    Scans the transfers. The credits less the debits of every asset add up to nought.
    """
    t = book.transfers.c
    booked = func.coalesce(t.booked, t.at)
    narrowed = [booked >= since] if until is None else [booked >= since, booked < until]
    moves = union_all(
        select(
            t.debit.label("account"), t.asset.label("asset"), t.amount.label("debit"), (t.amount * 0).label("credit")
        ).where(*narrowed),
        select(t.credit, t.asset, t.amount * 0, t.amount).where(*narrowed),
    ).subquery()
    m = moves.c
    query = select(m.asset, m.account, func.sum(m.debit), func.sum(m.credit)).group_by(m.asset, m.account)
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for asset, account, debit, credit in conn.execute(query):
        line = sums[asset, account.partition(":")[0]]
        line[0] += 1
        line[1] += int(debit)
        line[2] += int(credit)
    return [Line(asset, chart.class_of(kind), kind, *figures) for (asset, kind), figures in sorted(sums.items())]


@dataclass(frozen=True, slots=True)
class Move:
    """One line of an account's statement. change: above nought what came in; balance: after it."""

    key: str
    at: int
    booked: int
    other: str
    change: int
    balance: int
    memo: str


def statement(conn: Connection, account: str, asset: str, limit: int, offset: int = 0) -> list[Move]:
    """What moved on an account, newest first. Scans the transfers."""
    t = book.transfers.c
    booked = func.coalesce(t.booked, t.at)
    change = case((t.credit == account, t.amount), else_=-t.amount)
    query = (
        select(
            t.key,
            t.at,
            booked,
            case((t.credit == account, t.debit), else_=t.credit),
            change,
            func.sum(change).over(order_by=(booked, t.key, t.line)),
            t.memo,
        )
        .where((t.debit == account) | (t.credit == account), t.asset == asset)
        .order_by(booked.desc(), t.key.desc(), t.line.desc())
        .limit(limit)
        .offset(offset)
    )
    return [Move(*row[:5], int(row[5]), row[6]) for row in conn.execute(query)]


def move_count(conn: Connection, account: str, asset: str) -> int:
    """How many lines statement() has in all."""
    t = book.transfers.c
    query = select(func.count()).where((t.debit == account) | (t.credit == account), t.asset == asset)
    return int(conn.execute(query).scalar_one())
