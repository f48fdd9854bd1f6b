"""The plant of one fuelling point: pump, two valves and a pulser per nozzle, the customer's hand, the tank below.

Pure and in integers: microlitres, microseconds, microlitres per second. Flow goes from one steady rate to the next in a
straight ramp whose length is the valve's, the pump's or the hand's, so that any span is worked out at once:
advance(to_us) costs the same over a millisecond and over an hour.
"""

import random
from dataclasses import dataclass
from typing import Literal

Trigger = Literal["none", "slow", "full"]
Pulser = Literal["ok", "dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped"]

FULL_UL_S, HAND_SLOW_UL_S, SMALL_VALVE_UL_S = 667_000, 200_000, 83_000  # 40, 12 and 5 L/min
BIG_CLOSING_US, SMALL_CLOSING_US, OPENING_US, MOTOR_US, HAND_US = 150_000, 40_000, 80_000, 300_000, 60_000
FAULT_EVERY = 3  # pulses: a pulser that drops or doubles does it to every third
_S = 1_000_000


@dataclass
class _Nozzle:
    counts_per_l: int
    full_ul_s: int
    small_ul_s: int
    big_closing_us: int
    small_closing_us: int
    trigger: Trigger = "none"
    pulser: Pulser = "ok"
    leak_ul_s: int = 0
    big: bool = False
    small: bool = False
    motor: bool = False
    from_ul_s: int = 0  # the ramp: from, to, begun, length; afterwards the flow is `to_ul_s`
    to_ul_s: int = 0
    ramp_at_us: int = 0
    ramp_us: int = 0
    at_ramp_ul: int = 0  # dispensed when the ramp began
    ul: int = 0
    quarter: int = 0  # quadrature position: quarters of a pulse
    a: int = 0
    b: int = 0
    stuck_high: bool = False
    missing: bool = False

    def volume_at(self, us: int) -> int:
        """Microlitres dispensed at a time not before the ramp."""
        t = us - self.ramp_at_us
        if t < self.ramp_us:
            rise = self.to_ul_s - self.from_ul_s
            return self.at_ramp_ul + (2 * self.from_ul_s * t * self.ramp_us + rise * t * t) // (2 * self.ramp_us * _S)
        mean_ul_s2 = self.from_ul_s + self.to_ul_s
        ramped = mean_ul_s2 * self.ramp_us // (2 * _S)
        return self.at_ramp_ul + ramped + self.to_ul_s * (t - self.ramp_us) // _S

    def flow_at(self, us: int) -> int:
        t = us - self.ramp_at_us
        if t >= self.ramp_us:
            return self.to_ul_s
        return self.from_ul_s + (self.to_ul_s - self.from_ul_s) * t // self.ramp_us

    def wanted_ul_s(self) -> int:
        flow = 0
        if self.motor and self.trigger != "none":
            if self.big:
                flow = self.full_ul_s if self.trigger == "full" else HAND_SLOW_UL_S
            elif self.small:
                flow = self.small_ul_s
        return max(flow, self.leak_ul_s)

    def ramp_to(self, us: int, length_us: int) -> None:
        """Start a ramp to the flow now wanted."""
        wanted = self.wanted_ul_s()
        if wanted == self.to_ul_s:
            return
        self.from_ul_s, self.at_ramp_ul = self.flow_at(us), self.volume_at(us)
        self.to_ul_s, self.ramp_at_us, self.ramp_us = wanted, us, length_us

    def move(self, us: int) -> None:
        self.ul = self.volume_at(us)
        quarter = self.ul * self.counts_per_l // _S
        if quarter == self.quarter:
            return
        if self.pulser == "ok":
            self.a += (quarter + 1) // 2 - (self.quarter + 1) // 2
            self.b += quarter // 2 - self.quarter // 2
        else:
            for edge in range(self.quarter, quarter):
                self._faulty_edge(edge)
        self.quarter = quarter

    def _faulty_edge(self, edge: int) -> None:
        """One edge as the pair of counters takes it: each counts its own channel, directed by the other's level."""
        place, pulse = edge % 4, edge // 4  # A up, B up, A down, B down
        on_a = place % 2 == 0
        kind = self.pulser
        if kind == "swapped":
            self.b -= on_a
            self.a -= not on_a
        elif kind == "doubled_a":
            self.a += (2 if pulse % FAULT_EVERY == 0 else 1) if on_a else 0
            self.b += not on_a
        else:
            stuck = kind.startswith("stuck")
            lost = (kind[-1] == "a") == on_a and (stuck or pulse % FAULT_EVERY == 0)
            other_lost = (kind[-1] == "a") != on_a and (stuck or pulse % FAULT_EVERY == 0)
            if lost:
                return
            step = 1
            if other_lost:  # the partner's level stands still: this channel swings to and fro
                high = self.stuck_high and stuck
                step = (1 if (place == 1) == high else -1) if not on_a else (1 if (place == 0) != high else -1)
            if on_a:
                self.a += step
            else:
                self.b += step


