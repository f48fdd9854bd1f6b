"""Cards used away from home, and what the stations owe each other for it (C13).

A card's home is the station that issued it: its books owe the purse. A sale elsewhere is paid by the home to the place;
money loaded elsewhere is owed by the place to the home. Head office keeps the moves; place and home post the same move,
so that what one owes the other has outstanding, and over all stations nothing is left.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, case, func, insert, or_, select

from station import cards, forecourt, ledger, sales
from station.ledger import Transfer
from station.network import tables
from station.platform.bulk import select_in

SALE, LOAD = "sale", "load"


@dataclass(frozen=True, slots=True)
class Move:
    """number: its place in head office's list, 0 before it has one. ref names it at its place, see tables.moves."""

    kind: str
    place: int
    home: int
    ref: int
    card_no: str
    amount_fen: int
    counter: int
    balance_fen: int | None
    at: int
    number: int = 0


def sales_abroad(conn: Connection, found: Iterable[sales.Finished]) -> list[Move]:
    """The moves of these sales that head office does not have yet: those of other stations' cards."""
    made = [
        Move(
            kind=SALE,
            place=forecourt.station_of(one.device),
            home=cards.home_of(one.card_no),
            ref=sales.sale_name(one.device, one.seq),
            card_no=one.card_no,
            amount_fen=one.amount_fen,
            counter=one.counter,
            balance_fen=one.balance_fen,
            at=one.at,
        )
        for one in found
        if cards.home_of(one.card_no) != forecourt.station_of(one.device)
    ]
    t = tables.moves.c
    known = {
        row.ref for row in select_in(conn, select(t.ref).where(t.kind == SALE), t.ref, [move.ref for move in made])
    }
    return [move for move in made if move.ref not in known]


def keep(conn: Connection, found: Iterable[Move]) -> None:
    """Writes moves into head office's list."""
    rows = [
        {
            "kind": m.kind, "place": m.place, "home": m.home, "ref": m.ref, "card_no": m.card_no,
            "amount_fen": m.amount_fen, "counter": m.counter, "balance_fen": m.balance_fen, "at": m.at,
        }
        for m in found
    ]  # fmt: skip
    if rows:
        conn.execute(insert(tables.moves), rows)


def since(conn: Connection, station_no: int, number: int, limit: int) -> list[Move]:
    """Moves of one station, as place or home, after a number."""
    t = tables.moves.c
    mine = or_(t.place == station_no, t.home == station_no)
    rows = conn.execute(select(tables.moves).where(mine, t.number > number).order_by(t.number).limit(limit))
    return [Move(**row) for row in rows.mappings()]


def post(conn: Connection, station_no: int, move: Move, now: int) -> None:
    """Posts a move in the books of its place or its home; once, however often it is told."""
    purse, key = ledger.purse(move.card_no), f"away:{move.kind}:{move.place}:{move.ref}"
    if station_no == move.place:
        line = (
            Transfer(ledger.due_from(move.home), purse, move.amount_fen)
            if move.kind == SALE
            else Transfer(purse, ledger.due_to(move.home), move.amount_fen)
        )
    else:
        line = (
            Transfer(purse, ledger.due_to(move.place), move.amount_fen)
            if move.kind == SALE
            else Transfer(ledger.due_from(move.place), purse, move.amount_fen)
        )
    is_new = not move.amount_fen or ledger.post(conn, key, move.at, [line])
    if station_no == move.home and is_new:
        sales.used_away(conn, move.card_no, move.counter, move.balance_fen, move.at, is_sale=move.kind == SALE, now=now)


@dataclass(frozen=True, slots=True)
class Between:
    """What `debtor` owes `creditor` (station numbers) from a period's moves: for fuel and for money loaded, fen."""

    debtor: int
    creditor: int
    sales: int
    sales_fen: int
    loads: int
    loads_fen: int

    @property
    def amount_fen(self) -> int:
        return self.sales_fen + self.loads_fen


def statement(conn: Connection, begin: int, end: int) -> list[Between]:
    """Head office: who owed whom for what happened in begin <= at < end."""
    t = tables.moves.c
    is_sale = t.kind == SALE
    debtor, creditor = case((is_sale, t.home), else_=t.place), case((is_sale, t.place), else_=t.home)
    query = select(debtor, creditor, *_sums(SALE), *_sums(LOAD))
    query = query.where(t.at >= begin, t.at < end).group_by(debtor, creditor).order_by(debtor, creditor)
    return [Between(*map(int, row)) for row in conn.execute(query)]


def _sums(kind: str) -> tuple[ColumnElement[int], ColumnElement[int]]:
    """How many moves of a kind, and their money."""
    t = tables.moves.c
    return func.sum(case((t.kind == kind, 1), else_=0)), func.sum(case((t.kind == kind, t.amount_fen), else_=0))


def net(found: Iterable[Between]) -> dict[int, int]:
    """By station: what it is owed less what it owes, fen. The sum over all is nought."""
    sums: dict[int, int] = {}
    for one in found:
        sums[one.creditor] = sums.get(one.creditor, 0) + one.amount_fen
        sums[one.debtor] = sums.get(one.debtor, 0) - one.amount_fen
    return dict(sorted(sums.items()))


def pay(conn: Connection, peer: int, amount_fen: int, ref: str, by: str, now: int) -> bool:
    """A station's books: the bank paid another station what is due (above 0), or it paid us (below 0). Once per ref."""
    if not amount_fen or not ref.strip():
        raise ValueError("须写明金额和凭证号 an amount and the voucher's number are needed")
    bank = ledger.gateway("bank")
    line = (
        Transfer(ledger.due_to(peer), bank, amount_fen)
        if amount_fen > 0
        else Transfer(bank, ledger.due_from(peer), -amount_fen)
    )
    return ledger.post(conn, f"clearing:{peer}:{ref.strip()}", now, [line], by)
