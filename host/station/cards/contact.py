"""What comes out of reading a card at the desk, and how the books are brought to it.

The card is the truth of its purse: a load or a refund that was torn, and a sale that was settled elsewhere, show here.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from station import sales
from station.cards import loading, refunding, registry
from station.cards.loading import Load
from station.cards.on_card import CardView, LogEntry, Reservation
from station.cards.refunding import Refund
from station.cards.registry import Card
from station.sales import Shadow


@dataclass(frozen=True)
class Contact:
    """What came out of reading a card: the card, how it is registered, the books' shadow, and what was put right."""

    view: CardView
    card: Card | None
    shadow: Shadow | None
    waiting: Load | None  # paid for and certainly not on the card
    loaded: Load | None  # an earlier load that turned out to be on the card
    settled: tuple[Reservation, int] | None  # a sale settled now, and what it cost in fen
    refunding: Refund | None = None  # asked for and certainly not off the card
    refunded: Refund | None = None  # an earlier refund that turned out to be off the card
    outstanding: tuple[LogEntry, ...] = ()  # sales in the card's log whose records are still out


def meet(conn: Connection, view: CardView, settled: tuple[Reservation, int] | None, by: str, now: int) -> Contact:
    """Bring the books to the card that was read."""
    load = loading.waiting(conn, view.card_no)
    loaded = load if load is not None and view.last_load == load.load_id else None
    if loaded is not None:
        loading.done(conn, loaded, by, now)
    refund = refunding.pending(conn, view.card_no)
    refunded = refund if refund is not None and view.last_load == refund.refund_id else None
    if refunded is not None:
        refunding.done(conn, refunded, by, now)
    if view.open is None:
        _book_settlement(conn, view, by, now)
        sales.observe(conn, view.card_no, view.counter, view.balance_fen, now)
    card = registry.card(conn, view.card_no)
    if card is not None and card.expiry != view.expiry:
        registry.renewed(conn, view.card_no, view.expiry, by, now)
    return Contact(
        view,
        registry.card(conn, view.card_no),
        sales.shadow(conn, view.card_no),
        loading.waiting(conn, view.card_no),
        loaded,
        settled,
        refunding.pending(conn, view.card_no),
        refunded,
        tuple(entry for entry in view.log if _is_out(conn, entry)),
    )


def _is_out(conn: Connection, entry: LogEntry) -> bool:
    sale = sales.sale(conn, entry.device, entry.seq)
    return sale is None or sale.amount_fen is None or sale.settled is None


def _book_settlement(conn: Connection, view: CardView, by: str, now: int) -> None:
    """The card's last sale is settled on the card; if the pump's record of that is still out, book it now."""
    entry = view.log[-1] if view.log else None
    if entry is None or entry.counter != view.counter:
        return
    sale = sales.sale(conn, entry.device, entry.seq)
    if sale is None or sale.settled is not None or sale.reserved_fen is None:
        return
    event = "settled"
    try:
        sales.settled_at_desk(
            conn,
            entry.device,
            entry.seq,
            view.uid.hex(),
            entry.counter,
            sale.reserved_fen,
            entry.amount_fen,
            view.balance_fen,
            by,
            now,
        )
    except ValueError:  # the records say otherwise: the shadow will differ and show it
        event = "contradiction"
    registry.note(conn, view.card_no, now, event, by, f"{entry.device}/{entry.seq}")
