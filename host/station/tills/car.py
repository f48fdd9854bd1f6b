"""Paying from the car (Y3): fuelled -> billed -> paid -> released.

The fuel is on the walk-in account; its bill is paid by a code on a phone, and the attendant lets the car go once the
page says paid. The pump itself does not wait for that: it cannot show "paid" and sells on meanwhile.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, update

from station import payments, sales
from station.payments import Payment
from station.platform import audit
from station.tills import billing, tables
from station.tills.billing import OPEN, PAID, Bill, FuelWanted
from station.tills.errors import TillError

FUELLED, BILLED, IS_PAID, RELEASED = "fuelled", "billed", "paid", "released"
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Stop:
    """A car at a pump. amount_fen: what the fuel costs; bill: once there is one."""

    pump: str
    device: int
    seq: int
    ended: int
    amount_fen: int
    volume_ml: int
    stage: str
    bill: Bill | None


def stops(conn: Connection, now: int) -> list[Stop]:
    """Cars that have not been let go: those without a bill first."""
    waiting = [
        _stop(one.sale, FUELLED, None) for one in billing.at_hand(conn, now, SHOWN) if one.due_fen and one.sale.ended
    ]
    for known in billing.bills(conn, 10 * SHOWN):
        if known.pump is not None and known.state in (OPEN, PAID) and known.released_at is None:
            fuel = known.lines[0]
            sale = sales.sale(conn, fuel.device or 0, fuel.seq or 0)
            if sale is not None:
                waiting.append(_stop(sale, IS_PAID if known.state == PAID else BILLED, known))
    return waiting[:SHOWN]


def bill_car(
    conn: Connection, device: int, seq: int, till: str, gateway: str, by: str, now: int
) -> tuple[Bill, Payment]:
    """A bill for that fuel and a payment of it by phone. TillError, ValueError of the payments."""
    sale = sales.sale(conn, device, seq)
    made = billing.open_bill(conn, till, [FuelWanted(device, seq)], by, now, pump=sale.pump if sale else None)
    if made.state != OPEN:
        raise TillError("这笔油款已在油机上结清 the pump has the money for this fuel")
    return made, payments.make(conn, gateway, f"bill:{made.bill}", made.due_fen, by, now)


def release(conn: Connection, number: int, by: str, now: int) -> Bill:
    """The car may go: its bill is paid. TillError."""
    known = billing.bill(conn, number)
    if known.pump is None or known.state != PAID:
        raise TillError(f"账单 {number} 未付清，不能放行 bill {number} is not paid: the car stays")
    if known.released_at is None:
        b = tables.bills
        conn.execute(update(b).where(b.c.bill == number).values(released_at=now))
        audit.record(conn, now, by, "bill.release", f"bill {number}", {}, {"pump": known.pump})
    return billing.bill(conn, number)


def _stop(sale: sales.SaleRow, stage: str, bill: Bill | None) -> Stop:
    return Stop(
        sale.pump,
        sale.device,
        sale.seq,
        sale.ended or 0,
        sale.amount_fen or 0,
        sale.volume_ml or 0,
        stage,
        bill,
    )
