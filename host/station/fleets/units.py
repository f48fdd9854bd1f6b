"""Companies and their parts, and the money that moves among them (C11).

Each unit is an account (station.accounts), so leases keep any number of pumps within what it has. Allocating moves
money between two accounts of one company: parent and children always add up to what the company paid less what it
bought. A prepaid company has a credit line of 0; one with a line may allocate on credit, and owes it as a whole.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from station import accounts, ledger
from station.accounts import Account, Terms
from station.fleets.tables import units
from station.ledger import Transfer
from station.platform import audit

DUE_DAYS = 30
MOST_UNITS = 10_000  # of one company: a circle in the tree would have no end


class FleetError(ValueError):
    """Not possible with this company; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Unit:
    """A company (no parent) or a part of one, with its account. due_days: from a statement until it must be paid."""

    account: int
    parent: int | None
    tax_no: str
    contact: str
    due_days: int
    money: Account

    @property
    def name(self) -> str:
        return self.money.name

    @property
    def own_fen(self) -> int:
        """Money that was paid or allocated to it and is neither spent nor with pumps."""
        return max(0, -self.money.owed_fen - self.money.lent_fen)


def open_company(
    conn: Connection, name: str, terms: Terms, by: str, now: int, tax_no: str = "", contact: str = ""
) -> Unit:
    """A new company with an account of its own; its number stands on its cards. FleetError, accounts.AccountError."""
    if any(one.name == name.strip() for one in companies(conn)):
        raise FleetError(f"单位“{name.strip()}”已存在 there is a company of that name already")
    made = accounts.open_account(conn, name, terms, now, by)
    row = {"account": made.account, "parent": None, "tax_no": tax_no.strip(), "contact": contact.strip()}
    conn.execute(insert(units), row | {"due_days": DUE_DAYS})
    return unit(conn, made.account)


def enrol(conn: Connection, account: int, by: str, now: int) -> Unit:
    """Makes a company of an account that there is already. FleetError."""
    if accounts.account(conn, account) is None:
        raise FleetError(f"没有账户 {account} there is no such account")
    if conn.execute(select(units.c.account).where(units.c.account == account)).first() is not None:
        raise FleetError(f"账户 {account} 已是车队单位 the account is a company or a part of one already")
    conn.execute(insert(units), {"account": account, "parent": None, "tax_no": "", "contact": "", "due_days": DUE_DAYS})
    audit.record(conn, now, by, "fleet.enrol", f"account {account}")
    return unit(conn, account)


def add_part(conn: Connection, parent: int, name: str, by: str, now: int, limit_fen: int = 0) -> Unit:
    """A department, or an allotment of its own for one vehicle, under a company or another part. FleetError.

    It is lent nothing ahead: a pump without the station sells on the company's own lease.
    """
    above = unit(conn, parent)
    made = accounts.open_account(conn, name, Terms(limit_fen, above.money.terms.sale_fen, offline_fen=0), now, by)
    conn.execute(insert(units), {"account": made.account, "parent": parent, "tax_no": "", "contact": "", "due_days": 0})
    return unit(conn, made.account)


def describe(conn: Connection, account: int, tax_no: str, contact: str, due_days: int, by: str, now: int) -> Unit:
    """What a company's invoices and reminders need. FleetError."""
    old = unit(conn, account)
    if old.parent is not None or not 0 <= due_days <= 365:
        raise FleetError("仅限单位本身，账期 0 至 365 天 for a company itself only, due within 0 to 365 days")
    values = {"tax_no": tax_no.strip(), "contact": contact.strip(), "due_days": due_days}
    conn.execute(update(units).where(units.c.account == account).values(**values))
    before = {"tax_no": old.tax_no, "contact": old.contact, "due_days": old.due_days}
    audit.record(conn, now, by, "fleet.describe", f"account {account}", before, values)
    return unit(conn, account)


