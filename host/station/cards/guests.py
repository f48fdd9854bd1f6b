"""Cards that another station issued: pumps and desk here take them, their purse stands in that station's books."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from pump.core import card_layout
from station import forecourt, sales
from station.cards import numbers, registry
from station.cards.tables import card_events, cards

# What other stations need; who holds a card stays where it was issued.
TOLD = (
    "card_no", "uid", "kind", "state", "plate", "company", "grades", "expiry", "upper_fen", "key_version", "issued_at",
    "block_reason",
)  # fmt: skip
_MAY_CHANGE = ("state", "block_reason")  # away from home
LOADED = "loaded"


@dataclass(frozen=True, slots=True)
class News:
    """An event of a card at a station, with the card as it stands since. loaded_fen: money that came onto it."""

    event: int
    card: Mapping[str, Any]
    loaded_fen: int
    at: int


def home_of(card_no: str) -> int:
    """The number of the station that issued a card."""
    return int(card_no[len(numbers.PREFIX) : len(numbers.PREFIX) + 5])


def news_since(conn: Connection, event: int, limit: int) -> list[News]:
    """What happened to cards here after an event, in order."""
    e = card_events.c
    columns = [cards.c[name] for name in TOLD]
    query = select(e.id, e.event, e.at, e.detail, *columns).join_from(card_events, cards, cards.c.card_no == e.card_no)
    rows = conn.execute(query.where(e.id > event).order_by(e.id).limit(limit)).mappings()
    return [
        News(
            event=row["id"],
            card={name: row[name] for name in TOLD},
            loaded_fen=int(row["detail"]) if row["event"] == LOADED else 0,
            at=row["at"],
        )
        for row in rows
    ]


def last_event(conn: Connection) -> int:
    """The number of the last event of any card."""
    return int(conn.execute(select(func.max(card_events.c.id))).scalar() or 0)


def told(conn: Connection, card_nos: list[str]) -> list[dict[str, Any]]:
    """These cards as other stations are told of them."""
    rows = conn.execute(select(*(cards.c[name] for name in TOLD)).where(cards.c.card_no.in_(card_nos)))
    return [dict(row) for row in rows.mappings()]


def learn(conn: Connection, card: Mapping[str, Any], now: int, *, from_home: bool, guest: bool) -> bool:
    """Takes a card as another station tells it; True if that changed anything. ValueError for what is no card.

    from_home: told by the station that issued it; others may only block it and make it good again. guest: this station
    is not its home, whose books alone hold its purse.
    """
    new = {name: card[name] for name in TOLD}
    numbers.parse(str(new["card_no"]))
    known = conn.execute(select(*(cards.c[name] for name in TOLD)).where(cards.c.card_no == new["card_no"])).first()
    old = dict(zip(TOLD, known, strict=True)) if known else None
    if old is not None and not from_home:
        new = {**old, **{name: new[name] for name in _MAY_CHANGE}}
    if old == new or (old is None and not from_home):
        return False
    if old is None:
        conn.execute(insert(cards), new)
        on_account = new["kind"] == card_layout.KIND_ACCOUNT
        sales.open_shadow(conn, new["card_no"], new["uid"], new["issued_at"], on_account=on_account)
        if guest:
            sales.make_guest(conn, new["card_no"])
    else:
        conn.execute(update(cards).where(cards.c.card_no == new["card_no"]).values(**new))
    if old is None or old["state"] != new["state"]:
        forecourt.set_blacklist(conn, registry.blocked(conn), now)
    return True
