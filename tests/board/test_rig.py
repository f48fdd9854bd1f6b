"""D29: the rig's firmware in the real interpreter makes the pulses and presses the switches that a pump expects."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hil_tests.hands import RigError, SimulatedRig
from pump import pins
from tools.bench import acts
from tools.bench import wires as w
from tools.bench.state import Pulser
from tools.bench.wires import Wires

ROOT = Path(__file__).resolve().parents[2]
NOZZLE = 1
# Fault and the share of the edges that is left.
FAULTS: tuple[tuple[Pulser, float], ...] = (
    ("dropped_a", 2 / 3),
    ("dropped_b", 2 / 3),
    ("stuck_a", 0.0),
    ("stuck_b", 0.0),
    ("doubled_a", 1.0),
    ("noisy_a", 1.0),
    ("noisy_b", 1.0),
)


class Pump:
    """The pump board's half of the wires, by hand."""

    def __init__(self, path: Path) -> None:
        self.wires = Wires(path)
        self.levels = 0

    def drive(self, *gpios: int) -> None:
        mask = sum(1 << gpio for gpio in gpios)
        self.wires.put("Q", w.OUTPUTS, (1 << 40) - 1)
        self.wires.put("Q", w.LEVELS, mask)

    def edges(self) -> tuple[int, int]:
        at = w.EDGES + 8 * NOZZLE
        return self.wires.get("i", at), self.wires.get("i", at + 4)

    def switches(self) -> int:
        return self.wires.get("I", w.SWITCHES)


@pytest.fixture
def pump(tmp_path: Path) -> Iterator[Pump]:
    made = Pump(tmp_path / "wires")
    yield made
    made.wires.close()


@pytest.fixture
def rig(pump: Pump, tmp_path: Path) -> Iterator[SimulatedRig]:
    made = SimulatedRig(tmp_path / "wires", NOZZLE)
    yield made
    made.close()


def full_flow(pump: Pump, rig: SimulatedRig) -> None:
    pump.drive(pins.PERMIT, pins.MOTOR, pins.VALVE_BIG, pins.VALVE_SMALL, pins.SELECT[NOZZLE])
    rig.do(acts.trigger("p1", "full", NOZZLE))


def shut(pump: Pump, rig: SimulatedRig) -> None:
    pump.drive()
    end = time.monotonic() + 5
    while rig.sale()["flowing"]:
        assert time.monotonic() < end


def test_d29_pulses_flow_only_while_every_relay_lets_fuel_through(pump: Pump, rig: SimulatedRig) -> None:
    rig.do(acts.trigger("p1", "full", NOZZLE))
    for missing in (pins.PERMIT, pins.MOTOR, pins.SELECT[NOZZLE]):
        relays = {pins.PERMIT, pins.MOTOR, pins.VALVE_BIG, pins.VALVE_SMALL, pins.SELECT[NOZZLE]} - {missing}
        pump.drive(*relays)
        time.sleep(0.2)
        assert pump.edges() == (0, 0), missing
    full_flow(pump, rig)
    time.sleep(0.6)
    shut(pump, rig)
    a, b = pump.edges()
    assert a > 20 and abs(a - b) <= 1, "forward on both channels, in quadrature"
    assert abs(rig.sale()["quarters"] - a - b) <= 2, "two edges of each channel a pulse"


@pytest.mark.parametrize("hz", [67, 2200])
def test_d29_every_pulse_made_is_one_to_count_up_to_two_thousand_two_hundred_a_second(
    pump: Pump, rig: SimulatedRig, hz: int
) -> None:
    """130 L/min at 1,000 pulses per litre. No timing: a busy machine makes fewer pulses, each of them whole."""
    rig.ask({"do": "rate", "full_hz": hz})
    full_flow(pump, rig)
    end = time.monotonic() + 20
    while rig.sale()["quarters"] < hz * 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    shut(pump, rig)
    a, b = pump.edges()
    made = rig.sale()["quarters"]
    assert abs(2 * a - made) <= 3 and abs(2 * b - made) <= 3


