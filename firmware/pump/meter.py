"""Pulses, counted by the chip: two counter units per nozzle, each channel's edges directed by the other channel.

The sum of both units is the quadrature count, their difference betrays a fault (pump/core/metering.py). ESP32 technical
reference manual, chapter PCNT: 16-bit counters that go back to zero at a limit; the glitch filter counts 80 MHz cycles.
"""

from esp32 import PCNT
from machine import Pin

from pump import pins

_LIMIT = 30000  # the counters go back to zero here; a 10 ms tick sees a few hundred edges at most
_FILTER = 1023  # 12.8 us, the longest there is
_FAST = 8  # counts in a tick (200 pulses a second) from which on a tick cannot see single pulses
_FAST_TICKS = 100  # so long it may be fast again: a channel that has just stuck leaves no counts
_LOOKS = 25  # about a millisecond


class Meter:
    """Follows the counters of `nozzles` nozzles; `close` is called when an armed limit is reached."""

    def __init__(self, nozzles, close):
        self._units = []
        self._last = [0] * (2 * nozzles)
        self._close = close
        self._armed = None
        self._passes = 0
        self._fast = [0] * nozzles
        for n in range(nozzles):
            a, b = Pin(pins.PULSER_A[n], Pin.IN), Pin(pins.PULSER_B[n], Pin.IN)
            # A rises while B is low when fuel flows forward; B rises while A is high.
            self._add(2 * n, a, b, PCNT.NORMAL, PCNT.REVERSE)
            self._add(2 * n + 1, b, a, PCNT.REVERSE, PCNT.NORMAL)

    def _add(self, unit, pin, other, low, high):
        counter = PCNT(
            unit,
            pin=pin,
            mode_pin=other,
            rising=PCNT.INCREMENT,
            falling=PCNT.DECREMENT,
            mode_low=low,
            mode_high=high,
            min=-_LIMIT,
            max=_LIMIT,
            filter=_FILTER,
        )
        counter.start()
        self._units.append(counter)

    def read(self, edges):
        """Add what has come since the last call to the running sums in `edges`."""
        last = self._last
        for i in range(len(last)):
            value = self._units[i].value()
            step = value - last[i]
            last[i] = value
            if step < -_LIMIT // 2:
                step += _LIMIT
            elif step > _LIMIT // 2:
                step -= _LIMIT
            edges[i] += step
            if step >= _FAST // 2:
                self._fast[i // 2] = _FAST_TICKS

    def look(self, nozzle, backs):
        """While fuel flows fast: read both counters as quickly as can be, and count in `backs` how often one of them
        went back. A lost pulse on one channel makes the other swing by one edge, which the next tick no longer sees;
        a tenth of the time looked at finds about a tenth of them (docs/metering.md)."""
        if not self._fast[nozzle]:
            return
        self._fast[nozzle] -= 1
        one, two = self._units[2 * nozzle], self._units[2 * nozzle + 1]
        a, b = one.value(), two.value()
        for _ in range(_LOOKS):
            now = one.value()
            if -4 < now - a < 0:
                backs[nozzle] += 1
            a = now
            now = two.value()
            if -4 < now - b < 0:
                backs[nozzle] += 1
            b = now

    def arm(self, outputs, edges):
        """Let the counter itself shut the valves at the core's threshold. Only before the valves open: programming a
        threshold clears the counter, and a sale's count is never touched."""
        nozzle = outputs.threshold_nozzle
        if nozzle < 0:
            self._armed = None
            return
        wanted = (nozzle, outputs.threshold_counts)
        if wanted == self._armed or self._armed and self._armed[0] == nozzle and (outputs.big or outputs.small):
            return
        self._armed = wanted
        ahead = (outputs.threshold_counts - edges[2 * nozzle] - edges[2 * nozzle + 1]) // 2
        if ahead <= 0:
            self._close()
            return
        self._passes, left = divmod(ahead - 1, _LIMIT)
        unit = self._units[2 * nozzle]
        self.read(edges)
        unit.init(threshold0=min(left + 1, _LIMIT - 1), value=0)
        self._last[2 * nozzle] = 0
        unit.irq(self._reached, PCNT.IRQ_THRESHOLD0)

    def _reached(self, unit):
        unit.irq().flags()
        if self._armed is None:
            return
        if self._passes > 0:
            self._passes -= 1
        else:
            self._close()
