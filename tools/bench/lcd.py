"""The pump's display as a chip sees it: I2C frames into a PCF8574 port expander, its pins into an HD44780 or an ST7920.

Sources: NXP PCF8574 data sheet (eight quasi-bidirectional pins, one byte per write); Hitachi HD44780U data sheet
(instruction table 6, initialising by instruction, 4-bit interface); the common backpack's wiring: P0 RS, P1 R/W, P2 E,
P3 backlight, P4..P7 D4..D7. Timing is not modelled: the bus is slower than the controller's 37 us per instruction.
"""

import os
from pathlib import Path

from tools.bench.four_bit import FourBitBus
from tools.bench.st7920 import St7920
from tools.bench.state import LcdState

ADDRESSES = (0x27, 0x3F)  # PCF8574 and PCF8574A with all address pins high
_RS, _RW, _E, _BACKLIGHT = 1, 2, 4, 8
_ROWS = (0x00, 0x40, 0x14, 0x54)  # where the four rows of a 20x4 module begin
_COLUMNS = 20
_GLYPH_AT = 0xE000  # private use area: custom glyph n is shown as U+E000 + n
# The ROM A00 differs from ASCII here (data sheet table 4).
_ROM_A00 = {0x5C: "¥", 0x7E: "→", 0x7F: "←", 0xA5: "·", 0xDF: "°", 0xFF: "█"}


class Hd44780(FourBitBus):
    """The controller: DDRAM, CGRAM, address counter. Starts in 8-bit mode, display off, as after power-on."""

    def __init__(self) -> None:
        super().__init__()
        self.ddram = bytearray(b" " * 128)
        self.cgram = bytearray(64)
        self.on = False
        self._address = 0
        self._in_cgram = False
        self._step = 1

    def _byte(self, rs: bool, value: int) -> None:
        if rs:
            self._data(value)
        elif value & 0x80:
            self._address, self._in_cgram = value & 0x7F, False
        elif value & 0x40:
            self._address, self._in_cgram = value & 0x3F, True
        elif value & 0x20:
            four_bit = not value & 0x10
            if four_bit != self._four_bit:
                self._four_bit, self._high = four_bit, None
        elif value & 0x10:
            self._move(1 if value & 4 else -1)
        elif value & 0x08:
            self.on = bool(value & 4)
        elif value & 0x04:
            self._step = 1 if value & 2 else -1
        elif value & 0x02:
            self._address, self._in_cgram = 0, False
        elif value & 0x01:
            self.ddram[:] = b" " * 128
            self._address, self._in_cgram, self._step = 0, False, 1

    def _data(self, value: int) -> None:
        if self._in_cgram:
            self.cgram[self._address & 0x3F] = value & 0x1F
            self._address = (self._address + self._step) & 0x3F
        else:
            self.ddram[self._address] = value
            self._move(self._step)

    def _move(self, step: int) -> None:
        # Two lines of 40: behind 0x27 comes 0x40, behind 0x67 comes 0x00.
        line, column = self._address >> 6, self._address & 0x3F
        place = (line * 40 + column + step) % 80
        self._address = (place // 40) << 6 | place % 40

    def line(self, row: int) -> str:
        begin = _ROWS[row]
        return "".join(_character(code) for code in self.ddram[begin : begin + _COLUMNS])

    def glyphs(self) -> list[list[int]]:
        return [list(self.cgram[n * 8 : n * 8 + 8]) for n in range(8)]


def _character(code: int) -> str:
    if code < 16:
        return chr(_GLYPH_AT + code % 8)
    return _ROM_A00.get(code) or (chr(code) if 0x20 <= code < 0x7F else "·")


class Lcd:
    """Reads a board's I2C fifo (frames: address, length, bytes) and keeps the picture."""

    def __init__(self, fifo: Path, graphic: bool = False) -> None:
        """graphic: a 128 x 64 display instead of one of 20 x 4 characters."""
        if not fifo.is_fifo():
            fifo.unlink(missing_ok=True)
            os.mkfifo(fifo, 0o600)
        # Read and write, so that the fifo neither blocks here nor ends when a board goes away.
        self._fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self._buffer = bytearray()
        self._graphic = graphic
        self._chip: Hd44780 | St7920 = St7920() if graphic else Hd44780()
        self._last = 0
        self._backlight = False

    def poll(self) -> bool:
        """Takes what the board has sent; True if something came."""
        got = False
        while True:
            try:
                data = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            self._buffer += data
            got = True
        if got:
            self._frames()
        return got

    def _frames(self) -> None:
        at = 0
        while len(self._buffer) >= at + 2 and len(self._buffer) >= at + 2 + self._buffer[at + 1]:
            length = self._buffer[at + 1]
            if self._buffer[at] in ADDRESSES:
                for pins in self._buffer[at + 2 : at + 2 + length]:
                    self._pins(pins)
            at += 2 + length
        del self._buffer[:at]

    def _pins(self, pins: int) -> None:
        if self._last & _E and not pins & _E and not self._last & _RW:
            self._chip.latch(bool(self._last & _RS), self._last >> 4)
        self._last = pins
        self._backlight = bool(pins & _BACKLIGHT)

    def power_off(self) -> None:
        """Display and expander lose their supply; whatever the dead board still had in the bus is lost."""
        self.poll_discard()
        self._chip = St7920() if self._graphic else Hd44780()
        self._last = 0
        self._backlight = False

    def poll_discard(self) -> None:
        self._buffer.clear()
        try:
            while os.read(self._fd, 65536):
                pass
        except BlockingIOError:
            pass

    @property
    def on(self) -> bool:
        return self._chip.on

    def state(self) -> LcdState:
        chip = self._chip
        graphic = isinstance(chip, St7920)
        return {
            "kind": "graphic" if graphic else "character",
            "on": chip.on,
            "backlight": self._backlight,
            "lines": [chip.line(row) for row in range(4)] if chip.on else [" " * (16 if graphic else _COLUMNS)] * 4,
            "glyphs": chip.glyphs() if isinstance(chip, Hd44780) else [],
            "picture": chip.picture() if isinstance(chip, St7920) and chip.on else [],
        }

    def close(self) -> None:
        os.close(self._fd)
