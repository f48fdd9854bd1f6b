"""Runs the simulation: python -m tools.sim --seeds 2000, or --seed N to replay one seed with its records.

Ends with one JSON line. Exit status 1 if an invariant did not hold; the seed is printed.
"""

import argparse
import json
import os
import sys
import time

from tools.sim.replay import replay
from tools.sim.seeds import run_all


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.sim", description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=200, help="how many seeds, from --first on (default 200)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--seed", type=int, help="replay this one and print every record")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes (default: one per core)")
    options = parser.parse_args(arguments)
    if options.seed is not None:
        return replay(options.seed)
    began = time.monotonic()
    tally = run_all(
        range(options.first, options.first + options.seeds), options.jobs, lambda line: print(line, flush=True)
    )
    result = {
        "seeds": tally.seeds,
        "sales": tally.sales,
        "power_cuts": tally.power_cuts,
        "torn_cards": tally.torn_cards,
        "violations": tally.violations,
        "sales_per_s": round(tally.sales / (time.monotonic() - began)),
        "sales_per_s_per_core": tally.sales_per_s,
    }
    print(json.dumps(result))
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
