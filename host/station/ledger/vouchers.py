"""Vouchers for a finance system (N2): one a local day, every kind of account with what it was debited and credited.

Money only: litres are kept in the books of stock. What is paid into an asset stands on the debit side as bookkeepers
write it, because a transfer names the account that gives first.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from station.ledger import book


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """One side of one kind of account on one day, fen; the other side is 0."""

    day: date
    kind: str
    debit_fen: int
    credit_fen: int


def vouchers(conn: Connection, since: int, until: int) -> list[VoucherLine]:
    """By day, debits first, each side by kind of account; what was booked in since <= time < until, Unix seconds.

    Debits and credits of every day are equal.
    """
    t = book.transfers.c
    booked = func.coalesce(t.booked, t.at)
    query = select(booked, t.debit, t.credit, t.amount).where(booked >= since, booked < until, t.asset == book.FEN)
    debits: defaultdict[tuple[date, str], int] = defaultdict(int)
    credits: defaultdict[tuple[date, str], int] = defaultdict(int)
    for at, debit, credit, amount in conn.execute(query.execution_options(yield_per=10_000)):
        day = datetime.fromtimestamp(at).astimezone().date()
        debits[day, debit.partition(":")[0]] += amount
        credits[day, credit.partition(":")[0]] += amount
    lines = [VoucherLine(day, kind, amount, 0) for (day, kind), amount in debits.items()]
    lines += [VoucherLine(day, kind, 0, amount) for (day, kind), amount in credits.items()]
    return sorted(lines, key=lambda line: (line.day, line.debit_fen == 0, line.kind))
