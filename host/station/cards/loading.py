"""Loads in the books: money paid in waits as a pending load until the card has it, or goes back.

One load per card may wait: the card remembers the id of its last load only, and that is what settles a torn one.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from station import ledger
from station.cards import registry
from station.cards.tables import loads
from station.ledger import Transfer

ID_BITS = 62  # random, so that a database brought back from a backup never gives an id out again


@dataclass(frozen=True)
class Load:
    """A load: fen, the drawer the money came into, and whether the card has it (done) or not (pending, cancelled)."""

    load_id: int
    card_no: str
    amount_fen: int
    drawer: str
    state: str
    paid_at: int


def waiting(conn: Connection, card_no: str) -> Load | None:
    """The load of this card that is paid for and not known to be on it."""
    row = conn.execute(select(loads).where(loads.c.card_no == card_no, loads.c.state == "pending")).first()
    return Load(row.load_id, row.card_no, row.amount_fen, row.drawer, row.state, row.paid_at) if row else None


def pay(conn: Connection, card_no: str, amount_fen: int, drawer: str, at: int) -> Load:
    """The money is in the drawer."""
    load = Load(secrets.randbits(ID_BITS) | 1, card_no, amount_fen, drawer, "pending", at)
    conn.execute(
        insert(loads).values(
            load_id=load.load_id, card_no=card_no, amount_fen=amount_fen, drawer=drawer, state="pending", paid_at=at
        )
    )
    lines = [Transfer(ledger.cash(drawer), ledger.pending(card_no), amount_fen)]
    ledger.post(conn, f"load:{load.load_id}", at, lines)
    return load


def done(conn: Connection, load: Load, by: str, at: int) -> None:
    """The card has it. May be told any number of times."""
    if _finish(conn, load, "done", at):
        lines = [Transfer(ledger.pending(load.card_no), ledger.purse(load.card_no), load.amount_fen)]
        ledger.post(conn, f"loaded:{load.load_id}", at, lines)
        registry.note(conn, load.card_no, at, "loaded", by, str(load.amount_fen))


def cancelled(conn: Connection, load: Load, by: str, at: int) -> None:
    """The card was seen without it, and the money went back out of the drawer."""
    if _finish(conn, load, "cancelled", at):
        lines = [Transfer(ledger.pending(load.card_no), ledger.cash(load.drawer), load.amount_fen)]
        ledger.post(conn, f"unloaded:{load.load_id}", at, lines)
        registry.note(conn, load.card_no, at, "cancelled", by, str(load.amount_fen))


def _finish(conn: Connection, load: Load, state: str, at: int) -> bool:
    mine = (loads.c.load_id == load.load_id) & (loads.c.state == "pending")
    return conn.execute(update(loads).where(mine).values(state=state, done_at=at)).rowcount == 1
