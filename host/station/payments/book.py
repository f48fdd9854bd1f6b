"""Payments in the database and in the books: made, paid once, closed; nothing that came in is lost (Y1).

What the gateway says is true of the money: a payment that we had given up and that was paid after all is paid. It is
booked once, whatever callbacks and queries do, and then handed to its purpose in the same transaction.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, insert, select, update

from station import ledger
from station.ledger import Transfer
from station.payments import purposes, tables
from station.payments.gateway import PAID, Order, Outcome, china_time, yuan_of
from station.platform import audit

LIFE_S = 900  # how long a code is good for
MOST_FEN = 10_000_000
TITLES = {"load": "加油卡充值", "bill": "加油账单", "account": "单位还款"}  # what the customer reads


class PaymentError(ValueError):
    """It cannot be; the message (Chinese, then English) says why. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands; see tables.py for the columns."""

    order_no: str
    purpose: str
    amount_fen: int
    gateway: str
    state: str
    code: str
    trade_no: str
    by: str
    made_at: int
    until: int
    paid_at: int | None
    applied_at: int | None
    waits: str

    @property
    def order(self) -> Order:
        """What its gateway is asked for."""
        title = TITLES.get(self.purpose.partition(":")[0], "加油站收款")
        return Order(self.order_no, self.amount_fen, f"{title} {yuan_of(self.amount_fen)} 元", self.until)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a payment."""

    at: int
    event: str
    by: str
    detail: str


def number(letter: str, now: int) -> str:
    """A new number: the letter, China's time to the second, and 40 random bits; 23 letters and digits."""
    return f"{letter}{china_time(now):%y%m%d%H%M%S}{secrets.token_hex(5)}"


def make(conn: Connection, gateway: str, purpose: str, amount_fen: int, by: str, now: int) -> Payment:
    """Asks for amount_fen for a purpose (`load:6200...`, `bill:17`). The QR code comes with present(). ValueError."""
    if not 0 < amount_fen <= MOST_FEN:
        raise PaymentError("金额须大于零且不超过十万元 the amount must be above zero and at most 100,000 yuan")
    purposes.of(purpose).check(conn, purposes.which(purpose), amount_fen, now)
    row = {"order_no": number("P", now), "purpose": purpose, "amount_fen": amount_fen, "gateway": gateway, "by": by}
    conn.execute(insert(tables.payments), {**row, "state": "made", "made_at": now, "until": now + LIFE_S})
    note(conn, row["order_no"], now, "made", by, yuan_of(amount_fen))
    audit.record(conn, now, by, "payment.make", str(row["order_no"]), {}, {"purpose": purpose, "fen": amount_fen})
    return known(conn, str(row["order_no"]))


def payment(conn: Connection, order_no: str) -> Payment | None:
    """One payment."""
    row = conn.execute(_select().where(tables.payments.c.order_no == order_no)).first()
    return Payment(*row) if row else None


def known(conn: Connection, order_no: str) -> Payment:
    """As payment(), PaymentError if there is none."""
    found = payment(conn, order_no)
    if found is None:
        raise PaymentError(f"没有这笔付款 there is no such payment: {order_no}")
    return found


def listing(conn: Connection, limit: int, offset: int = 0, *, state: str = "", search: str = "") -> list[Payment]:
    """Payments, newest first. state: one of them, or `waiting`: paid, and not where it belongs."""
    p = tables.payments.c
    query = _filtered(_select(), state, search).order_by(p.made_at.desc(), p.order_no.desc())
    return [Payment(*row) for row in conn.execute(query.limit(limit).offset(offset))]


def count(conn: Connection, *, state: str = "", search: str = "") -> int:
    """How many listing() would give without a limit."""
    return int(conn.execute(_filtered(select(func.count()).select_from(tables.payments), state, search)).scalar() or 0)


def events(conn: Connection, order_no: str) -> list[Event]:
    """What happened to a payment, oldest first."""
    e = tables.events.c
    query = select(e.at, e.event, e.by, e.detail).where(e.order_no == order_no).order_by(e.id)
    return [Event(*row) for row in conn.execute(query)]