@pytest.mark.parametrize("fault, kept", FAULTS)
def test_d14_what_a_broken_pulser_does_to_counters_that_direct_each_other(
    pump: Pump, rig: SimulatedRig, fault: Pulser, kept: float
) -> None:
    """A pulse lost on one channel costs both sums, a stuck channel leaves nothing, a bounce or a spike adds nothing."""
    rig.do(acts.pulser("p1", fault, NOZZLE))
    full_flow(pump, rig)
    time.sleep(0.8)
    shut(pump, rig)
    quarters = rig.sale()["quarters"]
    assert quarters > 40
    for edges in pump.edges():
        assert abs(edges - quarters * kept / 2) <= 3


@pytest.mark.parametrize("fault", ["swapped", "reversed"])
def test_d14_swapped_channels_and_a_wheel_that_runs_backwards_count_backwards(
    pump: Pump, rig: SimulatedRig, fault: Pulser
) -> None:
    rig.do(acts.pulser("p1", fault, NOZZLE))
    full_flow(pump, rig)
    time.sleep(0.4)
    shut(pump, rig)
    assert max(pump.edges()) < 0


def test_d29_switches_are_pressed_and_released(pump: Pump, rig: SimulatedRig) -> None:
    assert pump.switches() == 0
    for act, bit in (
        (acts.lift("p1", NOZZLE), NOZZLE),
        (acts.estop("p1", True), w.ESTOP),
        (acts.tamper("p1", True), w.TAMPER),
        (acts.seal("p1", True), w.SEAL),
    ):
        assert rig.do(act)
        assert pump.switches() >> bit & 1
    for act in (acts.hang("p1", NOZZLE), acts.estop("p1", False), acts.tamper("p1", False), acts.seal("p1", False)):
        rig.do(act)
    assert pump.switches() == 0


def test_d13_it_measures_how_long_the_permit_relay_took(pump: Pump, rig: SimulatedRig) -> None:
    full_flow(pump, rig)
    time.sleep(0.1)
    rig.do(acts.estop("p1", True))
    time.sleep(0.05)
    pump.drive()
    time.sleep(0.05)
    assert 40_000 <= rig.sale()["off_us"] <= 2_000_000


def test_what_is_not_the_rigs_is_left_to_others_and_nonsense_is_answered(rig: SimulatedRig) -> None:
    assert not rig.do(acts.keys("p1", "1"))
    assert not rig.do(acts.insert("p1", "04"))
    assert not rig.do(acts.power("p1", False)), "a simulated board's supply is the bench's"
    with pytest.raises(RigError, match="unknown command"):
        rig.ask({"do": "dance"})
    with pytest.raises(RigError, match="pulses a second"):
        rig.ask({"do": "rate", "full_hz": 100_000})
    assert rig.sale()["ok"]


def test_the_drawing_shows_the_pins_of_both_boards() -> None:
    drawing = (ROOT / "docs/img/rig.svg").read_text("utf-8")
    names: dict[str, int] = {}
    firmware = (ROOT / "hil_tests/rig/rig.py").read_text()
    for left, right in re.findall(r"^([A-Z_, ]+) = ([\d, ]+)$", firmware, re.MULTILINE):
        names |= dict(zip(left.split(", "), map(int, right.split(", ")), strict=True))
    wired = names.keys() - {"FULL_HZ", "HAND_HZ", "SMALL_HZ", "MOST_HZ", "CLOSING_MS", "LOOK_US"}
    assert len(wired) == 12
    for name in wired:
        assert f">GPIO {names[name]}<" in drawing, name
    firsts = pins.PULSER_A[0], pins.PULSER_B[0], pins.SELECT[0]
    for gpio in (*firsts, pins.ESTOP, pins.PERMIT, pins.MOTOR, pins.VALVE_BIG, pins.VALVE_SMALL):
        assert re.search(rf">GPIO {gpio}[ <]", drawing), gpio
