"""Money back through the gateway: in parts, several times, never above what was paid (Y6).

It goes through ledger.paid_in(order_no): from where it lies it is taken there at once, so that nobody else spends it,
and from there it leaves when the gateway says that the customer has it.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select, update

from station import ledger
from station.ledger import Transfer
from station.payments import book, tables
from station.payments.book import PaymentError
from station.payments.gateway import DONE, FAILED, RefundOrder, RefundOutcome, yuan_of
from station.platform import audit


@dataclass(frozen=True, slots=True)
class Refund:
    """state: asked (the gateway has not said done), done, failed (the money lies at the payment again)."""

    refund_no: str
    order_no: str
    amount_fen: int
    state: str
    trade_no: str
    by: str
    why: str
    asked_at: int
    done_at: int | None


def refund(conn: Connection, order_no: str, amount_fen: int, source: str | None, by: str, why: str, now: int) -> Refund:
    """Asks for amount_fen back. source: the ledger account it is taken from; None: what came in and was not placed.

    PaymentError: not paid, above what was paid, no reason, or not so much there. Who may, and whether two must, is
    for the caller to see to.
    """
    paid = book.known(conn, order_no)
    if paid.state != "paid":
        raise PaymentError("未收款，不能退款 it was not paid: there is nothing to give back")
    if not why.strip():
        raise PaymentError("须写明退款原因 say why")
    if not 0 < amount_fen <= paid.amount_fen - returned_fen(conn, order_no):
        raise PaymentError("退款须大于零且合计不超过所付金额 above nought, and in all at most what was paid")
    if source is None and amount_fen > book.ledger_waits(conn, paid):
        raise PaymentError("款项已入账或已写卡，须在其用途处退款 it was placed already: refund it where it was used")
    made = Refund(book.number("R", now), order_no, amount_fen, "asked", "", by, why.strip(), now, None)
    row = {name: getattr(made, name) for name in Refund.__slots__}
    conn.execute(insert(tables.refunds), row)
    if source is not None:
        lines = [Transfer(source, ledger.paid_in(order_no), amount_fen)]
        ledger.post(conn, f"refund:{made.refund_no}", now, lines, why.strip())
    elif book.ledger_waits(conn, paid) == 0:
        book.placed(conn, order_no, now)
    book.note(conn, order_no, now, "refund", by, f"{made.refund_no} {yuan_of(amount_fen)} {made.why}")
    new = {"refund_no": made.refund_no, "fen": amount_fen, "source": source or ""}
    audit.record(conn, now, by, "payment.refund", order_no, {}, new, made.why)
    return made


def returned_fen(conn: Connection, order_no: str) -> int:
    """What went back of a payment, or is on its way."""
    r = tables.refunds.c
    query = select(func.sum(r.amount_fen)).where(r.order_no == order_no, r.state != "failed")
    return int(conn.execute(query).scalar() or 0)


def one(conn: Connection, refund_no: str) -> Refund | None:
    """A refund by its number."""
    columns = [tables.refunds.c[name] for name in Refund.__slots__]
    row = conn.execute(select(*columns).where(tables.refunds.c.refund_no == refund_no)).first()
    return Refund(*row) if row else None


def of_payment(conn: Connection, order_no: str) -> list[Refund]:
    """All refunds of a payment, oldest first."""
    columns = [tables.refunds.c[name] for name in Refund.__slots__]
    query = select(*columns).where(tables.refunds.c.order_no == order_no)
    rows = conn.execute(query.order_by(tables.refunds.c.asked_at, tables.refunds.c.refund_no))
    return [Refund(*row) for row in rows]


def settle(conn: Connection, gateway: str, outcome: RefundOutcome, now: int) -> bool:
    """The gateway says how a refund stands; True if it is booked as done, now or before."""
    found = one(conn, outcome.refund_no)
    paid = book.payment(conn, found.order_no) if found else None
    source = f"gateway:{gateway}"
    if found is None or paid is None or paid.gateway != gateway or outcome.order_no not in ("", found.order_no):
        book.note_once(conn, outcome.order_no, now, "unknown", source, outcome.refund_no)
        return False
    if found.state == "done" or outcome.state not in (DONE, FAILED):
        return found.state == "done"
    if outcome.state == FAILED:
        if found.state == "asked":
            _change(conn, found.refund_no, state="failed", trade_no=outcome.trade_no)
            book.note(conn, found.order_no, now, "refund_failed", source, found.refund_no)
        return False
    if found.state == "failed":  # it had said failed: the money may be elsewhere by now, so a person looks at it
        book.note_once(conn, found.order_no, now, "refund_late", source, found.refund_no)
        return False
    done_at = outcome.at or now
    _change(conn, found.refund_no, state="done", trade_no=outcome.trade_no, done_at=done_at)
    lines = [Transfer(ledger.paid_in(found.order_no), ledger.gateway(gateway), found.amount_fen)]
    ledger.post(conn, f"refunded:{found.refund_no}", done_at, lines, found.why)
    book.note(conn, found.order_no, now, "refunded", source, f"{found.refund_no} {yuan_of(found.amount_fen)}")
    return True


def to_send(conn: Connection, now: int) -> list[tuple[str, RefundOrder, bool]]:
    """(gateway, refund, whether it was sent before) of refunds that are not done and were not looked at just now."""
    r, p = tables.refunds, tables.payments
    query = (
        select(p.c.gateway, r.c.refund_no, r.c.order_no, r.c.amount_fen, p.c.amount_fen, r.c.why, r.c.looked_at)
        .join(p, p.c.order_no == r.c.order_no)
        .where(r.c.state == "asked", now - r.c.looked_at >= 5, (now - r.c.looked_at) * 6 >= now - r.c.asked_at)
        .order_by(r.c.asked_at)
        .limit(50)
    )
    return [(row[0], RefundOrder(*row[1:6]), row[6] > 0) for row in conn.execute(query)]


def looked(conn: Connection, refund_no: str, now: int) -> None:
    """The gateway has been sent this refund."""
    _change(conn, refund_no, looked_at=now)


def _change(conn: Connection, refund_no: str, **values: object) -> None:
    conn.execute(update(tables.refunds).where(tables.refunds.c.refund_no == refund_no).values(values))
