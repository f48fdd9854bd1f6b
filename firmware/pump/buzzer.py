"""The buzzer: plays a pattern of beats (beeps.py), one bit after the other."""

from machine import Pin

from pump import beeps, pins

_BEAT_TICKS = 4  # between two looks at the pattern: 50 ms


class Buzzer:
    def __init__(self):
        self._pin = Pin(pins.BUZZER, Pin.OUT, value=0)
        self._pattern = 0
        self._ticks = 0

    def tick(self, code, refusal):
        """Once per control tick; a code other than 0 starts its pattern, which tells a refusal's code as well."""
        if code:
            self._pattern, self._ticks = beeps.pattern(code, refusal), 0
        if self._ticks == 0:
            self._pin.value(self._pattern & 1)
            self._pattern >>= 1
            self._ticks = _BEAT_TICKS if self._pattern or self._pin.value() else 0
        else:
            self._ticks -= 1
