"""Loads in the books: money paid in waits as a pending load until the card has it, or goes back.

One load per card may wait: the card remembers the id of its last load only, and that is what settles a torn one.
Where the money came into is a drawer's name, `gateway:` and a payment gateway's for a top-up from afar, or `payment:`
and the number of a payment whose money stands in the books already, or `card:` and the number of a card that this one
replaces.
"""

import secrets
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from pump.core import card_layout
from station import ledger, risk
from station.cards import issuing, registry
from station.cards.registry import Card
from station.cards.tables import loads, refunds
from station.ledger import Transfer
from station.platform import parameters

GATEWAY = "gateway:"
PAYMENT = "payment:"
CARD = "card:"
ACCOUNT = "account:"
PURSES = (card_layout.KIND_REGISTERED, card_layout.KIND_ANONYMOUS)  # kinds that hold money
ID_BITS = 62  # random, so that a database brought back from a backup never gives an id out again


@dataclass(frozen=True)
class Load:
    """A load: what the card gets, where the money came into, and whether the card has it (done) or not (pending,
    cancelled). bonus_fen of the amount is given by the house."""

    load_id: int
    card_no: str
    amount_fen: int
    drawer: str
    state: str
    paid_at: int
    bonus_fen: int = 0
    by: str = ""

    @property
    def paid_fen(self) -> int:
        return self.amount_fen - self.bonus_fen


_COLUMNS = [loads.c[name] for name in Load.__dataclass_fields__]


def waiting(conn: Connection, card_no: str) -> Load | None:
    """The load of this card that is paid for and not known to be on it."""
    row = conn.execute(select(*_COLUMNS).where(loads.c.card_no == card_no, loads.c.state == "pending")).first()
    return Load(*row) if row else None


def known(conn: Connection, load_id: int) -> Load | None:
    """The load of that id, whatever became of it."""
    row = conn.execute(select(*_COLUMNS).where(loads.c.load_id == load_id)).first()
    return Load(*row) if row else None


def of_card(conn: Connection, card_no: str) -> list[Load]:
    """All loads that reached the card, newest first."""
    chosen = select(*_COLUMNS).where(loads.c.card_no == card_no, loads.c.state == "done")
    return [Load(*row) for row in conn.execute(chosen.order_by(loads.c.done_at.desc(), loads.c.paid_at.desc()))]


class LoadError(ValueError):
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


def bonus_fen(conn: Connection, paid_fen: int) -> int:
    """What the house gives on a load of paid_fen (parameters bonus.load_from, bonus.load_ppm), rounded down."""
    if paid_fen < parameters.value(conn, "bonus.load_from"):
        return 0
    return paid_fen * parameters.value(conn, "bonus.load_ppm") // 1_000_000


def top_up(conn: Connection, card_no: str, amount_fen: int, gateway: str, at: int) -> Load:
    """Money paid from afar (phone, bank) through a gateway: it waits for the card's next tap at a pump or the desk.

    gateway: its name, `payment:` and the number of a payment, or `account:` and the number of a fleet's. LoadError.
    """
    why = top_up_refusal(conn, card_no, amount_fen, at)
    if not why and waiting(conn, card_no) is not None:
        why = "已有一笔充值待写卡 a load is waiting for this card already: it has to reach the card first"
    if not why and not gateway.strip():
        why = "须写明收款渠道 say through which gateway the money came"
    if why:
        raise LoadError(why)
    drawer = gateway if gateway.startswith((PAYMENT, ACCOUNT)) else GATEWAY + gateway.strip()
    return pay(conn, card_no, amount_fen, drawer, at)


def top_up_refusal(conn: Connection, card_no: str, amount_fen: int, at: int) -> str:
    """Why a card cannot be topped up from afar (Chinese, then English); empty: it can, once no other load waits.

    What the card holds is taken from the books here, and looked at on the card when it is loaded.
    """
    held_fen = ledger.balance(conn, ledger.purse(card_no)) + ledger.balance(conn, ledger.inflight(card_no))
    return refusal(registry.card(conn, card_no), amount_fen + bonus_fen(conn, amount_fen), at, held_fen)


def listing(conn: Connection) -> list[Load]:
    """All loads that wait for their cards, oldest first."""
    chosen = select(*_COLUMNS).where(loads.c.state == "pending").order_by(loads.c.paid_at, loads.c.load_id)
    return [Load(*row) for row in conn.execute(chosen)]


