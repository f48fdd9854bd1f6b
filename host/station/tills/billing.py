"""Bills: fuel and goods on one, paid in one or several ways that together bring what the lines cost, to the fen.

Fuel that a card's purse or an account paid at the pump stands on the bill with that payment beside it and is not
charged again. Fuel that the pump booked on the walk-in account (parameter `till.account`) is paid here, and the money
takes it off that account. Goods leave the shelf when the bill is opened and come back if it is void.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, func, insert, select, tuple_, update

from station import ledger, sales
from station.cards import yuan
from station.ledger import PIECES, Transfer
from station.platform import audit, parameters
from station.tills import drawers, invoicing, shelf, tables, tenders
from station.tills.errors import TillError
from station.tills.tenders import ACCOUNT, CASH, PURSE, Doing, Tender

OPEN, PAID, VOID = "open", "paid", "void"
FUEL, GOODS = "fuel", "goods"
AT_HAND_S = 86_400  # how old fuel may be to be offered at the till


@dataclass(frozen=True, slots=True)
class FuelWanted:
    """A sale of a pump, by its name."""

    device: int
    seq: int


@dataclass(frozen=True, slots=True)
class GoodsWanted:
    """Pieces of goods."""

    code: str
    pieces: int = 1


@dataclass(frozen=True, slots=True)
class Payment:
    """What is put down: of cash it may be more than is due. ref: as Tender.ref."""

    kind: str
    handed_fen: int
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """quantity: ml of fuel or pieces; price_fen: of a litre or a piece; account: that the pump booked the fuel on."""

    line: int
    kind: str
    name: str
    code: str | None
    device: int | None
    seq: int | None
    grade: int | None
    account: int | None
    quantity: int
    price_fen: int
    amount_fen: int
    returned_fen: int = 0
    returned_pieces: int = 0

    @property
    def what(self) -> str:
        """Its name in the accounts of what was given back."""
        return f"grade:{self.grade}" if self.kind == FUEL else str(self.code)

    @property
    def rest_fen(self) -> int:
        """What has not been given back."""
        return self.amount_fen - self.returned_fen


@dataclass(frozen=True, slots=True)
class Bill:
    """released_at: when a customer who paid from the car (at `pump`) was let go."""

    bill: int
    till: str
    shift: int
    made_at: int
    made_by: str
    state: str
    total_fen: int
    paid_at: int | None
    pump: str | None
    released_at: int | None
    lines: tuple[Line, ...]
    tenders: tuple[Tender, ...]

    @property
    def due_fen(self) -> int:
        """What is still to be paid."""
        return self.total_fen - sum(tender.amount_fen for tender in self.tenders)

    @property
    def change_fen(self) -> int:
        return sum(tender.handed_fen - tender.amount_fen for tender in self.tenders)

    @property
    def returned_fen(self) -> int:
        return sum(line.returned_fen for line in self.lines)


@dataclass(frozen=True, slots=True)
class AtHand:
    """Fuel of the last day that stands on no bill; due_fen: to be paid here, 0 if the pump has the money."""

    sale: sales.SaleRow
    due_fen: int


def at_hand(conn: Connection, now: int, limit: int = 20) -> list[AtHand]:
    """The latest fuel that a bill can be made of: what is to be paid first, then newest first."""
    rows = [row for row in sales.recent(conn, 500, since=now - AT_HAND_S) if row.amount_fen and row.ended]
    ln = tables.lines.c
    named = tuple_(ln.device, ln.seq).in_([(row.device, row.seq) for row in rows])
    billed = {(device, seq) for device, seq in conn.execute(select(ln.device, ln.seq).where(ln.live == 1, named))}
    walk_in = parameters.value(conn, "till.account")
    found = [
        AtHand(row, row.amount_fen or 0 if _is_walk_in(row, walk_in) else 0)
        for row in rows
        if (row.device, row.seq) not in billed and _payer(row)
    ]
    return sorted(found, key=lambda one: one.due_fen == 0)[:limit]


def open_bill(
    conn: Connection,
    till: str,
    wanted: Sequence[FuelWanted | GoodsWanted],
    by: str,
    now: int,
    pump: str | None = None,
) -> Bill:
    """A bill of fuel and goods; paid at once if the pump had settled all of it. TillError."""
    shift = drawers.till(conn, till).shift
    if shift is None:
        raise TillError(f"收银台 {till} 尚未开班 till {till} has no open shift")
    if not wanted:
        raise TillError("账单为空 there is nothing on the bill")
    number = int(conn.execute(select(func.max(tables.bills.c.bill))).scalar() or 0) + 1
    made = [_line(conn, place, one) for place, one in enumerate(wanted, 1)]
    row = {
        "bill": number,
        "till": till,
        "shift": shift.shift,
        "made_at": now,
        "made_by": by,
        "state": OPEN,
        "total_fen": sum(line.amount_fen for line, _, _ in made),
        "pump": pump,
    }
    conn.execute(insert(tables.bills), row)
    for line, settled, ref in made:
        conn.execute(insert(tables.lines), _row_of(number, line))
        if line.kind == GOODS:
            _off_the_shelf(conn, number, line, now)
        if settled:
            _write_tender(conn, bill(conn, number), Payment(settled, line.amount_fen, ref), line.line, by, now)
    return _complete(conn, bill(conn, number), by, now)


def pay(conn: Connection, number: int, payment: Payment, by: str, now: int) -> Bill:
    """Takes a payment; the bill is paid once nothing is due. TillError: more than is due in anything but cash, say."""
    known = bill(conn, number)
    if known.state != OPEN:
        raise TillError(f"账单 {number} 已收款或作废 bill {number} is paid or void")
    if payment.handed_fen <= 0:
        raise TillError("金额须大于零 the amount must be above nought")
    if payment.kind != CASH and payment.handed_fen > known.due_fen:
        raise TillError(
            f"应收 {yuan(known.due_fen)} 元，只有现金可以找零 "
            f"{yuan(known.due_fen)} yuan are due, and only cash gives change"
        )
    tender = _write_tender(conn, known, payment, None, by, now)
    doing = Doing(known.till, by, now, f"bill:{number}:{tender.number}")
    tenders.kind_of(payment.kind).take(conn, tender, doing)
    return _complete(conn, bill(conn, number), by, now)


def ring_up(
    conn: Connection,
    till: str,
    wanted: Sequence[FuelWanted | GoodsWanted],
    payments: Sequence[Payment],
    by: str,
    now: int,
) -> Bill:
    """A bill and all its payments in one go; nothing happens unless it is paid in full. TillError."""
    made = open_bill(conn, till, wanted, by, now)
    for payment in payments:
        made = pay(conn, made.bill, payment, by, now)
    if made.state != PAID:
        raise TillError(f"还差 {yuan(made.due_fen)} 元 {yuan(made.due_fen)} yuan are missing")
    return made


def void(conn: Connection, number: int, by: str, why: str, now: int) -> Bill:
    """Gives up an open bill: what was paid goes back the way it came, goods go back to the shelf. TillError."""
    known = bill(conn, number)
    if known.state != OPEN:
        raise TillError(f"账单 {number} 已收款或作废，请用退款 bill {number} is paid or void: a paid one is refunded")
    if not why.strip():
        raise TillError("须写明原因 say why")
    for tender in known.tenders:
        if tender.line is None:
            doing = Doing(known.till, by, now, f"bill:{number}:{tender.number}:void", why)
            tenders.kind_of(tender.kind).give_back(conn, tender, tender.amount_fen, doing)
    for line in known.lines:
        if line.kind == GOODS:
            ledger.reverse(conn, f"bill:{number}:shelf:{line.line}", now, why)
    conn.execute(update(tables.lines).where(tables.lines.c.bill == number).values(live=0))
    conn.execute(update(tables.bills).where(tables.bills.c.bill == number).values(state=VOID))
    audit.record(conn, now, by, "bill.void", f"bill {number}", {"total_fen": known.total_fen}, {}, why)
    return bill(conn, number)


def bill(conn: Connection, number: int) -> Bill:
    """One bill with its lines and tenders. TillError."""
    found = _bills(conn, tables.bills.c.bill == number, 1)
    if not found:
        raise TillError(f"没有这张账单 there is no such bill: {number}")
    return found[0]


def bills(conn: Connection, limit: int = 50, *, shift: int | None = None, state: str | None = None) -> list[Bill]:
    """The latest bills, newest first; of one shift, in one state."""
    b = tables.bills.c
    chosen = [b.bill > 0]
    if shift is not None:
        chosen.append(b.shift == shift)
    if state is not None:
        chosen.append(b.state == state)
    return _bills(conn, *chosen, limit)


def _is_walk_in(row: sales.SaleRow, walk_in: int) -> bool:
    return bool(row.on_account and walk_in and row.account == walk_in)


def _payer(row: sales.SaleRow) -> str:
    """The way in which the pump settled a sale; empty: nobody is known to have paid for it."""
    if row.on_account:
        return ACCOUNT if row.account else ""
    return PURSE if row.is_reserved and row.card_no else ""


def _line(conn: Connection, place: int, wanted: FuelWanted | GoodsWanted) -> tuple[Line, str, str]:
    """The line, how the pump settled it (empty: to be paid here) and with what."""
    if isinstance(wanted, GoodsWanted):
        return _goods_line(conn, place, wanted), "", ""
    row = sales.sale(conn, wanted.device, wanted.seq)
    name = f"{wanted.device}-{wanted.seq}"
    if row is None or row.ended is None or not row.amount_fen or not row.volume_ml or not _payer(row):
        raise TillError(f"没有这笔已加完的交易 there is no such finished sale: {name}")
    taken = select(tables.lines.c.bill).where(
        tables.lines.c.device == wanted.device, tables.lines.c.seq == wanted.seq, tables.lines.c.live == 1
    )
    on = conn.execute(taken).scalar()
    if on is not None:
        raise TillError(f"交易 {name} 已在账单 {on} 上 sale {name} is on bill {on} already")
    line = Line(
        line=place,
        kind=FUEL,
        name=row.pump,
        code=None,
        device=row.device,
        seq=row.seq,
        grade=row.grade,
        account=row.account if row.on_account else None,
        quantity=row.volume_ml,
        price_fen=row.price_fen_per_l or 0,
        amount_fen=row.amount_fen,
    )
    if _is_walk_in(row, parameters.value(conn, "till.account")):
        return line, "", ""
    return line, _payer(row), str(row.account if row.on_account else row.card_no)


def _goods_line(conn: Connection, place: int, wanted: GoodsWanted) -> Line:
    known = shelf.good(conn, wanted.code)
    if not known.active:
        raise TillError(f"{known.name} 已停售 {known.code} is not sold any more")
    if not 0 < wanted.pieces <= shelf.MOST_PIECES:
        raise TillError("数量不合理 the number of pieces makes no sense")
    if known.stock < wanted.pieces:
        raise TillError(f"{known.name} 库存只有 {known.stock} only {known.stock} of {known.code} are in stock")
    amount_fen = known.price_fen * wanted.pieces
    return Line(
        place, GOODS, known.name, known.code, None, None, None, None, wanted.pieces, known.price_fen, amount_fen
    )


def _off_the_shelf(conn: Connection, number: int, line: Line, now: int) -> None:
    code = str(line.code)
    sold = Transfer(ledger.shop(code), ledger.shop_sold(code), line.quantity, PIECES)
    ledger.post(conn, f"bill:{number}:shelf:{line.line}", now, [sold])


def _write_tender(conn: Connection, known: Bill, payment: Payment, line: int | None, by: str, now: int) -> Tender:
    kept_fen = min(payment.handed_fen, known.due_fen)
    number = len(known.tenders) + 1
    made = Tender(known.bill, number, payment.kind, kept_fen, payment.handed_fen, payment.ref, line, 0, now, by)
    row = {name: getattr(made, name) for name in tables.tenders.c.keys()}  # noqa: SIM118 - a collection of columns
    conn.execute(insert(tables.tenders), row)
    return made


def _complete(conn: Connection, known: Bill, by: str, now: int) -> Bill:
    """Once nothing is due: the money goes from the bill to what was sold, and the bill may be invoiced."""
    if known.due_fen:
        return known
    at_the_pump = {tender.line for tender in known.tenders if tender.line is not None}
    earned = [_earned(known.bill, line) for line in known.lines if line.line not in at_the_pump]
    if earned:
        ledger.post(conn, f"bill:{known.bill}:paid", now, earned)
    conn.execute(update(tables.bills).where(tables.bills.c.bill == known.bill).values(state=PAID, paid_at=now))
    invoicing.offer(conn, invoicing.bill_subject(known.bill), invoiceable_fen(known))
    return bill(conn, known.bill)


def _earned(number: int, line: Line) -> Transfer:
    to = ledger.goods(str(line.code)) if line.account is None else ledger.receivable(line.account)
    return Transfer(ledger.bill(number), to, line.amount_fen)


def invoiceable_fen(known: Bill) -> int:
    """What was sold less what an account owes, which is invoiced with the account's statement instead."""
    return sum(tender.rest_fen for tender in known.tenders if tender.kind != ACCOUNT)