def settle(conn: Connection, gateway: str, outcome: Outcome, now: int) -> bool:
    """The gateway says how a payment stands; True if it is booked as paid, now or before.

    An amount that is not the one we asked for, or an order that is not ours, is noted and books nothing.
    """
    found = payment(conn, outcome.order_no)
    source = f"gateway:{gateway}"
    if found is None or found.gateway != gateway:
        note_once(conn, outcome.order_no, now, "unknown", source, f"{outcome.state} {yuan_of(outcome.amount_fen)}")
        return False
    if outcome.state != PAID:
        return False
    if outcome.amount_fen != found.amount_fen:
        detail = f"{yuan_of(found.amount_fen)} ≠ {yuan_of(outcome.amount_fen)}"
        note_once(conn, found.order_no, now, "differs", source, detail)
        return False
    if found.state == "paid":
        return True
    paid_at = outcome.at or now
    _change(conn, found.order_no, state="paid", trade_no=outcome.trade_no, paid_at=paid_at)
    lines = [Transfer(ledger.gateway(gateway), ledger.paid_in(found.order_no), found.amount_fen)]
    ledger.post(conn, f"payment:{found.order_no}", paid_at, lines, found.purpose)
    note(conn, found.order_no, now, "paid", source, outcome.trade_no)
    apply(conn, known(conn, found.order_no), now)
    return True


def apply(conn: Connection, paid: Payment, now: int) -> bool:
    """Hands the money to its purpose; False and kept for later if that cannot take it now."""
    if paid.state != "paid" or paid.applied_at is not None or ledger_waits(conn, paid) != paid.amount_fen:
        return False
    try:
        with conn.begin_nested():
            purposes.of(paid.purpose).apply(conn, paid, now)
    except ValueError as error:
        if str(error) != paid.waits:
            _change(conn, paid.order_no, waits=str(error))
            note(conn, paid.order_no, now, "waits", "station", str(error))
        return False
    placed(conn, paid.order_no, now)
    note(conn, paid.order_no, now, "applied", "station")
    return True


def placed(conn: Connection, order_no: str, now: int) -> None:
    """The money has found its place: where it was meant for, or the way back."""
    _change(conn, order_no, applied_at=now, waits="")


def apply_waiting(conn: Connection, now: int) -> int:
    """Tries again what came in and could not be placed; how many could be now."""
    return sum(apply(conn, one, now) for one in reversed(listing(conn, 500, state="waiting")))


def ledger_waits(conn: Connection, paid: Payment) -> int:
    """Of what came in: fen that nobody has placed, given back or promised to give back."""
    r = tables.refunds.c
    promised = select(func.sum(r.amount_fen)).where(r.order_no == paid.order_no, r.state == "asked")
    return ledger.balance(conn, ledger.paid_in(paid.order_no)) - int(conn.execute(promised).scalar() or 0)


def presented(conn: Connection, order_no: str, code: str, now: int) -> None:
    """The gateway gave the text of the QR code."""
    if not known(conn, order_no).code:
        _change(conn, order_no, code=code)
        note(conn, order_no, now, "presented", "station")


def give_up(conn: Connection, order_no: str, state: str, by: str, now: int, detail: str = "") -> None:
    """closed (nobody paid in time, or somebody called it off) or failed (the gateway would not take it)."""
    if known(conn, order_no).state == "made":
        _change(conn, order_no, state=state)
        note(conn, order_no, now, state, by, detail)


def looked(conn: Connection, order_no: str, now: int) -> None:
    """The gateway was asked."""
    _change(conn, order_no, looked_at=now)


def to_look_at(conn: Connection, now: int) -> list[Payment]:
    """Payments that nothing is known of for a while: the older, the rarer they are asked for."""
    p = tables.payments.c
    query = _select().where(p.state == "made", (now - p.looked_at) * 6 >= now - p.made_at, now - p.looked_at >= 5)
    return [Payment(*row) for row in conn.execute(query.order_by(p.made_at).limit(50))]


def note(conn: Connection, order_no: object, now: int, event: str, by: str, detail: str = "") -> None:
    """Writes down what happened to a payment."""
    row = {"order_no": order_no, "at": now, "event": event, "by": by, "detail": detail}
    conn.execute(insert(tables.events), row)


def note_once(conn: Connection, order_no: str, now: int, event: str, by: str, detail: str) -> None:
    """As note(), unless it stands there already: what goes wrong goes wrong each time a gateway asks."""
    if not any((e.event, e.by, e.detail) == (event, by, detail) for e in events(conn, order_no)):
        note(conn, order_no, now, event, by, detail)


def _change(conn: Connection, order_no: str, **values: Any) -> None:
    conn.execute(update(tables.payments).where(tables.payments.c.order_no == order_no).values(values))


_COLUMNS: Mapping[str, Any] = {name: tables.payments.c[name] for name in Payment.__slots__}


def _select() -> Select[Any]:
    return select(*_COLUMNS.values())


def _filtered(query: Select[Any], state: str, search: str) -> Select[Any]:
    p = tables.payments.c
    if state == "waiting":
        query = query.where(p.state == "paid", p.applied_at.is_(None))
    elif state:
        query = query.where(p.state == state)
    if search:
        begins = (p.order_no.startswith(search, autoescape=True), p.purpose.contains(search, autoescape=True))
        query = query.where(begins[0] | begins[1] | (p.trade_no == search))
    return query
