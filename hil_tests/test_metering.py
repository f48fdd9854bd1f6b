"""What the meter counts can be trusted: channel check, prover, test measures, totalizers (D8, D14, D18, D24).

The prover is the driver's: the plant's true litres, the rig's own count, or what the person reads from a real one.
"""

import time
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import Connection

from hil_tests.driver import Driver
from hil_tests.test_sales import finish, start, volume_above
from hil_tests.test_station import device, now, refused
from pump.core import card_layout, codes
from station import sales, wetstock
from tools.bench import acts
from tools.bench.state import Pulser

READING_S = 2.0  # until the display shows the menu of a card that was put in
PRESSED_S = 5.0  # nothing has come of a key by then: a person presses again
PROVER_ML = 8_000  # a count is 2.5 ml: with less the runs part by more than 0.10 %
MEASURE_ML = 500
NOZZLE = 0
STOPPED_BY: tuple[Pulser, ...] = ("dropped_a", "dropped_b", "stuck_a", "stuck_b", "swapped", "reversed")


def meter(pump: Driver, conn: Connection) -> sales.MeterState:
    mine = device(pump)
    return next(one for one in sales.meters(conn) if (one.device, one.nozzle) == (mine, NOZZLE))


def factor(pump: Driver) -> tuple[int, int]:
    """(factor in ppm, event counter) of the nozzle's meter."""
    known = pump.read(partial(meter, pump))
    return known.factor_ppm, known.events


def measured(pump: Driver) -> list[sales.Measure]:
    """Test measures and prover readings in the books, newest first."""
    return [one for one in pump.read(lambda conn: sales.measures(conn, 20)) if one.device == device(pump)]


def newest_seq(pump: Driver) -> int:
    found = measured(pump)
    return found[0].seq if found else 0


def serve(pump: Driver, card: str, choice: str) -> None:
    """The menu of a test or service card, and what is chosen in it."""
    pump.do(acts.insert(pump.pump, card))
    time.sleep(READING_S)
    pump.do(acts.keys(pump.pump, choice))


