"""Cards that the records speak against: seldom any, so the database looks for them and only those are read.

The shadows' own rules (station.sales.shadowing) have the last word on which of them differ.
"""

from typing import NamedTuple

from sqlalchemy import Connection, and_, exists, func, not_, or_, select

from station import ledger
from station.ledger.book import balances_table
from station.sales import reasons, tables
from station.sales.shadowing import RANK_RESERVED, Shadow, shadows


class Twice(NamedTuple):
    """Sales of one card with one purse counter; (device, seq) names the latest, times: how often it was found."""

    card_no: str
    counter: int
    device: int
    seq: int
    times: int


def counted_twice(conn: Connection) -> list[Twice]:
    """Every counter that some card used twice, oldest finding first."""
    q, s = tables.quarantine.c, tables.sales.c
    found = select(q.device, q.seq, q.times).where(q.reason == reasons.COUNTER_TWICE).order_by(q.id)
    twice = []
    for device, seq, times in conn.execute(found).all():
        sale = conn.execute(select(s.card_no, s.counter).where(s.id == tables.record_id(device, seq))).first()
        if sale is not None and sale.card_no is not None:
            twice.append(Twice(sale.card_no, sale.counter or 0, device, seq, times))
    return twice


def differing(conn: Connection) -> list[Shadow]:
    """The shadows that nothing explains, by card number."""
    s, b, sale = tables.shadows.c, balances_table.c, tables.sales.c
    purse = and_(b.account == ledger.purse("") + s.card_no, b.asset == ledger.FEN)
    complete_yet_other = and_(s.waiting_since.is_(None), s.seen_fen != func.coalesce(b.balance, 0))
    query = select(s.card_no).select_from(tables.shadows.outerjoin(balances_table, purse))
    # The purse was last seen at a reservation that is known to be settled since: what it holds now is still to come.
    settled = exists().where(sale.card_no == s.card_no, sale.counter == s.counter, sale.settled.is_not(None))
    overtaken = and_(s.seen_rank == s.counter * 4 + RANK_RESERVED, settled)
    suspicious = and_(s.guest == 0, or_(s.reserved_count > s.counter, and_(complete_yet_other, not_(overtaken))))
    suspects = conn.execute(query.where(suspicious)).scalars().all()
    return [shadow for shadow in shadows(conn, suspects) if shadow.state == "differs"]


def waiting_since_before(conn: Connection, before: int) -> list[str]:
    """Cards that wait for records of some pump since `before` (Unix seconds) or longer, by card number."""
    s = tables.shadows.c
    query = select(s.card_no).where(s.waiting_since <= before, s.reserved_count <= s.counter).order_by(s.card_no)
    return [found.card_no for found in shadows(conn, conn.execute(query).scalars().all()) if found.state == "waiting"]
