"""D28: money paid from afar reaches the card at the next tap of a pump; the credit key stays with the station."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from pump.core import records, view
from station import cards, ledger, sales
from station.cards import CardInHand, Desk
from station.mqtt import card_questions
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.linked import LinkedBench
from tools.bench import wallet
from tools.bench.desfire_card import DesfireCard

Balances = Callable[[], dict[str, int]]
TOP_UP = 20_000
AT_FIRST = 30_000


@pytest.fixture(autouse=True)
def fresh_station(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pumps of these tests ask under the same names each time: a station that has just started knows none."""
    monkeypatch.setattr(card_questions, "RELAYS", cards.Relays())


@pytest.fixture
def loaded(desk: Desk, issued: CardInHand) -> CardInHand:
    """A registered card with 300.00 yuan, paid at the desk."""
    desk.load(issued, AT_FIRST)
    return issued


def top_up(engine: Engine, card: CardInHand, amount_fen: int = TOP_UP) -> cards.Load:
    number = wallet.number_of(card.card)
    assert number is not None
    with database.write(engine) as conn:
        return cards.top_up(conn, number, amount_fen, "wechat", 1_790_000_000)


def balance(card: CardInHand) -> int:
    held = wallet.balance_of(card.card)
    assert held is not None
    return held


def all_is_well(engine: Engine, secrets: Secrets) -> None:
    with database.read(engine) as conn:
        assert [*ledger.verify(conn), *sales.verify(conn, secrets)] == []
        assert sales.money_invariant(conn, 0).difference_fen == 0


def tap(bench: LinkedBench, card: DesfireCard, seconds: float = 4) -> None:
    bench.pump.put(card)
    bench.wait(seconds)
    bench.pump.take()
    bench.wait(0.5)


