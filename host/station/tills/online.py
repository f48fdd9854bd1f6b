"""Bills paid by phone: a payment for `bill:17` becomes a tender of that bill once the gateway has the money (Y1).

It is taken exactly once, however often the gateway calls. If the bill was paid or given up meanwhile, the money stays
with the payment, is shown there as waiting and can go back.
"""

from sqlalchemy import Connection

from station import ledger, payments
from station.ledger import Transfer
from station.payments import Payment
from station.tills import billing, tenders
from station.tills.errors import TillError
from station.tills.tenders import Doing, Tender


class Online:
    """Any gateway's payments as tenders (`qr:wechat`); the reference is the payment's order number."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        found = payments.payment(conn, tender.ref)
        if found is None or found.state != "paid" or found.purpose != f"bill:{tender.bill}":
            raise TillError("扫码款项尚未到账 the phone's payment has not come in")
        line = Transfer(ledger.paid_in(tender.ref), ledger.bill(tender.bill), tender.amount_fen)
        ledger.post(conn, doing.key, doing.now, [line], doing.why)

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        source = ledger.bill(tender.bill)
        payments.refund(conn, tender.ref, amount_fen, source, doing.by, doing.why or doing.key, doing.now)


def apply(conn: Connection, payment: Payment, now: int) -> None:
    """What the payments call once the money is there. ValueError: not now."""
    number = int(payment.purpose.partition(":")[2])
    paid = billing.Payment(f"{tenders.QR}:{payment.gateway}", payment.amount_fen, payment.order_no)
    billing.pay(conn, number, paid, payment.by, now)


def check(conn: Connection, which: str, amount_fen: int, now: int) -> None:
    """Whether such a payment may be made. ValueError."""
    known = billing.bill(conn, int(which)) if which.isdigit() else None
    if known is None or known.state != billing.OPEN or amount_fen > known.due_fen:
        raise TillError(f"账单 {which} 没有这么多应收 bill {which} has not that much due")


def register() -> None:
    """Makes bills a purpose of payments, and payments a way to pay."""
    payments.register("bill", apply, check)
    tenders.register(tenders.QR, Online())
