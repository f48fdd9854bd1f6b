"""Posting and balances. The roll-up `balances` moves in the same transaction as the transfers."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, Text, delete, func, insert, select, union_all

from station.platform.database import STRICT, BigInt, append_only, metadata, upsert

FEN = "fen"
ML = "ml"

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
        CheckConstraint("debit <> credit", name="two_accounts"),
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


@dataclass(frozen=True, slots=True)
class Transfer:
    """amount (> 0, whole units of the asset) from `debit` to `credit`."""

    debit: str
    credit: str
    amount: int
    asset: str = FEN


@dataclass(frozen=True, slots=True)
class Entry:
    """One transfer with its own key, for post_many. at: Unix seconds."""

    key: str
    at: int
    transfer: Transfer
    memo: str = ""


def post(conn: Connection, key: str, at: int, lines: Sequence[Transfer], memo: str = "") -> bool:
    """Posts all lines under one key; False if the key was posted before with the same lines.

    Raises KeyReusedError if it was posted with others, ValueError for an amount that is not a whole number above nought.
    """
    raise NotImplementedError


def post_many(conn: Connection, entries: Iterable[Entry]) -> int:
    """Posts one-transfer entries set by set, skipping keys already posted. Returns how many were new."""
    raise NotImplementedError


def balance(conn: Connection, account: str, asset: str = FEN) -> int:
    """What came in less what went out; 0 for an account never used."""
    raise NotImplementedError


def balances(conn: Connection, prefix: str, asset: str = FEN) -> dict[str, int]:
    """Balances of all accounts whose names begin with `prefix`, by name."""
    raise NotImplementedError


def total(conn: Connection, prefix: str, asset: str = FEN) -> int:
    """The sum of balances(prefix)."""
    raise NotImplementedError


def rebuild(conn: Connection) -> None:
    """Makes the roll-up anew from the transfers."""
    raise NotImplementedError