def test_d28_a_top_up_is_on_the_card_after_the_next_tap(
    engine: Engine, secrets: Secrets, loaded: CardInHand, balances: Balances
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")
    load = top_up(engine, loaded)
    assert balances()[ledger.gateway("wechat")] == -TOP_UP
    tap(bench, loaded.card)
    assert balance(loaded) == AT_FIRST + TOP_UP
    assert bench.view.balance_fen == AT_FIRST + TOP_UP  # the pump has read the card again
    assert bench.view.notice == view.NOTICE_LOADED and bench.view.figures == (TOP_UP,)
    assert balances()[ledger.purse(load.card_no)] == AT_FIRST + TOP_UP
    assert ledger.pending(load.card_no) not in balances()
    assert [question["ask"] for question in bench.asked] == ["load", "relay", "relay", "relay"]
    all_is_well(engine, secrets)
    tap(bench, loaded.card)
    assert balance(loaded) == AT_FIRST + TOP_UP  # once


# Commands of a tap that loads, as the card sees them: 9 frames of reading, 2 + 3 + 3 of the load, 9 of reading again.
LOAD_FRAMES = range(9, 21)


@pytest.mark.parametrize("then", ["same pump", "other pump", "desk"])
def test_d28_torn_at_any_command_the_next_contact_anywhere_knows_whether_it_happened(
    engine: Engine, secrets: Secrets, desk: Desk, loaded: CardInHand, balances: Balances, then: str
) -> None:
    bench, other = (LinkedBench(engine, secrets, name, mode="tap") for name in ("p1", "p2"))
    happened = set()
    for frame in LOAD_FRAMES:
        for done in (False, True):
            where = f"frame {frame}, {'after' if done else 'before'} the card did it"
            before = balance(loaded)
            load = top_up(engine, loaded, 1_000)
            loaded.card.reset()
            loaded.card.tear_at(frame, done)
            tap(bench, loaded.card, 2)
            loaded.card.tear_at(0)
            happened.add(balance(loaded) - before)
            if then == "desk":
                loaded.card.reset()
                assert desk.resume(loaded).view.balance_fen == before + 1_000, where
            else:
                tap(bench if then == "same pump" else other, loaded.card)
            assert balance(loaded) == before + 1_000, where
            assert ledger.pending(load.card_no) not in balances(), where
    assert happened == {0, 1_000}  # the tearing did hit both sides of the commit
    all_is_well(engine, secrets)


@pytest.mark.parametrize("lost", ["ask", "answer"])
@pytest.mark.parametrize("step", range(4))
def test_d28_the_line_fails_at_any_step_and_the_load_comes_later_exactly_once(
    engine: Engine, secrets: Secrets, loaded: CardInHand, balances: Balances, step: int, lost: str
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")
    load = top_up(engine, loaded)
    heard: list[dict[str, Any]] = []

    def wire(question: dict[str, Any]) -> str:
        heard.append(question)
        return lost if len(heard) == step + 1 else ""

    bench.wire = wire
    bench.pump.lift(0)
    before_us = bench.pump.now_us
    bench.pump.put(loaded.card)
    bench.state("fuelling", "slow")  # the customer is served all the same
    assert bench.pump.now_us - before_us < 3_000_000
    bench.pump.take()
    bench.hang()
    bench.settle(loaded.card)
    bench.wire = lambda question: ""
    tap(bench, loaded.card)
    assert balance(loaded) == AT_FIRST + TOP_UP
    assert ledger.pending(load.card_no) not in balances()
    all_is_well(engine, secrets)


def test_d28_without_the_line_a_tap_costs_no_time_and_with_it_hardly_any(
    engine: Engine, secrets: Secrets, loaded: CardInHand
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")

    def tapped() -> int:
        bench.pump.lift(0)
        bench.wait(0.5)
        begun_us = bench.pump.now_us
        bench.pump.put(loaded.card)
        bench.state("fuelling", "slow")
        taken_us = bench.pump.now_us - begun_us
        bench.pump.take()
        bench.hang()
        bench.settle(loaded.card)
        return int(taken_us)

    bench.online = False
    alone_us = tapped()
    bench.online = True
    nothing_us = tapped()
    top_up(engine, loaded)
    with_load_us = tapped()
    assert nothing_us - alone_us < 100_000
    assert with_load_us - alone_us < 2_000_000
    assert balance(loaded) == AT_FIRST + TOP_UP


def test_d28_the_power_of_the_pump_goes_between_any_two_frames(
    engine: Engine, secrets: Secrets, loaded: CardInHand, balances: Balances
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")
    for frames in LOAD_FRAMES:
        load = top_up(engine, loaded)
        before = balance(loaded)
        count = loaded.card.frames
        bench.pump.put(loaded.card)
        bench.wait(2, lambda count=count, frames=frames: loaded.card.frames - count >= frames)  # type: ignore[misc]
        bench.power_cycle()
        bench.wait(4)  # the card still lies there: the pump finds it when it is up again
        bench.pump.take()
        tap(bench, loaded.card)
        assert balance(loaded) == before + TOP_UP
        assert ledger.pending(load.card_no) not in balances()
    all_is_well(engine, secrets)


def test_d28_the_station_is_started_anew_in_the_middle(
    engine: Engine, secrets: Secrets, loaded: CardInHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it knew of the card's session is gone: the pump goes on without the load, which comes at the next tap."""
    bench = LinkedBench(engine, secrets, mode="tap")
    top_up(engine, loaded)

    def wire(question: dict[str, Any]) -> str:
        if question["ask"] == "relay" and question["step"] == 2:
            monkeypatch.setattr(card_questions, "RELAYS", cards.Relays())
        return ""

    bench.wire = wire
    tap(bench, loaded.card)
    assert balance(loaded) == AT_FIRST
    tap(bench, loaded.card)
    bench.wire = lambda question: ""
    tap(bench, loaded.card)
    assert balance(loaded) == AT_FIRST + TOP_UP
    all_is_well(engine, secrets)


def test_d28_a_question_that_comes_twice_gets_the_same_frames_and_loads_once(
    engine: Engine, secrets: Secrets, loaded: CardInHand, balances: Balances
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")
    load = top_up(engine, loaded)
    twice: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def wire(question: dict[str, Any]) -> str:
        first, second = bench.answer(question), bench.answer(question)
        twice.append((first, second))
        return ""

    bench.wire = wire
    tap(bench, loaded.card)
    assert len(twice) == 4 and all(first == second for first, second in twice)
    assert balance(loaded) == AT_FIRST + TOP_UP == balances()[ledger.purse(load.card_no)]
    all_is_well(engine, secrets)


def test_d28_nothing_is_loaded_while_a_sale_is_open_and_all_is_settled_first(
    engine: Engine, secrets: Secrets, loaded: CardInHand
) -> None:
    bench = LinkedBench(engine, secrets, mode="tap")
    bench.authorise(loaded.card)
    bench.fuel(5)
    bench.hang()
    held = wallet.open_of(loaded.card)
    assert held
    top_up(engine, loaded)
    bench.asked.clear()
    elsewhere = LinkedBench(engine, secrets, "p2", mode="tap")
    bench.wait(1)  # the first pump's records are in: the second can settle
    tap(elsewhere, loaded.card)
    asked = [question["ask"] for question in elsewhere.asked]
    assert asked.index("unfinished") < asked.index("relay")
    paid = bench.of(records.END)[-1]["amount_fen"]
    assert balance(loaded) == AT_FIRST + TOP_UP - paid
    all_is_well(engine, secrets)


def test_d28_a_load_that_the_card_may_not_hold_stays_in_the_books(
    engine: Engine, secrets: Secrets, desk: Desk, issued: CardInHand, balances: Balances
) -> None:
    """Above the legal maximum the card stays as it is; the money waits and can be given back at the desk."""
    desk.load(issued, 200_000)
    desk.load(issued, 200_000)
    number = wallet.number_of(issued.card)
    assert number is not None
    with database.write(engine) as conn, pytest.raises(cards.LoadError, match="限额"):
        cards.top_up(conn, number, 200_000, "wechat", 1_790_000_000)
    load = top_up(engine, issued, 100_000)
    with database.write(engine) as conn, pytest.raises(cards.LoadError, match="待写卡"):
        cards.top_up(conn, number, 100, "wechat", 1_790_000_000)
    tap(LinkedBench(engine, secrets, mode="tap"), issued.card)
    assert balance(issued) == 500_000 and ledger.pending(load.card_no) not in balances()
    with database.write(engine) as conn, pytest.raises(cards.LoadError, match="限额"):
        cards.top_up(conn, number, 1, "wechat", 1_790_000_000)


def test_d28_the_pump_is_told_nothing_that_the_credit_key_could_be_read_from(
    engine: Engine, secrets: Secrets, loaded: CardInHand
) -> None:
    """Neither key goes over the line; one frame changed on its way, and the card refuses all of it."""
    bench = LinkedBench(engine, secrets, mode="tap")
    top_up(engine, loaded)
    tap(bench, loaded.card)
    keys = cards.CardKeys.of(secrets, loaded.card.uid)
    told = repr((bench.asked, bench.answers))
    assert "frames" in told
    for key in (secrets.credit, keys.credit, secrets.issuing, keys.master):
        assert key.hex() not in told
    top_up(engine, loaded, 1_000)
    carried = bench.answer

    def tampering(question: dict[str, Any]) -> dict[str, Any]:
        answer = carried(question)
        if question["ask"] == "relay" and question["step"] == 2:
            credit = bytearray.fromhex(answer["frames"][0])
            credit[2] ^= 0xFF  # the amount
            answer["frames"][0] = credit.hex()
        return answer

    bench.answer = tampering  # type: ignore[method-assign]
    before = balance(loaded)
    tap(bench, loaded.card)
    assert balance(loaded) == before
    del bench.answer
    tap(bench, loaded.card)
    assert balance(loaded) == before + 1_000
    all_is_well(engine, secrets)
