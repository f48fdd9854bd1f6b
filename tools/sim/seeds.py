"""Many seeds, over all cores: each is one world from its beginning to its accounts."""

import gc
import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass

from pump.core.controller import Controller
from tools.sim.customers import day
from tools.sim.world import World

LONG_EVERY, LONG, SHORT = 50, 100, 10  # every fiftieth seed is a long day: so many customers per pump


@dataclass(frozen=True)
class Tally:
    seeds: int = 0
    sales: int = 0
    power_cuts: int = 0
    torn_cards: int = 0
    violations: int = 0
    cpu_s: float = 0.0

    @property
    def sales_per_s(self) -> int:
        """Per second of one core's time."""
        return round(self.sales / max(0.001, self.cpu_s))

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.seeds + other.seeds,
            self.sales + other.sales,
            self.power_cuts + other.power_cuts,
            self.torn_cards + other.torn_cards,
            self.violations + other.violations,
            self.cpu_s + other.cpu_s,
        )


def run_seed(seed: int, customers: int = 0, make: Callable[..., Controller] = Controller) -> World:
    """One day from a seed. ViolationError if an invariant does not hold."""
    customers = customers or (LONG if seed % LONG_EVERY == 0 else SHORT)
    world = World(seed, make=make)
    world.run([(pump, day(world, pump, customers)) for pump in world.pumps])
    world.close()
    return world


def run(seeds: range, say: Callable[[str], None], make: Callable[..., Controller] = Controller) -> Tally:
    """The seeds one after the other; a violation is told with its seed and counted."""
    tally, began = Tally(), time.process_time()
    for seed in seeds:
        try:
            world = run_seed(seed, make=make)
        except Exception as violation:  # noqa: BLE001 - a crash of the core violates everything
            say(f"seed {seed}: {violation!r}   (replay: python -m tools.sim --seed {seed})")
            tally += Tally(seeds=1, violations=1)
        else:
            tally += Tally(1, world.sales, sum(pump.power_cuts for pump in world.pumps), world.tears)
    return tally + Tally(cpu_s=time.process_time() - began)


def _part(seeds: range) -> tuple[Tally, list[str]]:
    said: list[str] = []
    gc.freeze()  # what is loaded stays: the collector need not look at it again and again
    gc.set_threshold(50_000, 20, 100)
    return run(seeds, said.append), said


def run_all(seeds: range, jobs: int, say: Callable[[str], None]) -> Tally:
    """The seeds in parts over `jobs` processes, with progress in their order: a run that was broken off can go on."""
    size = max(1, min(50, len(seeds) // 20))
    parts = [seeds[at : at + size] for at in range(0, len(seeds), size)]
    total = Tally()
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        for tally, said in pool.imap(_part, parts):
            total += tally
            for line in said:
                say(line)
            done = f"seeds {seeds[0]} to {seeds[total.seeds - 1]} of {seeds[-1]}"
            say(f"{done}: {total.sales} sales, {total.violations} violations, {total.sales_per_s} sales/s per core")
    return total