def holds_within(pump: Driver, done: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds * pump.patience
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def press(pump: Driver, keys: str, done: Callable[[], bool], what: str) -> None:
    """Presses, and again if the board was too busy to see every key (C clears what came of them)."""
    for _ in range(3):
        pump.do(acts.keys(pump.pump, keys))
        if holds_within(pump, done, PRESSED_S):
            return
    pump.until(done, 1, what)


def draw(pump: Driver, volume_ml: int) -> sales.Measure:
    """Lift, `#`, draw, hang up; the measure as the books have it."""
    before = newest_seq(pump)
    pump.do(acts.lift(pump.pump, NOZZLE))
    press(pump, "#", pump.flowing, "the draw is released")
    pump.do(acts.trigger(pump.pump, "full", NOZZLE))
    volume_above(pump, volume_ml)
    finish(pump, NOZZLE)
    pump.until(lambda: newest_seq(pump) > before and measured(pump)[0].volume_ml > 0, 20, "the measure is recorded")
    return measured(pump)[0]


def read(pump: Driver, prover_ml: int) -> sales.Measure:
    """What the prover shows, typed."""
    before = newest_seq(pump)
    press(pump, f"C{prover_ml}#", lambda: newest_seq(pump) > before, "the prover's reading is recorded")
    return measured(pump)[0]


def newest_refusal(pump: Driver) -> tuple[int, int, int]:
    """(device, seq, code)"""
    row = pump.read(lambda conn: sales.refusals(conn, limit=1))
    return (row[0].device, row[0].seq, row[0].code) if row else (0, 0, 0)


def stock_ml(pump: Driver, grade: int) -> int:
    return next(tank.stock_ml for tank in pump.read(wetstock.tanks) if tank.grade == grade)


def test_d8_three_runs_propose_a_factor_that_is_taken_only_with_the_seal_open(pump: Driver) -> None:
    """The prover says that the meter gives 0.2 % too much; afterwards a technician types the old factor again."""
    old_ppm, events = factor(pump)
    serve(pump, pump.new_card(0, kind=card_layout.KIND_TEST), "2")
    errors = []
    for _ in range(3):
        drawn = draw(pump, PROVER_ML)
        shows_ml = pump.prover_ml()
        assert abs(drawn.volume_ml * 1_000_000 // shows_ml - 1_000_000 - old_ppm) < 1_000, "D8: the meter itself"
        errors.append(read(pump, shows_ml * 998 // 1000).error_ppm or 0)
    state = next(one for one in pump.read(lambda conn: sales.provers(conn, now())) if one.device == drawn.device)
    assert state.step == "done" and list(state.errors) == errors
    assert state.mean_ppm is not None and abs(state.mean_ppm - 2_000 - old_ppm) < 1_000
    assert state.spread_ppm == max(errors) - min(errors) <= 1_000
    assert state.new_ppm is not None and state.new_ppm < old_ppm
    said = newest_refusal(pump)
    press(pump, "#", lambda: newest_refusal(pump) != said, "the shut seal refuses the factor")
    assert newest_refusal(pump)[2] == codes.REFUSE_SEAL and factor(pump) == (old_ppm, events)
    pump.do(acts.seal(pump.pump, True))
    press(pump, "#", lambda: factor(pump) == (state.new_ppm, events + 1), "the factor is taken with the seal open")
    pump.do(acts.remove(pump.pump))
    pump.do(acts.lift(pump.pump, NOZZLE))
    technician = pump.new_card(0, kind=card_layout.KIND_SERVICE)
    for _ in range(3):  # a key that a busy board has missed makes another choice: from the beginning, then
        serve(pump, technician, "3")
        pump.do(acts.keys(pump.pump, f"{1_000_000 + old_ppm}#"))
        if holds_within(pump, lambda: factor(pump) == (old_ppm, events + 2), PRESSED_S):
            break
        pump.do(acts.keys(pump.pump, "*"))
        pump.do(acts.remove(pump.pump))
    assert factor(pump) == (old_ppm, events + 2), "the old factor is back"
    change = pump.read(lambda conn: sales.factor_history(conn))[0]
    assert (change.old_ppm, change.new_ppm) == (state.new_ppm, old_ppm)
    finish(pump, NOZZLE)
    pump.do(acts.seal(pump.pump, False))
    pump.do(acts.remove(pump.pump))


def test_d24_what_is_drawn_returns_to_stock_and_five_bad_measures_in_a_row_lock_the_pump(pump: Driver) -> None:
    """Only a technician behind the open seal opens it again."""
    before = pump.read(partial(meter, pump))
    stock = stock_ml(pump, before.grade)
    serve(pump, pump.new_card(0, kind=card_layout.KIND_TEST), "1")
    for turn in range(5):
        assert not pump.state().get("locked"), turn
        if turn:
            pump.do(acts.keys(pump.pump, "1"))
        drawn = draw(pump, MEASURE_ML)
        assert read(pump, drawn.volume_ml * 98 // 100).state == "locking"  # 2 % too much
    pump.until(lambda: pump.state().get("locked"), 15, "the fifth locks the pump")
    assert codes.ALARM_METER_LOCK in pump.live().get("a", ())
    pump.do(acts.remove(pump.pump))
    drawn_ml = sum(one.volume_ml for one in measured(pump)[:10] if one.prover_ml is None)
    assert stock_ml(pump, before.grade) == stock and drawn_ml >= 5 * MEASURE_ML
    assert refused(pump, pump.new_card(5_000)) == codes.REFUSE_LOCKED
    pump.do(acts.seal(pump.pump, True))
    serve(pump, pump.new_card(0, kind=card_layout.KIND_SERVICE), "4")
    pump.until(lambda: not pump.state().get("locked"), 15, "it is open again")
    pump.do(acts.remove(pump.pump))
    pump.do(acts.seal(pump.pump, False))


def test_d14_each_fault_of_the_pulser_stops_the_sale_and_the_sixth_in_a_row_locks(pump: Driver) -> None:
    """Lost, stuck, swapped, reversed, on either channel; a manager's card opens the pump again."""
    card = pump.new_card(100_000)
    for turn, kind in enumerate(STOPPED_BY, 1):
        assert not pump.state().get("locked"), f"before {kind}"
        start(pump, card)
        volume_above(pump, 300)
        pump.do(acts.pulser(pump.pump, kind, NOZZLE))
        pump.until(lambda: not pump.flowing(), 20, f"the valve shuts on {kind}")
        finish(pump)
        pump.do(acts.pulser(pump.pump, "ok", NOZZLE))
        pump.until(partial(all_settled, pump, card, turn), 40, "the sale is settled")
        row = pump.sales_of(card)[0]
        assert row.reason == codes.STOP_PULSER and row.volume_ml is not None and row.volume_ml >= 300, kind
        pump.do(acts.remove(pump.pump))
    pump.until(lambda: pump.state().get("locked"), 15, "six in a row lock")
    assert pump.sales_of(card)[0].balance_fen == 100_000 - sum(row.amount_fen or 0 for row in pump.sales_of(card))
    assert refused(pump, pump.new_card(5_000)) == codes.REFUSE_LOCKED
    manager = pump.new_card(0, kind=card_layout.KIND_MANAGER)
    pump.do(acts.insert(pump.pump, manager))
    pump.until(lambda: not pump.state().get("locked"), 15, "the manager opens it")
    pump.do(acts.remove(pump.pump))


def all_settled(pump: Driver, card: str, count: int) -> bool:
    rows = pump.sales_of(card)
    return len(rows) == count and all(row.state == "settled" for row in rows)


@pytest.mark.parametrize("kind", ["noisy_a", "doubled_a"])
def test_d14_noise_and_doubled_edges_are_never_billed_in_silence(pump: Driver, kind: Pulser) -> None:
    """Two channels that direct each other either see the fault, or it costs not a drop: the prover says which."""
    card = pump.new_card(30_000)
    pump.do(acts.pulser(pump.pump, kind, NOZZLE))
    start(pump, card, "B2#")
    pump.until(lambda: not pump.flowing(), 30, "the preset or the fault ends it")
    finish(pump)
    pump.do(acts.pulser(pump.pump, "ok", NOZZLE))
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    assert row.volume_ml is not None and row.volume_ml > 0
    if row.reason != codes.STOP_PULSER:
        assert row.reason == codes.STOP_PRESET and abs(row.volume_ml - pump.prover_ml()) <= 12
