"""Receipts that customers hold in their hands as a QR code: is it genuine, and do the books say the same? (D27)

The text proves itself by the device's journal key (pump.core.receipt); the books are asked if they are at hand.
"""

import hmac
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection

from pump.core import receipt, records
from station.platform.secrets import Secrets
from station.sales.queries import sale

Books = Literal["agrees", "missing", "differs"]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a receipt says, in fen, ml and Unix seconds; `genuine`: the device's key made it. Nothing about the card."""

    device: int
    seq: int
    at: int
    grade: int
    volume_ml: int
    amount_fen: int
    price_fen_per_l: int
    genuine: bool


def read_receipt(text: str, secrets: Secrets) -> Receipt | None:
    """The receipt in a text or in the whole address of a QR code; None if it is none. Needs no database."""
    found = receipt.decode(text.strip().rsplit("/", 1)[-1].upper())
    if found is None:
        return None
    device, seq, at, grade, volume_ml, amount_fen, price = found[:7]
    signed, mac = found[7:]
    known = secrets.knows(device)
    expected = records.mac(secrets.device(device).journal, receipt.PURPOSE, signed)[: len(mac)] if known else b""
    genuine = hmac.compare_digest(expected, mac)
    return Receipt(device, seq, at, grade, volume_ml, amount_fen, price, genuine)


def in_the_books(conn: Connection, shown: Receipt) -> Books:
    """`missing`: the sale's records have not arrived yet; `differs`: they say something else (altered behind us)."""
    row = sale(conn, shown.device, shown.seq)
    if row is None or row.ended is None:
        return "missing"
    booked = (row.grade, row.volume_ml, row.amount_fen, row.price_fen_per_l)
    same = booked == (shown.grade, shown.volume_ml, shown.amount_fen, shown.price_fen_per_l)
    return "agrees" if same else "differs"
