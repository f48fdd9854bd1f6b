"""The cards issued here: who holds them, in which state they are, and what was done with them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, func, insert, select, update

from pump.core import card_layout
from station import forecourt
from station.cards import numbers
from station.cards.tables import card_events, cards
from station.platform import audit

LOST, OTHER = "lost", "other"
REFUSED = ("blocked", "replaced", "closed")  # on the list that goes out to the pumps


class RegistryError(ValueError):
    """Not possible with this card; the message (Chinese, then English) says why."""


@dataclass(frozen=True)
class Card:
    """A card as issued. kind: card_layout.KIND_*; grades: bit = grade number; expiry 0: never.

    customer: who holds it (customers.py); purchase: bought together with others; replaces: another card's number;
    listed: the version of the pumps' lists that has named it last.
    """

    card_no: str
    uid: str
    kind: int
    state: str
    holder: str
    document: str
    plate: str
    company: int
    grades: int
    expiry: int
    upper_fen: int
    issued_at: int
    block_reason: str
    customer: str = ""
    purchase: str = ""
    replaces: str = ""
    listed: int = 0


@dataclass(frozen=True)
class Event:
    """What was done with a card, by whom."""

    card_no: str
    at: int
    event: str
    by: str
    detail: str


_COLUMNS = [column for column in cards.c if column.name != "key_version"]


def _card(row: RowMapping) -> Card:
    return Card(**row)


def card(conn: Connection, card_no: str) -> Card | None:
    """The card of that number (16 digits)."""
    row = conn.execute(select(*_COLUMNS).where(cards.c.card_no == card_no)).mappings().first()
    return _card(row) if row else None


def by_uid(conn: Connection, uid: bytes) -> Card | None:
    """The card that this chip is now (not one it was before being voided)."""
    query = select(*_COLUMNS).where(cards.c.uid == uid.hex(), cards.c.state != "void")
    row = conn.execute(query).mappings().first()
    return _card(row) if row else None


def listing(conn: Connection, search: str = "", limit: int = 50, offset: int = 0) -> list[Card]:
    """Cards, newest first; search: part of the number (blanks do not matter), the holder's name or the plate."""
    query = select(*_COLUMNS).where(_matches(search)).order_by(cards.c.issued_at.desc(), cards.c.card_no.desc())
    return [_card(row) for row in conn.execute(query.limit(limit).offset(offset)).mappings()]


def count(conn: Connection, search: str = "") -> int:
    """How many cards listing() has in all."""
    return int(conn.execute(select(func.count()).select_from(cards).where(_matches(search))).scalar() or 0)


def _matches(search: str) -> ColumnElement[bool]:
    found = cards.c.state != "void"
    if not search.strip():
        return found
    number = f"%{_escaped(search.replace(' ', ''))}%"
    words = f"%{_escaped(search.strip())}%"
    return found & (
        cards.c.card_no.like(number, escape="\\")
        | cards.c.holder.like(words, escape="\\")
        | cards.c.plate.like(words, escape="\\")
    )


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def counts(conn: Connection) -> dict[tuple[int, str], int]:
    """How many cards there are by (kind, state)."""
    query = select(cards.c.kind, cards.c.state, func.count()).group_by(cards.c.kind, cards.c.state)
    return {(kind, state): count for kind, state, count in conn.execute(query)}


def next_number(conn: Connection, station_no: int) -> str:
    """The station's next free card number; call it in a writer's transaction."""
    first, last = numbers.make(station_no, 1), numbers.make(station_no, numbers.MAX_SERIAL)
    highest = conn.execute(select(func.max(cards.c.card_no)).where(cards.c.card_no.between(first, last))).scalar()
    return numbers.make(station_no, numbers.serial_of(highest) + 1 if highest else 1)


def note(conn: Connection, card_no: str, at: int, event: str, by: str, detail: str = "") -> None:
    """Writes an event into the card's history, and into the audit."""
    conn.execute(insert(card_events).values(card_no=card_no, at=at, event=event, by=by, detail=detail))
    audit.record(conn, at, by, f"card.{event}", card_no, {}, {"detail": detail})


