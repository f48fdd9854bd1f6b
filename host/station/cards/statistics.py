"""What the desk reports: cards by state and how they came there (C5), a card's own history (C9), the float (C10)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from station import ledger, sales
from station.cards import loading, refunding, registry
from station.cards.guests import home_of
from station.cards.tables import card_events, cards

STATES = ("active", "blocked", "replaced", "closed")
_BECOMES = {"issued": "active", "unblocked": "active", "blocked": "blocked", "replaced": "replaced", "closed": "closed"}
_ON_CARDS = ("purse:", "inflight:", "pending:")
_PAID = ("cash", "gateway", "paid", "bonus")  # kinds of accounts that loads come from and refunds go to


@dataclass(frozen=True)
class Movement:
    """Cards of one kind: how many there were in each state at two moments, and how often each event lay between."""

    kind: int
    opening: dict[str, int]
    events: dict[str, int]
    closing: dict[str, int]

    @property
    def reconciles(self) -> bool:
        """What was there and what was issued is what is there."""
        return sum(self.opening.values()) + self.events["issued"] == sum(self.closing.values())


def movements(conn: Connection, since: int, until: int) -> list[Movement]:
    """By kind, in since <= time < until, replayed from the cards' histories. Reads every card's events."""
    e = card_events.c
    query = select(e.card_no, cards.c.kind, e.at, e.event).join(cards, cards.c.card_no == e.card_no)
    rows = conn.execute(query.where(e.event.in_(_BECOMES), e.at < until).order_by(e.id)).all()
    opening: dict[str, tuple[int, str]] = {}
    closing: dict[str, tuple[int, str]] = {}
    counted: dict[int, dict[str, int]] = {}
    for card_no, kind, at, event in rows:
        closing[card_no] = (kind, _BECOMES[event])
        events = counted.setdefault(kind, dict.fromkeys(_BECOMES, 0))
        if at < since:
            opening[card_no] = closing[card_no]
        else:
            events[event] += 1
    return [
        Movement(kind, _by_state(opening, kind), counted[kind], _by_state(closing, kind)) for kind in sorted(counted)
    ]


def _by_state(found: dict[str, tuple[int, str]], kind: int) -> dict[str, int]:
    return {state: sum(one == (kind, state) for one in found.values()) for state in STATES}


def disagreeing(conn: Connection, station_no: int) -> list[str]:
    """Cards of this station whose state is not what their history says; empty: the statistics reconcile."""
    e = card_events.c
    said = {
        row.card_no: _BECOMES[row.event]
        for row in conn.execute(select(e.card_no, e.event).where(e.event.in_(_BECOMES)).order_by(e.id))
    }
    kept = {
        row.card_no: row.state
        for row in conn.execute(select(cards.c.card_no, cards.c.state).where(cards.c.state.in_(STATES)))
        if home_of(row.card_no) == station_no
    }
    return sorted(card_no for card_no in kept.keys() | said.keys() if kept.get(card_no) != said.get(card_no))


@dataclass(frozen=True)
class Line:
    """A line of a card's history. kind: sale, load, refund, replaced_in, replaced_out; change_fen with its sign;
    balance_fen: what the customer has after it; place: pump, drawer or gateway; volume_ml, grade: of a sale; sale: its
    name `device/seq`."""

    at: int
    kind: str
    change_fen: int
    balance_fen: int
    place: str
    volume_ml: int = 0
    grade: int = 0
    sale: str = ""


def history(conn: Connection, card_no: str) -> list[Line]:
    """All that moved a card's money, newest first, as the pumps' journals and the desk's books have it.

    The last balance is the books' purse and what a sale still holds: history_agrees() says so.
    """
    found = []
    for load in loading.of_card(conn, card_no):
        kind = "replaced_in" if load.drawer.startswith(loading.CARD) else "load"
        found.append(Line(load.paid_at, kind, load.amount_fen, 0, load.drawer))
    found += [Line(r.asked_at, "refund", -r.off_card_fen, 0, r.drawer) for r in refunding.of_card(conn, card_no)]
    for row in sales.recent(conn, sales.recent_count(conn, card_no=card_no), card_no=card_no):
        if row.amount_fen is not None and row.ended is not None and row.state in ("ended", "settled"):
            sale = f"{row.device}/{row.seq}"
            fuelled = (row.volume_ml or 0, row.grade or 0, sale)
            found.append(Line(row.ended, "sale", -row.amount_fen, 0, row.pump, *fuelled))
    moved_fen = sum(line.amount for _, line in ledger.posted_by_prefix(conn, [f"replace:{card_no}"]))
    for event in registry.events(conn, card_no):
        if event.event == "replaced" and moved_fen:
            found.append(Line(event.at, "replaced_out", -moved_fen, 0, event.detail))
    balance_fen, lines = 0, []
    for line in sorted(found, key=lambda one: (one.at, -one.change_fen)):
        balance_fen += line.change_fen
        lines.append(Line(**line.__dict__ | {"balance_fen": balance_fen}))
    return lines[::-1]


def history_agrees(conn: Connection, card_no: str, lines: list[Line]) -> bool:
    """Whether the history ends at what the books hold. A running sale's reservation is the customer's until it ends."""
    held = ledger.balance(conn, ledger.purse(card_no)) + ledger.balance(conn, ledger.inflight(card_no))
    return held == (lines[0].balance_fen if lines else 0)


@dataclass(frozen=True)
class Float:
    """One local day of the prepaid float: what customers had paid and not used. opening + loaded - sold - refunded +
    other is closing; loads and refunds are net by the kind of account they came from."""

    day: int  # its local midnight, Unix seconds
    opening_fen: int
    loaded_fen: int
    sold_fen: int
    refunded_fen: int
    other_fen: int
    closing_fen: int


def float_by_day(conn: Connection, days: int, now: int) -> list[Float]:
    """The last days, newest first: from the books' balances of now, going back over what moved since."""
    today = datetime.fromtimestamp(now).astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [int((today - timedelta(days=back)).timestamp()) for back in range(days)]
    closing = float_now(conn)
    found = []
    for start, came in zip(starts, reversed(ledger.flows(conn, _ON_CARDS, starts[::-1])), strict=True):
        sold = -came.pop("sales", 0)
        paid = [came.pop(kind) for kind in _PAID if kind in came]
        loaded, refunded = sum(fen for fen in paid if fen > 0), -sum(fen for fen in paid if fen < 0)
        other = sum(came.values())
        opening = closing - loaded + sold + refunded - other
        found.append(Float(start, opening, loaded, sold, refunded, other, closing))
        closing = opening
    return found


def float_now(conn: Connection) -> int:
    """What all cards together are good for, by the roll-up of the books."""
    return sum(ledger.total(conn, prefix) for prefix in _ON_CARDS)


def float_by_kind(conn: Connection) -> dict[int, tuple[int, int]]:
    """By kind of card: (cards with money, fen), added up card by card; kind 0: cards not issued here. Together they are
    float_now()."""
    kinds = {row.card_no: row.kind for row in conn.execute(select(cards.c.card_no, cards.c.kind))}
    of_card: dict[str, int] = {}
    for prefix in _ON_CARDS:
        for account, fen in ledger.balances(conn, prefix).items():
            card_no = account.removeprefix(prefix)
            of_card[card_no] = of_card.get(card_no, 0) + fen
    sums: dict[int, tuple[int, int]] = {}
    for card_no, fen in of_card.items():
        if fen:
            count, total = sums.get(kinds.get(card_no, 0), (0, 0))
            sums[kinds.get(card_no, 0)] = (count + 1, total + fen)
    return dict(sorted(sums.items()))
