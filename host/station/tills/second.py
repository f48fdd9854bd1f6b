"""The second person of a counted drawer and of a refund: proven on the spot, before anything is booked (Y8)."""

from sqlalchemy import Engine

from station import cards
from station.cards import Second
from station.platform import database, parameters
from station.platform.secrets import Secrets
from station.tills import drawers, refunding


def count_signed(
    engine: Engine, secrets: Secrets, shift: int, counted_fen: int, by: str, second: Second | None, now: int
) -> str:
    """Who signs for what a drawer is off; empty if nobody need. Raises cards.SecondNeededError, TillError."""
    with database.read(engine) as conn:
        off_fen = abs(counted_fen - drawers.in_drawer(conn, drawers.shift(conn, shift).till))
        cap_fen = parameters.value(conn, "cap.adjust")
    return cards.cleared(engine, secrets, by, second, off_fen, cap_fen, f"shift {shift}", now)


def refund_signed(engine: Engine, secrets: Secrets, number: int, second: Second | None, now: int) -> str:
    """Who decides about a refund that waits: never who asked for it. Raises cards.SecondNeededError, TillError."""
    with database.read(engine) as conn:
        asked = refunding.refund(conn, number)
    return cards.cleared(engine, secrets, asked.asked_by, second, asked.amount_fen, 0, f"refund {number}", now)
