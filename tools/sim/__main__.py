"""Runs the simulation: python -m tools.sim --seeds 2000, or --seed N to replay one seed with its records.

Ends with one JSON line. Exit status 1 if an invariant did not hold; the seed is printed.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from pump.core.controller import Controller
from tools.sim.customers import day
from tools.sim.world import World


@dataclass
class Tally:
    seeds: int = 0
    sales: int = 0
    power_cuts: int = 0
    card_tears: int = 0
    violations: int = 0


def run_seed(seed: int, customers: int = 0, make: Callable[..., Controller] = Controller) -> World:
    """One day from a seed, in every twentieth a long one. ViolationError if an invariant does not hold."""
    customers = customers or (100 if seed % 20 == 0 else 10)
    world = World(seed, make=make)
    world.run([day(world, pump, customers) for pump in world.pumps])
    world.close()
    return world


def run(seeds: range, say: Callable[[str], None], make: Callable[..., Controller] = Controller) -> Tally:
    """Many seeds; a violation is told with its seed and counted."""
    tally = Tally()
    step = max(1, len(seeds) // 20)
    for i, seed in enumerate(seeds):
        try:
            world = run_seed(seed, make=make)
        except Exception as violation:  # noqa: BLE001 - a crash of the core violates everything
            say(f"seed {seed}: {violation!r}   (replay: python -m tools.sim --seed {seed})")
            tally.violations += 1
        else:
            tally.sales += world.sales
            tally.power_cuts += sum(pump.power_cuts for pump in world.pumps)
            tally.card_tears += world.tears
        tally.seeds += 1
        if (i + 1) % step == 0:
            say(f"{i + 1}/{len(seeds)} seeds, {tally.sales} sales, {tally.violations} violations")
    return tally


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sim", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds, from --first on (default 200)")
    parser.add_argument("--first", type=int, default=1)
    parser.add_argument("--seed", type=int, help="replay this one and print every record")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        from tools.sim.replay import replay

        return replay(options.seed)
    began = time.monotonic()
    tally = run(range(options.first, options.first + options.seeds), print)
    result = {
        "seeds": tally.seeds,
        "sales": tally.sales,
        "sales_per_s": round(tally.sales / (time.monotonic() - began)),
        "power_cuts": tally.power_cuts,
        "card_tears": tally.card_tears,
        "violations": tally.violations,
    }
    print(json.dumps(result))
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
