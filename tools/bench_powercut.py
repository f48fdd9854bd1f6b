"""Power cut at every moment: python -m tools.bench_powercut [--every n] [--story name]. Ends with one JSON line.

The real controller on flash in memory, the plant and the emulated cards live through the stories of
tools/powercut/stories.py. At every flash operation (nothing of it, its first byte, half, all but the last byte, half of
its bits, all of it done; erases likewise) and at every card command the power is cut; then it comes back, is cut again
at every flash operation of the recovery and of the settling that follows, comes back, and everything is counted
(tools/powercut/aftermath.py): records, money on cards and in books, fuel, display.

cut_points       cuts whose aftermath was looked at, first and second ones
records_lost     committed records that were gone
money_lost_fen   by how much cards, books and sales were apart
double_charged   cards that paid more than their sales say
controls_failed  true if all controllers that are broken on purpose were caught by the same checks

Exit status 1 if anything was wrong, or if a broken controller passed.
"""

import argparse
import json
import sys
import time

from tools.powercut.controls import CONTROLS
from tools.powercut.exhaust import Result, exhaust
from tools.powercut.stories import STORIES

TELL = 5  # findings of one story that are written out


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_powercut", description=__doc__.split("\n")[0])
    parser.add_argument("--every", type=int, default=1, help="only every n-th moment of each story (default 1: all)")
    parser.add_argument("--story", action="append", help="only this story; may be given several times")
    options = parser.parse_args(arguments)
    total = Result()
    for told in STORIES:
        if options.story and told.name not in options.story:
            continue
        began = time.monotonic()
        result = exhaust(told, options.every)
        total += result
        print(
            f"{told.name}: {result.cuts} cuts, {result.same} more like one of them, {result.faults} faults,"
            f" {time.monotonic() - began:.1f} s",
            flush=True,
        )
        for text in result.texts[:TELL]:
            print(f"  {text}")
    caught = True
    for control in CONTROLS:
        result = control.run()
        caught = caught and result.faults > 0
        print(
            f"broken on purpose, {control.what}: {'caught' if result.faults else 'NOT CAUGHT'}"
            f" ({result.records_lost} records, {result.money_lost_fen} fen, {result.double_charged} charged too much,"
            f" {result.other} others)",
            flush=True,
        )
    print(
        json.dumps(
            {
                "cut_points": total.cuts,
                "records_lost": total.records_lost,
                "money_lost_fen": total.money_lost_fen,
                "double_charged": total.double_charged,
                "controls_failed": caught,
            }
        )
    )
    return 1 if total.faults or not caught else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
