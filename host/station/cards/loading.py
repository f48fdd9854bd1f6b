"""Loads in the books: money paid in waits as a pending load until the card has it, or goes back.

One load per card may wait: the card remembers the id of its last load only, and that is what settles a torn one.
Where the money came into is a drawer's name, or `gateway:` and a payment gateway's for a top-up from afar.
"""

import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from pump.core import card_layout
from station import ledger
from station.cards import issuing, registry
from station.cards.registry import Card
from station.cards.tables import loads
from station.ledger import Transfer

GATEWAY = "gateway:"
PURSES = (card_layout.KIND_REGISTERED, card_layout.KIND_ANONYMOUS)  # kinds that hold money
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


class LoadError(Exception):
    """No such load can be taken; the message (Chinese, then English) says why. No money was taken."""


def upper_fen(kind: int) -> int:
    """What a card of this kind may hold at most, by law."""
    return issuing.UPPER_FEN.get(kind, card_layout.PURSE_UPPER_ANONYMOUS_FEN)


def refusal(card: Card | None, amount_fen: int, now: int, balance_fen: int) -> str:
    """Why amount_fen cannot be loaded on a card that holds balance_fen (Chinese, then English); empty: it can."""
    if card is None or card.state != "active":
        return "该卡未登记或已停用，不能充值 the card is not registered or blocked: it cannot be loaded"
    if card.kind not in PURSES:
        return "这种卡不存钱，不能充值 this kind of card holds no money"
    if amount_fen <= 0:
        return "充值金额须大于零 the amount must be above zero"
    if card.expiry and now >= card.expiry:
        return "卡已过期 the card has expired"
    if balance_fen + amount_fen > upper_fen(card.kind):
        return f"超过卡内限额 {yuan(upper_fen(card.kind))} 元 above what the card may hold"
    return ""


def top_up(conn: Connection, card_no: str, amount_fen: int, gateway: str, at: int) -> Load:
    """Money paid from afar (phone, bank) through a gateway: it waits for the card's next tap at a pump or the desk.

    LoadError. What the card holds is taken from the books here, and looked at on the card when it is loaded.
    """
    held_fen = ledger.balance(conn, ledger.purse(card_no)) + ledger.balance(conn, ledger.inflight(card_no))
    why = refusal(registry.card(conn, card_no), amount_fen, at, held_fen)
    if not why and waiting(conn, card_no) is not None:
        why = "已有一笔充值待写卡 a load is waiting for this card already: it has to reach the card first"
    if not why and not gateway.strip():
        why = "须写明收款渠道 say through which gateway the money came"
    if why:
        raise LoadError(why)
    return pay(conn, card_no, amount_fen, GATEWAY + gateway.strip(), at)


def listing(conn: Connection) -> list[Load]:
    """All loads that wait for their cards, oldest first."""
    rows = conn.execute(select(loads).where(loads.c.state == "pending").order_by(loads.c.paid_at, loads.c.load_id))
    return [Load(row.load_id, row.card_no, row.amount_fen, row.drawer, row.state, row.paid_at) for row in rows]


def _paid_into(drawer: str) -> str:
    return ledger.gateway(drawer.removeprefix(GATEWAY)) if drawer.startswith(GATEWAY) else ledger.cash(drawer)


def pay(conn: Connection, card_no: str, amount_fen: int, drawer: str, at: int) -> Load:
    """The money is in the drawer."""
    load = Load(secrets.randbits(ID_BITS) | 1, card_no, amount_fen, drawer, "pending", at)
    conn.execute(
        insert(loads).values(
            load_id=load.load_id, card_no=card_no, amount_fen=amount_fen, drawer=drawer, state="pending", paid_at=at
        )
    )
    lines = [Transfer(_paid_into(drawer), ledger.pending(card_no), amount_fen)]
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
        lines = [Transfer(ledger.pending(load.card_no), _paid_into(load.drawer), load.amount_fen)]
        ledger.post(conn, f"unloaded:{load.load_id}", at, lines)
        registry.note(conn, load.card_no, at, "cancelled", by, str(load.amount_fen))


def _finish(conn: Connection, load: Load, state: str, at: int) -> bool:
    mine = (loads.c.load_id == load.load_id) & (loads.c.state == "pending")
    return conn.execute(update(loads).where(mine).values(state=state, done_at=at)).rowcount == 1


def yuan(fen: int) -> str:
    """Money for people: 12345 -> 123.45."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
