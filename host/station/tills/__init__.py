"""Tills: bills, ways to pay, shop goods, shifts with counted drawers, refunds, invoices, the day close.

What other fields and the faces may use is named here. Money is fen, volumes ml, times Unix seconds.
"""

from station.tills import online
from station.tills import tables as tables
from station.tills.billing import (
    AtHand,
    Bill,
    FuelWanted,
    GoodsWanted,
    Line,
    Payment,
    at_hand,
    bill,
    bills,
    open_bill,
    pay,
    ring_up,
    void,
)
from station.tills.car import Stop, bill_car, release, stops
from station.tills.check import verify
from station.tills.day import (
    ClosedDay,
    DayReport,
    NozzleDay,
    ShiftDay,
    TenderDay,
    close_day,
    closed_day,
    day_of,
    day_report,
    report_of,
)
from station.tills.drawers import (
    SAFE,
    Shift,
    Till,
    add_till,
    close_shift,
    hand_over,
    in_drawer,
    open_shift,
    put_in_safe,
    shift,
    take_to_bank,
    till,
    tills,
)
from station.tills.errors import TillError
from station.tills.invoicing import Invoice, bill_subject, invoice, invoices, left, offer, red_letter, reissue
from station.tills.invoicing import issue as issue_invoice
from station.tills.refunding import Refund, refund, refunds
from station.tills.refunding import ask as ask_refund
from station.tills.refunding import decide as decide_refund
from station.tills.second import count_signed, refund_signed
from station.tills.shelf import Good, count_stock, good, goods, put_good, receive
from station.tills.tenders import ACCOUNT, BANK_CARD, CASH, PURSE, QR, Doing, Kind, Tender
from station.tills.tenders import register as register_tender

online.register()

__all__ = [
    "ACCOUNT", "AtHand", "BANK_CARD", "Bill", "CASH", "ClosedDay", "DayReport", "Doing", "FuelWanted", "Good",
    "GoodsWanted", "Invoice", "Kind", "Line", "NozzleDay", "PURSE", "Payment", "QR", "Refund", "SAFE", "Shift",
    "ShiftDay", "Stop", "Tender", "TenderDay", "Till", "TillError", "add_till", "ask_refund", "at_hand", "bill",
    "bill_car", "bill_subject", "bills", "close_day", "close_shift", "closed_day", "count_signed", "count_stock",
    "day_of", "day_report", "decide_refund", "good", "goods", "hand_over", "in_drawer", "invoice", "invoices",
    "issue_invoice", "left", "offer", "open_bill", "open_shift", "pay", "put_good", "put_in_safe", "receive",
    "red_letter", "refund", "refund_signed", "refunds", "register_tender", "reissue", "release", "report_of",
    "ring_up", "shift", "stops", "take_to_bank", "till", "tills", "verify", "void",
]  # fmt: skip
