"""Vouchers for a finance system (N2): one a local day, every kind of account with what it was debited and credited.

What is paid into an asset stands on the debit side as bookkeepers write it, because a transfer names first the account
that gives. Litres and pieces have lines of their own beside the money.
"""

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, func, select

from station.ledger import book, chart

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


def voucher_csv(lines: list[VoucherLine], name_of: Callable[[str], str]) -> Iterator[str]:
    """CSV (RFC 4180) line by line, its head first. name_of: a kind's name for people."""
    for row in [COLUMNS, *(_cells(line, name_of) for line in lines)]:
        text = io.StringIO()
        csv.writer(text).writerow(row)
        yield text.getvalue()


def _cells(line: VoucherLine, name_of: Callable[[str], str]) -> tuple[str | int, ...]:
    money = [_yuan(amount) if line.asset == book.FEN else "" for amount in (line.debit, line.credit)]
    named = (line.day.isoformat(), line.asset, chart.CLASSES[line.kind], line.kind, name_of(line.kind))
    return (*named, line.debit, line.credit, *money)


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
