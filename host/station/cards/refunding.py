"""Money that leaves a card at the desk, in the books: asked for, taken off the card, paid to where it came from.

Asking moves it from the purse to what is pending for the card, so that a card torn while it is taken off never differs
from its books by more than what is pending (sales.Shadow). The refund's id goes onto the card in the same commit as the
debit, as a load's does: the next contact reads from it whether it happened. Nobody is paid before that.
"""

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from station import ledger, risk
from station.cards import incentives, loading, registry
from station.cards.loading import PAYMENT, Load, LoadError, yuan
from station.cards.registry import Card
from station.cards.tables import refunds
from station.ledger import Transfer
from station.platform import audit

Payback = Callable[[Connection, str, int, str, str, str, int], None]
_paybacks: dict[str, Payback] = {}


def register_payback(prefix: str, do: Payback) -> None:
    """How money goes back to sources that begin with prefix: do(conn, the rest of the source, amount_fen, account, by,
    why, now) posts amount_fen from `account` onwards. Without one such money is not paid out."""
    _paybacks[prefix] = do


@dataclass(frozen=True)
class Refund:
    """amount_fen goes to the customer, bonus_fen to the house; sources: (where it came from, fen), together amount_fen.

    state: pending, done, cancelled. closes: the card ends with it.
    """

    refund_id: int
    card_no: str
    amount_fen: int
    bonus_fen: int
    closes: bool
    drawer: str
    sources: tuple[tuple[str, int], ...]
    state: str
    by: str
    second: str
    why: str
    asked_at: int
    done_at: int | None = None

    @property
    def off_card_fen(self) -> int:
        return self.amount_fen + self.bonus_fen


@dataclass(frozen=True)
class Quote:
    """What a card's holder can have back of balance_fen: all but what is left of bonuses, which are spent last."""

    balance_fen: int
    bonus_fen: int

    @property
    def refundable_fen(self) -> int:
        return self.balance_fen - self.bonus_fen


def quote(conn: Connection, card_no: str, balance_fen: int) -> Quote:
    """Of what the card holds, how much was given and not paid."""
    given = sum(load.bonus_fen for load in _loads(conn, card_no))
    back = sum(refund.bonus_fen for refund in _done(conn, card_no))
    return Quote(balance_fen, min(balance_fen, given - back))


def pending(conn: Connection, card_no: str) -> Refund | None:
    """The refund of this card that was asked for and is not known to be done."""
    row = conn.execute(select(refunds).where(refunds.c.card_no == card_no, refunds.c.state == "pending")).first()
    return _refund(row) if row else None


def known(conn: Connection, refund_id: int) -> Refund | None:
    """The refund of that id, whatever became of it."""
    row = conn.execute(select(refunds).where(refunds.c.refund_id == refund_id)).first()
    return _refund(row) if row else None


def of_card(conn: Connection, card_no: str) -> list[Refund]:
    """All refunds of the card that were not cancelled, newest first."""
    chosen = select(refunds).where(refunds.c.card_no == card_no, refunds.c.state != "cancelled")
    return [_refund(row) for row in conn.execute(chosen.order_by(refunds.c.asked_at.desc()))]


def ask(
    conn: Connection, card: Card | None, balance_fen: int, amount_fen: int | None, drawer: str, by: str, second: str,
    why: str, now: int,
) -> Refund:  # fmt: skip
    """Books what is to be taken off. amount_fen None: all, and the card is closed. ValueError, nothing is booked."""
    if card is None or card.state != "active" or card.kind not in loading.PURSES:
        raise LoadError("该卡不能退款：未登记、已停用或不存钱 not registered, blocked, or a card without money")
    if not why.strip():
        raise LoadError("须写明原因 say why")
    if loading.waiting(conn, card.card_no) or pending(conn, card.card_no):
        raise LoadError("有一笔充值或退款未完成，请先续写或取消 a load or refund is not finished: resume or cancel it")
    risk.refuse_held(conn, card.card_no, risk.staff_subject(by))
    can = quote(conn, card.card_no, balance_fen)
    wanted = can.refundable_fen if amount_fen is None else amount_fen
    if not (0 <= wanted <= can.refundable_fen) or (amount_fen is not None and not amount_fen):
        raise LoadError(f"可退 {yuan(can.refundable_fen)} 元（赠送部分不退）what can be refunded; gifts cannot")
    refund = Refund(
        secrets.randbits(loading.ID_BITS) | 1,
        card.card_no,
        wanted,
        can.bonus_fen if amount_fen is None else 0,
        amount_fen is None,
        drawer,
        _sources(conn, card.card_no, wanted, drawer),
        "pending",
        by,
        second,
        why.strip(),
        now,
    )
    conn.execute(insert(refunds).values(**refund.__dict__ | {"sources": json.dumps(refund.sources)}))
    if refund.off_card_fen:
        lines = [Transfer(ledger.purse(card.card_no), ledger.pending(card.card_no), refund.off_card_fen)]
        ledger.post(conn, f"refund:{refund.refund_id}", now, lines)
    new = {"amount_fen": wanted, "second": second, "closes": refund.closes}
    audit.record(conn, now, by, "card.refund", card.card_no, {"balance_fen": balance_fen}, new, refund.why)
    return refund


