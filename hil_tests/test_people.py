"""Who works at the pump: on and off duty, shift and day close from the totalizers (D23, D18)."""

from hil_tests.driver import Driver
from hil_tests.test_metering import MEASURE_ML, draw, serve
from hil_tests.test_sales import finish, start, the_books_are_right
from pump.core import card_layout, codes
from station import sales
from tools.bench import acts


def newest(pump: Driver, kind: str) -> sales.Period | None:
    found = pump.read(lambda conn: sales.periods(conn, kind, 1, pump.pump))
    return found[0] if found else None


def closed(pump: Driver, kind: str) -> sales.Period:
    """The newest period that has ended."""
    return next(one for one in pump.read(lambda conn: sales.periods(conn, kind, 2, pump.pump)) if one.ended is not None)


def close_day(pump: Driver, manager: str) -> None:
    before = newest(pump, sales.DAY)
    serve(pump, manager, "1")
    pump.until(lambda: newest(pump, sales.DAY) != before, 20, "the day is closed")
    pump.do(acts.remove(pump.pump))


def come(pump: Driver, card: str, on: bool) -> None:
    """On or off duty by this card."""
    number = pump.card_no(card)
    pump.do(acts.insert(pump.pump, card))
    pump.until(lambda: (pump.read(sales.on_duty).get(pump.pump) == number) == on, 20, "duty is in the books")
    pump.do(acts.remove(pump.pump))


def test_d23_d18_shift_and_day_are_the_totalizers_difference_with_sale_test_measure_and_leak(pump: Driver) -> None:
    staff = pump.new_card(0, kind=card_layout.KIND_STAFF)
    manager = pump.new_card(0, kind=card_layout.KIND_MANAGER)
    close_day(pump, manager)
    come(pump, staff, True)
    card = pump.new_card(5_000)
    start(pump, card, "B1#")
    pump.until(lambda: not pump.flowing(), 30, "one litre")
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    the_books_are_right(row, 5_000, pump)
    serve(pump, pump.new_card(0, kind=card_layout.KIND_TEST), "1")
    measure = draw(pump, MEASURE_ML)
    pump.do(acts.keys(pump.pump, "**"))  # no prover was there; the menu is left
    pump.do(acts.remove(pump.pump))
    pump.do(acts.leak(pump.pump, 40))
    pump.until(lambda: codes.ALARM_LEAK in pump.live().get("a", ()), 30, "the leak is told")
    pump.do(acts.leak(pump.pump, 0))
    pump.until(lambda: codes.ALARM_LEAK not in pump.live().get("a", ()), 30, "the alarm is gone")
    come(pump, staff, False)
    close_day(pump, manager)
    for period in (closed(pump, sales.SHIFT), closed(pump, sales.DAY)):
        nozzle = period.nozzles[0]
        assert period.agrees and nozzle.unexplained_ml == 0, period
        assert (period.sales, period.sold_ml, period.sold_fen) == (1, row.volume_ml, row.amount_fen)
        assert nozzle.outside_ml >= measure.volume_ml + 100, "test measure and leak"
        assert nozzle.measured_ml == (row.volume_ml or 0) + nozzle.outside_ml
    assert closed(pump, sales.SHIFT).card_no == pump.card_no(staff)
