"""The learned cut-off (D16): stories of nozzles over many customers, on the real controller and a plant that varies."""

import json
import random
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump.core import codes, cutoff, records
from tests.core.rigs import Bench
from tools import bench_cutoff
from tools.bench_cutoff import Customer, Figures, Nozzle, S, customers, quantile, serve_both

ANY_HAND = 1 << 40


def plain(limit_fen: int = 5_000, **details: Any) -> Customer:
    """Squeezes fully and waits for the pump."""
    facts: dict[str, Any] = {
        "pause_us": 60 * S,
        "limit_fen": limit_fen,
        "hand_ul_s": ANY_HAND,
        "squeezes": (),
        "hangs_up_ul": 0,
        "power_off": False,
        "cut_ul": 0,
        "repair": False,
    }
    return Customer(**facts | details)


def advances(nozzle: Nozzle, limit_ml: int = 20_000, flow_ml_s: int = 0) -> tuple[int, int]:
    """How far ahead of the limit the next delivery would close its valves: big, small."""
    big_ml, small_ml = cutoff.close_at(nozzle.ctl, 0, limit_ml, flow_ml_s)
    return limit_ml - big_ml, limit_ml - small_ml


def served(nozzle: Nozzle, *more: Customer) -> Figures:
    for customer in more:
        nozzle.serve(customer)
    return nozzle.figures


def test_d16_a_slice_of_nozzles_never_exceeds_leaves_little_and_takes_no_longer() -> None:
    learned, fixed = Figures(), Figures()
    for seed in range(70_001, 70_009):
        one, other = serve_both((seed, 60))
        learned.add(one)
        fixed.add(other)
    assert learned.deliveries > 450
    assert learned.overspend_fen <= 0
    assert learned.overrun_ml == 0, learned.worst
    left, left_fixed = sorted(learned.leftovers_ml), sorted(fixed.leftovers_ml)
    assert quantile(left, 50) <= 10 < quantile(left_fixed, 50)
    assert quantile(left, 99) <= 30
    assert learned.time_ms < fixed.time_ms


