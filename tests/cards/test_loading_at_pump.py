"""D28: money paid from afar reaches the card at the next tap of a pump; the credit key stays with the station."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine

from pump.core import view
from station import cards, ledger, sales
from station.cards import CardInHand, Desk, Order
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.linked import LinkedBench
from tools.bench import wallet
from tools.bench.desfire_card import DesfireCard

Balances = Callable[[], dict[str, int]]
TOP_UP = 20_000
AT_FIRST = 30_000


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
