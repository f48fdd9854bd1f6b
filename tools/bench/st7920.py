"""The controller of a 128 x 64 display as its pins see it: text in its own GB2312 font, and a picture over it.

Source: Sitronix ST7920 data sheet V4.0: 4-bit interface (DL = 0), basic and extended instruction set (RE), DDRAM of
words (two half-width characters or one GB2312 character, never across two words), GDRAM of 64 x 256 dots, of which a
128 x 64 module shows words 0..7 of rows 0..31 above and words 8..15 below. Text and picture are exclusive-ored.
"""

from tools.bench.four_bit import FourBitBus

_ROWS = (0x00, 0x10, 0x08, 0x18)  # DDRAM word where each text row begins
WIDTH, HEIGHT = 128, 64
_NONE = "\u25af"  # a code without a character


class St7920(FourBitBus):
    """Starts as after power-on: 8-bit mode, display off, the picture's memory full of noise but not shown."""

    def __init__(self) -> None:
        super().__init__()
        self.ddram = bytearray(b" " * 128)
        self.gdram = bytearray(b"\xa5" * (32 * 32))  # 32 rows of 16 words
        self.on = self.picture_on = False
        self._extended = False
        self._byte_at = 0  # of DDRAM
        self._row = self._word = 0  # of GDRAM
        self._row_given = self._in_gdram = False
        self._half: int | None = None

    def _byte(self, rs: bool, value: int) -> None:
        if rs:
            self._data(value)
        elif value & 0xE0 == 0x20:
            self._function(value)
        elif self._extended:
            if value & 0x80:
                self._picture_address(value & 0x7F)
        elif value & 0x80:
            self._byte_at, self._in_gdram = (value & 0x1F) * 2, False
        elif value & 0xF8 == 0x08:
            self.on = bool(value & 4)
        elif value == 0x01:
            self.ddram[:] = b" " * 128
            self._byte_at, self._in_gdram = 0, False

    def _function(self, value: int) -> None:
        four_bit = not value & 0x10
        if four_bit != self._four_bit:
            self._four_bit, self._high = four_bit, None
        self._extended = bool(value & 4)
        if self._extended:
            self.picture_on = bool(value & 2)
        self._row_given = False

    def _picture_address(self, value: int) -> None:
        """Vertical first, then horizontal."""
        if self._row_given:
            self._word, self._in_gdram, self._half = value & 15, True, None
        else:
            self._row = value & 31
        self._row_given = not self._row_given

    def _data(self, value: int) -> None:
        if not self._in_gdram:
            self.ddram[self._byte_at & 63] = value
            self._byte_at += 1
        elif self._half is None:
            self._half = value
        else:
            at = self._row * 32 + self._word * 2
            self.gdram[at : at + 2] = bytes((self._half, value))
            self._word, self._half = (self._word + 1) & 15, None

    def line(self, row: int) -> str:
        """The characters of a row; one of GB2312 takes two columns."""
        begin = _ROWS[row] * 2
        words = (self.ddram[at : at + 2] for at in range(begin, begin + 16, 2))
        return "".join(_word(word) for word in words)

    def picture(self) -> list[str]:
        """64 rows of 128 dots in hex, 32 digits each; none while the picture is off."""
        if not self.picture_on:
            return []
        upper = [self.gdram[32 * y : 32 * y + 16].hex() for y in range(32)]
        return upper + [self.gdram[32 * y + 16 : 32 * y + 32].hex() for y in range(32)]


def _word(word: bytearray) -> str:
    if word[0] >= 0xA1:
        try:
            return word.decode("gb2312")
        except UnicodeDecodeError:
            return _NONE * 2
    return "".join(chr(code) if 0x20 <= code < 0x7F else _NONE for code in word)
