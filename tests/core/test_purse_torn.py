"""D20, D15: card torn away at every command, power cut at every flash operation: card, books and fuel still agree."""

import pytest

from pump.core import codes, records, view
from tests.core.rigs import PRICES, Bench
from tools.sim import cards
from tools.sim.pump import FLOWING

START_FEN = 50_000
# select, authenticate (2), identity (2), limits (2), state, value: 9 frames until START; then debit, state, commit: 12.
RESERVE_FRAMES = 12
SETTLE_FRAMES = 13


def spent(*benches: Bench) -> int:
    return sum(end["amount_fen"] for bench in benches for end in bench.of(records.END))


def agree(card: cards.DesfireCard, *benches: Bench) -> None:
    """The card is settled and holds exactly what was not fuelled."""
    assert cards.open_sale(card) is None
    assert cards.held_fen(card) == START_FEN - spent(*benches)
    for bench in benches:
        assert bench.controller.unsettled == []
        ends = [end["sale_seq"] for end in bench.of(records.END)]
        assert len(ends) == len(set(ends)) == len(bench.of(records.START))


def run_torn(frame: int, done: bool) -> tuple[Bench, cards.DesfireCard]:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    card.tear_at(frame, done)
    bench.wait(4)
    bench.pump.take()
    return bench, card


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, RESERVE_FRAMES + 2))
def test_d20_torn_at_every_command_of_the_reservation_settles_at_the_same_pump(frame: int, done: bool) -> None:
    bench, card = run_torn(frame, done)
    if frame <= RESERVE_FRAMES:
        assert not bench.of(records.RESERVED)
        assert bench.dark()
        assert bench.view.state not in FLOWING
    else:
        assert bench.view.state in FLOWING
    bench.hang()
    for _ in range(2):
        bench.settle(card)
    agree(card, bench)
    assert cards.held_fen(card) == START_FEN


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, RESERVE_FRAMES + 1))
def test_d20_torn_in_the_reservation_settles_at_another_pump_from_the_stations_copy(frame: int, done: bool) -> None:
    bench, card = run_torn(frame, done)
    bench.hang()
    other = Bench("tap", (2,), device=258)
    other.controller.link_online = True
    other.pump.put(card)

    def answered() -> bool:
        question = other.controller.take_ask()
        if question and question["ask"] == "unfinished":
            end = next(e for e in bench.of(records.END) if [257, e["sale_seq"]] == question["sale"])
            other.controller.answer(
                {"id": question["id"], "sale": question["sale"], "amount_fen": end["amount_fen"], "volume_ml": 0,
                 "grade": 1, "price": 756, "reason": end["reason"]}
            )  # fmt: skip
        return False

    other.wait(6, answered)
    other.pump.take()
    bench.settle(card)  # back home: the first pump learns that it is settled, or that it never was reserved
    agree(card, bench, other)
    assert cards.held_fen(card) == START_FEN


@pytest.mark.parametrize("done", [False, True])
@pytest.mark.parametrize("frame", range(1, SETTLE_FRAMES + 2))
def test_d20_torn_at_every_command_of_the_settlement(frame: int, done: bool) -> None:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    bench.pump.put(card)
    card.tear_at(frame, done)
    bench.wait(4)
    bench.pump.take()
    bench.settle(card)
    agree(card, bench)
    settled = bench.of(records.SETTLED)
    assert len(settled) == 1
    assert settled[0]["returned_fen"] == START_FEN - spent(bench)


@pytest.mark.parametrize("frame", range(10, RESERVE_FRAMES + 1))
def test_d20_offline_another_pump_refuses_an_unfinished_card_and_takes_no_money(frame: int) -> None:
    bench, card = run_torn(frame, frame == RESERVE_FRAMES)
    if not cards.open_sale(card):
        return  # nothing of it reached the card: there is nothing unfinished
    other = Bench("tap", (1,), device=258)
    other.pump.lift(0)
    other.wait(0.5)
    other.pump.put(card)
    other.wait(4)
    assert other.view.refusal == codes.REFUSE_UNFINISHED
    assert other.dark()
    assert cards.held_fen(card) == START_FEN


@pytest.mark.parametrize(
    "answer",
    [
        {"unknown": True},
        {"amount_fen": -1},
        {"amount_fen": START_FEN},
        {"amount_fen": "12"},
        {"amount_fen": 1 << 40},
        {"sale": [258, 1]},
        {"grade": None},
    ],
)
def test_d20_an_answer_that_cannot_be_settles_nothing(answer: dict[str, object]) -> None:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    other = Bench("tap", (2,), device=258)
    other.controller.link_online = True
    other.pump.put(card)

    def answered() -> bool:
        question = other.controller.take_ask()
        if question and question["ask"] == "unfinished":
            good = {"id": question["id"], "sale": question["sale"], "amount_fen": 1, "volume_ml": 1, "grade": 1,
                    "price": 1, "reason": 1}  # fmt: skip
            other.controller.answer(good | answer)
        return False

    other.wait(6, answered)
    assert other.view.refusal == codes.REFUSE_UNFINISHED
    assert cards.open_sale(card)
    assert cards.held_fen(card) == START_FEN


def test_d20_another_card_cannot_settle_the_sale_that_waits() -> None:
    bench = Bench("tap", (1,))
    card, thief = bench.card(START_FEN), bench.card(100, number=2)
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    bench.settle(thief)
    assert bench.view.refusal == codes.REFUSE_OTHER_CARD
    assert cards.held_fen(thief) == 100
    bench.settle(card)
    agree(card, bench)


