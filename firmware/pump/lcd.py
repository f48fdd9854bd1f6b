"""A 20 x 4 character display: HD44780 behind a PCF8574 (common backpack: P0 RS, P1 R/W, P2 E, P3 light, P4..7 data).

Hitachi HD44780U data sheet: initialising by instruction, table 6. At 100 kHz a byte on the bus takes longer than the
37 us of an instruction, so nothing has to wait but clear and start-up.
"""

import time

from pump import pins

_RS, _E, _LIGHT = 1, 4, 8
_ROWS = (0x80, 0xC0, 0x94, 0xD4)
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

    def __init__(self, i2c):
        self._i2c = i2c
        self._out = bytearray(4 * (_BURST + 1))
        self._shown = None

    def start(self):
        """Initialise; blocks for 15 ms, so only before fuelling or after the display was lost."""
        for nibble in (0x30, 0x30, 0x30, 0x20):
            self._i2c.writeto(pins.LCD_ADDRESS, bytes((nibble | _LIGHT | _E, nibble | _LIGHT)))
            time.sleep_ms(2)
        self._send(0, (0x28, 0x0C, 0x06, 0x01))
        time.sleep_ms(2)
        self._send(0, (0x40,))
        for at in range(0, len(GLYPHS), _BURST):
            self._send(_RS, GLYPHS[at : at + _BURST])
        self._shown = [bytearray(b" " * 20) for _ in range(4)]

    def update(self, lines):
        """Bring one burst of changed characters onto the glass; True if more is to be done. lines: four of 20 bytes."""
        if self._shown is None:
            self.start()
        for row in range(4):
            line, shown = lines[row], self._shown[row]
            if line == shown:
                continue
            at = 0
            while line[at] == shown[at]:
                at += 1
            end = min(20, at + _BURST)
            self._send(0, (_ROWS[row] + at,), line, at, end)
            shown[at:end] = line[at:end]
            return True
        return False

    def lost(self):
        """The display did not answer: begin anew next time."""
        self._shown = None

    def _send(self, rs, first, then=b"", at=0, end=0):
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
