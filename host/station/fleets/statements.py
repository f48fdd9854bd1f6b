"""Statements of a company and its parts: opening, deliveries, rebate, loads, payments, closing = the books.

A statement takes every posting on the company's accounts of what happened before its end and is on no statement yet.
So a sale that a pump without the station reports late is on the next one, nothing is on two, and the closing of the
last one plus what is on none is what the books say.
"""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select

from station import ledger, sales
from station.fleets import prices, units
from station.fleets.tables import statement_lines, statements
from station.fleets.units import FleetError
from station.ledger import Posting, Transfer
from station.platform import audit
from station.platform.clock import DAY_S

EVER = 1 << 40  # beyond any time
DELIVERY, REBATE, LOAD, PAYMENT, OTHER = "delivery", "rebate", "load", "payment", "other"
# By the beginning of a posting's key: what it was.
KINDS = {"fuel": DELIVERY, "fleet-rebate": REBATE, "load": LOAD, "unloaded": LOAD, "account-pay": PAYMENT}


@dataclass(frozen=True, slots=True)
class Statement:
    """Fen, above nought what the company owes: opening + delivered - rebate + loaded - paid + other = closing."""

    company: int
    number: int
    since: int
    until: int
    due_at: int
    made_at: int
    by: str
    opening_fen: int
    delivered_fen: int
    rebate_fen: int
    loaded_fen: int
    paid_fen: int
    other_fen: int
    closing_fen: int
    volume_ml: int

    @property
    def invoice_fen(self) -> int:
        """What it may be invoiced for: the fuel less its rebate. Loads are invoiced as fuel when it is bought."""
        return max(0, self.delivered_fen - self.rebate_fen)


@dataclass(frozen=True, slots=True)
class Line:
    """A posting on a statement; sale: what was bought, if it is a delivery."""

    key: str
    unit: int
    at: int
    kind: str
    owed_fen: int
    rebate_fen: int
    memo: str
    sale: sales.Fill | None


def make(conn: Connection, company: int, until: int, by: str, now: int) -> Statement:
    """The company's next statement, of everything before `until`; its rebate is posted with it. FleetError."""
    of = units.unit(conn, company)
    last = newest(conn, company)
    since = last.until if last else of.money.opened_at
    if of.parent is not None or not since < until <= now:
        raise FleetError(
            "期间须接上一期、已结束，且属于单位 a statement is of a company, after the last one, of a time that is over"
        )
    number = last.number + 1 if last else 1
    accounts = units.tree(conn, company)
    open_ones = _open(conn, company, accounts, until)
    bought = sales.fills_by_id(conn, (sale_of(one.key) for one in open_ones if _kind(one.key) == DELIVERY))
    known = prices.agreements(conn, company)
    rebates = {
        fill.id: prices.rebate_fen(prices.in_force(known, fill.grade, fill.started), fill.volume_ml, fill.amount_fen)
        for fill in bought.values()
    }
    open_ones += _post_rebates(conn, open_ones, rebates, number, company, until)
    sums = Counter[str]()
    rows = []
    for one in open_ones:
        kind = _kind(one.key)
        sums[kind] += one.owed_fen
        rebate = rebates.get(sale_of(one.key), 0) if kind == DELIVERY else 0
        row = {"key": one.key, "company": company, "number": number, "unit": one.account, "at": one.at, "kind": kind}
        rows.append(row | {"owed_fen": one.owed_fen, "rebate_fen": rebate, "memo": one.memo})
    opening = last.closing_fen if last else 0
    made = Statement(
        company, number, since, until, until + of.due_days * DAY_S, now, by, opening,
        sums[DELIVERY], -sums[REBATE], sums[LOAD], -sums[PAYMENT], sums[OTHER], opening + sums.total(),
        sum(fill.volume_ml for fill in bought.values()),
    )  # fmt: skip
    conn.execute(insert(statements).values({name: getattr(made, name) for name in Statement.__slots__}))
    if rows:
        conn.execute(insert(statement_lines), rows)
    audit.record(conn, now, by, "fleet.statement", f"account {company}", {}, {"number": number, "until": until})
    return made


