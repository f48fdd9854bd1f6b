"""Refunds: money goes back to where it came from, tender by tender, the newest first; never above what is left (Y4).

A request within the cap `cap.refund` is done at once; above it, it waits for a second person, and is late after
`refund.hours`. Nothing is refunded later than `refund.days` after the bill was paid. Nothing is ever edited in the
books: what was given back stands beside what was sold.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from station import ledger, risk, staff
from station.cards import SecondNeededError
from station.ledger import PIECES, Transfer
from station.platform import audit, parameters
from station.tills import billing, drawers, invoicing, tables, tenders
from station.tills.billing import GOODS, PAID, Bill, Line
from station.tills.errors import TillError
from station.tills.tenders import PURSE, Doing, Tender

WAITING, DONE, REFUSED = "open", "done", "refused"
HOUR_S, DAY_S = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Refund:
    """amount_fen of a bill's line, with `pieces` of goods back on the shelf; parts: (tender's number, fen) once done.

    late: it waited longer than `refund.hours`, or waits so long already.
    """

    refund: int
    bill: int
    line: int
    amount_fen: int
    pieces: int
    till: str
    asked_at: int
    asked_by: str
    why: str
    state: str
    decided_at: int | None
    decided_by: str | None
    decision: str
    due_at: int
    parts: tuple[tuple[int, int], ...]

    def is_late(self, now: int) -> bool:
        return (self.decided_at or now) > self.due_at


def ask(
    conn: Connection, bill: int, line: int, amount_fen: int, pieces: int, till: str, by: str, why: str, now: int
) -> Refund:
    """Asks for money back for a line; done at once unless it is above the cap. till: whose drawer pays cash.

    Raises TillError: too late, too much, held by a risk rule.
    """
    known, sold = _refundable(conn, bill, line, amount_fen, pieces, now)
    if not why.strip():
        raise TillError("须写明原因 say why")
    if drawers.till(conn, till).shift is None:
        raise TillError(f"收银台 {till} 尚未开班 till {till} has no open shift")
    card = next((t.ref for t in known.tenders if t.kind == PURSE and t.line == line), "")
    risk.refuse_held(conn, *([card] if card else []), risk.staff_subject(by))
    number = int(conn.execute(select(func.max(tables.refunds.c.refund))).scalar() or 0) + 1
    row = {
        "refund": number,
        "bill": bill,
        "line": sold.line,
        "amount_fen": amount_fen,
        "pieces": pieces,
        "till": till,
        "asked_at": now,
        "asked_by": by,
        "why": why.strip(),
        "state": WAITING,
    }
    conn.execute(insert(tables.refunds), row)
    audit.record(conn, now, by, "refund.ask", f"bill {bill}", {}, {"refund": number, "fen": amount_fen}, why.strip())
    if staff.needs_second(known.returned_fen + amount_fen, parameters.value(conn, "cap.refund")):
        return refund(conn, number)
    return _give_back(conn, refund(conn, number), by, "", now)


def decide(conn: Connection, number: int, approve: bool, by: str, words: str, now: int) -> Refund:
    """The second person's word on a request that waits; the caller has made them prove who they are. TillError."""
    known = refund(conn, number)
    if known.state != WAITING:
        raise TillError(f"退款 {number} 已处理 refund {number} is decided already")
    if by.strip().lower() == known.asked_by.strip().lower():
        raise SecondNeededError("复核人不能是经办人本人 the second person cannot be the first")
    if approve:
        return _give_back(conn, known, by, words, now)
    if not words.strip():
        raise TillError("须写明原因 say why")
    _decided(conn, known, REFUSED, by, words, now)
    return refund(conn, number)


def refund(conn: Connection, number: int) -> Refund:
    """One refund. TillError."""
    found = refunds(conn, 1, refund=number)
    if not found:
        raise TillError(f"没有这笔退款 there is no such refund: {number}")
    return found[0]


def refunds(
    conn: Connection, limit: int = 50, *, refund: int | None = None, bill: int | None = None, state: str | None = None
) -> list[Refund]:
    """The latest refunds, newest first; of one bill, in one state."""
    r, p = tables.refunds, tables.refund_parts.c
    query = select(r).order_by(r.c.refund.desc()).limit(limit)
    for column, value in ((r.c.refund, refund), (r.c.bill, bill), (r.c.state, state)):
        if value is not None:
            query = query.where(column == value)
    allowed_s = parameters.value(conn, "refund.hours") * HOUR_S
    found = []
    for row in conn.execute(query).all():
        parts = conn.execute(select(p.number, p.amount_fen).where(p.refund == row.refund).order_by(p.number))
        due_at = row.asked_at + allowed_s
        found.append(Refund(**row._mapping, due_at=due_at, parts=tuple((n, fen) for n, fen in parts)))
    return found


