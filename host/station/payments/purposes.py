"""What a payment is for: each kind of purpose says when it may be made and where its money goes.

The fields above register theirs when they are imported. Until it is applied, what came in stands on
ledger.paid_in(order_no): a purpose that cannot take it now loses nothing.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import Connection

if TYPE_CHECKING:
    from station.payments.book import Payment

Apply = Callable[[Connection, "Payment", int], None]
Check = Callable[[Connection, str, int, int], None]


class Purpose(NamedTuple):
    """apply(conn, payment, now) moves the money from ledger.paid_in(payment.order_no) to where it belongs; ValueError:
    not now. check(conn, which, amount_fen, now): ValueError if such a payment may not be made."""

    apply: Apply
    check: Check


_known: dict[str, Purpose] = {}


def register(kind: str, apply: Apply, check: Check) -> None:
    """Makes payments for `kind:...` possible."""
    _known[kind] = Purpose(apply, check)


def of(purpose: str) -> Purpose:
    """ValueError if nobody registered this kind."""
    found = _known.get(purpose.partition(":")[0])
    if found is None or not which(purpose):
        raise ValueError(f"没有这种付款用途 there is no such purpose of a payment: {purpose}")
    return found


def which(purpose: str) -> str:
    """`load:6200...` -> 6200..."""
    return purpose.partition(":")[2]