def _open(conn: Connection, company: int, accounts: list[int], until: int) -> list[Posting]:
    stated = select(statement_lines.c.key).where(statement_lines.c.company == company)
    known = set(conn.execute(stated).scalars())
    return [one for one in ledger.postings(conn, accounts, 0, until) if one.key not in known]


def _post_rebates(
    conn: Connection, open_ones: list[Posting], rebates: dict[int, int], number: int, company: int, until: int
) -> list[Posting]:
    """One posting for each unit that gets something back."""
    by_unit = Counter[int]()
    for one in open_ones:
        if _kind(one.key) == DELIVERY:
            by_unit[one.account] += rebates.get(sale_of(one.key), 0)
    made = []
    for unit, fen in sorted(by_unit.items()):
        if fen:
            key, at = f"fleet-rebate:{company}/{number}/{unit}", until - 1
            ledger.post(conn, key, at, [Transfer(ledger.rebate(company), ledger.receivable(unit), fen)])
            made.append(Posting(key, at, unit, -fen, ""))
    return made


def _kind(key: str) -> str:
    return KINDS.get(key.partition(":")[0], OTHER)


def sale_of(key: str) -> int:
    """The id of the sale that a delivery's posting names."""
    return int(key.partition(":")[2])


def newest(conn: Connection, company: int) -> Statement | None:
    """The company's last statement."""
    return next(iter(listing(conn, company, 1)), None)


def listing(conn: Connection, company: int, limit: int = 100) -> list[Statement]:
    """Statements, newest first."""
    s = statements.c
    query = select(statements).where(s.company == company).order_by(s.number.desc()).limit(limit)
    return [Statement(**row._mapping) for row in conn.execute(query)]


def statement(conn: Connection, company: int, number: int) -> Statement:
    """One statement. FleetError."""
    s = statements.c
    row = conn.execute(select(statements).where(s.company == company, s.number == number)).first()
    if row is None:
        raise FleetError(f"没有第 {number} 期对账单 there is no statement of that number")
    return Statement(**row._mapping)


def lines(conn: Connection, company: int, number: int) -> list[Line]:
    """What stands on a statement, by time."""
    c = statement_lines.c
    query = select(statement_lines).where(c.company == company, c.number == number).order_by(c.at, c.key)
    rows = conn.execute(query).all()
    bought = sales.fills_by_id(conn, (sale_of(row.key) for row in rows if row.kind == DELIVERY))
    return [
        Line(
            row.key, row.unit, row.at, row.kind, row.owed_fen, row.rebate_fen, row.memo,
            bought.get(sale_of(row.key)) if row.kind == DELIVERY else None,
        )
        for row in rows
    ]  # fmt: skip


def unpaid_fen(conn: Connection, of: Statement) -> int:
    """What of a statement's closing is not paid yet: all that came in since counts for the oldest debt first."""
    if of.closing_fen <= 0 or units.owed_fen(conn, of.company) <= 0:
        return 0
    since = ledger.postings(conn, units.tree(conn, of.company), of.until, EVER)
    change_fen = sum(one.owed_fen for one in since if not _is_new_debt(one))
    return max(0, min(of.closing_fen, of.closing_fen + change_fen))


def _is_new_debt(one: Posting) -> bool:
    return one.owed_fen > 0 and _kind(one.key) in (DELIVERY, LOAD)


def overdue_fen(conn: Connection, company: int, now: int) -> int:
    """What should have been paid by now: the newest statement that is due, as far as it is unpaid."""
    s = statements.c
    query = select(statements).where(s.company == company, s.due_at <= now, s.closing_fen > 0)
    row = conn.execute(query.order_by(s.number.desc()).limit(1)).first()
    return unpaid_fen(conn, Statement(**row._mapping)) if row else 0
