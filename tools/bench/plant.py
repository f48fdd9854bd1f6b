"""The plant of one fuelling point: pump, two valves and a pulser per nozzle, the customer's hand, the tank below.

Pure and in integers: microlitres, microseconds, microlitres per second. A valve answers a command after a dead time and
then changes the flow in a straight ramp, so that any span is worked out at once: advance(to_us) costs the same over a
millisecond and over an hour. The flow is the sum of what the big and the small valve let through.

No two dispensers are alike and no closing is like the one before: sizes follow from the seed; each closing takes its
own time (now and then a valve sticks), follows the temperature of the day and the season, and slows down with wear;
the pressure follows the day and the neighbours. Orders of magnitude: two-stage solenoid valves of dispensers close in
0.1 to 0.3 s (pilot-operated, big) and 0.03 to 0.1 s (direct-acting, small).
"""

import random
from dataclasses import dataclass, field
from typing import Literal

Trigger = Literal["none", "slow", "full"]
Pulser = Literal[
    "ok", "dropped_a", "dropped_b", "stuck_a", "stuck_b", "doubled_a", "swapped", "reversed", "noisy_a", "noisy_b"
]  # fmt: skip

FULL_UL_S, HAND_SLOW_UL_S, SMALL_VALVE_UL_S = 667_000, 200_000, 83_000  # 40, 12 and 5 L/min
BIG_DEAD_US, BIG_CLOSING_US = 50_000, 150_000
SMALL_DEAD_US, SMALL_CLOSING_US = 20_000, 40_000
OPENING_DEAD_US, OPENING_US, MOTOR_US, HAND_US = 30_000, 50_000, 300_000, 60_000
FAULT_EVERY = 3  # pulses: a pulser that drops or doubles does it to every third
JITTER_PERMILLE = 80  # standard deviation of one closing's time
STICKS_EVERY = 300  # closings: one of so many takes 1.3 to 1.8 times as long
DAY_PERMILLE, SEASON_PERMILLE = 80, 100  # slower when cold: the closing times' swing over a day and over a year
PRESSURE_PERMILLE, NEIGHBOUR_PERMILLE = 50, 80  # the flow's swing over a day; what a neighbour who fuels takes off
WEAR_EVERY, MOST_WEAR_PERMILLE = 3, 500  # closings per permille by which a valve gets slower, and the end of it
_S = 1_000_000
_DAY_US = 86_400 * _S
_ANY_UL_S = 1 << 40  # a hand that is no limit
_HANDS = {"none": 0, "slow": HAND_SLOW_UL_S, "full": _ANY_UL_S}


