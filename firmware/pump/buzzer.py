"""The buzzer: each code is a pattern of 50 ms beats."""

from machine import Pin

from pump import pins

_BEAT_TICKS = 5
# By view.BEEP_*: the lowest bit sounds first.
_PATTERNS = (0, 0b1, 0b11, 0b1110111, 0b11110011110011)


class Buzzer:
    def __init__(self):
        self._pin = Pin(pins.BUZZER, Pin.OUT, value=0)
        self._pattern = 0
        self._ticks = 0

    def tick(self, code):
        """Once per control tick; a code other than 0 starts its pattern."""
        if code:
            self._pattern, self._ticks = _PATTERNS[code], 0
        if self._ticks == 0:
            self._pin.value(self._pattern & 1)
            self._pattern >>= 1
            self._ticks = _BEAT_TICKS if self._pattern or self._pin.value() else 0
        else:
            self._ticks -= 1
