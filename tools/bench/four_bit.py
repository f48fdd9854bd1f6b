"""The 4-bit bus of HD44780 and ST7920: it begins 8 bits wide; then two halves make a byte, the high one first."""


class FourBitBus:
    """The controller behind it says what a byte means, in _byte()."""

    def __init__(self) -> None:
        self._four_bit = False
        self._high: int | None = None

    def latch(self, rs: bool, pins: int) -> None:
        """Takes what stands on D4..D7 (`pins`, 4 bits) at the falling edge of E."""
        if not self._four_bit:
            self._byte(rs, pins << 4)
        elif self._high is None:
            self._high = pins
        else:
            high, self._high = self._high, None
            self._byte(rs, high << 4 | pins)

    def _byte(self, rs: bool, value: int) -> None:
        raise NotImplementedError
