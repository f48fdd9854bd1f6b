"""Millisecond ticks that wrap at 2**30, as MicroPython's time.ticks_ms() does."""

MASK = 0x3FFFFFFF


def diff(later, earlier):
    """later - earlier in ms, right across the wrap; negative if `later` is the earlier one. Range +- 2**29."""
    d = (later - earlier) & MASK
    return d - 0x40000000 if d >= 0x20000000 else d
