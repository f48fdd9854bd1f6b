"""The pulse timeline of a sale (D30): kept in flash while fuel flows, sums to the sale, tells what it lost."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pump.core import records, ticks, trace, traces
from station.forecourt import pulses
from tests.core.rigs import Bench
from tools.sim.flash import PowerCut, RamFlash

STEPS = st.lists(
    st.tuples(st.integers(-3, 300), st.integers(-2, 2), st.sampled_from((50, 50, 50, 50, 10, 40, 60, 130, 400))),
    max_size=400,
)


def ready(sectors: int = 16) -> trace.Trace:
    ring = trace.Trace(RamFlash(sectors))
    traces.find(ring)
    while ring.idle_work():
        pass
    return ring


def pages_of(ring: trace.Trace, sale: int) -> list[bytes]:
    """As the station gets them: in messages of at most 1,024 bytes."""
    out = []
    for part in traces.upload(ring, sale):
        if part:
            leaf, some = part
            assert leaf == "trace" and 0 < len(some) <= 1024
            out += [some[at : at + trace.PAGE] for at in range(0, len(some), trace.PAGE)]
    return out


def run(ring: trace.Trace, sale: int, steps: list[tuple[int, int, int]], start_ms: int = 0) -> tuple[int, int]:
    edges = [1000, 990] + [7] * 6
    ring.begin(sale, start_ms, 0, edges)
    now_ms, a, b = start_ms, 0, 0
    for da, skew, pause_ms in steps:
        now_ms = (now_ms + pause_ms) & ticks.MASK
        a, b = a + da, b + da + skew
        edges[0], edges[1] = 1000 + a, 990 + b
        ring.take(now_ms, edges)
    ring.end(edges)
    return a, b


@settings(deadline=None)
@given(STEPS, st.sampled_from((0, (1 << 30) - 700)))
def test_d30_whatever_the_channels_do_the_timeline_sums_to_it(steps: list[tuple[int, int, int]], start_ms: int) -> None:
    ring = ready()
    a, b = run(ring, 9, steps, start_ms)
    line = pulses.assemble(9, pages_of(ring, 9))
    assert line.is_whole
    assert (line.edges_a, line.edges_b) == (a, b)
    spent_ms = sum(pause for _, _, pause in steps)
    assert sum(len(page.samples) for page in line.pages) >= spent_ms // trace.STEP_MS


def test_d30_a_reading_that_came_late_is_told_and_nothing_is_invented() -> None:
    ring = ready()
    run(ring, 9, [(7, 0, 50), (7, 0, 50), (40, 0, 210), (7, 0, 40)])
    (page,) = pulses.assemble(9, pages_of(ring, 9)).pages
    assert page.samples == ((7, 7), (7, 7), None, None, None, (40, 40), (7, 7), (0, 0))


def test_d30_a_minute_of_fuel_takes_few_programs_and_no_erase() -> None:
    """40 L/min at 100 pulses a litre: 6 or 7 edges of each channel in 50 ms."""
    ring = ready()
    flash = ring.flash
    programs, erases = flash.programs, sum(flash.erases)
    run(ring, 9, [(6 + n * 2 // 3 % 2, n % 2, 50) if n % 2 else (6 + n * 2 // 3 % 2, -1, 50) for n in range(1200)])
    assert flash.programs - programs <= 14
    assert sum(flash.erases) == erases


def test_d30_the_last_sales_stay_and_the_oldest_go() -> None:
    ring = ready()
    rng = random.Random(5)
    sums = {}
    for sale in range(10, 60):
        sums[sale] = run(ring, sale, [(rng.randint(0, 20), rng.randint(-1, 1), 50) for _ in range(600)])
        while ring.idle_work():
            pass
        if sale % 7 == 0:  # power goes and comes
            ring = trace.Trace(ring.flash)
            traces.find(ring)
            while ring.idle_work():
                pass
    kept = []
    for sale in range(10, 60):
        line = pulses.assemble(sale, pages_of(ring, sale))
        if line.is_whole:
            assert (line.edges_a, line.edges_b) == sums[sale]
            kept.append(sale)
    assert kept == list(range(kept[0], 60)) and len(kept) >= 10
    (gone,) = pages_of(ring, 10)
    assert pulses.read_page(gone).number == traces.NONE


def test_d30_when_no_page_is_blank_the_gap_is_told() -> None:
    ring = ready()
    ring.erased = 3
    run(ring, 9, [(100, 0, 50), (7, 0, 50)] * 400)
    line = pulses.assemble(9, pages_of(ring, 9))
    assert [page.number for page in line.pages] == [0, 1, 2]
    assert not line.is_ended and not line.is_whole


@pytest.mark.parametrize("tear", range(5))
def test_d30_power_cut_at_every_page_keeps_what_was_written(tear: int) -> None:
    for cut_at in range(1, 9):
        ring = ready()
        ring.flash.cut_at, ring.flash.tear = cut_at, tear
        steps = [(n % 9, 0, 50) for n in range(1600)]
        with pytest.raises(PowerCut):
            run(ring, 9, steps)
        ring.flash.cut_at = 0
        after = trace.Trace(ring.flash)
        traces.find(after)
        while after.idle_work():
            pass
        sums = run(after, 12, steps)
        line = pulses.assemble(9, pages_of(after, 9))
        assert [page.number for page in line.pages] == list(range(cut_at - 1 if tear < 4 else cut_at))
        assert not line.is_ended
        line = pulses.assemble(12, pages_of(after, 12))
        assert line.is_whole and (line.edges_a, line.edges_b) == sums


def test_d30_a_real_sale_sums_to_its_end_record_and_is_fetched_by_command() -> None:
    bench = Bench("slot")
    bench.controller.trace = ready()
    for nozzle, litres in ((1, 12), (3, 4)):
        bench.authorise(bench.card(50_000, nozzle), nozzle)
        bench.pump.every_tick = True
        bench.fuel(litres, nozzle)
        bench.hang(nozzle)
        bench.pump.every_tick = False
        bench.settle(bench.card(50_000, nozzle))
    for end in bench.of(records.END):
        assert bench.controller.command(f"trace:{end['sale_seq']}") == ""
        raw = b""
        while bench.controller.upload is not None:
            part = bench.controller.take_upload()
            raw += part[1] if part else b""
        line = pulses.assemble(end["sale_seq"], [raw[at : at + 128] for at in range(0, len(raw), 128)])
        assert line.is_whole
        assert (line.edges_a // 2, line.edges_b // 2) == (end["pulses_a"], end["pulses_b"])
        assert abs((line.edges_a + line.edges_b) * 1000 // 400 - end["volume_ml"]) <= 3


def test_d30_a_pump_without_room_for_timelines_says_so() -> None:
    assert Bench("slot").controller.command("trace:5") == "unknown command"