def events(conn: Connection, card_no: str) -> list[Event]:
    """The card's history, oldest first."""
    query = select(card_events).where(card_events.c.card_no == card_no).order_by(card_events.c.id)
    return [Event(row.card_no, row.at, row.event, row.by, row.detail) for row in conn.execute(query)]


def block(conn: Connection, card_no: str, reason: str, by: str, at: int) -> None:
    """No pump takes the card any more once it has the new list. reason: LOST, OTHER or words.

    RegistryError for an unknown card, one blocked already, and a loss report for an anonymous card (nobody can show
    that it was theirs).
    """
    known = _known(conn, card_no)
    if known.state == "blocked":
        raise RegistryError("该卡已停用 the card is blocked already")
    if reason == LOST and known.kind == card_layout.KIND_ANONYMOUS:
        raise RegistryError("不记名卡不办理挂失 the loss of an anonymous card cannot be reported")
    _set_state(conn, known, "blocked", reason, by, at)


def unblock(conn: Connection, card_no: str, by: str, at: int) -> None:
    """The card is good again. RegistryError if it is unknown or was not blocked; what is replaced or closed stays."""
    known = _known(conn, card_no)
    if known.state != "blocked":
        raise RegistryError("该卡没有停用 the card is not blocked")
    _set_state(conn, known, "active", "", by, at)


def replace(conn: Connection, card_no: str, new_no: str, by: str, at: int) -> None:
    """Another card has taken its place: no pump takes it ever again."""
    _set_state(conn, _known(conn, card_no), "replaced", new_no, by, at)


def close(conn: Connection, card_no: str, reason: str, by: str, at: int) -> None:
    """The card is given back and holds nothing: no pump takes it ever again."""
    _set_state(conn, _known(conn, card_no), "closed", reason, by, at)


def renewed(conn: Connection, card_no: str, expiry: int, by: str, at: int) -> None:
    """The card says until when it is valid, and the books follow it. expiry: Unix seconds, 0 never."""
    conn.execute(update(cards).where(cards.c.card_no == card_no).values(expiry=expiry))
    note(conn, card_no, at, "renewed", by, str(expiry))


def line(conn: Connection, card_no: str) -> list[str]:
    """The card and those it replaces, newest first."""
    found = [card_no]
    while (known := card(conn, found[-1])) is not None and known.replaces and known.replaces not in found:
        found.append(known.replaces)
    return found


def replacement_of(conn: Connection, card_no: str) -> Card | None:
    """The card that was made, or is being made, for this one."""
    chosen = select(*_COLUMNS).where(cards.c.replaces == card_no, cards.c.state != "void")
    row = conn.execute(chosen).mappings().first()
    return _card(row) if row else None


def _known(conn: Connection, card_no: str) -> Card:
    known = card(conn, card_no)
    if known is None or known.state in ("void", "issuing"):
        raise RegistryError(f"没有卡号 {card_no} 的卡 there is no card with this number")
    if known.state in ("replaced", "closed"):
        raise RegistryError("该卡已补办或已销户 the card has been replaced or closed")
    return known


EVENTS = {"active": "unblocked", "blocked": "blocked", "replaced": "replaced", "closed": "closed"}


def _set_state(conn: Connection, known: Card, state: str, reason: str, by: str, at: int) -> None:
    mine = update(cards).where(cards.c.card_no == known.card_no)
    conn.execute(mine.values(state=state, block_reason=reason))
    note(conn, known.card_no, at, EVENTS[state], by, reason)
    lists = forecourt.set_blacklist(conn, blocked(conn), at)
    if known.state == "active":
        conn.execute(mine.values(listed=lists.version))


def blocked(conn: Connection) -> Sequence[str]:
    """The numbers of all cards that pumps are to refuse."""
    return conn.execute(select(cards.c.card_no).where(cards.c.state.in_(REFUSED))).scalars().all()
