"""How many seeds: few in every run, FUZZ=n times as many when asked for (FUZZ=100 pytest tests/fuzz)."""

import os

TIMES = int(os.environ.get("FUZZ", "1"))


def seeds(count: int) -> range:
    """`count` seeds, or more under FUZZ; a failing one is in the test's name."""
    return range(count * TIMES)
