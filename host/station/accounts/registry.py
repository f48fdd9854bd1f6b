"""Accounts: who buys on account, up to which credit line, and what they owe. Payments go through the books."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, func, insert, select, update

from station import ledger
from station.accounts.tables import accounts, leases
from station.ledger import Transfer
from station.platform import audit

ACTIVE, STOPPED = "active", "stopped"


class AccountError(ValueError):
    """Not possible with this account; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an account may do. Money in fen; offline_*: what each pump is lent ahead, per fill count and hours."""

    limit_fen: int
    sale_fen: int = 200_000
    offline_fen: int = 50_000
    offline_count: int = 5
    offline_hours: int = 72

    def check(self) -> None:
        """AccountError unless the terms are possible."""
        if self.limit_fen < 0 or self.sale_fen <= 0 or self.offline_fen < 0:
            raise AccountError("额度须为非负，单次须大于零 the limit must not be below zero, a fill above zero")
        if not (1 <= self.offline_count <= 1000 and 1 <= self.offline_hours <= 24 * 31):
            raise AccountError("离线笔数 1–1000，小时 1–744 offline: 1 to 1000 fills, 1 to 744 hours")


@dataclass(frozen=True, slots=True)
class Account:
    """owed_fen: fuel posted less payments (below nought: paid in advance). lent_fen: with pumps, not yet used."""

    account: int
    name: str
    state: str
    terms: Terms
    opened_at: int
    owed_fen: int
    lent_fen: int

    @property
    def available_fen(self) -> int:
        """What may still be lent."""
        return self.terms.limit_fen - self.owed_fen - self.lent_fen


def open_account(conn: Connection, name: str, terms: Terms, at: int, by: str = "desk") -> Account:
    """A new account with the next free number. AccountError."""
    terms.check()
    if not name.strip():
        raise AccountError("须写明单位名称 an account needs a name")
    number = int(conn.execute(select(func.max(accounts.c.account))).scalar() or 0) + 1
    row = {"account": number, "name": name.strip(), "state": ACTIVE, "opened_at": at, **asdict(terms)}
    conn.execute(insert(accounts).values(row))
    made = account(conn, number)
    assert made is not None
    audit.record(conn, at, by, "account.open", f"account {number}", {}, {"name": made.name, **asdict(terms)}, "")
    return made


def account(conn: Connection, number: int) -> Account | None:
    """The account of that number."""
    return next(iter(_accounts(conn, number)), None)


def listing(conn: Connection) -> list[Account]:
    """All accounts by number."""
    return _accounts(conn, None)


def change(conn: Connection, number: int, terms: Terms, at: int, by: str = "desk") -> Account:
    """New terms from now on; what is lent already stays lent. AccountError."""
    terms.check()
    known = _known(conn, number)
    conn.execute(update(accounts).where(accounts.c.account == number).values(**asdict(terms)))
    audit.record(conn, at, by, "account.change", f"account {number}", asdict(known.terms), asdict(terms), "")
    return _known(conn, number)


def set_state(conn: Connection, number: int, state: str, at: int, by: str = "desk", why: str = "") -> Account:
    """ACTIVE or STOPPED: a stopped account is lent nothing more. AccountError."""
    known = _known(conn, number)
    conn.execute(update(accounts).where(accounts.c.account == number).values(state=state))
    old, new = {"state": known.state}, {"state": state}
    audit.record(conn, at, by, "account.state", f"account {number}", old, new, why)
    return _known(conn, number)


def pay(conn: Connection, number: int, amount_fen: int, drawer: str, key: str, at: int, by: str = "desk") -> Account:
    """The account pays; key: a name of this payment that is never used twice. drawer: see ledger.paid_from.
    AccountError."""
    if amount_fen <= 0:
        raise AccountError("金额须大于零 the amount must be above zero")
    known = _known(conn, number)
    lines = [Transfer(ledger.paid_from(drawer), ledger.receivable(number), amount_fen)]
    if ledger.post(conn, f"account-pay:{key}", at, lines):
        old, new = {"owed_fen": known.owed_fen}, {"owed_fen": known.owed_fen - amount_fen, "drawer": drawer}
        audit.record(conn, at, by, "account.pay", f"account {number}", old, new, "")
    return _known(conn, number)


def _known(conn: Connection, number: int) -> Account:
    found = account(conn, number)
    if found is None:
        raise AccountError(f"没有账户 {number} there is no such account")
    return found


def _accounts(conn: Connection, number: int | None) -> list[Account]:
    query = select(accounts).order_by(accounts.c.account)
    rows = conn.execute(query if number is None else query.where(accounts.c.account == number)).all()
    lent = lent_fen(conn, number)
    made = []
    for row in rows:
        terms = Terms(row.limit_fen, row.sale_fen, row.offline_fen, row.offline_count, row.offline_hours)
        owed = -ledger.balance(conn, ledger.receivable(row.account))
        made.append(Account(row.account, row.name, row.state, terms, row.opened_at, owed, lent.get(row.account, 0)))
    return made


def lent_fen(conn: Connection, number: int | None = None, card_no: str = "") -> dict[int, int]:
    """By account, what open leases may still cost: the part of each that no sale in the books has used.

    card_no: only what was lent for the sale in hand of this card.
    """
    c = leases.c
    query = select(c.account, c.amount_fen, c.used_fen, c.count, c.ended).where(c.closed_at.is_(None))
    if number is not None:
        query = query.where(c.account == number)
    if card_no:
        query = query.where(c.card_no == card_no, c.how == "sale")
    sums: dict[int, int] = {}
    for row in conn.execute(query):
        left_fen = max(0, row.amount_fen - row.used_fen) if row.ended < row.count else 0
        sums[row.account] = sums.get(row.account, 0) + left_fen
    return sums
