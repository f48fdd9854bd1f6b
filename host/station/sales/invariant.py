"""The money invariant: card + station + in flight = constant (D31)."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Invariant:
    """All in fen. It holds when difference_fen is 0 and nothing differs.

    paid_in_fen = cards_fen + pending_fen + in_flight_fen + sales_fen + difference_fen, where cards_fen takes each
    card's own purse as last seen, and the books' word for cards that wait for records still out.
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

    @property
    def holds(self) -> bool:
        return self.difference_fen == 0 and not self.differing and self.books_balance


def money_invariant(conn: Connection, now: int | None = None) -> Invariant:
    """The invariant as the database stands. now: Unix seconds, for checked_at."""
    raise NotImplementedError
