"""What flowed between a group of accounts and the rest of the books, by period."""

from bisect import bisect_right
from collections.abc import Sequence

from sqlalchemy import Connection, func, or_, select

from station.ledger.book import FEN, transfers


def flows(conn: Connection, prefixes: Sequence[str], starts: Sequence[int]) -> list[dict[str, int]]:
    """For each period (starts: ascending Unix seconds, the last is open) {kind of the other account: fen that came in}.

    prefixes: the beginnings of the group's accounts. What moves inside the group is left out. Reads the transfers since
    starts[0], those of closed periods by when they count.
    """
    t = transfers.c
    booked = func.coalesce(t.booked, t.at)
    ours = or_(*(column.startswith(prefix) for prefix in prefixes for column in (t.debit, t.credit)))
    query = select(booked, t.debit, t.credit, t.amount).where(t.asset == FEN, booked >= starts[0], ours)
    found: list[dict[str, int]] = [{} for _ in starts]
    for at, debit, credit, amount in conn.execute(query.execution_options(yield_per=1000)):
        out, came = debit.startswith(tuple(prefixes)), credit.startswith(tuple(prefixes))
        if out != came:
            sums, other = found[bisect_right(starts, at) - 1], (credit if out else debit).partition(":")[0]
            sums[other] = sums.get(other, 0) + (-amount if out else amount)
    return found