def done(conn: Connection, refund: Refund, by: str, now: int) -> None:
    """The card has given it: the money goes to where it came from. May be told any number of times."""
    if not _finish(conn, refund, "done", now):
        return
    account = ledger.pending(refund.card_no)
    lines = [Transfer(account, loading.paid_into(place), fen) for place, fen in refund.sources if not _payer(place)]
    if refund.bonus_fen:
        lines.append(Transfer(account, ledger.bonus("load"), refund.bonus_fen))
    if lines:
        ledger.post(conn, f"refunded:{refund.refund_id}", now, lines)
    for place, fen in refund.sources:
        if pay := _payer(place):
            pay(conn, place.partition(":")[2], fen, account, by, refund.why, now)
    registry.note(conn, refund.card_no, now, "refunded", by, str(refund.off_card_fen))
    risk.refunded(conn, refund.card_no, refund.amount_fen, refund.by, refund.refund_id, now)
    if refund.closes:
        registry.close(conn, refund.card_no, refund.why, by, now)
        incentives.claw_back(conn, refund.card_no, by, now)


def cancelled(conn: Connection, refund: Refund, by: str, now: int) -> None:
    """The card still has it, and keeps it."""
    if _finish(conn, refund, "cancelled", now):
        if refund.off_card_fen:
            lines = [Transfer(ledger.pending(refund.card_no), ledger.purse(refund.card_no), refund.off_card_fen)]
            ledger.post(conn, f"unrefunded:{refund.refund_id}", now, lines)
        registry.note(conn, refund.card_no, now, "refund_cancelled", by, str(refund.amount_fen))


def _finish(conn: Connection, refund: Refund, state: str, now: int) -> bool:
    mine = (refunds.c.refund_id == refund.refund_id) & (refunds.c.state == "pending")
    return conn.execute(update(refunds).where(mine).values(state=state, done_at=now)).rowcount == 1


def _sources(conn: Connection, card_no: str, wanted_fen: int, drawer: str) -> tuple[tuple[str, int], ...]:
    """Where the money that is on the card came from: what was paid last is still there. Cash goes out of the drawer
    that is at hand, and so does what nobody paid in (money given back onto the card)."""
    gone: dict[str, int] = {}
    for refund in _done(conn, card_no):
        for place, fen in refund.sources:
            gone[place] = gone.get(place, 0) + fen
    taken: dict[str, int] = {}
    left = wanted_fen
    for load in _loads(conn, card_no):
        place = load.drawer if ":" in load.drawer else drawer
        before = min(gone.get(place, 0), load.paid_fen)
        gone[place] = gone.get(place, 0) - before
        part = min(left, load.paid_fen - before)
        if part and place.startswith(PAYMENT) and not _payer(place):
            raise LoadError(f"原支付渠道暂不能退款 the payment cannot be given back now: {place}")
        if part:
            taken[place] = taken.get(place, 0) + part
        left -= part
    if left:
        taken[drawer] = taken.get(drawer, 0) + left
    return tuple(taken.items())


def _payer(place: str) -> Payback | None:
    return next((do for prefix, do in _paybacks.items() if place.startswith(prefix)), None)


def _loads(conn: Connection, card_no: str) -> list[Load]:
    """What was paid for the card and for those it replaces, newest first; not what was moved between them."""
    numbers = registry.line(conn, card_no)
    found = [load for number in numbers for load in loading.of_card(conn, number)]
    return [load for load in found if not load.drawer.startswith(loading.CARD)]


def _done(conn: Connection, card_no: str) -> list[Refund]:
    numbers = registry.line(conn, card_no)
    return [refund for number in numbers for refund in of_card(conn, number) if refund.state == "done"]


def _refund(row: Row[Any]) -> Refund:
    values = row._asdict()
    sources = tuple((place, fen) for place, fen in json.loads(values["sources"]))
    return Refund(**values | {"sources": sources, "closes": bool(values["closes"])})