def unit(conn: Connection, account: int) -> Unit:
    """One unit. FleetError if there is none of that number."""
    row = conn.execute(select(units).where(units.c.account == account)).first()
    money = accounts.account(conn, account)
    if row is None or money is None:
        raise FleetError(f"没有单位 {account} there is no such company")
    return Unit(row.account, row.parent, row.tax_no, row.contact, row.due_days, money)


def companies(conn: Connection) -> list[Unit]:
    """All companies by number."""
    rows = conn.execute(select(units.c.account).where(units.c.parent.is_(None)).order_by(units.c.account))
    return [unit(conn, row.account) for row in rows]


def line_of(conn: Connection, account: int) -> list[int]:
    """The unit and all above it, its company last; only the number itself if it is no unit."""
    parents = {row.account: row.parent for row in conn.execute(select(units.c.account, units.c.parent))}
    line = [account]
    while (above := parents.get(line[-1])) is not None and len(line) < MOST_UNITS:
        line.append(above)
    return line


def tree(conn: Connection, account: int) -> list[int]:
    """The unit and all below it, itself first, children after their parent, by number."""
    children: dict[int, list[int]] = {}
    for row in conn.execute(select(units).where(units.c.parent.is_not(None)).order_by(units.c.account.desc())):
        children.setdefault(row.parent, []).append(row.account)
    found, waiting = [], [account]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def owed_fen(conn: Connection, company: int) -> int:
    """What the company owes with all its parts: parent = sum of children, straight from the books."""
    return sum(-ledger.balance(conn, ledger.receivable(account)) for account in tree(conn, company))


def top_up(conn: Connection, company: int, amount_fen: int, source: str, key: str, by: str, now: int) -> Unit:
    """Money comes in for a company: into its prepaid money, or against what it owes.

    source: see ledger.place_typed. The same key again changes nothing. FleetError, AccountError.
    """
    if unit(conn, company).parent is not None:
        raise FleetError("款项付给单位本身，再分配 money comes in for the company itself, then it is allocated")
    accounts.pay(conn, company, amount_fen, ledger.place_typed(source), key, now, by)
    return unit(conn, company)


def allocate(conn: Connection, child: int, amount_fen: int, key: str, by: str, now: int) -> Unit:
    """Money from the parent to the child: no more than the parent may spend. Same key again: nothing. FleetError."""
    parent = _parent(conn, child)
    return _move(conn, parent, child, amount_fen, parent.money.available_fen, key, by, now)


def recall(conn: Connection, child: int, amount_fen: int, key: str, by: str, now: int) -> Unit:
    """Money back from the child to the parent: no more than lies there unspent. Same key again: nothing. FleetError."""
    parent, part = _parent(conn, child), unit(conn, child)
    return _move(conn, part, parent.account, amount_fen, part.own_fen, key, by, now)


def _parent(conn: Connection, child: int) -> Unit:
    parent = unit(conn, child).parent
    if parent is None:
        raise FleetError("须为下级单位 it must be a part of a company")
    return unit(conn, parent)


def _move(
    conn: Connection, giver: Unit, taker: int, amount_fen: int, most_fen: int, key: str, by: str, now: int
) -> Unit:
    """Call in a writer's transaction: what was looked at may not move meanwhile. Returns the taker."""
    line = Transfer(ledger.receivable(giver.account), ledger.receivable(taker), amount_fen)
    name = f"allocate:{key}"
    if not ledger.posted(conn, name):
        if not 0 < amount_fen <= most_fen:
            raise FleetError(
                f"最多可划拨 {most_fen / 100:.2f} 元 between 0.01 and {most_fen / 100:.2f} yuan can be moved"
            )
        old, new = {"from": giver.account}, {"to": taker, "amount_fen": amount_fen}
        audit.record(conn, now, by, "fleet.allocate", f"account {taker}", old, new)
    ledger.post(conn, name, now, [line])
    return unit(conn, taker)
