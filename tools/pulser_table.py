"""How soon a broken pulser is found: signal by signal, through the chip's counters, the board's adapter and the core.

python -m tools.pulser_table        prints the table of docs/metering.md

Two wires with edges in time, a fault upon them, eight counters that see them as the ESP32's PCNT does (each channel's
edges directed by the other's level), read by firmware/pump/meter.py every 10 ms. Reading one counter is taken to cost
READ_US of the board's time (assumed for MicroPython at 240 MHz, not measured here).
"""

import argparse
import importlib
import json
import random
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pump.core import metering

READ_US = 20
TICK_US, TICK_LATE_US = 10_000, 500  # a tick comes up to so late: other tasks run
WANDER = 3  # per mille of the flow, from pulse to pulse: no pump runs in step with the board's clock
JITTER = 8  # percent of a quarter period by which a real pulser's edges stray
FAULTS = (
    "lost_a 1/3", "lost_a 1/10", "lost_a 1/100", "lost_b 1/10", "lost_both 1/10", "stuck_a", "stuck_b", "swapped",
    "reversed", "noisy_a", "doubled_a",
)  # fmt: skip
FLOWS = ((100, 40), (100, 130), (400, 60), (1000, 40), (1000, 130))  # pulses per litre, litres per minute
STOP_PULSES = 20

Edge = tuple[int, int, int]  # time in us, channel, level


def signal(fault: str, pulses_per_l: int, l_min: int, seed: int, turned: list[int]) -> Iterator[Edge]:
    """Edges of both channels in the order of time, for ever. Healthy for the first litre, then the fault. turned[0]
    follows the pulses that a sound pulser would have given."""
    rng = random.Random(seed)
    mean_us = quarter_us = 60_000_000 / (l_min * pulses_per_l * 4)
    kind, _, often = fault.partition(" ")
    chance = 1 / int(often[2:]) if often else 0.0
    now_us, pulse = 0.0, 0
    level = [0, 0]
    while True:
        broken = pulse >= pulses_per_l
        lost = broken and kind.startswith("lost") and rng.random() < chance
        noisy = broken and kind == "noisy_a" and rng.random() < 1 / 3
        order = [(0, 1), (1, 1), (0, 0), (1, 0)]  # A up, B up, A down, B down
        if broken and kind == "swapped":
            order = [(1, 1), (0, 1), (1, 0), (0, 0)]
        if broken and kind == "reversed":
            order = [(1, 1), (0, 1), (1, 0), (0, 0)]
        for channel, up in order:
            now_us += quarter_us
            at = now_us + rng.uniform(-JITTER, JITTER) / 100 * quarter_us
            dead = broken and (kind == f"stuck_{'ab'[channel]}" or lost and kind[-1] in ("ab"[channel], "h"))
            if not dead and level[channel] != up:
                level[channel] = up
                yield int(at), channel, up
                if noisy and channel == 1 and up:  # a disturbance longer than the chip's filter, there and back
                    yield int(at + quarter_us / 4), 0, 1 - level[0]
                    yield int(at + quarter_us / 2), 0, level[0]
        pulse += 1
        turned[0] = pulse
        quarter_us += (mean_us - quarter_us) / 200 + rng.uniform(-WANDER, WANDER) / 1000 * mean_us


