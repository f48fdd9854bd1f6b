"""D23, D2, D20: staff and manager cards, the shift's figures through power loss, and who may have the pump when."""

import pytest

from pump.core import card_layout, codes, records, view
from station.cards.rules import Rules
from tests.core.rigs import Bench
from tools.bench.desfire_card import DesfireCard
from tools.sim import cards
from tools.sim.pump import FLOWING

LI, WANG = bytes.fromhex("6200000000000021"), bytes.fromhex("6200000000000022")


def staff(bench: Bench, number: int = 21, pin: str = "") -> DesfireCard:
    return bench.card(0, number=number, kind=card_layout.KIND_STAFF, pin=pin)


def manager(bench: Bench) -> DesfireCard:
    return bench.card(0, number=31, kind=card_layout.KIND_MANAGER)


def tap(bench: Bench, card: DesfireCard) -> None:
    bench.pump.put(card)
    bench.wait(2)
    bench.pump.take()
    bench.wait(0.5)


def sell(bench: Bench, card: DesfireCard, litres: float) -> None:
    bench.authorise(card)
    bench.fuel(litres)
    bench.hang()
    bench.settle(card)


def shifts(bench: Bench, *events: int) -> list[dict[str, object]]:
    return [s for s in bench.of(records.SHIFT) if s["event"] in (events or (1, 2, 3))]


def test_d23_a_shift_begins_and_ends_with_the_staff_card_and_its_figures_are_the_totalizers() -> None:
    bench = Bench("tap", (1, 4))
    card, li = bench.card(), staff(bench)
    sell(bench, card, 3)  # before anyone is on duty
    tap(bench, li)
    assert (bench.view.notice, bench.view.figures) == (view.NOTICE_ON_DUTY, (1,))
    sell(bench, card, 4)
    bench.authorise(card, nozzle=1)
    bench.fuel(2, nozzle=1)
    bench.hang(1)
    bench.settle(card)
    bench.wait(10)
    tap(bench, li)
    ends = bench.of(records.END)[1:]
    sold_ml, sold_fen = sum(e["volume_ml"] for e in ends), sum(e["amount_fen"] for e in ends)
    assert (bench.view.notice, bench.view.figures) == (view.NOTICE_OFF_DUTY, (1, 2, sold_ml, sold_fen))
    on, off = shifts(bench)
    assert (on["event"], off["event"]) == (codes.SHIFT_ON, codes.SHIFT_OFF)
    assert on["card_no"] == off["card_no"] == LI
    assert (off["shift"], off["sales"], off["sold_ml"], off["sold_fen"]) == (1, 2, sold_ml, sold_fen)
    assert sum(int(off[f"total{n}_ml"]) - int(on[f"total{n}_ml"]) for n in range(2)) == sold_ml  # type: ignore[call-overload]


def test_d23_who_comes_on_duty_relieves_whoever_was_and_shifts_are_numbered_on() -> None:
    bench = Bench("tap", (1,))
    tap(bench, staff(bench, 21))
    sell(bench, bench.card(), 2)
    tap(bench, staff(bench, 22))
    on, off, next_on = shifts(bench)
    assert (off["event"], off["card_no"], off["sales"]) == (codes.SHIFT_OFF, LI, 1)
    assert (next_on["event"], next_on["card_no"], next_on["shift"], next_on["sales"]) == (codes.SHIFT_ON, WANG, 2, 0)
    assert on["shift"] == off["shift"] == 1


def test_d23_a_card_that_flutters_on_the_reader_does_not_go_off_duty_again() -> None:
    bench = Bench("tap", (1,))
    li = staff(bench)
    tap(bench, li)
    tap(bench, li)
    assert [s["event"] for s in shifts(bench)] == [codes.SHIFT_ON]
    bench.wait(6)
    tap(bench, li)
    assert [s["event"] for s in shifts(bench)] == [codes.SHIFT_ON, codes.SHIFT_OFF]


@pytest.mark.parametrize("cut", ["at rest", "mid-sale", "after a restatement"])
def test_d23_the_shift_survives_power_loss_with_its_figures(cut: str) -> None:
    bench = Bench("slot", (1,))
    card, li = bench.card(90_000), staff(bench)
    tap(bench, li)
    sell(bench, card, 3)
    if cut == "after a restatement":
        bench.controller._state_again()
        sell(bench, card, 2)
    elif cut == "mid-sale":
        bench.authorise(card)
        bench.fuel(4)
        bench.pump.power_off()
        bench.pump.hang(0)
        bench.pump.take()
    bench.power_cycle()
    bench.settle(card)
    sell(bench, card, 1)
    bench.wait(6)
    tap(bench, li)
    ends, off = bench.of(records.END), shifts(bench)[-1]
    assert off["event"] == codes.SHIFT_OFF
    assert off["sales"] == len([e for e in ends if e["volume_ml"]])
    assert off["sold_ml"] == sum(e["volume_ml"] for e in ends)
    assert off["sold_fen"] == sum(e["amount_fen"] for e in ends)
    bench.power_cycle()
    assert not any(bench.controller.duty[0])
    assert bench.controller.duty[1] == 1, "the next shift is the second"


def test_d2_d23_where_duty_is_required_nobody_buys_from_an_unattended_pump() -> None:
    bench = Bench("slot", (1,))
    bench.controller.set_settings(1, {"duty_required": 1})
    card = bench.card()
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(card)
    bench.wait(2)
    assert bench.view.refusal == codes.REFUSE_NO_DUTY
    assert bench.dark()
    bench.pump.take()
    bench.hang()
    tap(bench, staff(bench))
    sell(bench, card, 2)


