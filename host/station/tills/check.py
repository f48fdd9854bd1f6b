"""Bills held to the books: what verify runs."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, Connection, Select, func, select

from station import ledger
from station.ledger import Finding
from station.tills import tables
from station.tills.billing import OPEN, PAID


def verify(conn: Connection) -> list[Finding]:
    """Ways to pay equal lines, nothing is left on a closed bill, invoices equal their parts. Empty: all is well."""
    return [*_bills(conn), *_invoices(conn)]


def _bills(conn: Connection) -> Iterator[Finding]:
    b, ln, t = tables.bills.c, tables.lines.c, tables.tenders.c
    of_lines = {
        row[0]: (int(row[1]), int(row[2])) for row in conn.execute(_sums(ln.bill, ln.amount_fen, ln.returned_fen))
    }
    paid = {row[0]: (int(row[1]), int(row[2])) for row in conn.execute(_sums(t.bill, t.amount_fen, t.returned_fen))}
    left = ledger.balances(conn, "bill:")
    for bill, state, total in conn.execute(select(b.bill, b.state, b.total_fen).order_by(b.bill)):
        sold, back = of_lines.get(bill, (0, 0))
        came, went = paid.get(bill, (0, 0))
        if sold != total or state == PAID and came != total or back != went:
            yield Finding("bills", f"账单 {bill} 的商品与付款不符 lines and payments of bill {bill} differ")
        if state != OPEN and left.get(ledger.bill(bill), 0):
            yield Finding("bills", f"账单 {bill} 已结但账上仍有余额 money is left on bill {bill}, which is closed")


def _sums(key: Column[Any], *columns: Column[Any]) -> Select[Any]:
    return select(key, *(func.sum(column) for column in columns)).group_by(key)


def _invoices(conn: Connection) -> Iterator[Finding]:
    s, p, i = tables.invoice_subjects.c, tables.invoice_parts.c, tables.invoices.c
    parts = {
        name: int(fen) for name, fen in conn.execute(select(p.subject, func.sum(p.amount_fen)).group_by(p.subject))
    }
    for subject, fen in conn.execute(select(s.subject, s.invoiced_fen)):
        if parts.get(subject, 0) != fen:
            yield Finding(
                "invoices", f"{subject} 的开票累计与发票不符 invoices and what is counted of {subject} differ"
            )
    for series, count, last in conn.execute(select(i.series, func.count(), func.max(i.number)).group_by(i.series)):
        if count != last:
            yield Finding("invoices", f"发票 {series} 断号 numbers of invoices are missing in {series}")