class Chip:
    """Eight counters on two wires; time passes by being read."""

    INCREMENT, DECREMENT, NORMAL, REVERSE, IRQ_THRESHOLD0 = 1, 2, 0, 1, 2

    def __init__(self, edges: Iterator[Edge], doubled: bool, healthy_us: float) -> None:
        self.now_us = 0
        self.counts = [0, 0]
        self._level = [0, 0]
        self._edges, self._next = edges, next(edges)
        self._doubled, self._healthy_us, self._ups = doubled, healthy_us, 0

    def to(self, us: int) -> None:
        self.now_us = us
        while self._next[0] <= us:
            at, channel, up = self._next
            same = up == self._level[1 - channel]
            forward = not same if channel == 0 else same
            twice = self._doubled and channel == 0 and at > self._healthy_us and (at // 1000) % 3 == 0
            self.counts[channel] += (1 if forward else -1) * (2 if twice else 1)
            self._level[channel] = up
            self._next = next(self._edges)

    def unit(self, unit: int, **_: Any) -> "Unit":
        return Unit(self, unit)


class Unit:
    def __init__(self, chip: Chip, unit: int) -> None:
        self.chip, self.unit = chip, unit

    def start(self) -> None:
        pass

    def value(self) -> int:
        self.chip.to(self.chip.now_us + READ_US)
        count = self.chip.counts[self.unit]
        return count % 30_000 if count >= 0 else -(-count % 30_000)


def adapter(chip: Chip) -> Any:
    """firmware/pump/meter.py on this chip."""
    machine: Any = ModuleType("machine")
    machine.Pin = type("Pin", (), {"IN": 1, "__init__": lambda self, *_: None})
    esp32: Any = ModuleType("esp32")
    esp32.PCNT = type("PCNT", (), {name: getattr(Chip, name) for name in vars(Chip) if name.isupper()})
    esp32.PCNT.__new__ = lambda cls, unit, **more: chip.unit(unit, **more)
    before = {name: sys.modules.get(name) for name in ("machine", "esp32", "pump.meter")}
    sys.modules.pop("pump.meter", None)
    sys.modules.update({"machine": machine, "esp32": esp32})
    try:
        return importlib.import_module("pump.meter").Meter(1, lambda: None)
    finally:
        for name, module in before.items():
            sys.modules.pop(name, None)
            if module is not None:
                sys.modules[name] = module


def distance_ml(fault: str, pulses_per_l: int, l_min: int, seed: int, most_l: int = 60) -> tuple[int | None, int]:
    """(litres in ml that really flowed from the fault to the stop, None: not within most_l; by how much the meter was
    wrong then, in ml)."""
    healthy_us = 60_000_000 / l_min
    kind = "none" if fault == "doubled_a" else fault
    turned = [0]
    chip = Chip(signal(kind, pulses_per_l, l_min, seed, turned), fault == "doubled_a", healthy_us)
    board, meter = adapter(chip), metering.Meter(pulses_per_l)
    edges, backs = [0] * 8, [0] * 4
    rng, due_us = random.Random(seed + 1), 0
    while True:
        due_us += TICK_US
        chip.to(max(chip.now_us, due_us + rng.randrange(TICK_LATE_US)))
        board.read(edges)
        board.look(0, backs)
        meter.update(edges[0], edges[1])
        meter.swings += backs[0]
        backs[0] = 0
        true_ml = turned[0] * 1000 // pulses_per_l
        wrong_ml = true_ml - meter.volume_ml
        if meter.fault(STOP_PULSES):
            return true_ml - 1000, wrong_ml
        if true_ml > most_l * 1000:
            return None, wrong_ml


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.pulser_table", description="脉冲故障多久被发现 · How soon a pulser's fault is found."
    )
    parser.add_argument("--seeds", type=int, default=3, help="每格几次，取最大 · runs per cell, the worst counts")
    seeds = parser.parse_args(arguments).seeds
    print("| fault | " + " | ".join(f"{p}/L, {f} L/min" for p, f in FLOWS) + " |")
    print("|---|" + "---|" * len(FLOWS))
    unseen = 0
    for fault in FAULTS:
        cells = []
        for pulses_per_l, l_min in FLOWS:
            found = [distance_ml(fault, pulses_per_l, l_min, seed) for seed in range(seeds)]
            worst = max((ml for ml, _ in found if ml is not None), default=None)
            wrong = max((abs(ml) for _, ml in found))
            missed = sum(ml is None for ml, _ in found)
            unseen += missed
            cells.append("not found" if worst is None or missed else f"{worst / 1000:.2f} L ({wrong / 1000:.2f})")
        print(f"| {fault} | " + " | ".join(cells) + " |", flush=True)
    print(json.dumps({"cells": len(FAULTS) * len(FLOWS), "not_found": unseen}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