def _row_of(number: int, line: Line) -> dict[str, object]:
    return {"bill": number, "live": 1} | {name: getattr(line, name) for name in Line.__slots__}


def _bills(conn: Connection, *chosen_and_limit: object) -> list[Bill]:
    *chosen, limit = chosen_and_limit
    query = select(tables.bills).where(*chosen).order_by(tables.bills.c.bill.desc()).limit(limit)  # type: ignore[arg-type]
    rows = conn.execute(query).all()
    numbers = [row.bill for row in rows]
    ln, tn = tables.lines, tables.tenders
    of_lines: dict[int, list[Line]] = {number: [] for number in numbers}
    for row in conn.execute(select(ln).where(ln.c.bill.in_(numbers)).order_by(ln.c.bill, ln.c.line)):
        of_lines[row.bill].append(Line(*(getattr(row, name) for name in Line.__slots__)))
    paid: dict[int, list[Tender]] = {number: [] for number in numbers}
    for row in conn.execute(select(tn).where(tn.c.bill.in_(numbers)).order_by(tn.c.bill, tn.c.number)):
        paid[row.bill].append(Tender(**row._mapping))
    return [_bill(row, of_lines[row.bill], paid[row.bill]) for row in rows]


def _bill(row: Row[tuple[object, ...]], of_lines: list[Line], paid: list[Tender]) -> Bill:
    return Bill(**row._mapping, lines=tuple(of_lines), tenders=tuple(paid))
