"""A pump asks whether a card of an account may fuel: the card must be good, and its account must have credit left."""

from dataclasses import dataclass

from sqlalchemy import Connection

from pump.core import card_layout
from station import accounts
from station.cards import registry

STOPPED, EXHAUSTED = "stopped", "exhausted"


@dataclass(frozen=True, slots=True)
class Word:
    """The station's word: a grant, or why not: STOPPED (card or account is not good) or EXHAUSTED (credit used up)."""

    grant: accounts.Grant | None
    why: str = ""


def authorise(conn: Connection, uid: bytes, asked: accounts.Question, now: int) -> Word:
    """Lend for the sale in hand. Call in a writer's transaction. asked: see accounts.Question."""
    card = registry.by_uid(conn, uid)
    if card is None or card.state != "active" or card.kind != card_layout.KIND_ACCOUNT:
        return Word(None, STOPPED)
    known = accounts.account(conn, card.company)
    if known is None or known.state != accounts.ACTIVE:
        return Word(None, STOPPED)
    grant = accounts.authorise(conn, known.account, asked, now)
    return Word(grant, "" if grant else EXHAUSTED)
