"""Vouchers for a finance system (N2): one a local day, every kind of account with what it was debited and credited.

What is paid into an asset stands on the debit side as bookkeepers write it, because a transfer names first the account
that gives. Litres and pieces have lines of their own beside the money.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from station.ledger import book, chart
from station.platform import sheets

COLUMNS = ("day", "asset", "class", "kind", "name", "debit", "credit", "debit_yuan", "credit_yuan")


@dataclass(frozen=True, slots=True)
class VoucherLine:
    """One side of one kind of account on one day, in whole units of the asset; the other side is 0."""

    day: date
    asset: str
    kind: str
    debit: int
    credit: int


def vouchers(conn: Connection, since: int, until: int) -> list[VoucherLine]:
    """By day and asset, debits first; what was booked in since <= time < until, Unix seconds. Scans the transfers.

    Debits and credits of every day and asset are equal.
    """
    t = book.transfers.c
    booked = func.coalesce(t.booked, t.at)
    query = select(booked, t.asset, t.debit, t.credit, t.amount).where(booked >= since, booked < until)
    debits: defaultdict[tuple[date, str, str], int] = defaultdict(int)
    credits: defaultdict[tuple[date, str, str], int] = defaultdict(int)
    for at, asset, debit, credit, amount in conn.execute(query.execution_options(yield_per=10_000)):
        day = datetime.fromtimestamp(at).astimezone().date()
        debits[day, asset, debit.partition(":")[0]] += amount
        credits[day, asset, credit.partition(":")[0]] += amount
    lines = [VoucherLine(*which, amount, 0) for which, amount in debits.items()]
    lines += [VoucherLine(*which, 0, amount) for which, amount in credits.items()]
    return sorted(lines, key=lambda line: (line.day, line.asset, line.debit == 0, line.kind))


def voucher_csv(lines: list[VoucherLine], name_of: Callable[[str], str]) -> str:
    """The vouchers for a finance system. name_of: a kind's name for people."""
    return sheets.written(COLUMNS, [_cells(line, name_of) for line in lines])


def _cells(line: VoucherLine, name_of: Callable[[str], str]) -> tuple[str, ...]:
    money = [sheets.yuan(amount) if line.asset == book.FEN else "" for amount in (line.debit, line.credit)]
    named = (line.day.isoformat(), line.asset, chart.CLASSES[line.kind], line.kind, name_of(line.kind))
    return (*named, str(line.debit), str(line.credit), *money)
