"""Posting and balances. The roll-up `balances` moves in the same transaction as the transfers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    Integer,
    Table,
    Text,
    delete,
    func,
    select,
    text,
    union_all,
)
from sqlalchemy.exc import IntegrityError

from station.platform.bulk import insert_rows, select_in, upsert_rows
from station.platform.database import STRICT, BigInt, append_only, metadata

FEN = "fen"
ML = "ml"
PIECES = "pcs"

# One row per transfer: it balances by construction on both databases.
transfers = append_only(
    Table(
        "transfers",
        metadata,
        Column("key", Text, primary_key=True),
        Column("line", Integer, primary_key=True),
        Column("at", BigInt, nullable=False),
        Column("debit", Text, nullable=False),
        Column("credit", Text, nullable=False),
        Column("asset", Text, nullable=False),
        Column("amount", BigInt, CheckConstraint("amount > 0", name="positive"), nullable=False),
        Column("memo", Text, nullable=False, server_default=""),
        Column("booked", BigInt, nullable=True),  # when it counts, if not `at`: what comes late for a closed period
        CheckConstraint("debit <> credit", name="two_accounts"),
        **STRICT,
    )
)

# What accounts owe is found without reading all other postings; ask with these very words (receivables.py).
RECEIVABLE = {side: text(f"substr({side}, 1, 11) = 'receivable:'") for side in ("debit", "credit")}
for _side, _only in RECEIVABLE.items():
    Index(
        f"ix_transfers_receivable_{_side}",
        transfers.c[_side],
        transfers.c.at,
        sqlite_where=_only,
        postgresql_where=_only,
    )

# A period is closed once, by whom, and with what balances: late records count in the one that is open.
periods = append_only(
    Table(
        "ledger_periods",
        metadata,
        Column("until", BigInt, primary_key=True, autoincrement=False),
        Column("closed_at", BigInt, nullable=False),
        Column("closed_by", Text, nullable=False),
        **STRICT,
    )
)

balances_table = Table(
    "balances",
    metadata,
    Column("account", Text, primary_key=True),
    Column("asset", Text, primary_key=True),
    Column("balance", BigInt, nullable=False),
    **STRICT,
)


class KeyReusedError(Exception):
    """A key came again with other content: somebody is wrong about what happened."""


class Transfer(NamedTuple):
    """amount (> 0, whole units of the asset) from `debit` to `credit`."""

    debit: str
    credit: str
    amount: int
    asset: str = FEN


class Entry(NamedTuple):
    """One transfer with its own key, for post_many. at: Unix seconds."""

    key: str
    at: int
    transfer: Transfer
    memo: str = ""


def post(conn: Connection, key: str, at: int, lines: Sequence[Transfer], memo: str = "") -> bool:
    """Posts all lines under one key; False if the key was posted before with the same lines.

    Raises KeyReusedError if it was posted with others, ValueError for an amount that is not a whole number above 0.
    """
    if not lines:
        raise ValueError("分录为空 nothing to post")
    before = conn.execute(
        select(transfers.c.debit, transfers.c.credit, transfers.c.amount, transfers.c.asset)
        .where(transfers.c.key == key)
        .order_by(transfers.c.line)
    ).all()
    if before:
        if [Transfer(*row) for row in before] != list(lines):
            raise KeyReusedError(f"记账键 {key} 已用于其他内容 key {key} was posted with other content")
        return False
    booked = _booked(at, closed_until(conn))
    _write(conn, [(key, number, at, *_checked(line), memo, booked) for number, line in enumerate(lines)])
    return True


def reverse(conn: Connection, key: str, at: int, memo: str) -> bool:
    """Posts the opposite of what was posted under `key`, once; False if that was done before. KeyError: no such key.

    Nothing is ever edited: the mistake and its correction both stay readable.
    """
    t = transfers.c
    lines = conn.execute(select(t.credit, t.debit, t.amount, t.asset).where(t.key == key).order_by(t.line)).all()
    if not lines:
        raise KeyError(key)
    return post(conn, f"reverse:{key}", at, [Transfer(*row) for row in lines], memo)


def closed_until(conn: Connection) -> int:
    """The end of the last closed period, Unix seconds; 0: none is closed."""
    return int(conn.execute(select(func.max(periods.c.until))).scalar() or 0)


def _booked(at: int, closed: int) -> int | None:
    return closed if at < closed else None


def post_many(conn: Connection, entries: Iterable[Entry]) -> int:
    """Posts one-transfer entries set by set, skipping keys already posted. Returns how many were new."""
    some = list(entries)
    if not some:
        return 0
    closed = closed_until(conn)
    fresh = {
        entry.key: (entry.key, 0, entry.at, *_checked(entry.transfer), entry.memo, _booked(entry.at, closed))
        for entry in some
    }
    try:  # nearly always all are new, and asking first would cost as much as the writing
        with conn.begin_nested():
            _write(conn, list(fresh.values()))
    except IntegrityError:
        for (key,) in list(select_in(conn, select(transfers.c.key), transfers.c.key, fresh)):
            fresh.pop(key)
        _write(conn, list(fresh.values()))
    return len(fresh)


def posted(conn: Connection, key: str) -> bool:
    """True if something was posted under this key."""
    return conn.execute(select(transfers.c.key).where(transfers.c.key == key).limit(1)).first() is not None


def posted_by_prefix(conn: Connection, prefixes: Iterable[str]) -> Iterator[tuple[str, Transfer]]:
    """(key, transfer) of every line whose key begins with one of the prefixes; scans them all."""
    t = transfers.c
    for prefix in prefixes:
        query = select(t.key, t.debit, t.credit, t.amount, t.asset).where(t.key.startswith(prefix, autoescape=True))
        for row in conn.execute(query):
            yield row[0], Transfer(*row[1:])


def balance(conn: Connection, account: str, asset: str = FEN) -> int:
    """What came in less what went out; 0 for an account never used."""
    table = balances_table.c
    found = conn.execute(select(table.balance).where(table.account == account, table.asset == asset)).scalar()
    return int(found or 0)


def balances(conn: Connection, prefix: str, asset: str = FEN) -> dict[str, int]:
    """Balances of all accounts whose names begin with `prefix`, by name."""
    table = balances_table.c
    rows = conn.execute(
        select(table.account, table.balance)
        .where(table.account.startswith(prefix, autoescape=True), table.asset == asset)
        .order_by(table.account)
    )
    return {row.account: row.balance for row in rows}


def listing(conn: Connection, prefix: str, limit: int, offset: int = 0) -> list[tuple[str, str, int]]:
    """(account, asset, balance) of all accounts whose names begin with `prefix`, by name, in pages."""
    table = balances_table.c
    query = select(balances_table).where(table.account.startswith(prefix, autoescape=True))
    rows = conn.execute(query.order_by(table.account, table.asset).limit(limit).offset(offset))
    return [(row.account, row.asset, row.balance) for row in rows]


def listing_count(conn: Connection, prefix: str) -> int:
    """How many accounts listing() has in all."""
    query = select(func.count()).where(balances_table.c.account.startswith(prefix, autoescape=True))
    return int(conn.execute(query).scalar_one())


def total(conn: Connection, prefix: str, asset: str = FEN) -> int:
    """The sum of balances(prefix)."""
    table = balances_table.c
    query = select(func.sum(table.balance)).where(
        table.account.startswith(prefix, autoescape=True), table.asset == asset
    )
    return int(conn.execute(query).scalar() or 0)


def rebuild(conn: Connection) -> None:
    """Makes the roll-up anew from the transfers."""
    conn.execute(delete(balances_table))
    insert_rows(conn, balances_table, [(*account, amount) for account, amount in summed(conn).items()])


def summed(conn: Connection) -> dict[tuple[str, str], int]:
    """{(account, asset): balance} straight from the transfers; scans them all."""
    t = transfers.c
    moves = union_all(
        select(t.credit.label("account"), t.asset.label("asset"), t.amount.label("amount")),
        select(t.debit, t.asset, -t.amount),
    ).subquery()
    query = select(moves.c.account, moves.c.asset, func.sum(moves.c.amount)).group_by(moves.c.account, moves.c.asset)
    return {(account, asset): int(amount) for account, asset, amount in conn.execute(query)}


def _checked(transfer: Transfer) -> tuple[str, str, str, int]:
    debit, credit, amount, asset = transfer
    if type(amount) is not int or amount <= 0:
        raise ValueError(f"金额须为正整数 an amount must be a whole number above nought, not {amount!r}")
    if debit == credit:
        raise ValueError(f"借贷账户相同 debit and credit are the same account: {debit}")
    return debit, credit, asset, amount


def _write(conn: Connection, rows: list[tuple[str, int, int, str, str, str, int, str, int | None]]) -> None:
    insert_rows(conn, transfers, rows)
    moved: defaultdict[tuple[str, str], int] = defaultdict(int)
    for _, _, _, debit, credit, asset, amount, _, _ in rows:
        moved[debit, asset] -= amount
        moved[credit, asset] += amount
    upsert_rows(conn, balances_table, [(*account, moved[account]) for account in sorted(moved)], add={"balance"})
