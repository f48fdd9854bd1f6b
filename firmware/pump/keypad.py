"""Keypad and switches on the port expander MCP23017 (Microchip DS20001952, BANK = 0): one keypad row per tick."""

from machine import Pin

from pump import pins

_IODIRA, _GPPUA, _GPIOA = 0x00, 0x0C, 0x12
_KEYS = "123A456B789C*0#D"


class Panel:
    """lifted, tamper, seal_open, estop after `tick`; `tick` returns a key that has just been pressed, or None."""

    def __init__(self, i2c):
        self._i2c = i2c
        self._estop = Pin(pins.ESTOP, Pin.IN, Pin.PULL_UP)
        self._buf = bytearray(2)
        self._command = bytearray(2)
        self._row = 0
        self._held = [0] * 4  # columns held down, by row
        self._before = [0] * 4
        self._ready = False
        self.lifted = 0
        self.tamper = self.seal_open = False
        self.estop = True

    def tick(self):
        self.estop = bool(self._estop.value())
        try:
            if not self._ready:
                self._i2c.writeto_mem(pins.EXPANDER_ADDRESS, _GPPUA, b"\xff\xff")
                self._ready = True
            return self._scan()
        except OSError:
            # Without its switches the point reads as hung up: nothing can flow.
            self._ready = False
            self.lifted = 0
            return None

    def _scan(self):
        # The scanned row is the only output and low; the others float, so that two keys cannot short two outputs.
        self._command[0] = _IODIRA
        self._command[1] = 0xFF & ~(1 << self._row)
        self._i2c.writeto(pins.EXPANDER_ADDRESS, self._command)
        self._i2c.readfrom_mem_into(pins.EXPANDER_ADDRESS, _GPIOA, self._buf)
        switches = self._buf[1]
        self.lifted = ~switches & 0x0F
        self.tamper = bool(switches >> pins.SWITCH_TAMPER & 1)
        self.seal_open = bool(switches >> pins.SWITCH_SEAL & 1)
        row, down = self._row, ~self._buf[0] >> 4 & 0x0F
        self._row = row + 1 & 3
        new = down & ~self._held[row]
        # A key is free again only after two scans without it, so a bouncing contact is one press.
        self._held[row] = down | self._before[row]
        self._before[row] = down
        if new:
            column = 0
            while not new >> column & 1:
                column += 1
            return _KEYS[4 * row + column]
        return None
