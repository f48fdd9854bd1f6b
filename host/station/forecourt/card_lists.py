"""The lists that pumps carry: cards that are refused (black), cards that are allowed (white). A base and small changes.

A version is a base and what was added to and removed from it since. When the changes no longer fit into one message a
new base is made, which pumps fetch while idle (docs/mqtt.md); up to MOST cards on both lists together.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Integer, LargeBinary, Table, Text, func, insert, select

from pump.core import fetch, lists
from station.platform.database import STRICT, BigInt, append_only, metadata

MOST = 100_000  # cards
HOUR_S = 3600
SLOT_BYTES = 47 * 4096  # of a pump's flash: tools/partitions.csv, without the slot's head

versions_table = append_only(
    Table(
        "card_lists",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("made", BigInt, nullable=False),
        Column("base", BigInt, nullable=False),  # 0: none, the changes are all
        Column("changes", Text, nullable=False),  # JSON: black added, black removed, white added, white removed
        **STRICT,
    )
)

bases_table = append_only(
    Table(
        "card_list_bases",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("made", BigInt, nullable=False),
        Column("black", Text, nullable=False),  # JSON: card numbers, sorted
        Column("white", Text, nullable=False),
        Column("black_pages", Integer, nullable=False),
        Column("image", LargeBinary, nullable=False),  # as it lies in the pumps' flash
        **STRICT,
    )
)


Changes = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CardLists:
    """One version; changes are black added, black removed, white added, white removed, against version `base`."""

    version: int
    made: int
    base: int
    changes: Changes


@dataclass(frozen=True, slots=True)
class Blacklist:
    version: int
    made: int
    cards: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Base:
    """The two sorted lists of a base, and its image."""

    version: int
    black: tuple[str, ...]
    white: tuple[str, ...]
    black_pages: int
    image: bytes


NO_BASE = Base(0, (), (), 0, b"")


def pages(cards: Iterable[str]) -> bytes:
    """Sorted card numbers as pump.core.lists reads them: pages of 64 bytes, first key whole, then gaps."""
    done, page, before = bytearray(), bytearray(), 0
    for card in cards:
        key = int(card[:15])
        if page and key == before:  # another check digit: the same card
            continue
        gap = _number(key - before) if page else b""
        if not page or len(page) + len(gap) > lists.PAGE:
            done += page.ljust(lists.PAGE, b"\0") if page else b""
            page = bytearray(key.to_bytes(lists.KEY, "big"))
        else:
            page += gap
        before = key
    return bytes(done + page.ljust(lists.PAGE, b"\0")) if page else bytes(done)


def _number(value: int) -> bytes:
    groups = bytearray((value & 0x7F,))
    while value := value >> 7:
        groups.insert(0, value & 0x7F | 0x80)
    return bytes(groups)


def card_lists(conn: Connection) -> CardLists:
    """The latest version; version 0 and empty before the first."""
    row = conn.execute(select(versions_table).order_by(versions_table.c.version.desc()).limit(1)).first()
    if row is None:
        return CardLists(0, 0, 0, ((), (), (), ()))
    added, removed, allowed, disallowed = (tuple(cards) for cards in json.loads(row.changes))
    return CardLists(row.version, row.made, row.base, (added, removed, allowed, disallowed))


def base(conn: Connection, version: int) -> Base:
    """The base of this version; NO_BASE for 0 and for one that there never was."""
    row = conn.execute(select(bases_table).where(bases_table.c.version == version)).first() if version else None
    if row is None:
        return NO_BASE
    black, white = tuple(json.loads(row.black)), tuple(json.loads(row.white))
    return Base(row.version, black, white, row.black_pages, bytes(row.image))


def blacklist(conn: Connection) -> Blacklist:
    """All cards that are refused now."""
    latest = card_lists(conn)
    return Blacklist(latest.version, latest.made, _with(base(conn, latest.base).black, *latest.changes[:2]))


def whitelist(conn: Connection) -> tuple[str, ...]:
    """All cards that are allowed where the setting `white_only` demands it."""
    latest = card_lists(conn)
    return _with(base(conn, latest.base).white, *latest.changes[2:])


def set_blacklist(conn: Connection, cards: Sequence[str], now: int) -> Blacklist:
    """Publishes the cards to be refused, all of them, as a new version; the same again keeps its version.

    ValueError for more than MOST cards, or numbers that lie too far apart to fit into a pump's flash.
    """
    _publish(conn, tuple(sorted(set(cards))), whitelist(conn), now)
    return blacklist(conn)


def set_whitelist(conn: Connection, cards: Sequence[str], now: int) -> CardLists:
    """The same for the cards that are allowed."""
    return _publish(conn, blacklist(conn).cards, tuple(sorted(set(cards))), now)


def lists_news(conn: Connection, now: int) -> tuple[int, int]:
    """(version, made) that pumps are to be told; (0, 0) while there are no lists.

    `made` says until when the version is known to be the latest: it moves on every hour, so that a pump can tell a
    list that has not changed from one that it has not heard of.
    """
    latest = _for_pumps(conn, now)
    return (latest.version, max(latest.made, now - now % HOUR_S)) if latest.version else (0, 0)


def lists_message(conn: Connection, made: int) -> dict[str, Any]:
    """What pumps are told of the latest version (docs/mqtt.md, `lists`)."""
    latest = card_lists(conn)
    of = base(conn, latest.base)
    pages_of = (of.black_pages, len(of.image) // lists.PAGE - of.black_pages)
    sha = hashlib.sha256(of.image).hexdigest() if of.image else ""
    added, removed, allowed, disallowed = (list(cards) for cards in latest.changes)
    return {
        "version": latest.version,
        "made": made,
        "count": [len(blacklist(conn).cards), len(whitelist(conn))],
        "base": [of.version, *pages_of, sha],
        "black": [added, removed],
        "white": [allowed, disallowed],
    }


def list_part(conn: Connection, version: int, at: int) -> bytes:
    """Bytes of a base's image from offset `at` on, as many as fit into one answer; empty beyond its end."""
    piece = select(func.substr(bases_table.c.image, at + 1, fetch.PART)).where(bases_table.c.version == version)
    return bytes(conn.execute(piece).scalar() or b"")


