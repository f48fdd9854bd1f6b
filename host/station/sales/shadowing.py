"""The shadow of each card: what was seen of its purse, beside what the books make of it. The card is the truth.

A sighting is ordered by the purse counter it was made at, so late records change nothing. The books can be held against
the latest sighting once every counter up to it is in: until then the card waits for records. A sighting also proves
that every sale before it was settled, because a card takes one reservation at a time.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, and_, exists, func, not_, select

from pump.core import records
from station import ledger
from station.platform.bulk import select_in, select_pairs, upsert_rows
from station.sales import reasons, tables
from station.sales.facts import Facts, is_unsettled, passed, stage
from station.sales.isolation import Oddity

RANK_RESERVED, RANK_SETTLED, RANK_DESK = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Shadow:
    """state: `agrees`, `waiting` (records of some pump or station still out: missing), `differs` (nothing explains it:
    alarm), `guest` (another station's books hold the purse). by_desk: the latest sighting was at a desk."""

    card_no: str
    uid: str | None
    state: str
    counter: int  # highest purse counter seen
    missing: int  # how many counters up to it are not in yet
    seen_fen: int | None  # the purse at the latest sighting
    seen_at: int | None
    books_fen: int  # ledger purse(card)
    in_flight_fen: int
    pending_fen: int
    waiting_since: int | None
    by_desk: bool = False


@dataclass(slots=True)
class _Row:
    """A row of card_shadows, in its column order. opened 0: met at a pump, never issued here. abroad: how many of the
    sales counted were told by head office; guest 1: issued by another station."""

    card_no: str
    uid: str | None = None
    counter: int = 0
    reserved_count: int = 0
    settled_count: int = 0
    seen_rank: int = -1
    seen_fen: int | None = None
    seen_at: int | None = None
    opened: int = 0
    waiting_since: int | None = None
    on_account: int = 0
    abroad: int = 0
    guest: int = 0

    def see(self, counter: int, rank: int, fen: int | None, at: int | None) -> None:
        """Takes one more sighting; at equal rank the later call wins, as only the desk repeats one.

        fen None: something happened to the purse, and what it held then is not known. That outdates what was seen.
        """
        order = counter * 4 + rank
        self.counter = max(self.counter, counter)
        if order > self.seen_rank or (fen is not None and order == self.seen_rank):
            self.seen_rank, self.seen_fen, self.seen_at = order, fen, at

    def is_complete(self) -> bool:
        """True if every sale up to the latest sighting is in."""
        return bool(self.guest) or (self.reserved_count == self.counter and not self.unsettled_count)

    @property
    def unsettled_count(self) -> int:
        """Sales without settlement, beside the one that the card was last seen in."""
        running = self.seen_rank == self.counter * 4 + RANK_RESERVED
        return self.reserved_count - self.settled_count - running

    def is_past(self, counter: int) -> bool:
        """True if nothing of the sale under this counter can be open on the card any more."""
        return self.seen_rank > counter * 4 + RANK_SETTLED

    def row(self, now: int) -> tuple[object, ...]:
        since = None if self.is_complete() else self.waiting_since or now
        return (
            self.card_no,
            self.uid,
            self.counter,
            self.reserved_count,
            self.settled_count,
            self.seen_rank,
            self.seen_fen,
            self.seen_at,
            self.opened,
            since,
            self.on_account,
            self.abroad,
            self.guest,
        )


def open_shadow(conn: Connection, card_no: str, uid: str, at: int, on_account: bool = False) -> None:
    """Makes a card known at its issue (counter 0, empty purse); harmless if it is known. uid: 14 hex digits.

    on_account: the card holds no money, an account pays what it fuels.
    """
    known = _load(conn, [card_no])[card_no]
    if not known.opened:
        known.see(0, RANK_DESK, 0, at)
        known.uid, known.opened, known.on_account = uid.lower(), at, int(on_account)
        upsert_rows(conn, tables.shadows, [known.row(at)])


def observe(conn: Connection, card_no: str, counter: int, balance_fen: int, at: int) -> list[Facts]:
    """The desk saw this purse and counter. Returns the sales that it settles, as follow() does."""
    known = _load(conn, [card_no])[card_no]
    known.see(counter, RANK_DESK, balance_fen, at)
    settled = _passed(conn, {card_no: known}, [])
    upsert_rows(conn, tables.shadows, [known.row(at)])
    return settled


def make_guest(conn: Connection, card_no: str) -> None:
    """Another station issued this card: what its purse holds is not judged here."""
    known = _load(conn, [card_no])[card_no]
    known.guest = 1
    upsert_rows(conn, tables.shadows, [known.row(known.opened)])


def used_away(
    conn: Connection, card_no: str, counter: int, balance_fen: int | None, at: int, is_sale: bool, now: int
) -> list[Facts]:
    """Head office tells of a settled sale or a load of this card elsewhere; balance_fen: on the card after it, if that
    was seen. Returns the sales that it settles, as follow() does."""
    known = _load(conn, [card_no])[card_no]
    if is_sale:
        known.reserved_count, known.settled_count = known.reserved_count + 1, known.settled_count + 1
        known.abroad += 1
        known.see(counter, RANK_SETTLED, balance_fen, at)
    elif balance_fen is not None and at >= (known.seen_at or 0):  # two desks may see one counter: the later one counts
        known.see(counter, RANK_DESK, balance_fen, at)
    settled = _passed(conn, {card_no: known}, [])
    upsert_rows(conn, tables.shadows, [known.row(now)])
    return settled


def others_heard(conn: Connection, upto: int) -> None:
    """Head office has everything that the other stations did up to that time (Unix seconds): only purses seen before it
    can be judged."""
    upsert_rows(conn, tables.others, [(1, upto)])


def shadow(conn: Connection, card_no: str) -> Shadow | None:
    """The shadow of one card; None if it was never seen."""
    return next(iter(shadows(conn, [card_no])), None)


def shadows(conn: Connection, card_nos: Sequence[str] | None = None) -> list[Shadow]:
    """The shadows of these cards, or of all, by card number."""
    rows = _rows(conn, card_nos)
    purse, inflight, pending = (_balances(conn, prefix, card_nos) for prefix in ("purse:", "inflight:", "pending:"))
    uncertain = _uncertain(conn, [row.card_no for row in rows if not row.is_complete()])
    heard_upto = conn.execute(select(tables.others.c.upto)).scalar()
    return [
        Shadow(
            row.card_no,
            row.uid,
            _state(
                row,
                uncertain.get(row.card_no, 0),
                purse.get(ledger.purse(row.card_no), 0),
                pending.get(ledger.pending(row.card_no), 0),
                heard_upto,
            ),
            row.counter,
            max(0, row.counter - row.reserved_count),
            row.seen_fen,
            row.seen_at,
            purse.get(ledger.purse(row.card_no), 0),
            inflight.get(ledger.inflight(row.card_no), 0),
            pending.get(ledger.pending(row.card_no), 0),
            row.waiting_since,
            row.seen_rank % 4 == RANK_DESK,
        )
        for row in rows
    ]


def _rows(conn: Connection, card_nos: Sequence[str] | None) -> list[_Row]:
    query: Select[Any] = select(tables.shadows).order_by(tables.shadows.c.card_no)
    if card_nos is None:
        return [_Row(*row) for row in conn.execute(query).all()]
    return [_Row(*row) for row in select_in(conn, query, tables.shadows.c.card_no, card_nos)]


def _balances(conn: Connection, prefix: str, card_nos: Sequence[str] | None) -> dict[str, int]:
    if card_nos is None:
        return ledger.balances(conn, prefix)
    return {prefix + card_no: ledger.balance(conn, prefix + card_no) for card_no in card_nos}


def _uncertain(conn: Connection, card_nos: Sequence[str]) -> dict[str, int]:
    """How many purse counters of each card are known from uncertain starts alone. The card took one of these or one
    that is not in yet; if it was one of these, its report got lost and nothing flowed."""
    s, other, c = tables.sales.c, tables.sales.alias(), tables.shadows.c
    same = exists().where(other.c.card_no == s.card_no, other.c.counter == s.counter, other.c.is_reserved == 1)
    query = select(s.card_no, func.count(s.counter.distinct()).label("counters"))
    query = query.join_from(tables.shadows, tables.sales, and_(s.card_no == c.card_no, s.counter <= c.counter))
    query = query.where(s.is_reserved == 0, s.ended.is_not(None), s.voided.is_(None), not_(same)).group_by(s.card_no)
    return {row.card_no: row.counters for row in select_in(conn, query, c.card_no, card_nos)}


def _state(row: _Row, uncertain: int, books_fen: int, pending_fen: int, heard_upto: int | None) -> str:
    """uncertain: see _uncertain(); they can explain a purse, never accuse it. heard_upto: see others_heard()."""
    if row.guest:
        return "guest"
    if row.reserved_count > row.counter:
        return "differs"
    if not row.is_complete():
        explained = row.reserved_count + uncertain == row.counter and not row.unsettled_count
        return "agrees" if explained and row.seen_fen in (None, books_fen) else "waiting"
    if row.seen_fen is None or row.seen_fen == books_fen:
        return "agrees"
    if heard_upto is not None and (row.seen_at or 0) > heard_upto:
        return "waiting"  # another station may have loaded it
    # A load that reached the card though the desk did not see it happen: confirmed when the desk meets the card.
    return "waiting" if 0 < pending_fen == row.seen_fen - books_fen else "differs"


def name_cards(conn: Connection, sales: Iterable[Facts]) -> None:
    """Gives sales whose own records are still out the card number that their uid belongs to, and who pays for it."""
    nameless = {sale.uid: sale for sale in sales if sale.card_no is None and sale.uid}
    s = tables.shadows.c
    query = select(s.uid, s.card_no, s.on_account)
    known = {row.uid: (row.card_no, row.on_account) for row in select_in(conn, query, s.uid, nameless)}
    for sale in sales:
        if sale.card_no is None and sale.uid in known:
            sale.card_no, sale.on_account = known[sale.uid]


def follow(
    conn: Connection, sales: Sequence[Facts], before: Mapping[int, tuple[bool, ...]], now: int
) -> tuple[list[Oddity], list[Facts]]:
    """Brings the shadows to these sales, which are written already. before: each sale's former stage.

    Returns cards and counters that are odd, and sales now known to be settled because their card is past them: for the
    caller to write and to post.
    """
    odd = []
    rows = _load(conn, {sale.card_no for sale in sales if sale.card_no})
    late: list[Facts] = []
    for sale in sorted(sales, key=lambda sale: sale.counter or 0):
        if sale.card_no is None or sale.counter is None:
            continue
        row, old = rows[sale.card_no], before.get(sale.id, (False,) * 4)
        if not row.opened and row.reserved_count == row.counter == 0:
            device, seq = tables.split_id(sale.id)
            odd.append(Oddity(reasons.UNKNOWN_CARD, sale.card_no, b"", detail=f"{device}/{seq}"))
        new = stage(sale)
        if sale.is_reserved:
            if new[0] and not old[0]:
                row.reserved_count += 1
                if sale.counter <= row.counter:  # one beyond all that were seen cannot have been there before
                    late.append(sale)
            held = None if sale.on_account else sale.reserved_balance_fen  # an account's card holds none
            row.see(sale.counter, RANK_RESERVED, held, sale.started)
        if sale.settled is not None:
            # A report made later, by whoever met the card next, tells the purse as it was then.
            fen = None if sale.how == records.HOW_OBSERVED or sale.on_account else sale.balance_fen
            row.see(sale.counter, RANK_SETTLED, fen, sale.settled)
            row.settled_count += new[3] and not old[3]
    settled = _passed(conn, rows, sales)
    upsert_rows(conn, tables.shadows, [row.row(now) for _, row in sorted(rows.items())])
    return odd + _counters_twice(conn, late), settled


def _passed(conn: Connection, rows: Mapping[str, _Row], changed: Iterable[Facts]) -> list[Facts]:
    """The ended sales that their cards are past although no report of their settlement is in: settled and counted now.

    Hardly ever any: only a card whose counts say so is looked at.
    """
    here = {sale.id: sale for sale in changed}
    s = tables.sales.c
    query = select(tables.sales).where(s.is_reserved == 1, s.ended.is_not(None), s.settled.is_(None)).order_by(s.id)
    behind = [card_no for card_no, row in rows.items() if row.unsettled_count > 0]
    found = []
    for row in select_in(conn, query, s.card_no, behind):
        sale = here.get(row.id) or Facts(*row)
        if is_unsettled(sale) and rows[row.card_no].is_past(row.counter):
            passed(sale)
            rows[row.card_no].settled_count += stage(sale)[3]
            found.append(sale)
    return found


def settle_passed(conn: Connection, sales: Iterable[Facts]) -> None:
    """For sales made anew from all their records: settles those that their cards, as last seen, are past."""
    c = tables.shadows.c
    rows = {row.card_no: _Row(*row) for row in conn.execute(select(tables.shadows).where(c.counter > 0))}
    for sale in sales:
        if is_unsettled(sale) and sale.card_no in rows and rows[sale.card_no].is_past(sale.counter or 0):
            passed(sale)


def _counters_twice(conn: Connection, late: list[Facts]) -> list[Oddity]:
    s = tables.sales.c
    number = func.count()
    query: Select[Any] = select(s.card_no, s.counter, func.max(s.id), number)
    query = query.where(s.is_reserved == 1, s.grade.is_not(None))
    query = query.group_by(s.card_no, s.counter).having(number > 1)
    pairs = dict.fromkeys((sale.card_no, sale.counter) for sale in late)
    odd = []
    for card_no, counter, latest, times in select_pairs(conn, query, (s.card_no, s.counter), pairs):
        device, seq = tables.split_id(latest)
        detail = f"card {card_no} counter {counter}: {times} sales"
        odd.append(Oddity(reasons.COUNTER_TWICE, f"{device}/{seq}", b"", device, seq, detail))
    return odd


def _load(conn: Connection, card_nos: Iterable[str]) -> dict[str, _Row]:
    rows = {card_no: _Row(card_no) for card_no in card_nos}
    for row in select_in(conn, select(tables.shadows), tables.shadows.c.card_no, list(rows)):
        rows[row.card_no] = _Row(*row)
    return rows
