"""The board's adapters on CPython, against stand-ins of the chip that are set by hand. D3, D13, D14, D15, D16."""

import sys
from collections.abc import Callable, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

LIMIT = 30_000


class Pin:
    IN, OUT, PULL_UP = 1, 3, 2
    levels: ClassVar[dict[int, int]] = {}
    order: ClassVar[list[tuple[int, int]]] = []

    def __init__(self, gpio: int, mode: int = -1, pull: int = -1, *, value: int | None = None) -> None:
        self.gpio = gpio
        if value is not None:
            self.value(value)

    def value(self, level: int | None = None) -> int:
        if level is not None:
            Pin.levels[self.gpio] = level
            Pin.order.append((self.gpio, level))
        return Pin.levels.get(self.gpio, 0)


class Counter:
    """A PCNT unit: back to zero at its limits, setting a threshold clears it, the handler runs inside value()."""

    INCREMENT, DECREMENT, NORMAL, REVERSE, IRQ_THRESHOLD0 = 1, 2, 0, 1, 2
    units: ClassVar[dict[int, "Counter"]] = {}

    def __init__(self, unit: int, **settings: Any) -> None:
        assert settings["max"] == LIMIT and settings["min"] == -LIMIT
        self.count = self.pending = 0
        self.threshold: int | None = None
        self.handler: Any = None
        Counter.units[unit] = self

    def start(self) -> None:
        pass

    def turn(self, edges: int) -> None:
        """At most one limit's worth at a time."""
        before, self.count = self.count, self.count + edges
        for lap in (-LIMIT, 0, LIMIT):
            if self.threshold is not None and before < self.threshold + lap <= self.count and self.threshold > 0:
                self.pending = self.IRQ_THRESHOLD0
        if abs(self.count) >= LIMIT:
            self.count -= LIMIT if self.count > 0 else -LIMIT

    def init(self, *, threshold0: int, value: int) -> None:
        self.threshold, self.count = threshold0, value

    def irq(self, handler: Any = None, trigger: int = 0) -> "Counter":
        self.handler = handler or self.handler
        return self

    def flags(self) -> int:
        pending, self.pending = self.pending, 0
        return pending

    def value(self) -> int:
        if self.pending and self.handler:
            self.handler(self)
        return self.count


@pytest.fixture(scope="module")
def adapters() -> Iterator[SimpleNamespace]:
    """meter, outputs and supply, imported on stand-ins for `machine` and `esp32`."""
    machine: Any = ModuleType("machine")
    machine.Pin = Pin
    machine.ADC = type(
        "ADC", (), {"ATTN_11DB": 3, "uv": 0, "__init__": lambda s, p, atten: None, "read_uv": lambda s: s.uv}
    )
    esp32: Any = ModuleType("esp32")
    esp32.PCNT = Counter
    before = {name: sys.modules.get(name) for name in ("machine", "esp32")}
    sys.modules |= {"machine": machine, "esp32": esp32}
    try:
        from pump import meter, outputs, pins, supply

        yield SimpleNamespace(meter=meter, outputs=outputs, pins=pins, supply=supply, adc=machine.ADC)
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
        for name in ("meter", "outputs", "supply"):
            sys.modules.pop(f"pump.{name}", None)


def wanted(**fields: int) -> SimpleNamespace:
    off = {"motor": 0, "big": 0, "small": 0, "permit": 0, "threshold_nozzle": -1, "threshold_counts": 0}
    return SimpleNamespace(**(off | fields))


@settings(deadline=None)
@given(st.lists(st.integers(-14_000, 14_000), max_size=30))
def test_d14_sums_follow_the_counters_through_every_limit(adapters: SimpleNamespace, turns: list[int]) -> None:
    meter = adapters.meter.Meter(2, lambda: None)
    edges = [0] * 8
    for turn in turns:
        Counter.units[2].turn(turn)
        Counter.units[3].turn(-turn)
        meter.read(edges)
    assert edges == [0, 0, sum(turns), -sum(turns), 0, 0, 0, 0]


