"""The money invariant: card + station + in flight = constant (D31)."""

from dataclasses import dataclass

from sqlalchemy import Connection

from station import ledger
from station.platform import clock
from station.sales.shadowing import shadows


@dataclass(frozen=True, slots=True)
class Invariant:
    """All in fen. It holds when difference_fen is 0 and nothing differs.

    difference_fen = cards_fen + pending_fen + in_flight_fen + sales_fen + other_fen - paid_in_fen - owed_fen, where
    cards_fen takes each card's own purse as last seen, and the books' word for cards that wait for records still out;
    owed_fen is what accounts owe for fuel (below nought: paid ahead), other_fen what stands on every other money
    account: shop sales, floats, drawers counted over and short, money given back.
    """

    paid_in_fen: int
    cards_fen: int
    pending_fen: int
    in_flight_fen: int
    sales_fen: int
    difference_fen: int
    cards: int
    waiting: tuple[str, ...]  # card numbers that wait for records of some pump
    differing: tuple[str, ...]  # card numbers whose purse the records cannot explain: alarm
    books_balance: bool  # all balances of money and of fuel add up to nought
    checked_at: int
    owed_fen: int = 0
    other_fen: int = 0

    @property
    def holds(self) -> bool:
        return self.difference_fen == 0 and not self.differing and self.books_balance


def money_invariant(conn: Connection, now: int | None = None) -> Invariant:
    """The invariant as the database stands. now: Unix seconds, for checked_at."""
    cards = shadows(conn)
    purses = ledger.balances(conn, "purse:")
    judged = [card for card in cards if card.state not in ("waiting", "guest")]
    seen = {card.card_no: card.seen_fen for card in judged if card.seen_fen is not None}
    cards_fen = sum(purses.values()) + sum(fen - purses.get(ledger.purse(card_no), 0) for card_no, fen in seen.items())
    paid_in = -ledger.total(conn, "cash:") - ledger.total(conn, "gateway:")
    owed = -ledger.total(conn, "receivable:")
    pending, in_flight, sold = (ledger.total(conn, prefix) for prefix in ("pending:", "inflight:", "sales:"))
    other = ledger.total(conn, "") - sum(purses.values()) - pending - in_flight - sold + paid_in + owed
    return Invariant(
        paid_in_fen=paid_in,
        cards_fen=cards_fen,
        pending_fen=pending,
        in_flight_fen=in_flight,
        sales_fen=sold,
        difference_fen=cards_fen + pending + in_flight + sold + other - paid_in - owed,
        cards=len(cards),
        waiting=tuple(card.card_no for card in cards if card.state == "waiting"),
        differing=tuple(card.card_no for card in cards if card.state == "differs"),
        books_balance=not any(ledger.zero_sums(conn).values()),
        checked_at=clock.now() if now is None else now,
        owed_fen=owed,
        other_fen=other,
    )