def _for_pumps(conn: Connection, now: int) -> CardLists:
    """The latest version as pumps can take it: one whose changes do not fit into a message gets a base first."""
    latest = card_lists(conn)
    if _count(latest.changes) <= lists.MOST_CHANGES:
        return latest
    return _publish(conn, blacklist(conn).cards, whitelist(conn), now, again=True)


def _publish(
    conn: Connection, black: tuple[str, ...], white: tuple[str, ...], now: int, again: bool = False
) -> CardLists:
    latest, before = card_lists(conn), blacklist(conn).cards
    if not again and (black, white) == (before, whitelist(conn)):
        return latest
    version, of = latest.version + 1, base(conn, latest.base)
    changes = _changes(of, black, white)
    if _count(changes) > lists.MOST_CHANGES:
        of = _new_base(conn, version, black, white, now)
        # A pump needs a minute to fetch it; what is new comes at once, as far as there is room.
        changes = (_less(black, before)[: lists.MOST_CHANGES], (), (), ())
    row = {"version": version, "made": now, "base": of.version, "changes": json.dumps(changes)}
    conn.execute(insert(versions_table).values(row))
    return CardLists(version, now, of.version, changes)


def _count(changes: Changes) -> int:
    return sum(len(cards) for cards in changes)


def _new_base(conn: Connection, version: int, black: tuple[str, ...], white: tuple[str, ...], now: int) -> Base:
    first, image = pages(black), pages(black) + pages(white)
    if len(black) + len(white) > MOST or len(image) > SLOT_BYTES:
        raise ValueError(
            f"名单最多 {MOST} 张卡、{SLOT_BYTES} 字节 the lists hold at most {MOST} cards in {SLOT_BYTES} bytes: "
            f"{len(black)} + {len(white)}, {len(image)}"
        )
    made = Base(version, black, white, len(first) // lists.PAGE, image)
    texts = {"black": json.dumps(black), "white": json.dumps(white)}
    row = {"version": version, "made": now, "black_pages": made.black_pages, "image": image, **texts}
    conn.execute(insert(bases_table).values(row))
    return made


def _changes(of: Base, black: tuple[str, ...], white: tuple[str, ...]) -> Changes:
    return _less(black, of.black), _less(of.black, black), _less(white, of.white), _less(of.white, white)


def _less(some: tuple[str, ...], without: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(some) - set(without)))


def _with(some: tuple[str, ...], added: tuple[str, ...], removed: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted((set(some) | set(added)) - set(removed)))
