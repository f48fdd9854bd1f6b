"""Both displays in four-bit mode behind a PCF8574 (common backpack: P0 RS, P1 R/W, P2 E, P3 light, P4..7 data).

Hitachi HD44780U data sheet, table 6: 20 x 4 characters. Sitronix ST7920 data sheet V4.0: 128 x 64 dots, 16 x 4
characters of its own GB2312 font, two bytes to an address; it takes the same instructions, and pictures (picture.py).
At 100 kHz a byte on the bus takes longer than an instruction (37 and 72 us), so nothing waits but clear and start-up.
"""

import time

from pump import pins

_RS, _E, _LIGHT = 1, 4, 8
_ROWS = (0x80, 0xC0, 0x94, 0xD4, 0x80, 0x90, 0x88, 0x98)  # set address, by row: HD44780, then ST7920
_BURST = 8  # characters per bus transaction: 3 ms at 100 kHz

# Eight characters of 5 x 8 are all the chip can hold of its own.
GLYPHS = bytes.fromhex(
    "0e001f0a0a0a0b13"  # 元
    "0a1a0a1f0a0a1212"  # 升
    "040a110a1a0a0a12"  # 价
    "040a110e041f150c"  # 余
    "0407041f04060504"  # 卡
    "1202170517051517"  # 油
    "0e0a0e001f080e06"  # 号
    "081f0b0b0b0b0b1f"  # 加
)


class Lcd:
    """Keeps what stands on the glass and sends differences only. OSError if the display does not answer."""

    def __init__(self, i2c, columns):
        """columns: 20, or 16 on the graphic display."""
        self.columns = columns
        self._graphic = columns == 16
        self._i2c = i2c
        self._out = bytearray(4 * (_BURST + 1))
        self._shown = None

    def start(self):
        """Initialise; blocks for 15 ms, so only before fuelling or after the display was lost."""
        for nibble in (0x30, 0x30, 0x30, 0x20):
            self._i2c.writeto(pins.LCD_ADDRESS, bytes((nibble | _LIGHT | _E, nibble | _LIGHT)))
            time.sleep_ms(2)
        self.send(0, (0x28, 0x0C, 0x06, 0x01))
        time.sleep_ms(2)
        if self._graphic:
            self.wipe()  # the picture's memory holds noise after power-on
        else:
            self.send(0, (0x40,))
            for at in range(0, len(GLYPHS), _BURST):
                self.send(_RS, GLYPHS[at : at + _BURST])
        self._shown = [bytearray(b" " * self.columns) for _ in range(4)]

    def update(self, lines):
        """Bring one burst of changed characters onto the glass; True if more is to be done. lines: four."""
        if self._shown is None:
            self.start()
        for row in range(4):
            line, shown = lines[row], self._shown[row]
            if line == shown:
                continue
            at = 0
            while line[at] == shown[at]:
                at += 1
            if self._graphic:
                at &= 14  # an address holds two bytes
            end = min(self.columns, at + _BURST)
            first = _ROWS[row + 4] + at // 2 if self._graphic else _ROWS[row] + at
            self.send(0, (first,), line, at, end)
            shown[at:end] = line[at:end]
            return True
        return False

    def wipe(self):
        """No picture on the graphic display; the text stays."""
        self.send(0, (0x24, 0x28))

    def lost(self):
        """The display did not answer: begin anew next time."""
        self._shown = None

    def send(self, rs, first, then=b"", at=0, end=0):
        """`first` with that RS, then the characters then[at:end] with RS set, in one transaction."""
        n = 0
        for value in first:
            n = self._byte(n, value, rs)
        for i in range(at, end):
            n = self._byte(n, then[i], _RS)
        self._i2c.writeto(pins.LCD_ADDRESS, memoryview(self._out)[:n])

    def _byte(self, n, value, rs):
        out = self._out
        for nibble in (value & 0xF0, value << 4 & 0xF0):
            out[n] = nibble | rs | _LIGHT | _E
            out[n + 1] = nibble | rs | _LIGHT
            n += 2
        return n
