"""What moved on accounts that owe (fleets), key by key: for their statements."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, select

from station.ledger.accounts import receivable
from station.ledger.book import FEN, RECEIVABLE, transfers


@dataclass(frozen=True, slots=True)
class Posting:
    """What one key moved between these accounts and the rest of the books. owed_fen: above nought what they owe more.

    account: the one it moved on. at: when it happened, Unix seconds.
    """

    key: str
    at: int
    account: int
    owed_fen: int
    memo: str


def postings(conn: Connection, accounts: Iterable[int], since: int, until: int) -> list[Posting]:
    """All postings on these accounts of what happened in since <= time < until, by time.

    What only moved among them is none.
    """
    numbers = {receivable(account): account for account in accounts}
    t = transfers.c
    by_key: dict[str, Posting] = {}
    for side, column, other, sign in (("debit", t.debit, t.credit, 1), ("credit", t.credit, t.debit, -1)):
        query = select(t.key, t.at, column.label("ours"), t.amount, t.memo)
        query = query.where(RECEIVABLE[side], column.in_(list(numbers)), other.not_in(list(numbers)))
        for row in conn.execute(query.where(t.asset == FEN, t.at >= since, t.at < until)):
            one = by_key.get(row.key) or Posting(row.key, row.at, numbers[row.ours], 0, row.memo)
            by_key[row.key] = replace(one, owed_fen=one.owed_fen + sign * row.amount)
    return sorted((one for one in by_key.values() if one.owed_fen), key=lambda one: (one.at, one.key))
