"""Presets typed on the keypad: digits, `A` money (yuan) or `B` volume (litres) before or after them, `#` confirms,
`C` or `*` clears. Money alone is meant if neither A nor B is pressed."""

from pump.core import codes

MOST_DIGITS = 4


class Entry:
    """preset_kind and preset_value (fen or ml) hold until the sale they were typed for has begun."""

    def __init__(self):
        self.clear()

    def clear(self):
        self.preset_kind = codes.PRESET_NONE
        self.preset_value = 0
        self.digits = ""
        self.kind = codes.PRESET_NONE

    def key(self, ch):
        """True if the key meant something here."""
        if "0" <= ch <= "9":
            if len(self.digits) >= MOST_DIGITS:
                return False
            self.digits = (self.digits + ch).lstrip("0")
        elif ch == "A" or ch == "B":
            self.kind = codes.PRESET_MONEY if ch == "A" else codes.PRESET_VOLUME
        elif ch == "#":
            if not self.digits:
                return False
            self.preset_kind = self.kind or codes.PRESET_MONEY
            self.preset_value = int(self.digits) * (1000 if self.preset_kind == codes.PRESET_VOLUME else 100)
            self.digits = ""
            self.kind = codes.PRESET_NONE
        else:
            return False
        return True
