"""What hands do at the pump: pull cards, press stops, open covers, type PINs, spill fuel. Fails closed, tells why."""

import time

from hil_tests.driver import Driver
from hil_tests.test_sales import finish, start, the_books_are_right, volume_above
from hil_tests.test_station import refused
from pump.core import codes
from tools.bench import acts

READING_S = 2.0  # a person types when the display asks, which is when the card has been read


def test_d4_a_volume_preset_is_never_exceeded(pump: Driver) -> None:
    card = pump.new_card(30_000)
    start(pump, card, "B3#")
    pump.until(lambda: not pump.flowing(), 40, "the valve shuts at three litres")
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    assert row.reason == codes.STOP_PRESET and row.volume_ml is not None and 2_900 <= row.volume_ml <= 3_000
    the_books_are_right(row, 30_000, pump)


def test_d5_what_is_told_live_only_grows_and_ends_as_the_receipt(pump: Driver) -> None:
    """D1 as well: the card that the pump names is the card in the slot."""
    card = pump.new_card(30_000)
    start(pump, card, "A15#")
    seen: list[int] = []
    while pump.flowing():
        seen.append(pump.live()["ml"])
        assert pump.live()["card"] == pump.card_no(card)
        pump.until(lambda: not pump.flowing() or pump.live()["ml"] != seen[-1], 20, "it goes on")
    assert seen == sorted(seen) and len(seen) > 3
    finish(pump)
    row = pump.settled(card)
    assert pump.live()["ml"] == row.volume_ml and pump.live()["fen"] == row.amount_fen
    pump.do(acts.remove(pump.pump))


def test_d13_the_emergency_stop_shuts_and_the_pump_sells_after_it(pump: Driver) -> None:
    card = pump.new_card(30_000)
    for act, off, alarm in (
        (acts.estop(pump.pump, True), acts.estop(pump.pump, False), codes.ALARM_EMERGENCY),
        (acts.tamper(pump.pump, True), acts.tamper(pump.pump, False), codes.ALARM_TAMPER),
    ):
        start(pump, card)
        volume_above(pump, 300)
        pump.do(act)
        pump.until(lambda: not pump.flowing(), 5, "the valve is shut")
        pump.until(lambda alarm=alarm: alarm in pump.live().get("a", ()), 5, "the alarm is told")  # type: ignore[misc]
        finish(pump)
        pump.do(off)
        pump.until(lambda alarm=alarm: alarm not in pump.live().get("a", ()), 10, "it is gone")  # type: ignore[misc]
        pump.until(lambda: all(row.state == "settled" for row in pump.sales_of(card)), 30, "the sale is settled")
        pump.do(acts.remove(pump.pump))
    reasons = {row.reason for row in pump.sales_of(card)}
    assert reasons == {codes.STOP_EMERGENCY}


def test_d20_a_card_pulled_out_mid_sale_gets_its_money_back_when_it_returns(pump: Driver) -> None:
    card = pump.new_card(30_000)
    start(pump, card)
    volume_above(pump, 600)
    pump.do(acts.remove(pump.pump))
    pump.until(lambda: not pump.flowing(), 5, "pulling the card shuts the valve")
    finish(pump)
    pump.until(lambda: pump.live().get("s") == "settling", 10, "the sale waits for its card")
    pump.do(acts.insert(pump.pump, card))
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    assert row.reason == codes.STOP_CARD_PULLED
    the_books_are_right(row, 30_000, pump)


def test_d21_a_pin_is_asked_for_a_wrong_one_refused_and_the_right_one_fuels(pump: Driver) -> None:
    card = pump.new_card(10_000, pin="2468")
    pump.do(acts.lift(pump.pump))
    pump.do(acts.insert(pump.pump, card))
    time.sleep(READING_S)
    pump.do(acts.keys(pump.pump, "1111#"))
    time.sleep(READING_S)
    assert not pump.flowing()
    pump.do(acts.keys(pump.pump, "2468#"))
    pump.until(pump.flowing, 15, "the right PIN releases the fuel")
    pump.do(acts.trigger(pump.pump, "full"))
    volume_above(pump, 300)
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    the_books_are_right(row, 10_000, pump)


def test_d17_fuel_without_authorisation_is_alarmed_and_stands_in_the_totalizer(pump: Driver) -> None:
    pump.do(acts.leak(pump.pump, 40))
    pump.until(lambda: codes.ALARM_LEAK in pump.live().get("a", ()), 30, "the leak is told")
    pump.do(acts.leak(pump.pump, 0))
    card = pump.new_card(5_000)
    start(pump, card, "B1#")
    pump.until(lambda: not pump.flowing(), 30, "one litre")
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    assert row.total_start_ml is not None and row.total_start_ml > 0  # D18: what leaked was counted, and not sold
    the_books_are_right(row, 5_000, pump)
    pump.until(lambda: codes.ALARM_LEAK not in pump.live().get("a", ()), 30, "the alarm is gone")


def test_d9_a_pump_without_power_is_offline_within_fifteen_seconds(pump: Driver) -> None:
    boot = pump.state()["boot"]
    pump.do(acts.power(pump.pump, False))
    pump.until(lambda: not pump.online(), 15, "the station sees it offline")
    pump.do(acts.power(pump.pump, True))
    pump.until(lambda: pump.online() and pump.state().get("boot", 0) > boot, 60, "it is back")


def test_d2_an_empty_card_is_refused(pump: Driver) -> None:
    assert refused(pump, pump.new_card(100)) == codes.REFUSE_BALANCE