def paid_into(drawer: str) -> str:
    """The account where the money of a load came into, or goes back to."""
    if drawer.startswith(PAYMENT):
        return ledger.paid_in(drawer.removeprefix(PAYMENT))
    if drawer.startswith(CARD):
        return ledger.purse(drawer.removeprefix(CARD))
    return ledger.paid_from(drawer)


def pay(conn: Connection, card_no: str, paid_fen: int, drawer: str, at: int, by: str = "") -> Load:
    """The money is there: paid_fen in the drawer, and what the house adds. Raises ValueError where a reviewer has to
    look first (risk.HeldError), or money is being taken off the card."""
    risk.refuse_held(conn, card_no, *([risk.staff_subject(by)] if by else []))
    given_fen = bonus_fen(conn, paid_fen)
    load = take(conn, card_no, paid_fen + given_fen, drawer, at, by, given_fen)
    lines = [Transfer(paid_into(drawer), ledger.pending(card_no), paid_fen)]
    if given_fen:
        lines.append(Transfer(ledger.bonus("load"), ledger.pending(card_no), given_fen))
    ledger.post(conn, f"load:{load.load_id}", at, lines)
    risk.loaded(conn, card_no, paid_fen, by, load.load_id, at)
    return load


def give_back(conn: Connection, card_no: str, amount_fen: int, account: str, by: str, at: int) -> Load:
    """Money that the card had paid comes back to it, out of an account of the books: it waits for the card's next tap,
    is no new money and earns nothing. LoadError."""
    why = top_up_refusal(conn, card_no, amount_fen, at)
    if not why and waiting(conn, card_no) is not None:
        why = "已有一笔充值待写卡 a load is waiting for this card already: it has to reach the card first"
    if why:
        raise LoadError(why)
    load = take(conn, card_no, amount_fen, f"{GATEWAY}refunds", at, by)
    ledger.post(conn, f"load:{load.load_id}", at, [Transfer(account, ledger.pending(card_no), amount_fen)])
    return load


def take(conn: Connection, card_no: str, amount_fen: int, drawer: str, at: int, by: str, given_fen: int = 0) -> Load:
    """A load that waits for its card; the caller posts its money to ledger.pending(card_no). LoadError."""
    if conn.execute(
        select(refunds.c.refund_id).where(refunds.c.card_no == card_no, refunds.c.state == "pending")
    ).first():
        raise LoadError("卡上有一笔退款未完成 money is being taken off this card: finish or cancel that first")
    load = Load(secrets.randbits(ID_BITS) | 1, card_no, amount_fen, drawer, "pending", at, given_fen, by)
    conn.execute(insert(loads).values(**asdict(load)))
    return load


def done(conn: Connection, load: Load, by: str, at: int) -> None:
    """The card has it. May be told any number of times."""
    if _finish(conn, load, "done", at):
        lines = [Transfer(ledger.pending(load.card_no), ledger.purse(load.card_no), load.amount_fen)]
        ledger.post(conn, f"loaded:{load.load_id}", at, lines)
        registry.note(conn, load.card_no, at, "loaded", by, str(load.amount_fen))


def moved(conn: Connection, load: Load, by: str, at: int) -> None:
    """The card will never have it: its money goes on with the balance of the card that replaces it."""
    if _finish(conn, load, "done", at):
        registry.note(conn, load.card_no, at, "moved", by, str(load.amount_fen))


def cancelled(conn: Connection, load: Load, by: str, at: int) -> None:
    """The card was seen without it, and the money goes back to where it came from. LoadError for what was moved from
    another card: that card is dead, only this one can hold it."""
    if load.drawer.startswith(CARD):
        raise LoadError(
            "补卡转入的余额不能退回旧卡 what came from the old card belongs on this one: put it on, then refund"
        )
    if _finish(conn, load, "cancelled", at):
        lines = [Transfer(ledger.pending(load.card_no), paid_into(load.drawer), load.paid_fen)]
        if load.bonus_fen:
            lines.append(Transfer(ledger.pending(load.card_no), ledger.bonus("load"), load.bonus_fen))
        ledger.post(conn, f"unloaded:{load.load_id}", at, lines)
        registry.note(conn, load.card_no, at, "cancelled", by, str(load.amount_fen))


def _finish(conn: Connection, load: Load, state: str, at: int) -> bool:
    mine = (loads.c.load_id == load.load_id) & (loads.c.state == "pending")
    return conn.execute(update(loads).where(mine).values(state=state, done_at=at)).rowcount == 1


def yuan(fen: int) -> str:
    """Money for people: 12345 -> 123.45."""
    return f"{'-' if fen < 0 else ''}{abs(fen) // 100}.{abs(fen) % 100:02d}"