def _wave(us: int, period_us: int) -> int:
    """A triangle between -1000 and 1000, at 0 in the beginning."""
    at = (us + period_us // 4) % period_us * 4000 // period_us
    return at - 1000 if at < 2000 else 3000 - at


@dataclass
class _Stage:
    """What one valve lets through: steady, then a ramp, then steady again. dead_us, closing_us: of its valve."""

    dead_us: int
    closing_us: int
    closings: int = 0
    open: bool = False
    from_ul_s: int = 0
    to_ul_s: int = 0
    since_us: int = 0  # the last command
    ramp_at_us: int = 0
    end_us: int = 0
    since_ul: int = 0  # dispensed by then
    ramp_at_ul: int = 0
    end_ul: int = 0

    def volume_at(self, us: int) -> int:
        """Microlitres dispensed at a time not before the last command."""
        if us >= self.end_us:
            return self.end_ul + self.to_ul_s * (us - self.end_us) // _S
        t = us - self.ramp_at_us
        if t <= 0:
            return self.since_ul + self.from_ul_s * (us - self.since_us) // _S
        length = self.end_us - self.ramp_at_us
        rise = self.to_ul_s - self.from_ul_s
        return self.ramp_at_ul + (2 * self.from_ul_s * t * length + rise * t * t) // (2 * length * _S)

    def flow_at(self, us: int) -> int:
        if us >= self.end_us:
            return self.to_ul_s
        t = us - self.ramp_at_us
        if t <= 0:
            return self.from_ul_s
        return self.from_ul_s + (self.to_ul_s - self.from_ul_s) * t // (self.end_us - self.ramp_at_us)

    def go_to(self, wanted_ul_s: int, us: int, dead_us: int, ramp_us: int) -> None:
        """Change the flow after dead_us, within ramp_us."""
        if wanted_ul_s == self.to_ul_s:
            return
        self.since_ul, self.from_ul_s = self.volume_at(us), self.flow_at(us)
        self.since_us, self.ramp_at_us, self.end_us = us, us + dead_us, us + dead_us + ramp_us
        self.to_ul_s = wanted_ul_s
        self.ramp_at_ul = self.since_ul + self.from_ul_s * dead_us // _S
        self.end_ul = self.ramp_at_ul + (self.from_ul_s + wanted_ul_s) * ramp_us // (2 * _S)


@dataclass
class _Nozzle:
    counts_per_l: int
    full_ul_s: int
    small_ul_s: int
    big: _Stage
    small: _Stage
    stuck_high: bool
    hand_ul_s: int = 0
    pulser: Pulser = "ok"
    leak_ul_s: int = 0
    motor: bool = False
    pressure: int = 1000  # permille
    ul: int = 0
    quarter: int = 0  # quadrature position: quarters of a pulse
    a: int = 0
    b: int = 0
    moving: bool = field(default=False)

    def volume_at(self, us: int) -> int:
        return self.big.volume_at(us) + self.small.volume_at(us)

    def wanted_ul_s(self) -> tuple[int, int]:
        """What the big and the small stage let through in the end."""
        big = small = 0
        if self.motor:
            if self.small.open:
                small = min(self.small_ul_s * self.pressure // 1000, self.hand_ul_s)
            if self.big.open:
                big = max(0, min(self.full_ul_s * self.pressure // 1000, self.hand_ul_s) - small)
        return big, max(small, self.leak_ul_s)

    def go(self, us: int, dead_us: int, ramp_us: int) -> None:
        """Both stages to the flows now wanted."""
        big, small = self.wanted_ul_s()
        self.big.go_to(big, us, dead_us, ramp_us)
        self.small.go_to(small, us, dead_us, ramp_us)
        self.moving = True

    def move(self, us: int) -> None:
        self.ul = self.big.volume_at(us) + self.small.volume_at(us)
        quarter = self.ul * self.counts_per_l // _S
        if quarter != self.quarter:
            if self.pulser == "ok":
                self.a += (quarter + 1) // 2 - (self.quarter + 1) // 2
                self.b += quarter // 2 - self.quarter // 2
            else:
                for edge in range(self.quarter, quarter):
                    self._faulty_edge(edge)
            self.quarter = quarter
        if self.moving and us >= self.small.end_us and us >= self.big.end_us:
            self.moving = bool(self.small.to_ul_s or self.big.to_ul_s)

    def _faulty_edge(self, edge: int) -> None:
        """One edge as the pair of counters takes it: each counts its own channel, directed by the other's level."""
        place, pulse = edge % 4, edge // 4  # A up, B up, A down, B down
        on_a = place % 2 == 0
        kind = self.pulser
        if kind == "swapped":
            self.b -= on_a
            self.a -= not on_a
        elif kind == "reversed":
            self.a -= on_a
            self.b -= not on_a
        elif kind == "doubled_a":
            self.a += (2 if pulse % FAULT_EVERY == 0 else 1) if on_a else 0
            self.b += not on_a
        elif kind in ("noisy_a", "noisy_b"):
            # A spike there and back while the partner's level stands: one too many, for a quarter of a pulse.
            spike = 0 if pulse % FAULT_EVERY else (place == 0) - (place == 1)
            self.a += on_a + (spike if kind == "noisy_a" else 0)
            self.b += (not on_a) + (spike if kind == "noisy_b" else 0)
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

    def __init__(
        self,
        pulses_per_l: list[int],
        seed: int = 0,
        full_ul_s: int = FULL_UL_S,
        small_ul_s: int = SMALL_VALVE_UL_S,
    ) -> None:
        self._rng = random.Random(seed)
        self.now_us = 0
        self._nozzles = [
            _Nozzle(
                4 * pulses, self._near(full_ul_s, 20), self._near(small_ul_s, 20), *self._valves(),
                stuck_high=self._rng.random() < 0.5,
            )
            for pulses in pulses_per_l
        ]  # fmt: skip
        self._outputs = (0, 0, 0)

    def _near(self, value: int, percent: int) -> int:
        return value * self._rng.randint(100 - percent, 100 + percent) // 100

    def _valves(self) -> tuple[_Stage, _Stage]:
        near = self._near
        big = _Stage(near(BIG_DEAD_US, 40), near(BIG_CLOSING_US, 40))
        return big, _Stage(near(SMALL_DEAD_US, 50), near(SMALL_CLOSING_US, 50))

    def repair(self, nozzle: int) -> None:
        """Put two new valves in; only while they are shut and nothing flows."""
        n, (big, small) = self._nozzles[nozzle], self._valves()
        for old, new in ((n.big, big), (n.small, small)):
            old.dead_us, old.closing_us, old.closings = new.dead_us, new.closing_us, 0

    def _close(self, n: _Nozzle, stage: _Stage, wanted_ul_s: int) -> None:
        """One closing, with what it takes this time."""
        random_ = self._rng.random
        stage.closings += 1
        permille = 1000 + int((random_() + random_() + random_() - 1.5) * 2 * JITTER_PERMILLE)
        permille += _wave(self.now_us, _DAY_US) * DAY_PERMILLE // 1000
        permille += _wave(self.now_us, 365 * _DAY_US) * SEASON_PERMILLE // 1000
        permille += min(stage.closings // WEAR_EVERY, MOST_WEAR_PERMILLE)
        if random_() * STICKS_EVERY < 1:
            permille = permille * (1300 + int(random_() * 500)) // 1000
        stage.go_to(
            wanted_ul_s, self.now_us, stage.dead_us * permille // 1000, max(1, stage.closing_us * permille // 1000)
        )

    def set_outputs(self, motor: int, big: int, small: int) -> None:
        """What the board drives now. motor: not 0 runs the point's pump; big, small: one bit per nozzle."""
        if (motor, big, small) == self._outputs:
            return
        self._outputs = (motor, big, small)
        for i, n in enumerate(self._nozzles):
            runs, big_open, small_open = bool(motor), bool(big >> i & 1), bool(small >> i & 1)
            if (runs, big_open, small_open) == (n.motor, n.big.open, n.small.open):
                continue
            starts = runs and not n.motor
            if starts:
                n.pressure = 1000 + _wave(self.now_us, _DAY_US) * PRESSURE_PERMILLE // 1000
                n.pressure -= NEIGHBOUR_PERMILLE * (self._rng.random() < 0.3)
            n.motor, n.big.open, n.small.open = runs, big_open, small_open
            for stage, wanted in zip((n.big, n.small), n.wanted_ul_s(), strict=True):
                if wanted < stage.to_ul_s:
                    self._close(n, stage, wanted)
                elif starts:
                    stage.go_to(wanted, self.now_us, 0, MOTOR_US)
                else:
                    stage.go_to(wanted, self.now_us, OPENING_DEAD_US, OPENING_US)
            n.moving = True

    def set_trigger(self, nozzle: int, squeeze: Trigger) -> None:
        self.squeeze(nozzle, _HANDS[squeeze])

    def squeeze(self, nozzle: int, ul_s: int) -> None:
        """A hand that lets at most ul_s through."""
        n = self._nozzles[nozzle]
        n.hand_ul_s = ul_s
        n.go(self.now_us, 0, HAND_US)

    def set_full(self, nozzle: int, ul_s: int) -> None:
        """The flow with both valves open, from the next change on."""
        self._nozzles[nozzle].full_ul_s = ul_s

    def set_pulser(self, nozzle: int, kind: Pulser) -> None:
        """Break the pulser, or mend it with "ok"."""
        self._nozzles[nozzle].pulser = kind

    def set_leak(self, nozzle: int, ul_s: int) -> None:
        """Fuel that comes past shut valves (0: tight)."""
        n = self._nozzles[nozzle]
        n.leak_ul_s = ul_s
        n.go(self.now_us, 0, OPENING_US)

    def advance(self, to_us: int) -> None:
        """Let time pass up to to_us (never back)."""
        if to_us > self.now_us:
            self.now_us = to_us
        for nozzle in self._nozzles:
            if nozzle.moving:
                nozzle.move(self.now_us)

    def edges(self, nozzle: int) -> tuple[int, int]:
        """Directed edges of channels A and B since the plant was made."""
        n = self._nozzles[nozzle]
        return n.a, n.b

    def all_edges(self) -> list[int]:
        """edges() of every nozzle, one after the other."""
        edges: list[int] = []
        for n in self._nozzles:
            edges += (n.a, n.b)
        return edges

    def true_ul(self, nozzle: int) -> int:
        """Microlitres that really came out since the plant was made."""
        return self._nozzles[nozzle].ul

    def flow_ml_s(self, nozzle: int) -> int:
        n = self._nozzles[nozzle]
        return (n.big.flow_at(self.now_us) + n.small.flow_at(self.now_us)) // 1000

    def flowing(self, nozzle: int) -> bool:
        return self._nozzles[nozzle].moving

    def time_of_counts(self, nozzle: int, counts: int) -> int | None:
        """When both channels of a healthy pulser together will have moved on by `counts`; None: never at this flow."""
        n = self._nozzles[nozzle]
        target_ul = -(-(n.quarter + counts) * _S // n.counts_per_l)
        end_us = max(self.now_us, n.big.end_us, n.small.end_us)
        end_ul = n.volume_at(end_us)
        if end_ul >= target_ul:
            low, high = self.now_us, end_us
            while low < high:
                middle = (low + high) // 2
                if n.volume_at(middle) >= target_ul:
                    high = middle
                else:
                    low = middle + 1
            return low
        flow_ul_s = n.big.to_ul_s + n.small.to_ul_s
        if not flow_ul_s:
            return None
        # Each stage rounds down: two microlitres more make sure, then step back to the first moment.
        at_us = end_us + -(-(target_ul - end_ul) * _S // flow_ul_s) + 1
        while n.volume_at(at_us) < target_ul:
            at_us += 1
        return at_us
