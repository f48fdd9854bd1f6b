"""Invoices: never above what was sold, numbered without gaps, taken back by red letters only (Y6).

A subject is what may be invoiced, up to a total: a paid bill (`bill:17`), or what a face offers for another field, as
an account's statement. The database itself refuses more than the total. Amounts in fen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, insert, select, update

from station.cards import yuan
from station.platform import audit
from station.platform.database import upsert
from station.tills import tables
from station.tills.errors import TillError


@dataclass(frozen=True, slots=True)
class Part:
    """What an invoice says of one subject; red_fen: taken back since."""

    subject: str
    amount_fen: int
    red_fen: int

    @property
    def rest_fen(self) -> int:
        return self.amount_fen - self.red_fen


@dataclass(frozen=True, slots=True)
class Invoice:
    """A number of a series (the local year of issue). red_of: what a red letter takes back; instead_of: a lost one."""

    series: str
    number: int
    at: int
    by: str
    buyer: str
    tax_no: str
    amount_fen: int
    red_series: str | None
    red_of: int | None
    instead_series: str | None
    instead_of: int | None
    why: str
    parts: tuple[Part, ...]

    @property
    def name(self) -> str:
        """As printed: 2026-00000017."""
        return shown(self.series, self.number)

    @property
    def rest_fen(self) -> int:
        """What has not been taken back; nought for a red letter."""
        return sum(part.rest_fen for part in self.parts) if self.red_of is None else 0


def shown(series: str, number: int) -> str:
    """The printed name of an invoice."""
    return f"{series}-{number:08d}"


def bill_subject(number: int) -> str:
    """What a bill is called among the subjects."""
    return f"bill:{number}"


def offer(conn: Connection, subject: str, total_fen: int) -> None:
    """What may be invoiced under that name is now total_fen. TillError if more has been invoiced already."""
    if total_fen < invoiced(conn, subject):
        raise TillError(
            f"{subject} 已开发票 {yuan(invoiced(conn, subject))} 元，请先开红字发票 "
            f"{subject} is invoiced for {yuan(invoiced(conn, subject))} yuan: issue a red letter first"
        )
    row = upsert(conn, tables.invoice_subjects).values(subject=subject, total_fen=total_fen, invoiced_fen=0)
    changed = {"total_fen": row.excluded.total_fen}
    conn.execute(row.on_conflict_do_update(index_elements=["subject"], set_=changed))


def invoiced(conn: Connection, subject: str) -> int:
    """What stands on invoices for it, red letters taken off."""
    s = tables.invoice_subjects.c
    return int(conn.execute(select(s.invoiced_fen).where(s.subject == subject)).scalar() or 0)


def left(conn: Connection, subject: str) -> int:
    """What may still be invoiced."""
    s = tables.invoice_subjects.c
    return int(conn.execute(select(s.total_fen - s.invoiced_fen).where(s.subject == subject)).scalar() or 0)


def issue(conn: Connection, buyer: str, tax_no: str, amounts: Mapping[str, int], by: str, now: int) -> Invoice:
    """A new invoice over one or several subjects. TillError: more than was sold, or nobody to invoice."""
    buyer, tax_no = buyer.strip(), tax_no.strip()
    if not buyer:
        raise TillError("须填写购买方名称 an invoice needs a buyer")
    if not amounts or any(amount <= 0 for amount in amounts.values()):
        raise TillError("开票金额须大于零 an invoice is over an amount above nought")
    for subject, amount in amounts.items():
        if amount > left(conn, subject):
            raise TillError(
                f"{subject} 可开票金额只有 {yuan(left(conn, subject))} 元 "
                f"{subject} can be invoiced for {yuan(left(conn, subject))} yuan only"
            )
    return _write(conn, buyer, tax_no, dict(amounts), by, now)


def red_letter(
    conn: Connection, series: str, number: int, by: str, why: str, now: int, amounts: Mapping[str, int] | None = None
) -> Invoice:
    """Takes an invoice back, whole or the amounts given by subject; what it said may be invoiced again. TillError."""
    known = invoice(conn, series, number)
    if not why.strip():
        raise TillError("须写明原因 say why")
    rest = {part.subject: part.rest_fen for part in known.parts if part.rest_fen > 0}
    taken = dict(amounts) if amounts is not None else rest
    if known.red_of is not None or not taken or any(not 0 < fen <= rest.get(s, 0) for s, fen in taken.items()):
        raise TillError(f"发票 {known.name} 没有这么多可冲红 invoice {known.name} has not that much left to take back")
    p = tables.invoice_parts
    for subject, fen in taken.items():
        mine = (p.c.series == series) & (p.c.number == number) & (p.c.subject == subject)
        conn.execute(update(p).where(mine).values(red_fen=p.c.red_fen + fen))
    negative = {subject: -fen for subject, fen in taken.items()}
    return _write(conn, known.buyer, known.tax_no, negative, by, now, why, red=known)


def reissue(conn: Connection, series: str, number: int, by: str, why: str, now: int) -> Invoice:
    """A new invoice instead of a lost one, which a red letter takes back first. Returns the new one. TillError."""
    known = invoice(conn, series, number)
    red = red_letter(conn, series, number, by, why, now)
    amounts = {part.subject: -part.amount_fen for part in red.parts}
    return _write(conn, known.buyer, known.tax_no, amounts, by, now, why, instead=known)


def invoice(conn: Connection, series: str, number: int) -> Invoice:
    """One invoice. TillError."""
    i = tables.invoices.c
    found = _read(conn, 1, (i.series == series) & (i.number == number))
    if not found:
        raise TillError(f"没有这张发票 there is no such invoice: {shown(series, number)}")
    return found[0]


def invoices(conn: Connection, limit: int = 50, *, since: int = 0, until: int | None = None) -> list[Invoice]:
    """The latest, newest first; since <= at < until."""
    i = tables.invoices.c
    return _read(conn, limit, (i.at >= since) & ((i.at < until) if until is not None else (i.at >= 0)))


def _write(
    conn: Connection,
    buyer: str,
    tax_no: str,
    amounts: dict[str, int],
    by: str,
    now: int,
    why: str = "",
    red: Invoice | None = None,
    instead: Invoice | None = None,
) -> Invoice:
    """Writers take turns, so the next number is the last one's successor and none is ever left out."""
    series = str(datetime.fromtimestamp(now, UTC).astimezone().year)
    last = conn.execute(select(func.max(tables.invoices.c.number)).where(tables.invoices.c.series == series)).scalar()
    number = int(last or 0) + 1
    row = {
        "series": series,
        "number": number,
        "at": now,
        "by": by,
        "buyer": buyer,
        "tax_no": tax_no,
        "amount_fen": sum(amounts.values()),
        "red_series": red.series if red else None,
        "red_of": red.number if red else None,
        "instead_series": instead.series if instead else None,
        "instead_of": instead.number if instead else None,
        "why": why.strip(),
    }
    conn.execute(insert(tables.invoices), row)
    s = tables.invoice_subjects
    for subject, fen in sorted(amounts.items()):
        conn.execute(update(s).where(s.c.subject == subject).values(invoiced_fen=s.c.invoiced_fen + fen))
        part = {"series": series, "number": number, "subject": subject, "amount_fen": fen}
        conn.execute(insert(tables.invoice_parts), part)
    action = "invoice.red" if red else "invoice.issue"
    old = {"invoice": red.name} if red else {"instead_of": instead.name} if instead else {}
    audit.record(conn, now, by, action, f"invoice {shown(series, number)}", old, amounts, why)
    return invoice(conn, series, number)


def _read(conn: Connection, limit: int, chosen: object) -> list[Invoice]:
    i, p = tables.invoices, tables.invoice_parts.c
    query = select(i).where(chosen).order_by(i.c.at.desc(), i.c.series.desc(), i.c.number.desc()).limit(limit)  # type: ignore[arg-type]
    found = []
    for row in conn.execute(query).all():
        mine = (p.series == row.series) & (p.number == row.number)
        parts = conn.execute(select(p.subject, p.amount_fen, p.red_fen).where(mine).order_by(p.subject))
        found.append(Invoice(**row._mapping, parts=tuple(Part(*part) for part in parts)))
    return found
