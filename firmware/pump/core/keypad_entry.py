"""Presets typed on the keypad: digits, `A` money (yuan) or `B` volume (litres) before or after them, `#` confirms,
`C` or `*` clears. Money is meant if neither A nor B is pressed; `#` alone means a full tank, if nothing else stands.
All of it lives in the view, which shows it."""

from pump.core import codes

MOST_DIGITS = 4


def key(view, ch):
    """Take one key. True if it meant something. The preset (fen or ml) holds until a sale has begun with it."""
    if "0" <= ch <= "9":
        if len(view.entry) >= MOST_DIGITS:
            return False
        view.entry = (view.entry + ch).lstrip("0")
    elif ch == "A" or ch == "B":
        view.entry_kind = codes.PRESET_MONEY if ch == "A" else codes.PRESET_VOLUME
    elif ch == "#" and view.entry:
        view.preset_kind = view.entry_kind or codes.PRESET_MONEY
        view.preset_value = int(view.entry) * (1000 if view.preset_kind == codes.PRESET_VOLUME else 100)
        view.entry = ""
        view.entry_kind = codes.PRESET_NONE
    elif ch == "#" and not view.preset_kind:
        view.entry_kind, view.preset_kind = codes.PRESET_NONE, codes.PRESET_FULL
    elif ch == "C" or ch == "*":
        view.entry = ""
        view.entry_kind = view.preset_kind = codes.PRESET_NONE
        view.preset_value = 0
    else:
        return False
    return True
