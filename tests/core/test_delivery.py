"""Stories of the delivery (D3, D4, D10, D13, D14, D17, D18, D22): the real core, plant and card, time led by hand."""

import pytest

from pump.core import codes, lists, money, records, view
from tests.core.rigs import PRICES, Bench
from tools.sim import cards


def test_d10_whole_sale_in_a_slot_pump() -> None:
    bench = Bench("slot")
    card = bench.card(50_000)
    bench.authorise(card, nozzle=1)
    bench.fuel(12, 1)
    bench.hang(1)
    assert bench.view.notice == view.NOTICE_SETTLED
    end = bench.of(records.END)[0]
    assert end["reason"] == codes.STOP_NOZZLE
    assert end["grade"] == 2
    assert abs(end["volume_ml"] - bench.pump.plant.true_ul(1) // 1000) <= 5
    assert cards.held_fen(card) == 50_000 - end["amount_fen"]
    assert cards.open_sale(card) is None
    assert bench.of(records.SETTLED)[0]["returned_fen"] == 50_000 - end["amount_fen"]


def test_d10_whole_sale_in_a_tap_pump() -> None:
    bench = Bench("tap", (4,))
    card = bench.card(50_000)
    bench.authorise(card)
    bench.fuel(3)
    bench.hang()
    assert bench.view.notice == view.NOTICE_TAP_TO_SETTLE
    assert cards.open_sale(card) == (257, bench.of(records.END)[0]["sale_seq"])
    bench.settle(card)
    assert bench.view.notice == view.NOTICE_SETTLED
    assert cards.held_fen(card) == 50_000 - bench.of(records.END)[0]["amount_fen"]


def test_d3_no_output_before_the_money_is_reserved() -> None:
    bench = Bench("tap", (1,))
    card = bench.card()
    bench.pump.lift(0)
    bench.pump.plant.set_trigger(0, "full")
    bench.wait(30)
    assert bench.dark()
    bench.pump.put(card)
    seen = []

    def watch() -> bool:
        if not bench.dark():
            seen.append([kind for kind, _ in bench.records()])
        return bool(seen)

    assert bench.wait(3, watch)
    assert seen[0][-1] == records.RESERVED
    assert bench.pump.plant.true_ul(0) == 0


@pytest.mark.parametrize(
    ("keys", "price_grade", "fen", "ml"),
    [("A50#", 1, 5_000, None), ("200A#", 2, 20_000, None), ("B5#", 3, None, 5_000), ("20B#", 4, None, 20_000)],
)
def test_d4_d16_a_preset_is_never_exceeded_and_met_once_the_nozzle_is_known(
    keys: str, price_grade: int, fen: int | None, ml: int | None
) -> None:
    bench = Bench("slot")
    nozzle = price_grade - 1
    for number in range(5):
        card = bench.card(60_000, number + 1)
        bench.authorise(card, nozzle, keys)
        bench.fuel(100, nozzle)
        bench.hang(nozzle)
        bench.settle(card)
    ends = bench.of(records.END)
    assert len(ends) == 5
    for number, end in enumerate(ends):
        assert end["reason"] == codes.STOP_PRESET
        left_ml, left_fen = (25, 21) if number < 4 else (15, 12)
        if fen:
            assert fen - left_fen <= end["amount_fen"] <= fen
        if ml:
            assert ml - left_ml <= end["volume_ml"] <= ml


def test_d4_star_takes_the_preset_back() -> None:
    bench = Bench("slot")
    bench.keys("50A*")
    bench.authorise(bench.card(60_000))
    assert bench.view.limit_fen == 59_999


def test_d16_the_card_limit_shuts_the_valve_and_the_card_keeps_its_last_fen() -> None:
    bench = Bench("slot")
    card = bench.card(7_560)
    bench.authorise(card)
    bench.fuel(100)
    bench.hang()
    end = bench.of(records.END)[0]
    assert end["reason"] == codes.STOP_CARD_LIMIT
    assert end["amount_fen"] <= 7_559
    assert bench.pump.plant.true_ul(0) <= 10_000_000 + 10_000
    assert cards.held_fen(card) >= 1


def test_d11_wrong_grade_gets_no_fuel_and_a_record() -> None:
    bench = Bench("slot")
    bench.pump.lift(3)
    bench.pump.put(bench.card(grades=1 << codes.GRADE_92))
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_GRADE
    assert bench.dark()
    refusal = bench.of(records.REFUSAL)[0]
    assert (refusal["code"], refusal["nozzle"], refusal["grade"]) == (codes.REFUSE_GRADE, 3, 4)
    assert not bench.of(records.START)


def test_d3_pulling_the_card_shuts_the_valve_and_its_return_settles() -> None:
    bench = Bench("slot")
    card = bench.card()
    bench.authorise(card)
    bench.fuel(2)
    bench.pump.plant.set_trigger(0, "full")
    bench.pump.take()
    bench.wait(0.05)
    assert bench.dark()
    bench.wait(3)
    end = bench.of(records.END)[0]
    assert end["reason"] == codes.STOP_CARD_PULLED
    assert cards.open_sale(card)
    bench.settle(card)
    assert cards.open_sale(card) is None
    assert cards.held_fen(card) == 50_000 - end["amount_fen"]


@pytest.mark.parametrize(("thing", "reason"), [("estop", codes.STOP_EMERGENCY), ("tamper", codes.STOP_EMERGENCY)])
def test_d13_emergency_and_tamper_shut_everything_within_a_tick(thing: str, reason: int) -> None:
    bench = Bench("slot")
    bench.authorise(bench.card())
    bench.fuel(1)
    bench.pump.plant.set_trigger(0, "full")
    setattr(bench.controller.inputs, thing, True)
    bench.pump.estop = thing == "estop"
    now_ms, now_s, quality = bench.pump._clock()
    bench.controller.step(now_ms, now_s, quality)
    assert bench.dark()
    bench.wait(4)
    assert bench.of(records.END)[0]["reason"] == reason


def test_d13_while_the_emergency_lasts_no_card_gets_fuel() -> None:
    bench = Bench("tap", (1,))
    bench.pump.estop = True
    bench.pump.lift(0)
    bench.wait(1)
    bench.pump.put(bench.card())
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_LOCKED
    assert codes.ALARM_EMERGENCY in bench.controller.alarms
    bench.pump.estop = False
    bench.pump.poke()
    bench.wait(11)
    assert codes.ALARM_EMERGENCY not in bench.controller.alarms
    assert [a["raised"] for a in bench.of(records.ALARM) if a["code"] == codes.ALARM_EMERGENCY] == [1, 0]


def test_d17_no_flow_for_a_minute_ends_the_sale() -> None:
    bench = Bench("slot")
    bench.authorise(bench.card())
    bench.wait(70)
    assert bench.of(records.END)[0]["reason"] == codes.STOP_NO_FLOW


def test_d17_d18_fuel_past_a_shut_valve_is_alarmed_in_litres_and_stays_in_the_totalizer() -> None:
    bench = Bench("slot")
    bench.pump.plant.set_leak(0, 5_000)
    bench.wait(100)
    bench.pump.plant.set_leak(0, 0)
    bench.wait(30)
    leaked = sum(a["volume_ml"] for a in bench.of(records.ALARM) if a["code"] == codes.ALARM_LEAK)
    assert abs(leaked - bench.pump.plant.true_ul(0) // 1000) <= 3
    assert leaked > 400
    bench.authorise(bench.card())
    bench.fuel(4)
    bench.hang()
    end = bench.of(records.END)[0]
    assert end["total_start_ml"] == leaked
    assert end["total_end_ml"] == leaked + end["volume_ml"]


def test_d18_totalizers_outlive_power_and_a_ring_that_has_gone_round() -> None:
    bench = Bench("slot")
    bench.authorise(bench.card(number=1), 2)
    bench.fuel(5, 2)
    bench.hang(2)
    bench.pump.take()
    total_ml = bench.controller.meters[2].total_ml
    assert total_ml > 4_900
    for _ in range(1200):  # another card is refused again and again: more records than the ring of 512 holds
        bench.controller.card_unreadable(b"\x08abc")
        bench.controller.journal_ack(bench.controller.journal.head - 1)
        bench.controller.idle_work()
    bench.power_cycle()
    assert bench.controller.meters[2].total_ml == total_ml
    assert bench.controller.prices == PRICES


def test_d22_a_price_change_waits_for_the_sale_to_end() -> None:
    bench = Bench("slot")
    bench.authorise(bench.card())
    bench.fuel(3)
    assert bench.controller.set_tariff(2, 0, {1: 800})
    bench.fuel(3)
    bench.hang()
    bench.wait(12)
    end = bench.of(records.END)[0]
    assert end["price_fen_per_l"] == 756
    assert bench.controller.prices[1] == 800
    change = [p for p in bench.of(records.PRICE) if p["tariff"] == 2 and p["nozzle"] == 0][0]
    assert (change["old_fen_per_l"], change["new_fen_per_l"]) == (756, 800)


def test_d22_a_tariff_of_tomorrow_waits_for_tomorrow() -> None:
    bench = Bench("slot")
    tomorrow = bench.controller.now_s + 86_400
    assert bench.controller.set_tariff(5, tomorrow, {1: 999})
    bench.wait(30)
    assert bench.controller.prices[1] == 756
    bench.pump.clock_offset_s = 86_400
    bench.wait(30)
    assert bench.controller.prices == {1: 999}


def test_d22_the_coming_tariff_does_not_push_out_the_one_that_is_due() -> None:
    """The station sends both, one right after the other, to a pump that was away or is in the middle of a sale."""
    bench = Bench("slot")
    tomorrow = bench.controller.now_s + 86_400
    assert bench.controller.set_tariff(2, 0, {1: 800})
    assert bench.controller.set_tariff(3, tomorrow, {1: 999})
    bench.wait(1)
    assert (bench.controller.prices, bench.controller.tariff) == ({1: 800}, 2)
    bench.authorise(bench.card())
    assert bench.controller.set_tariff(4, 0, {1: 850})
    assert bench.controller.set_tariff(5, tomorrow, {1: 999})
    bench.fuel(3)
    bench.hang()
    bench.wait(12)
    assert bench.of(records.END)[0]["price_fen_per_l"] == 800
    assert (bench.controller.prices, bench.controller.tariff) == ({1: 850}, 4)
    assert [one[0] for one in bench.controller.coming] == [5], "4 is the later decision: the plan 3 is void"


def test_d22_two_plans_come_into_force_at_their_times_and_midnight_in_a_sale_changes_nothing_in_it() -> None:
    bench = Bench("slot")
    midnight = bench.controller.now_s + 3_600
    assert bench.controller.set_tariff(2, midnight, {1: 800})
    assert bench.controller.set_tariff(3, midnight + 3_600, {1: 820})
    assert not bench.controller.set_tariff(2, 0, {1: 700}), "a version is one price list for ever"
    bench.authorise(bench.card())
    bench.fuel(3)
    bench.pump.clock_offset_s = 3_600  # midnight in the middle of the sale
    bench.fuel(3)
    assert bench.view.price_fen_per_l == 756
    bench.hang()
    bench.wait(12)
    end = bench.of(records.END)[0]
    assert end["price_fen_per_l"] == 756 and end["amount_fen"] == money.amount_fen(end["volume_ml"], 756)
    changes = [p for p in bench.of(records.PRICE) if p["nozzle"] == 0 and p["tariff"] == 2]
    assert [(p["old_fen_per_l"], p["new_fen_per_l"], p["effective"]) for p in changes] == [(756, 800, midnight)]
    bench.pump.clock_offset_s = 7_200
    bench.wait(2)
    assert (bench.controller.prices, bench.controller.tariff) == ({1: 820}, 3)
    bench.power_cycle()
    assert (bench.controller.prices[1], bench.controller.tariff) == (820, 3)


@pytest.mark.parametrize("prices", [{1: 0}, {1: 100_000}, {1: True}, {1: "756"}, {}])
def test_a_tariff_that_cannot_be_is_refused(prices: dict[int, object]) -> None:
    bench = Bench("slot")
    assert not bench.controller.set_tariff(9, 0, prices)
    assert not bench.controller.set_tariff(1, 0, {1: 700})
    bench.wait(1)
    assert bench.controller.prices[1] == 756


def test_d26_a_remote_lock_lets_the_sale_end_refuses_the_next_and_outlives_power() -> None:
    bench = Bench("slot")
    card = bench.card()
    bench.authorise(card)
    assert bench.controller.command("lock") == ""
    bench.fuel(3)
    bench.hang()
    assert bench.of(records.END)[0]["reason"] == codes.STOP_NOZZLE
    bench.pump.take()
    bench.power_cycle()
    bench.pump.lift(0)
    bench.pump.put(card)
    bench.wait(3)
    assert bench.view.refusal == codes.REFUSE_LOCKED
    assert bench.controller.command("unlock") == ""
    bench.pump.take()
    bench.hang()
    bench.authorise(card)
    assert bench.controller.command("stop") == ""
    bench.wait(3)
    assert bench.of(records.END)[-1]["reason"] == codes.STOP_REMOTE
    assert bench.controller.command("explode") != ""


def test_a_nozzle_left_off_is_alarmed_and_does_not_keep_the_link_away() -> None:
    bench = Bench("slot")
    bench.pump.lift(0)
    bench.wait(60)
    assert bench.controller.busy
    bench.wait(140)
    assert codes.ALARM_NOZZLE_OFF in bench.controller.alarms
    assert not bench.controller.busy
    bench.hang()
    bench.wait(11)
    assert codes.ALARM_NOZZLE_OFF not in bench.controller.alarms


def test_a_lifted_nozzle_must_hang_before_the_next_sale() -> None:
    bench = Bench("tap", (1,))
    card = bench.card()
    bench.authorise(card, keys="5B#")
    bench.fuel(20)
    bench.wait(2)
    bench.settle(card)
    starts = len(bench.of(records.START))
    bench.settle(card)
    assert len(bench.of(records.START)) == starts
    bench.hang()
    bench.authorise(card)
    assert len(bench.of(records.START)) == starts + 1


def test_two_nozzles_up_at_once_sell_nothing() -> None:
    bench = Bench("tap", (1, 2))
    bench.pump.lift(0)
    bench.pump.lift(1)
    bench.wait(1)
    bench.pump.put(bench.card())
    bench.wait(3)
    assert bench.dark()
    assert bench.view.notice == view.NOTICE_HANG_UP
    assert not bench.of(records.START)


def test_d5_the_last_live_frame_equals_the_receipt() -> None:
    bench = Bench("slot")
    bench.authorise(bench.card())
    volumes = []
    bench.pump.plant.set_trigger(0, "full")
    bench.wait(8, lambda: bool(volumes.append(bench.controller.live()["ml"])))
    bench.hang()
    end = bench.of(records.END)[0]
    assert volumes == sorted(volumes)
    live = bench.controller.live()
    assert (live["ml"], live["fen"]) == (end["volume_ml"], end["amount_fen"])


@pytest.mark.parametrize("kind", ["dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped"])
def test_d14_a_broken_channel_stops_the_sale_and_six_in_a_row_lock(kind: str) -> None:
    bench = Bench("slot")
    card = bench.card(400_000)
    for turn in range(6):
        bench.pump.every_tick = True
        bench.authorise(card)
        bench.fuel(1)
        bench.pump.plant.set_pulser(0, kind)  # type: ignore[arg-type]
        before_ul = bench.pump.plant.true_ul(0)
        bench.fuel(20)
        assert bench.pump.plant.true_ul(0) - before_ul < 3_500_000, "found too late"
        bench.pump.plant.set_pulser(0, "ok")
        bench.hang()
        end = bench.of(records.END)[-1]
        assert end["reason"] == codes.STOP_PULSER
        assert end["volume_ml"] >= 1_000
        bench.pump.take()
        bench.wait(1)
        assert bool(bench.controller.locked & view.LOCK_PULSER) == (turn == 5)
    assert codes.ALARM_PULSER in bench.controller.alarms
    bench.power_cycle()
    assert bench.controller.locked & view.LOCK_PULSER


def test_d2_a_blacklisted_card_is_settled_first_and_then_refused() -> None:
    bench = Bench("tap", (1,))
    card = bench.card()
    bench.authorise(card)
    bench.fuel(3)
    bench.hang()
    bench.wait(70)  # its grace time is over
    number = "6200000000000001"
    message = {"version": 1, "made": 0, "count": [1, 0], "base": [0, 0, 0, ""], "white": [[], []]}
    assert lists.take(bench.controller, message | {"black": [["0" * 16, number], []]})
    with pytest.raises(ValueError, match="order"):
        lists.take(bench.controller, message | {"version": 2, "black": [[number, "0" * 16], []]})
    bench.settle(card)
    assert bench.view.refusal == codes.REFUSE_BLACKLISTED
    assert cards.open_sale(card) is None


def test_d2_expired_cards_are_refused_where_the_time_is_known() -> None:
    bench = Bench("tap", (1,))
    bench.pump.clock_offset_s = cards.EXPIRY - bench.controller.now_s
    bench.wait(11)
    bench.settle(bench.card())
    assert bench.view.refusal == codes.REFUSE_EXPIRED
    bench.pump.quality = records.TIME_UNKNOWN
    bench.authorise(bench.card(number=2))


def test_settings_change_within_their_ranges_and_leave_a_record() -> None:
    bench = Bench("slot")
    assert bench.controller.set_settings(1, {"no_flow_s": 30, "max_sale_fen": 2_000}) == ""
    assert "no_flow_s" in bench.controller.set_settings(2, {"no_flow_s": 5})
    assert "no_flow_s" in bench.controller.set_settings(2, {"no_flow_s": "30"})
    assert "unknown" in bench.controller.set_settings(2, {"valve_open": 1})
    assert bench.controller.set_settings(1, {}) != ""
    changes = {bytes(s["name"]).rstrip(b"\0"): (s["old"], s["new"]) for s in bench.of(records.SETTING)}
    assert changes == {b"no_flow_s": (60, 30), b"max_sale_fen": (300_000, 2_000)}
    bench.authorise(bench.card())
    assert bench.view.limit_fen == 2_000
