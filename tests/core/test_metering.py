"""Arithmetic that must hold for every number: metering (D8, D14, D18), money (D16, C3), presets, ticks, the plant."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pump.core import keypad_entry, metering, money, settings, ticks, view
from tools.bench.plant import Plant
from tools.bench.state import PULSERS

ML = st.integers(0, 999_000)
PRICE = st.integers(1, 99_999)


@given(st.integers(0, 10**9), PRICE)
def test_the_volume_for_an_amount_is_the_largest_that_does_not_exceed_it(fen: int, price: int) -> None:
    ml = money.volume_for_amount_ml(fen, price)
    assert money.amount_fen(ml, price) <= fen < money.amount_fen(ml + 1, price) or (
        money.amount_fen(ml, price) <= fen and money.amount_fen(ml + 1, price) == money.amount_fen(ml, price) > fen
    )


@given(ML, PRICE)
def test_amounts_are_rounded_half_up_to_the_fen(ml: int, price: int) -> None:
    assert abs(1000 * money.amount_fen(ml, price) - ml * price) <= 500
    if ml * price % 1000 == 500:
        assert 1000 * money.amount_fen(ml, price) > ml * price


@given(st.integers(10, 2_000), st.sampled_from((0, 0, 1_500, -2_999)), st.lists(st.integers(0, 5_000), max_size=20))
def test_d18_totalizers_do_not_drift_over_many_sales(pulses_per_l: int, ppm: int, sales: list[int]) -> None:
    meter = metering.Meter(pulses_per_l, ppm)
    quarter = 0
    for counts in sales:
        quarter += counts
        meter.update((quarter + 1) // 2, quarter // 2)
        assert meter.fault(20) == metering.FAULT_NONE
        volume_ml = meter.volume_ml
        before = meter.total_ml
        assert meter.rebase() == volume_ml == meter.total_ml - before
    exact = quarter * 1000 * (1_000_000 + ppm) // (4 * pulses_per_l * 1_000_000)
    assert meter.total_ml == exact


@given(st.integers(10, 2_000), st.integers(0, 3_000), st.integers(1, 500_000))
def test_counts_for_a_volume_are_the_first_that_reach_it(pulses_per_l: int, before: int, ml: int) -> None:
    meter = metering.Meter(pulses_per_l)
    meter.update((before + 1) // 2, before // 2)
    meter.rebase()
    counts = meter.counts_for(ml)
    assume(counts > before)
    meter.update(counts // 2, counts - 1 - counts // 2)
    assert meter.volume_ml < ml
    meter.update(counts // 2, counts - counts // 2)
    assert meter.volume_ml >= ml


@given(st.integers(10, 2_000), st.lists(st.tuples(st.integers(-50_000, 50_000), st.integers(0, 3_000)), max_size=12))
def test_d8_a_factor_changes_in_the_middle_and_no_millilitre_is_lost(
    pulses_per_l: int, parts: list[tuple[int, int]]
) -> None:
    """Each count is worth what its factor said when it came; the fractions go on."""
    meter = metering.Meter(pulses_per_l)
    quarter = exact = 0
    for factor_ppm, counts in parts:
        meter.factor_ppm = factor_ppm
        quarter += counts
        exact += counts * (1_000_000 + factor_ppm)
        meter.update((quarter + 1) // 2, quarter // 2)
        assert meter.volume_ml == exact // (4_000 * pulses_per_l)
        counts_at = meter.counts_for(meter.volume_ml + 7)
        assert meter.counts_for(meter.volume_ml) <= quarter < counts_at


@given(st.integers(-40_000, 40_000), st.integers(-9_000, 9_000))
def test_d8_the_corrected_factor_takes_the_error_away(factor_ppm: int, error: int) -> None:
    """20 litres through a meter that is `error` wrong under its factor read right under the corrected one."""
    worth = (1_000_000 + factor_ppm) * 1_000_000 // (1_000_000 + error)  # what a count should be worth
    corrected = metering.corrected_ppm(factor_ppm, error)
    assert abs(1_000_000 + corrected - worth) <= 1
    indicated_ml = 20_000 * (1_000_000 + error) // 1_000_000
    assert abs(metering.error_ppm(indicated_ml, 20_000) - error) <= 50  # a millilitre of 20 litres


def test_a_hose_that_swings_about_an_edge_adds_nothing() -> None:
    meter = metering.Meter(100)
    meter.update(1000, 1000)
    for _ in range(9):
        meter.update(999, 1000)
        meter.update(1000, 1000)
    assert meter.volume_ml == 5_000
    assert meter.fault(20) == metering.FAULT_NONE
    meter.update(997, 998)
    meter.rebase()
    meter.update(1000, 1000)
    assert meter.volume_ml == 0
    meter.update(1002, 1002)
    assert meter.volume_ml == 10


def test_d14_reversed_flow_is_a_fault_and_takes_nothing_off_what_was_delivered() -> None:
    meter = metering.Meter(100)
    meter.update(1000, 1000)
    meter.update(970, 970)
    assert meter.fault(20) == metering.FAULT_NONE
    meter.update(960, 960)
    assert meter.fault(20) == metering.FAULT_REVERSED
    assert meter.volume_ml == 5_000


def test_d14_a_pause_between_reading_the_two_channels_is_no_fault() -> None:
    meter = metering.Meter(1000)
    for quarter in range(0, 400_000, 400):
        late = quarter + 300 if quarter % 2_000 == 0 else quarter
        meter.update(quarter // 2, late // 2)
        assert meter.fault(20) == metering.FAULT_NONE
    for _ in range(3):
        quarter += 400
        meter.update(quarter // 2, quarter // 2 - 40)
    assert meter.fault(20) == metering.FAULT_NONE, "asked once"
    meter.fault(20)
    assert meter.fault(20) == metering.FAULT_SKEW


@given(st.integers(0, (1 << 30) - 1), st.integers(-(1 << 29), (1 << 29) - 1))
def test_ticks_differ_rightly_across_the_wrap(earlier: int, ms: int) -> None:
    assert ticks.diff((earlier + ms) & ticks.MASK, earlier) == ms


@given(st.text("0123456789ABC*#D", max_size=30))
def test_no_row_of_keys_makes_a_preset_that_cannot_be(keys: str) -> None:
    v = view.View()
    for ch in keys:
        keypad_entry.key(v, ch)
        assert v.preset_kind in (0, 1, 2, 3)  # 3: a full tank, which has no value
        assert (v.preset_value > 0) == (v.preset_kind in (1, 2))
        assert v.preset_value <= 9_999_000
        assert len(v.entry) <= 4


def test_setting_names_fit_their_record_and_defaults_their_range() -> None:
    for line in settings.TABLE.split("\n"):
        name, default, least, greatest = line.split()
        assert len(name) <= 16
        assert settings.refuse({name: int(default)}) == ""
        for bad in (int(least) - 1, int(greatest) + 1, None, True, "1", 1.5):
            assert name in settings.refuse({name: bad})
    assert settings.refuse({"no_such": 1})
    assert settings.refuse({"flow": 1}), "a part of a name is no name"


# -- the plant


@pytest.mark.parametrize("kind", PULSERS)
@pytest.mark.parametrize("seed", range(3))
def test_the_plant_is_the_same_stepped_finely_or_in_one_leap(kind: str, seed: int) -> None:
    fine, coarse = Plant([100, 1000], seed), Plant([100, 1000], seed)
    for plant, step_us in ((fine, 1_700), (coarse, 5_000_000)):
        plant.set_pulser(1, kind)  # type: ignore[arg-type]
        for begin_us, act in (
            (0, lambda p: (p.set_trigger(1, "full"), p.set_outputs(1, 2, 2))),
            (5_000_000, lambda p: p.set_outputs(1, 0, 2)),
            (9_000_000, lambda p: p.set_outputs(0, 0, 0)),
            (11_000_000, lambda p: None),
        ):
            while plant.now_us < begin_us:
                plant.advance(min(plant.now_us + step_us, begin_us))
            act(plant)
    assert fine.edges(1) == coarse.edges(1)
    assert fine.true_ul(1) == coarse.true_ul(1) > 2_000_000
    assert fine.true_ul(0) == 0


@given(st.integers(0, 20), st.integers(1, 20_000), st.integers(0, 3_000_000))
def test_the_plant_knows_when_a_count_will_be_reached(seed: int, counts: int, after_us: int) -> None:
    plant = Plant([100], seed)
    plant.set_trigger(0, "full")
    plant.set_outputs(1, 1, 1)
    plant.advance(after_us)
    before = sum(plant.edges(0))
    at_us = plant.time_of_counts(0, counts)
    assert at_us is not None
    plant.advance(at_us - 10)
    assert sum(plant.edges(0)) - before < counts or at_us - 10 <= after_us
    plant.advance(at_us)
    assert sum(plant.edges(0)) - before >= counts


def test_valves_without_motor_and_motor_without_valve_deliver_nothing() -> None:
    for outputs in ((0, 1, 1), (1, 0, 0)):
        plant = Plant([100])
        plant.set_trigger(0, "full")
        plant.set_outputs(*outputs)
        plant.advance(10_000_000)
        assert plant.true_ul(0) == 0
