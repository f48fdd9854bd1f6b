"""`time` as on the ESP32: ticks wrap at 2**30, the epoch is 2000, and the clock starts there at power-on."""

from utime import *

_gmtime, _mktime, _time, native_us = gmtime, mktime, time, ticks_us

import wired  # noqa: E402

_PERIOD = 1 << 30
_EPOCH = 946684800  # 2000-01-01 in Unix seconds
_first_ms = ticks_ms()
_first_s = int(_time())  # the unix port gives a float, the ESP32 whole seconds
ticks_start = 0  # where the ticks stand at power-on; the bench sets it to try the wrap


def ticks_ms():
    return (native_us() // 1000 - _first_ms + ticks_start) & (_PERIOD - 1)


def ticks_us():
    return native_us() & (_PERIOD - 1)


def ticks_diff(a, b):
    return ((a - b + (_PERIOD >> 1)) & (_PERIOD - 1)) - (_PERIOD >> 1)


def ticks_add(a, b):
    return (a + b) & (_PERIOD - 1)


def time():
    """Seconds since 2000. Runs on the chip's own counter; the wires add what a bad clock would."""
    return int(_time()) - _first_s + wired.read()[10]


def set_clock(seconds):
    global _first_s
    _first_s = int(_time()) + wired.plant[10] - seconds


def gmtime(seconds=None):
    return _gmtime((time() if seconds is None else seconds) + _EPOCH)


localtime = gmtime


def mktime(t):
    return int(_mktime(t)) - _EPOCH
