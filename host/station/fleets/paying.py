"""A company pays through a payment gateway: purpose `account:` and its number (station.payments)."""

from sqlalchemy import Connection

from station import accounts
from station.fleets import units
from station.fleets.units import FleetError
from station.payments import Payment

PURPOSE = "account"


def apply(conn: Connection, payment: Payment, now: int) -> None:
    """The payment is in: it is the company's, once, whatever callbacks do."""
    company = int(payment.purpose.partition(":")[2])
    source = f"paid:{payment.order_no}"
    accounts.pay(conn, company, payment.amount_fen, source, payment.order_no, now, payment.by)


def check(conn: Connection, which: str, _amount_fen: int, _now: int) -> None:
    """FleetError if there is no such company."""
    if not which.isdigit() or units.unit(conn, int(which)).parent is not None:
        raise FleetError(f"没有单位 {which} there is no such company")