def _no_margin(ctl: Any, nozzle: int, limit_ml: int, flow_ml_s: int = 0) -> tuple[int, int]:
    known = ctl.cutoff[nozzle]
    big_ml, small_ml = _close_at(ctl, nozzle, limit_ml, flow_ml_s)
    return (big_ml, limit_ml - known[cutoff.SMALL_UL] // 1000) if known else (big_ml, small_ml)


def _big_late(ctl: Any, nozzle: int, limit_ml: int, flow_ml_s: int = 0) -> tuple[int, int]:
    big_ml, small_ml = _close_at(ctl, nozzle, limit_ml, flow_ml_s)
    return min(small_ml, big_ml + (limit_ml - big_ml) * 2 // 3), small_ml


_close_at: Any = cutoff.close_at


@pytest.mark.parametrize(("name", "broken"), [("close_at", _no_margin), ("close_at", _big_late)])
def test_d16_a_cut_off_without_its_margins_is_caught(
    monkeypatch: pytest.MonkeyPatch, name: str, broken: Callable[..., Any]
) -> None:
    monkeypatch.setattr(cutoff, name, broken)
    figures = Figures()
    for seed in range(70_001, 70_009):
        figures.add(serve_both((seed, 40))[0])
    assert figures.overruns > 0
    assert figures.worst.startswith("seed ")


def test_d16_the_first_delivery_of_a_nozzle_closes_at_the_settings() -> None:
    nozzle = Nozzle(5, learns=True)
    assert advances(nozzle) == (500, 25)
    served(nozzle, plain())
    assert advances(nozzle)[0] < 500
    assert advances(nozzle)[1] <= 25
    served(nozzle, *[plain(limit) for limit in range(5_000, 5_400, 40)])
    big_ml, small_ml = advances(nozzle)
    assert big_ml < 400
    assert small_ml < 18
    assert nozzle.figures.overrun_ml == 0


def test_d16_what_was_learned_outlives_a_power_loss_but_is_proven_first() -> None:
    nozzle = Nozzle(6, learns=True)
    served(nozzle, *[plain()] * 10)
    before, row = advances(nozzle), list(nozzle.ctl.cutoff[0])
    nozzle.pump.power_off()
    nozzle.start()
    assert advances(nozzle) == (500, 25), "the valve may be another one"
    kept = nozzle.ctl.cutoff[0]
    assert abs(kept[cutoff.SMALL_UL] - row[cutoff.SMALL_UL]) <= row[cutoff.SMALL_UL] // 16
    assert abs(kept[cutoff.LAG] - row[cutoff.LAG]) <= row[cutoff.LAG] // 16
    assert -kept[cutoff.TAUGHT] == row[cutoff.TAUGHT] == cutoff.MATURE, "or it would forget its worst closings quickly"
    served(nozzle, plain())
    after = advances(nozzle)
    assert abs(after[0] - before[0]) <= 40
    assert abs(after[1] - before[1]) <= 3


def test_d16_the_ring_may_lose_it_and_the_pump_is_safe_again() -> None:
    nozzle = Nozzle(6, learns=True)
    served(nozzle, *[plain()] * 5)
    nozzle.pump.power_off()
    flash = nozzle.pump.checkpoint_flash
    flash.data[:] = b"\xff" * len(flash.data)
    nozzle.start()
    assert advances(nozzle) == (500, 25)
    served(nozzle, plain())
    assert nozzle.figures.overrun_ml == 0


@pytest.mark.parametrize("seed", range(20, 26))
def test_d16_new_valves_after_a_repair_do_not_overrun(seed: int) -> None:
    """From the quickest valves to the slowest there are, with the power off in between as for any repair."""
    nozzle = Nozzle(seed, learns=True)
    served(nozzle, *[plain()] * 12)
    stage = nozzle.plant._nozzles[0]
    nozzle.pump.power_off()
    stage.small.dead_us, stage.small.closing_us, stage.big.dead_us, stage.big.closing_us = (
        30_000, 60_000, 70_000, 210_000,
    )  # fmt: skip
    nozzle.start()
    served(nozzle, *[plain()] * 12)
    assert nozzle.figures.overrun_ml == 0
    assert max(nozzle.figures.leftovers_ml[-5:]) <= 25


def test_d16_a_hand_that_squeezes_harder_just_before_the_big_valve_closes_gains_nothing() -> None:
    nozzle = Nozzle(8, learns=True)
    served(nozzle, *[plain()] * 8)
    limit_ul = 5_000 * 1_000_000_000 // (bench_cutoff.PRICE_FEN * 1000)
    for ahead_ul in range(100_000, 1_500_000, 100_000):
        served(nozzle, plain(hand_ul_s=150_000, squeezes=((limit_ul - ahead_ul, ANY_HAND),)))
    assert nozzle.figures.deliveries == 22
    assert nozzle.figures.overrun_ml == 0


def test_d16_hands_that_let_go_and_hang_up_teach_nothing_wrong() -> None:
    nozzle = Nozzle(9, learns=True)
    served(nozzle, *[plain()] * 10)
    before = advances(nozzle)
    served(nozzle, *[plain(hangs_up_ul=3_000_000 + 100_000 * n) for n in range(10)])
    assert advances(nozzle) == before
    limit_ul = 5_000 * 1_000_000_000 // (bench_cutoff.PRICE_FEN * 1000)
    served(nozzle, *[plain(squeezes=((limit_ul - 300_000, 20_000),)) for _ in range(10)])
    after = advances(nozzle)
    assert after[0] >= before[0] * 3 // 4
    served(nozzle, *[plain()] * 3)
    assert nozzle.figures.overrun_ml == 0


def test_d16_the_counter_threshold_is_where_the_software_closes() -> None:
    bench = Bench("slot")
    for number in range(4):
        card = bench.card(20_000, number + 1)
        bench.authorise(card, keys="A50#")
        sold, out = bench.controller.delivery.sale, bench.controller.outputs
        meter = bench.controller.meters[0]
        assert (out.threshold_nozzle, out.threshold_counts) == (0, meter.counts_for(sold.small_ml))
        assert sold.small_ml == cutoff.close_at(bench.controller, 0, sold.limit_ml)[1]
        bench.fuel(100)
        assert out.threshold_nozzle == -1
        bench.hang()
        bench.settle(card)
    assert [end["reason"] for end in bench.of(records.END)] == [codes.STOP_PRESET] * 4
    assert sold.small_ml > sold.limit_ml - 25, "the last delivery closed where the nozzle had taught it"


ROW = st.tuples(st.integers(0, 200_000), st.integers(0, 65_535), st.integers(0, 5_000), st.integers(-8, 8))


def _ctl(row: tuple[int, int, int, int] | None, pulses: int, big: int = 500, small: int = 25) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(big_advance_ml=big, small_advance_ml=small),
        config=SimpleNamespace(pulses_per_l=[pulses]),
        checkpoint=SimpleNamespace(learned={}),
        cutoff=[row and list(row)],
    )


@given(
    st.none() | ROW, st.integers(10, 2000), st.integers(0, 999_000), st.integers(0, 5_000),
    st.integers(50, 9_990), st.integers(0, 200),
)  # fmt: skip
def test_d16_valves_close_in_order_before_the_limit_and_never_earlier_than_at_first_use(
    row: tuple[int, int, int, int] | None, pulses: int, limit_ml: int, flow_ml_s: int, big: int, small: int
) -> None:
    small = min(small, big)
    big_ml, small_ml = cutoff.close_at(_ctl(row, pulses, big, small), 0, limit_ml, flow_ml_s)
    assert 0 <= big_ml <= small_ml <= limit_ml
    assert big_ml >= limit_ml - big
    assert small_ml >= limit_ml - small


@given(ROW, st.integers(1, 2_500), st.integers(1, 2_500))
def test_d16_more_flow_never_closes_later(row: tuple[int, int, int, int], one: int, other: int) -> None:
    ctl = _ctl(row, 100)
    less, more = sorted((one, other))
    assert cutoff.close_at(ctl, 0, 50_000, more)[0] <= cutoff.close_at(ctl, 0, 50_000, less)[0]


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=300), st.integers(0, 100_000))
def test_d16_the_envelope_rises_at_once_and_falls_slowly(samples: list[int], high: int) -> None:
    for sample in samples:
        before, high = high, cutoff._envelope(high, sample, 6)
        assert high >= sample
        assert high >= before - before // 64 - 1
        assert high <= max(before, sample)


def test_d16_customers_are_the_same_for_a_seed_and_the_bench_ends_with_its_figures(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert customers(random.Random(3), 50, 600_000) == customers(random.Random(3), 50, 600_000)
    assert bench_cutoff.main(["--deliveries", "60", "--jobs", "1", "--seed", "70001"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(result) == [
        "deliveries", "overspend_fen_max", "overrun_ml_max", "leftover_ml_p50", "leftover_ml_p99",
        "fixed_leftover_ml_p50", "time_ratio",
    ]  # fmt: skip
    assert result["overspend_fen_max"] == result["overrun_ml_max"] == 0
