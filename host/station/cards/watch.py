"""Blocks cards that the records speak against: a purse counter used twice, a purse that no record explains, or a
finding of a risk rule that blocks.

Each finding is acted on once and stays in the card's history. Who makes a card good again has seen what stands there,
so an old finding does not block it again; new ones do. Waiting for records is no finding, it only grows too old.
"""

import re
from dataclasses import dataclass

from sqlalchemy import Connection, select

from station import risk
from station.cards import registry
from station.cards.registry import Card
from station.cards.tables import card_events, cards
from station.sales import suspects

BY = "system"
COUNTER_TWICE, DIFFERS, RISK, WAITING = "counter_twice", "differs", "risk", "waiting"
WAITING_MAX_S = 24 * 3600  # as old as a list at a pump may be: by then every pump should have been heard
_PREFIX = "system:"
_REASON = re.compile(rf"{_PREFIX}({COUNTER_TWICE}(?= [0-9]+/)|{DIFFERS}(?= -?[0-9]+$)|{RISK}(?= \w+ [0-9]+$)) (.+)")


@dataclass(frozen=True, slots=True)
class Finding:
    """kind: COUNTER_TWICE (what: `device/seq` of the latest sale, and how often), DIFFERS (what: fen on the card above
    or below the books), RISK (what: the rule and the number of its finding), WAITING (what is empty)."""

    card_no: str
    kind: str
    what: str

    @property
    def reason(self) -> str:
        """As it stands in the card's history and as the reason of its block."""
        return f"{_PREFIX}{self.kind} {self.what}"


def findings(conn: Connection) -> list[Finding]:
    """What speaks against cards issued here and was not acted on yet."""
    new, twice = [], set()
    for found in suspects.counted_twice(conn):
        twice.add(found.card_no)
        times = f" x{found.times}" if found.times > 1 else ""
        new.append(Finding(found.card_no, COUNTER_TWICE, f"{found.device}/{found.seq}{times}"))
    for shadow in suspects.differing(conn):
        if shadow.card_no in twice:
            continue  # two cards on one account never agree with it again: only a counter used anew tells more
        difference = (shadow.seen_fen or 0) - shadow.books_fen
        # Beside an old difference, a load may be on the card that the desk did not see arrive.
        without_load = Finding(shadow.card_no, DIFFERS, str(difference - shadow.pending_fen))
        if without_load.reason not in _told(conn, shadow.card_no):
            new.append(Finding(shadow.card_no, DIFFERS, str(difference)))
    for case in risk.blocking(conn):
        if case.subject not in twice:  # which is the better proof of a second card
            new.append(Finding(case.subject, RISK, f"{case.rule} {case.id}"))
    return [one for one in new if _blockable(conn, one.card_no) and one.reason not in _told(conn, one.card_no)]


def watch(conn: Connection, now: int) -> list[Finding]:
    """Blocks the cards of all new findings; returns those acted on. Call in a writer's transaction; now: Unix seconds.

    A card that is blocked already keeps its reason; the finding is written into its history.
    """
    acted = []
    for one in findings(conn):
        known = _blockable(conn, one.card_no)
        try:
            with conn.begin_nested():
                if known is not None and known.state == "active":
                    registry.block(conn, one.card_no, one.reason, BY, now)
                else:
                    registry.note(conn, one.card_no, now, "found", BY, one.reason)
        except ValueError:
            continue  # the pumps' list is full: the finding stays in strip and quarantine, and is tried again
        acted.append(one)
    return acted


def alarms(conn: Connection, now: int) -> list[Finding]:
    """The cards that want a person's eye: blocked by watch() and not good again, or waiting for records too long."""
    query = select(cards.c.card_no, cards.c.block_reason).order_by(cards.c.card_no)
    blocked = conn.execute(query.where(cards.c.state == "blocked", cards.c.block_reason.startswith(_PREFIX))).all()
    told = [Finding(card_no, *found.groups()) for card_no, reason in blocked if (found := _REASON.fullmatch(reason))]
    overdue = suspects.waiting_since_before(conn, now - WAITING_MAX_S)
    return told + [Finding(card_no, WAITING, "") for card_no in overdue]


def _blockable(conn: Connection, card_no: str) -> Card | None:
    known = registry.card(conn, card_no)
    return known if known is not None and known.state in ("active", "blocked") else None


def _told(conn: Connection, card_no: str) -> set[str]:
    e = card_events.c
    return set(conn.execute(select(e.detail).where(e.card_no == card_no, e.by == BY)).scalars())
