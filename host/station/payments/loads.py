"""`load:<card number>`: an online top-up. What is paid becomes the card's pending load (C6).

One load per card may wait for its card. A second paid top-up stays with its payment until the first is on the card,
and becomes the pending load then; or it is given back.
"""

from sqlalchemy import Connection

from station import cards, ledger
from station.payments import purposes, refunds
from station.payments.book import Payment

KIND = "load"


def purpose(card_no: str) -> str:
    """The purpose of a payment that loads this card."""
    return f"{KIND}:{card_no}"


def check(conn: Connection, card_no: str, amount_fen: int, now: int) -> None:
    """ValueError if the card cannot be loaded with so much, what is paid and waits for it already included."""
    why = cards.top_up_refusal(conn, card_no, amount_fen + ledger.balance(conn, ledger.pending(card_no)), now)
    if why:
        raise ValueError(why)


def apply(conn: Connection, payment: Payment, now: int) -> None:
    """ValueError: the card has a load waiting, was blocked meanwhile, or may not hold so much."""
    try:
        cards.top_up(conn, purposes.which(payment.purpose), payment.amount_fen, cards.PAYMENT + payment.order_no, now)
    except cards.LoadError as error:
        raise ValueError(str(error)) from None


def pay_back(conn: Connection, order_no: str, amount_fen: int, account: str, by: str, why: str, now: int) -> None:
    """What a card's refund owes to this payment goes back through its gateway. ValueError."""
    refunds.refund(conn, order_no, amount_fen, account, by, why, now)


purposes.register(KIND, apply, check)
cards.register_payback(cards.PAYMENT, pay_back)
