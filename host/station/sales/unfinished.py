"""Sales whose card left before the settlement: what the host can say to a pump or the desk that meets the card."""

from dataclasses import dataclass

from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A reserved sale without settlement. amount_fen is None while the end is not known here."""

    device: int
    seq: int
    card_no: str | None
    counter: int | None
    reserved_fen: int
    amount_fen: int | None
    volume_ml: int | None
    grade: int | None
    price_fen_per_l: int | None
    reason: int | None


def unfinished(conn: Connection, device: int, seq: int) -> Unfinished | None:
    """What is known of a sale that a card holds open; None if the host knows nothing of it.

    Also answers for sales already settled or voided in the books: the card decides whether it is still open.
    """
    raise NotImplementedError


def unfinished_of(conn: Connection, card_no: str) -> list[Unfinished]:
    """All sales of a card that are reserved and not settled."""
    raise NotImplementedError


def accept_end(
    conn: Connection, device: int, seq: int, amount_fen: int, volume_ml: int, by: tuple[str, str], why: str, at: int
) -> None:
    """Two people end a sale whose pump is gone for good, from its last telemetry. The posting follows at once.

    Raises ValueError (Chinese, then English) if the sale is unknown or ended, amounts are impossible, or `by` is one person.
    """
    raise NotImplementedError