@pytest.mark.parametrize("tear", [0, 2, 4])
@pytest.mark.parametrize("operation", range(1, 5))
def test_d15_power_cut_at_every_journal_write_of_a_sale(operation: int, tear: int) -> None:
    bench = Bench("slot", (1,))
    card = bench.card(START_FEN)
    bench.pump.journal_flash.cut_at, bench.pump.journal_flash.tear = operation, tear
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    bench.wait(4)
    if bench.pump.controller:
        bench.fuel(3)
        bench.pump.hang(0)
        bench.wait(4)
    assert bench.pump.controller is None, "the cut did not come"
    bench.pump.hang(0)
    bench.pump.take()
    bench.power_cycle()
    torn = bench.of(records.BOOT)[-1]["torn"]
    assert torn == (1 if tear == 2 else 0)
    bench.wait(2)
    for _ in range(2):
        bench.settle(card)
    agree(card, bench)


@pytest.mark.parametrize("operation", range(1, 12))
def test_d15_power_cut_at_every_checkpoint_write_keeps_the_fuel_to_half_a_litre(operation: int) -> None:
    bench = Bench("slot", (1,))
    card = bench.card(START_FEN)
    bench.pump.checkpoint_flash.cut_at = operation
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    bench.wait(2)
    bench.fuel(20)
    assert bench.pump.controller is None, "the cut did not come"
    bench.pump.hang(0)
    bench.power_cycle()
    bench.wait(3)
    end = bench.of(records.END)[-1]
    assert end["reason"] == codes.STOP_POWER
    assert end["flags"] & records.FLAG_RECOVERED
    assert 0 <= bench.pump.plant.true_ul(0) // 1000 - end["volume_ml"] <= 850
    assert bench.view.volume_ml == end["volume_ml"], "the figures stay on the display"
    bench.settle(card)
    agree(card, bench)


def test_d15_a_supply_that_warns_costs_only_the_closing_of_the_valve() -> None:
    bench = Bench("slot", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(7.2)
    bench.pump.plant.set_trigger(0, "full")
    bench.wait(1)
    bench.pump.supply_ok = False
    bench.pump.poke()
    bench.wait(0.03)
    assert bench.dark()
    bench.power_cycle()
    end = bench.of(records.END)[-1]
    assert end["volume_ml"] % 500
    assert bench.pump.plant.true_ul(0) // 1000 - end["volume_ml"] <= 150


def test_d20_unsettled_sales_fill_up_offline_and_then_the_pump_refuses_instead_of_forgetting() -> None:
    bench = Bench("tap", (1,))
    for number in range(1, 25):
        bench.authorise(bench.card(START_FEN, number))
        bench.fuel(1)
        bench.hang()
        bench.wait(65)
    late = bench.card(START_FEN, 99)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(late)
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_JOURNAL_FULL
    bench.pump.take()
    bench.hang()
    bench.controller.journal_ack(bench.controller.journal.head - 1)
    bench.authorise(late)
    assert bench.view.state in FLOWING


def test_d20_a_pump_that_lost_its_flash_settles_its_own_sale_by_the_stations_answer() -> None:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    end = bench.of(records.END)[0]
    fresh = Bench("tap", (1,))
    fresh.controller.link_online = True
    fresh.pump.put(card)
    assert fresh.wait(3, lambda: fresh.view.notice == view.NOTICE_ASKING)
    question = fresh.controller.take_ask()
    fresh.controller.answer(
        {"id": question["id"], "sale": question["sale"], "amount_fen": end["amount_fen"], "volume_ml": 1, "grade": 1,
         "price": PRICES[1], "reason": 1}
    )  # fmt: skip
    fresh.wait(3)
    assert cards.open_sale(card) is None
    assert cards.held_fen(card) == START_FEN - end["amount_fen"]


def test_d20_a_sale_number_given_twice_by_a_replaced_flash_does_not_settle_the_wrong_sale() -> None:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(4)
    bench.hang()
    fresh = Bench("tap", (1,))  # the same device number, an empty journal
    other = fresh.card(START_FEN, 2)
    fresh.authorise(other)
    fresh.fuel(1)
    fresh.hang()
    fresh.settle(other)
    assert fresh.of(records.START)[0] and cards.open_sale(card) == (257, fresh.of(records.END)[0]["sale_seq"])
    fresh.settle(card)
    assert fresh.view.refusal == codes.REFUSE_UNFINISHED
    assert cards.held_fen(card) == START_FEN


def test_a_full_journal_refuses_sales_keeps_totalizers_true_and_still_settles() -> None:
    bench = Bench("tap", (1,))
    card = bench.card(START_FEN)
    bench.authorise(card)
    bench.fuel(2)
    bench.hang()
    while bench.controller.journal.free > 64:
        bench.controller.card_unreadable(b"\x08abc")
        bench.controller.idle_work()
    bench.controller.card_unreadable(b"\x08abc")
    assert bench.controller.unlogged == 1
    bench.pump.plant.set_leak(0, 50_000)
    bench.wait(40)
    bench.pump.plant.set_leak(0, 0)
    bench.wait(20)
    bench.settle(card)
    agree(card, bench)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_JOURNAL_FULL
    bench.pump.take()
    bench.hang()
    assert bench.controller.meters[0].total_ml == bench.of(records.END)[-1]["total_end_ml"]
    bench.controller.journal_ack(bench.controller.journal.head - 1)
    bench.authorise(card)
    bench.hang()
    start, leak = bench.of(records.START)[-1], [a for a in bench.of(records.ALARM) if a["volume_ml"]][-1]
    assert leak["volume_ml"] > 1_500
    assert start["total_start_ml"] == leak["total_ml"]
