"""The station's clock, passed as an argument where time matters, so that tests and simulations bring their own."""

import time
from collections.abc import Callable

Clock = Callable[[], int]  # Unix seconds


def now() -> int:
    """Unix seconds, UTC."""
    return int(time.time())


HOUR_S = 3600
DAY_S = 86400


def hour_of(at: int) -> int:
    """The start of the hour that holds `at`, Unix seconds."""
    return at - at % HOUR_S
