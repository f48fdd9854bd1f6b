"""A sale's card commands torn at every single frame, before and after the card carried it out (D20).

What the pump knows afterwards is only CardLost; what the card holds must be one of the two states of PURSE's table, and
the next contact must be able to tell which.
"""

from collections.abc import Iterator

import pytest

import desfire
from desfire import CardLost
from desfire_run import run
from pump.core import card_layout as layout
from station.cards import CardInHand, CardKeys, Desk
from station.platform.secrets import Secrets
from tests.cards.conftest import UID
from tools.bench.desfire_card import DesfireCard

R, F = 20_001, 15_000
SALE = (257, 812)


def held(card: DesfireCard) -> tuple[int, int, int]:
    """(fen in the purse, fen in an open reservation, purse counter)."""
    files = card.peek(layout.AID)
    balance, state = files[layout.FILE_PURSE], files[layout.FILE_STATE]
    assert isinstance(balance, int) and isinstance(state, bytes)
    counter, _, _, fen, _, _, _ = layout.unpack_state(state)
    return balance, fen, counter


class Pump:
    """The card commands of a sale in the order of PURSE.md, each part on a session of its own."""

    def __init__(self, secrets: Secrets, card: DesfireCard) -> None:
        self.keys, self.card = CardKeys.of(secrets, UID), card

    def _opened(self) -> Iterator[bytes]:
        self.session = desfire.Session()
        yield from self.session.select(layout.AID)
        yield from self.session.authenticate(layout.KEY_PUMP, self.keys.pump, bytes(16))
        self.state = layout.unpack_state((yield from self.session.read_data(layout.FILE_STATE, 0, layout.STATE_SIZE)))

    def reserve(self) -> Iterator[bytes]:
        yield from self._opened()
        if self.state[1]:
            return
        yield from self.session.debit(layout.FILE_PURSE, R)
        state = layout.pack_state(self.state[0] + 1, *SALE, R, 1_790_000_000, self.state[5], self.state[6])
        yield from self.session.write_data(layout.FILE_STATE, 0, state)
        yield from self.session.commit()

    def settle(self) -> Iterator[bytes]:
        yield from self._opened()
        if (self.state[1], self.state[2]) != SALE:
            return
        yield from self.session.limited_credit(layout.FILE_PURSE, R - F)
        state = layout.pack_state(self.state[0], 0, 0, 0, 0, self.state[5], self.state[6])
        yield from self.session.write_data(layout.FILE_STATE, 0, state)
        yield from self.session.write_record(layout.FILE_LOG, bytes(layout.LOG_SIZE))
        yield from self.session.commit()

    def run(self, part: Iterator[bytes]) -> bool:
        """False if the card was lost."""
        try:
            run(part, self.card.exchange)
        except CardLost:
            self.card.reset()
            return False
        return True


@pytest.fixture
def pump(desk: Desk, issued: CardInHand, secrets: Secrets) -> Pump:
    desk.load(issued, 50_000)
    issued.card.reset()
    return Pump(secrets, issued.card)


def frames_of(pump: Pump, part: Iterator[bytes]) -> int:
    before = pump.card.frames
    assert pump.run(part)
    return int(pump.card.frames - before)


@pytest.mark.parametrize("done", [False, True])
def test_card_torn_at_any_frame_of_the_reservation_holds_all_or_nothing(pump: Pump, done: bool) -> None:
    saved = pump.card.to_json()
    frames = frames_of(pump, pump.reserve())
    assert held(pump.card) == (50_000 - R, R, 1)
    for frame in range(1, frames + 1):
        pump.card = DesfireCard.from_json(saved)
        pump.card.tear_at(frame, done)
        assert not pump.run(pump.reserve())
        committed = done and frame == frames
        assert held(pump.card) == ((50_000 - R, R, 1) if committed else (50_000, 0, 0))
        # The next contact finds out which, and goes on from there.
        assert pump.run(pump.reserve())
        assert held(pump.card) == (50_000 - R, R, 1)


@pytest.mark.parametrize("done", [False, True])
def test_card_torn_at_any_frame_of_the_settlement_is_settled_once(pump: Pump, done: bool) -> None:
    assert pump.run(pump.reserve())
    saved = pump.card.to_json()
    frames = frames_of(pump, pump.settle())
    for frame in range(1, frames + 1):
        pump.card = DesfireCard.from_json(saved)
        pump.card.tear_at(frame, done)
        assert not pump.run(pump.settle())
        balance, fen, _ = held(pump.card)
        assert (balance, fen) in ((50_000 - R, R), (50_000 - F, 0))
        for _ in range(2):
            assert pump.run(pump.settle())
        assert held(pump.card) == (50_000 - F, 0, 1)
