"""Payments through gateways: made, shown as a code, paid once, given back, compared with the gateways' statements.

Money is fen, times are Unix seconds. A field above says what is done with paid money: register().
"""

from station.payments import loads as loads  # registers `load:`
from station.payments import tables as tables
from station.payments.asking import Watch, look, present
from station.payments.book import (
    Event,
    Payment,
    PaymentError,
    count,
    events,
    known,
    ledger_waits,
    listing,
    make,
    payment,
)
from station.payments.gateway import CHINA, Gateway, GatewayError, Gateways, Reply, china_day, gateways
from station.payments.notices import LONGEST_BODY, receive
from station.payments.purposes import register
from station.payments.refunds import Refund, of_payment, refund, returned_fen
from station.payments.statements import Difference, Report, fetch, report, report_count, reports

__all__ = [
    "CHINA",
    "LONGEST_BODY",
    "Difference",
    "Event",
    "Gateway",
    "GatewayError",
    "Gateways",
    "Payment",
    "PaymentError",
    "Refund",
    "Reply",
    "Report",
    "Watch",
    "china_day",
    "count",
    "events",
    "fetch",
    "known",
    "ledger_waits",
    "listing",
    "look",
    "make",
    "of_payment",
    "gateways",
    "payment",
    "present",
    "receive",
    "refund",
    "register",
    "report",
    "report_count",
    "reports",
    "returned_fen",
]