def test_d23_a_staff_card_with_a_pin_counts_after_its_pin_only() -> None:
    bench = Bench("tap", (1,))
    li = staff(bench, pin="4321")
    tap(bench, li)
    assert bench.view.notice == view.NOTICE_PIN
    assert shifts(bench) == []
    bench.keys("4321#")
    tap(bench, li)
    assert [s["event"] for s in shifts(bench)] == [codes.SHIFT_ON]


def test_d23_a_staff_card_buys_no_fuel() -> None:
    bench = Bench("slot", (1,))
    li = staff(bench)
    bench.pump.lift(0)
    bench.wait(0.5)
    bench.pump.put(li)
    bench.wait(5)
    assert bench.dark()
    assert bench.of(records.START) == []


def test_d23_a_manager_closes_the_day_with_the_totalizers() -> None:
    bench = Bench("tap", (1, 4))
    sell(bench, bench.card(), 3)
    tap(bench, manager(bench))
    assert bench.view.notice == view.NOTICE_MENU
    bench.keys("1")
    assert bench.view.notice == view.NOTICE_DAY_CLOSED
    day = shifts(bench, codes.SHIFT_DAY)
    assert len(day) == 1
    assert [day[0][f"total{n}_ml"] for n in range(2)] == [m.total_ml for m in bench.controller.meters]


@pytest.mark.parametrize("lock", [view.LOCK_REMOTE, view.LOCK_PULSER, view.LOCK_OVERRUN])
def test_d23_a_manager_opens_a_locked_pump_but_not_one_whose_meter_is_in_doubt(lock: int) -> None:
    bench = Bench("slot", (1,))
    bench.controller.lock(lock | view.LOCK_METER)
    bench.state(view.LOCKED)
    tap(bench, manager(bench))
    assert bench.view.notice == view.NOTICE_UNLOCKED
    assert bench.controller.locked == view.LOCK_METER
    bench.controller.lock(lock)
    bench.wait(6)
    tap(bench, manager(bench))
    assert bench.controller.locked == 0
    sell(bench, bench.card(), 1)


def test_d23_a_manager_takes_the_pump_out_of_service_and_back() -> None:
    bench = Bench("tap", (1,))
    boss, card = manager(bench), bench.card()
    tap(bench, boss)
    bench.keys("2")
    bench.state(view.LOCKED)
    bench.pump.lift(0)
    tap(bench, card)
    assert bench.view.refusal == codes.REFUSE_LOCKED
    bench.hang()
    bench.wait(6)
    tap(bench, boss)
    assert bench.controller.locked == 0


def test_d2_a_role_card_of_another_station_or_past_its_day_does_nothing() -> None:
    bench = Bench("tap", (1,))
    tap(bench, bench.card(0, number=21, kind=card_layout.KIND_STAFF, rules=Rules(stations=(5,))))
    bench.pump.clock_offset_s += 300_000_000
    tap(bench, staff(bench))
    assert [r["code"] for r in bench.of(records.REFUSAL)] == [codes.REFUSE_STATION, codes.REFUSE_EXPIRED]
    assert shifts(bench) == []


# -- D20: who may have the pump while a sale waits for its card


@pytest.mark.parametrize("mode", ["slot", "tap"])
def test_d20_another_card_is_let_in_soon_and_the_first_one_still_gets_its_money(mode: str) -> None:
    bench = Bench(mode, (1,))
    gone, other = bench.card(number=1), bench.card(number=2)
    bench.authorise(gone)
    bench.fuel(3)
    bench.pump.take()
    bench.hang()
    bench.state(view.SETTLING)
    tap(bench, other)
    assert bench.view.refusal == codes.REFUSE_OTHER_CARD, "at first the owner of the sale has the right of way"
    assert bench.view.state == view.SETTLING
    bench.wait(10)
    sell(bench, other, 2)
    bench.settle(gone)
    bench.wait(1)
    ends = bench.of(records.END)
    for card, end in ((gone, ends[0]), (other, ends[1])):
        assert cards.open_sale(card) is None
        assert cards.held_fen(card) == 50_000 - end["amount_fen"]
    assert bench.controller.unsettled == []
    assert len(bench.of(records.SETTLED)) == 2


def test_d20_staff_may_come_and_go_while_a_sale_waits_for_its_card() -> None:
    bench = Bench("tap", (1,))
    card = bench.card()
    bench.authorise(card)
    bench.fuel(3)
    bench.hang()
    tap(bench, staff(bench))
    assert bench.view.state == view.SETTLING
    bench.settle(card)
    assert bench.of(records.SETTLED)[0]["how"] == records.HOW_SALE
    assert [s["event"] for s in shifts(bench)] == [codes.SHIFT_ON]


def test_d21_a_card_with_rules_is_let_in_after_anothers_sale_as_well() -> None:
    bench = Bench("tap", (1,))
    first, second = bench.card(number=1), bench.card(number=2, pin="1234", rules=Rules(day_fills=1))
    bench.authorise(first)
    bench.fuel(1)
    bench.hang()
    bench.wait(10)
    bench.pump.lift(0)
    tap(bench, second)
    bench.keys("1234#")
    tap(bench, second)
    bench.state(*FLOWING)


def test_d23_a_managers_menu_closes_when_another_card_comes_or_nobody_answers() -> None:
    """A day must not be closed by a key that was meant for the next customer's preset."""
    bench = Bench("tap", (1,))
    tap(bench, manager(bench))
    bench.authorise(bench.card())
    assert bench.controller.dialog is None
    bench.keys("1")
    assert shifts(bench, codes.SHIFT_DAY) == []
    bench.hang()
    bench.wait(70)
    tap(bench, manager(bench))
    bench.wait(61)
    assert bench.controller.dialog is None
