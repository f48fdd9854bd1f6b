"""Where the valves close, so that the delivery ends at its limit and not above.

The big valve closes ahead, the rest flows slowly through the small one, which closes ahead by what is expected to run
over: a fixed amount here; what a nozzle is seen to run over can take its place behind the same function.
"""


def close_at(settings, nozzle, limit_ml):
    """(big, small): volumes in ml at which this nozzle's valves close for a limit of limit_ml; 0: do not open it."""
    return max(0, limit_ml - settings.big_advance_ml), max(0, limit_ml - settings.small_advance_ml)