@pytest.mark.parametrize("ahead", [2, 50, 20_000, 59_998, 60_000, 60_002, 200_000])
def test_d16_the_counter_itself_shuts_the_valves_at_the_limit_and_not_before(
    adapters: SimpleNamespace, ahead: int
) -> None:
    """`ahead` counts of both channels: also where channel A alone passes the counter's own limit several times."""
    shut: list[int] = []
    edges = [0] * 8
    meter = adapters.meter.Meter(1, lambda: shut.append(edges[0]))
    Counter.units[0].turn(777)
    Counter.units[1].turn(776)
    meter.read(edges)
    meter.arm(wanted(threshold_nozzle=0, threshold_counts=edges[0] + edges[1] + ahead), edges)
    assert edges[0] == 777 and not shut  # arming cleared the counter, the sum did not notice
    left = ahead // 2 - 2  # two edges before: a limit that falls onto the counter's own end shuts one edge early
    while left > 0:
        Counter.units[0].turn(min(left, 700))
        left -= 700
        meter.read(edges)
    assert not shut
    for _ in range(2):
        Counter.units[0].turn(1)
        meter.read(edges)
    assert shut and edges[0] >= 777 + ahead // 2


def test_d16_a_threshold_is_never_programmed_while_fuel_flows(adapters: SimpleNamespace) -> None:
    edges = [0] * 8
    meter = adapters.meter.Meter(1, lambda: None)
    meter.arm(wanted(threshold_nozzle=0, threshold_counts=1000), edges)
    Counter.units[0].turn(40)
    meter.arm(wanted(threshold_nozzle=0, threshold_counts=900, big=1), edges)
    assert Counter.units[0].count == 40


def relays(adapters: SimpleNamespace) -> Any:
    Pin.levels.clear()
    made = adapters.outputs.Relays()
    Pin.order.clear()
    return made


def high(adapters: SimpleNamespace) -> set[int]:
    return {gpio for gpio, level in Pin.levels.items() if level and gpio in adapters.pins.OUTPUTS}


def test_d3_one_nozzle_gets_permit_motor_select_and_its_stages(adapters: SimpleNamespace) -> None:
    pins, made = adapters.pins, relays(adapters)
    made.apply(wanted(motor=4, big=4, small=4, permit=1))
    assert high(adapters) == {pins.PERMIT, pins.MOTOR, pins.VALVE_BIG, pins.VALVE_SMALL, pins.SELECT[2]}
    assert Pin.order[-1][0] == pins.VALVE_SMALL  # valves open last
    made.apply(wanted(motor=4, small=4, permit=1))
    assert pins.VALVE_BIG not in high(adapters) and made.healthy()
    made.apply(wanted())
    assert high(adapters) == set()


def test_d13_two_nozzles_at_once_are_a_fault_and_everything_stays_off(adapters: SimpleNamespace) -> None:
    made = relays(adapters)
    made.apply(wanted(motor=3, big=3, permit=1))
    assert high(adapters) == set()


def test_d16_valves_shut_by_the_counter_open_again_only_when_the_core_says_so(adapters: SimpleNamespace) -> None:
    pins, made = adapters.pins, relays(adapters)
    made.apply(wanted(motor=1, small=1, permit=1))
    made.close()
    assert high(adapters) == {pins.PERMIT, pins.MOTOR, pins.SELECT[0]} and made.healthy()
    made.apply(wanted(motor=1, permit=1))
    assert high(adapters) == {pins.PERMIT, pins.MOTOR, pins.SELECT[0]}


def test_d13_a_pin_that_reads_back_otherwise_is_not_healthy(adapters: SimpleNamespace) -> None:
    made = relays(adapters)
    made.apply(wanted())
    Pin.levels[adapters.pins.VALVE_SMALL] = 1
    assert not made.healthy()


@pytest.mark.parametrize(
    ("millivolts", "expected"), [((24_000, 17_900, 19_000, 20_100), [True, False, False, True]), ((18_000,), [True])]
)
def test_d15_the_supply_fails_below_18_v_and_is_good_again_above_20(
    adapters: SimpleNamespace, millivolts: tuple[int, ...], expected: list[bool]
) -> None:
    monitor = adapters.supply.Supply()
    seen: list[bool] = []
    read: Callable[[], bool] = monitor.read
    for value in millivolts:
        adapters.adc.uv = -(-value * 1000 // 11)
        seen.append(read())
    assert seen == expected