def _refundable(conn: Connection, bill: int, line: int, amount_fen: int, pieces: int, now: int) -> tuple[Bill, Line]:
    known = billing.bill(conn, bill)
    sold = next((one for one in known.lines if one.line == line), None)
    if known.state != PAID or known.paid_at is None or sold is None:
        raise TillError(f"账单 {bill} 没有可退的第 {line} 行 bill {bill} has no paid line {line}")
    days = parameters.value(conn, "refund.days")
    if now > known.paid_at + days * DAY_S:
        raise TillError(f"已超过 {days} 天的退款期限 refunds end {days} days after the sale")
    if not 0 < amount_fen <= sold.rest_fen:
        raise TillError(f"可退金额只有 {sold.rest_fen} 分 only {sold.rest_fen} fen of this line are left to give back")
    left = sold.quantity - sold.returned_pieces if sold.kind == GOODS else 0
    if not 0 <= pieces <= left:
        raise TillError(f"可退回的数量只有 {left} only {left} pieces can come back")
    return known, sold


def _give_back(conn: Connection, asked: Refund, by: str, words: str, now: int) -> Refund:
    known, sold = _refundable(conn, asked.bill, asked.line, asked.amount_fen, asked.pieces, asked.asked_at)
    source = ledger.returns(sold.what)
    ledger.post(conn, f"refund:{asked.refund}", now, [Transfer(source, ledger.bill(known.bill), asked.amount_fen)])
    if asked.pieces:
        code = str(sold.code)
        back = Transfer(ledger.shop_sold(code), ledger.shop(code), asked.pieces, PIECES)
        ledger.post(conn, f"refund:{asked.refund}:shelf", now, [back])
    parts = _split(known, sold, asked.amount_fen)
    for tender, fen in parts:
        doing = Doing(asked.till, by, now, f"refund:{asked.refund}:{tender.number}", asked.why)
        tenders.kind_of(tender.kind).give_back(conn, tender, fen, doing)
        t = tables.tenders.c
        mine = (t.bill == known.bill) & (t.number == tender.number)
        conn.execute(update(tables.tenders).where(mine).values(returned_fen=t.returned_fen + fen))
        conn.execute(insert(tables.refund_parts), {"refund": asked.refund, "number": tender.number, "amount_fen": fen})
    ln = tables.lines.c
    back_now = {
        "returned_fen": ln.returned_fen + asked.amount_fen,
        "returned_pieces": ln.returned_pieces + asked.pieces,
    }
    conn.execute(update(tables.lines).where(ln.bill == known.bill, ln.line == sold.line).values(**back_now))
    after = billing.bill(conn, known.bill)
    invoicing.offer(conn, invoicing.bill_subject(known.bill), billing.invoiceable_fen(after))
    _decided(conn, asked, DONE, by, words, now)
    card = next((tender.ref for tender, _ in parts if tender.kind == PURSE), "")
    risk.refunded(conn, card, asked.amount_fen, asked.asked_by, asked.refund, now)
    return refund(conn, asked.refund)


def _split(known: Bill, sold: Line, amount_fen: int) -> list[tuple[Tender, int]]:
    """Which tenders give how much: the one that paid this very line at the pump, else those of the till."""
    at_the_pump = [tender for tender in known.tenders if tender.line == sold.line]
    sources = at_the_pump or [tender for tender in reversed(known.tenders) if tender.line is None]
    parts = []
    for tender in sources:
        fen = min(amount_fen, tender.rest_fen)
        if fen:
            parts.append((tender, fen))
            amount_fen -= fen
    if amount_fen:
        raise TillError("退款超过实收 more would go back than was paid")
    return parts


def _decided(conn: Connection, known: Refund, state: str, by: str, words: str, now: int) -> None:
    decided = {"state": state, "decided_at": now, "decided_by": by, "decision": words.strip()}
    conn.execute(update(tables.refunds).where(tables.refunds.c.refund == known.refund).values(**decided))
    new = {"state": state, "fen": known.amount_fen, "bill": known.bill}
    audit.record(conn, now, by, f"refund.{state}", f"refund {known.refund}", {"state": known.state}, new, words)
