"""Loading at the pump (D28): the station runs the card itself, through a pump that only carries frames.

The credit key and the session's key live in this process while a card is being loaded, and nowhere else. What is lost
with it (a restart, a card that left) is no harm: the load stays pending, and the next contact reads from the card's
last load whether it happened. A pump has one reader, so one conversation per device is open at a time. Questions may
come twice: the same step gets the same answer, and what it books is booked once.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

import desfire
from station import sales
from station.cards import loading, registry
from station.cards.credit import Bursts, Credited, credit
from station.cards.keys import CardKeys
from station.cards.loading import Load
from station.cards.on_card import CardError, Random
from station.platform.secrets import Secrets

PATIENCE_S = 10  # a customer is gone by then, and the card with him


@dataclass(slots=True)
class _Open:
    """One conversation: what it loads, and the last step with what was said to it."""

    name: str
    load: Load
    bursts: Bursts[Credited]
    until: int
    step: int
    frames: list[bytes] | None
    credited: Credited | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """frames: to be carried to the card next; none: it is over, and loaded says whether the card has the money."""

    frames: tuple[bytes, ...] = ()
    loaded: Load | None = None


NOTHING = Answer()


class Relays:
    """The conversations of one process. by: who books, told with the device that carried it."""

    def __init__(self, random: Random = os.urandom) -> None:
        self._random = random
        self._open: dict[int, _Open] = {}

    def begin(self, conn: Connection, secrets: Secrets, device: int, name: str, uid: bytes, now: int) -> Answer:
        """A card came to the pump: is a load waiting for it? name: the pump's name for this conversation."""
        known = self._open.get(device)
        if known is not None and known.name == name:
            return Answer(tuple(known.frames or ()))
        self._open.pop(device, None)
        card = registry.by_uid(conn, uid)
        load = loading.waiting(conn, card.card_no) if card is not None and card.state == "active" else None
        if card is None or load is None:
            return NOTHING
        keys = CardKeys.of(secrets, uid)
        bursts = credit(keys, self._random, load.amount_fen, load.load_id, loading.upper_fen(card.kind))
        self._open[device] = _Open(name, load, bursts, now + PATIENCE_S, 0, next(bursts))
        return Answer(tuple(self._open[device].frames or ()))

    def go_on(
        self, conn: Connection, device: int, name: str, step: int, replies: Sequence[bytes], by: str, now: int
    ) -> Answer:
        """What the card said to the frames of the step before; step counts from 1. An unknown conversation is over."""
        known = self._open.get(device)
        if known is None or known.name != name or step not in (known.step, known.step + 1) or now > known.until:
            return NOTHING
        if step == known.step + 1:
            known.step, known.frames = step, None
            try:
                known.frames = known.bursts.send(list(replies))
            except StopIteration as end:
                known.credited = end.value
            except (CardError, desfire.CardLost):
                pass  # nothing was done, or the next contact will show it
        if known.credited is None:
            return Answer(tuple(known.frames or ()))
        loading.done(conn, known.load, by, now)
        if not known.credited.is_open:
            sales.observe(conn, known.load.card_no, known.credited.counter, known.credited.balance_fen, now)
        return Answer(loaded=known.load)
