"""Where the valves close, so that the delivery ends at its limit and not above.

The big valve closes ahead, the rest flows slowly through the small one, which closes ahead by what is expected to
run over. This one expects a fixed overrun; a learning one has the same two methods.
"""


class FixedAdvance:
    def __init__(self, big_advance_ml, small_advance_ml):
        self.big_advance_ml = big_advance_ml
        self.small_advance_ml = small_advance_ml

    def close_at(self, nozzle, limit_ml):
        """(big, small): volumes in ml at which the valves close for a limit of limit_ml; 0: do not open it."""
        return max(0, limit_ml - self.big_advance_ml), max(0, limit_ml - self.small_advance_ml)

    def observe(self, nozzle, closed_at_ml, final_ml, flow_ml_s):
        """What really came after the small valve was told to close at flow_ml_s. A learning advance keeps it."""