class Plant:
    """pulses_per_l per nozzle; everything that differs between two real dispensers follows from seed."""

    def __init__(self, pulses_per_l: list[int], seed: int = 0) -> None:
        rng = random.Random(seed)

        def near(value: int, percent: int) -> int:
            return value * rng.randint(100 - percent, 100 + percent) // 100

        self.now_us = 0
        self._nozzles = [
            _Nozzle(
                4 * pulses, near(FULL_UL_S, 20), near(SMALL_VALVE_UL_S, 20), near(BIG_CLOSING_US, 40),
                near(SMALL_CLOSING_US, 50), stuck_high=rng.random() < 0.5,
            )
            for pulses in pulses_per_l
        ]  # fmt: skip
        self._outputs = (0, 0, 0)

    def set_outputs(self, motor: int, big: int, small: int) -> None:
        """What the board drives now. motor: not 0 runs the point's pump; big, small: one bit per nozzle."""
        if (motor, big, small) == self._outputs:
            return
        self._outputs = (motor, big, small)
        for i, nozzle in enumerate(self._nozzles):
            runs, big_open, small_open = bool(motor), bool(big >> i & 1), bool(small >> i & 1)
            if runs and not nozzle.motor:
                length = MOTOR_US
            elif big_open > nozzle.big or small_open > nozzle.small:
                length = OPENING_US
            else:
                length = nozzle.big_closing_us if nozzle.big else nozzle.small_closing_us
            nozzle.motor, nozzle.big, nozzle.small = runs, big_open, small_open
            nozzle.ramp_to(self.now_us, length)

    def set_trigger(self, nozzle: int, squeeze: Trigger) -> None:
        n = self._nozzles[nozzle]
        n.trigger = squeeze
        n.ramp_to(self.now_us, HAND_US)

    def set_pulser(self, nozzle: int, kind: Pulser) -> None:
        """Break the pulser, or mend it with "ok"."""
        self._nozzles[nozzle].pulser = kind

    def set_leak(self, nozzle: int, ul_s: int) -> None:
        """Fuel that comes past shut valves (0: tight)."""
        n = self._nozzles[nozzle]
        n.leak_ul_s = ul_s
        n.ramp_to(self.now_us, OPENING_US)

    def advance(self, to_us: int) -> None:
        """Let time pass up to to_us (never back)."""
        self.now_us = max(self.now_us, to_us)
        for nozzle in self._nozzles:
            if nozzle.to_ul_s or nozzle.ramp_us:
                nozzle.move(self.now_us)
                if not nozzle.to_ul_s and self.now_us - nozzle.ramp_at_us >= nozzle.ramp_us:
                    nozzle.from_ul_s = nozzle.ramp_us = 0
                    nozzle.at_ramp_ul, nozzle.ramp_at_us = nozzle.ul, self.now_us

    def edges(self, nozzle: int) -> tuple[int, int]:
        """Directed edges of channels A and B since the plant was made."""
        n = self._nozzles[nozzle]
        return n.a, n.b

    def true_ul(self, nozzle: int) -> int:
        """Microlitres that really came out since the plant was made."""
        return self._nozzles[nozzle].ul

    def flow_ml_s(self, nozzle: int) -> int:
        return self._nozzles[nozzle].flow_at(self.now_us) // 1000

    def next_event_us(self) -> int | None:
        """When the next ramp ends, None if all flows are steady."""
        ends = [n.ramp_at_us + n.ramp_us for n in self._nozzles if n.ramp_us]
        return min((end for end in ends if end > self.now_us), default=None)

    def flowing(self, nozzle: int) -> bool:
        n = self._nozzles[nozzle]
        return bool(n.to_ul_s or n.ramp_us)

    def time_of_counts(self, nozzle: int, counts: int) -> int | None:
        """When both channels of a healthy pulser together will have moved on by `counts`; None: never at this flow."""
        n = self._nozzles[nozzle]
        target_ul = -(-(n.quarter + counts) * _S // n.counts_per_l)
        end_us = max(self.now_us, n.ramp_at_us + n.ramp_us)
        if n.volume_at(end_us) >= target_ul:
            low, high = self.now_us, end_us
            while low < high:
                middle = (low + high) // 2
                if n.volume_at(middle) >= target_ul:
                    high = middle
                else:
                    low = middle + 1
            return low
        if not n.to_ul_s:
            return None
        return end_us + -(-(target_ul - n.volume_at(end_us)) * _S // n.to_ul_s) + 1
