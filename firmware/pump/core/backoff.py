"""How long to wait before the next try: doubling from FIRST_MS to LAST_MS, with jitter against stampedes."""

FIRST_MS = 500
LAST_MS = 15000


class Backoff:
    def __init__(self, first_ms=FIRST_MS, last_ms=LAST_MS):
        self._first_ms = first_ms
        self._last_ms = last_ms
        self._next_ms = first_ms

    def failed(self, random16):
        """Milliseconds to wait now: between half and the whole of the step; random16: a random number 0..65535."""
        step_ms = self._next_ms
        self._next_ms = min(2 * step_ms, self._last_ms)
        return step_ms // 2 + step_ms * random16 // 131072

    def succeeded(self):
        self._next_ms = self._first_ms
