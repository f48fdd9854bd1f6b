"""D20, D2: a card (or a radio beside it) that answers anything: the pump stays up, shut, and right to the fen.

Every answer may be turned, cut, lengthened, replayed from before, or be noise. After that the honest card comes again
and everything must be accounted for.
"""

import random
from typing import Any

import pytest

import desfire
from pump.core import records
from tests.core.rigs import Bench
from tests.fuzz.seeds import seeds
from tools.bench.desfire_card import DesfireCard
from tools.sim import cards
from tools.sim.pump import FLOWING, Pump

START_FEN = 50_000
VISITS = 6


class Liar:
    """Stands between pump and card, and spoils what the card says."""

    def __init__(self, rng: random.Random, card: DesfireCard, rate: float) -> None:
        self.rng, self.card, self.rate = rng, card, rate
        self.said: list[bytes] = []
        self._honest = card.exchange
        card.exchange = self.exchange  # type: ignore[method-assign]

    def exchange(self, frame: bytes) -> bytes:
        rng = self.rng
        if rng.random() < self.rate / 4:  # the frame does not reach the card as it was sent
            frame = spoiled(rng, frame, self.said)
        answer = self._honest(frame)
        self.said.append(answer)
        if rng.random() < self.rate:
            return spoiled(rng, answer, self.said)
        return answer

    def stop(self) -> None:
        self.card.exchange = self._honest  # type: ignore[method-assign]


def spoiled(rng: random.Random, data: bytes, said: list[bytes]) -> bytes:
    """The bytes with something done to them."""
    how = rng.randrange(7)
    if how == 0 and data:
        at = rng.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << rng.randrange(8),)) + data[at + 1 :]
    if how == 1:
        return data[: rng.randrange(len(data) + 1)]
    if how == 2:
        return data + rng.randbytes(rng.randrange(1, 80))
    if how == 3 and said:
        return rng.choice(said)
    if how == 4:
        return bytes((rng.choice((0x00, 0xAF, 0xAE, 0x9D, 0xBE, 0xA0, 0x1E, 0xCA, 0x40)),)) + data[1:]
    if how == 5:
        return b""
    return rng.randbytes(rng.randrange(61))


class Pumped(Pump):
    """As the board's reader task: whatever a card provokes is that card's failure. It is noted here all the same."""

    def _go_on(self, *move: Any) -> None:
        try:
            super()._go_on(*move)
        except (
            desfire.DesfireError,
            ValueError,
            IndexError,
            KeyError,
            TypeError,
            AttributeError,
            ArithmeticError,
        ) as e:
            FAULTS.append(repr(e))
            self._job = None
            assert self.controller is not None
            self.controller.card_failed(e)


FAULTS: list[str] = []


@pytest.fixture(autouse=True)
def reader_task(monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS.clear()
    monkeypatch.setattr("tests.core.rigs.Pump", Pumped)


def watch(bench: Bench, card: DesfireCard) -> bool:
    """A valve is open only while this very sale is reserved on the card."""
    controller = bench.pump.controller
    if controller is None:
        return False
    out = controller.outputs
    if out.motor or out.big or out.small or out.permit:
        assert controller.delivery.state in FLOWING
        running: Any = controller.delivery.sale
        assert cards.open_sale(card) == (257, running.seq)
    return False


@pytest.mark.parametrize("seed", seeds(40))
def test_d20_a_card_that_answers_anything_opens_no_valve_and_moves_no_money(seed: int) -> None:
    rng = random.Random(seed)
    bench = Bench(rng.choice(("slot", "tap")), (1, 2))
    card = bench.card(START_FEN, pin="2468" if seed % 5 == 0 else "")
    liar = Liar(rng, card, rng.choice((0.02, 0.1, 0.5)))
    for _ in range(VISITS):
        if rng.random() < 0.7:
            bench.pump.lift(0)
        bench.wait(0.3, lambda: watch(bench, card))
        if bench.pump.card is None:
            bench.pump.put(card)
        bench.wait(3, lambda: watch(bench, card))
        bench.keys(rng.choice(("", "2468#", "1111#", "A20#", "*")))
        bench.wait(2, lambda: watch(bench, card))
        if bench.view.state in FLOWING:
            bench.fuel(0.5)
        bench.pump.hang(0)
        bench.wait(4, lambda: watch(bench, card))
        bench.pump.take()
        bench.wait(rng.choice((1, 12)))
        assert bench.dark()
        assert cards.held_fen(card) <= START_FEN
    liar.stop()
    assert len(bench.controller.unsettled) <= VISITS
    for _ in range(3):
        bench.pump.put(card)
        bench.wait(4)
        bench.pump.take()
        bench.wait(12)
    spent = sum(end["amount_fen"] for end in bench.of(records.END))
    assert cards.open_sale(card) is None
    assert cards.held_fen(card) == START_FEN - spent
    assert bench.controller.unsettled == []
    ends = [end["sale_seq"] for end in bench.of(records.END)]
    assert len(ends) == len(set(ends)) == len(bench.of(records.START))
    assert FAULTS == [], "the card's code let something through that is neither its refusal nor its loss"


@pytest.mark.parametrize("seed", seeds(10))
def test_d20_a_forged_card_without_the_keys_gets_nothing(seed: int) -> None:
    """All it can do is answer; every answer is noise of the right lengths and likely status bytes."""
    rng = random.Random(seed)
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)

    def noise(frame: bytes) -> bytes:
        length = rng.choice((0, 8, 16, 24, 32, 40, 64))
        return bytes((rng.choice((0, 0, 0, 0xAF)),)) + rng.randbytes(length)

    card.exchange = noise  # type: ignore[method-assign]
    bench.pump.lift(0)
    for _ in range(4):
        bench.pump.put(card)
        bench.wait(4)
        bench.pump.take()
        bench.wait(1)
        assert bench.dark()
    assert not bench.of(records.START)
    assert FAULTS == []


def test_the_liar_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards the tests above against becoming empty: a pump that checks no MAC is caught by them."""
    caught = 0
    monkeypatch.setattr(desfire.Session, "_verified", lambda self, answer: answer[:-8])
    for seed in range(40):
        FAULTS.clear()
        try:
            test_d20_a_card_that_answers_anything_opens_no_valve_and_moves_no_money(seed)
        except (AssertionError, desfire.DesfireError):
            caught += 1
    assert caught > 2
