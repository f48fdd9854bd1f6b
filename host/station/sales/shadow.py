"""The shadow of each card: what was seen of its purse, beside what the books make of it. The card is the truth."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Shadow:
    """state: `agrees`, `waiting` (records of some pump still out: see missing), `differs` (nothing explains it: alarm)."""

    card_no: str
    uid: str | None
    state: str
    counter: int  # highest purse counter seen
    missing: int  # how many counters up to it are not in yet
    seen_fen: int | None  # the purse at the latest sighting
    seen_at: int | None
    books_fen: int  # ledger purse(card)
    in_flight_fen: int
    pending_fen: int


def open_shadow(conn: Connection, card_no: str, uid: str, at: int) -> None:
    """Makes a card known at its issue (counter 0, empty purse); harmless if it is known. uid: 14 hex digits, lower case."""
    raise NotImplementedError


def observe(conn: Connection, card_no: str, counter: int, balance_fen: int, at: int) -> None:
    """The desk saw this purse and counter on the card, with no reservation open (also call it right after a load)."""
    raise NotImplementedError


def shadow(conn: Connection, card_no: str) -> Shadow | None:
    """The shadow of one card; None if it was never seen."""
    raise NotImplementedError
