"""Wall time with a quality: Unix seconds, whatever the port's epoch is; synced by the station, else estimated."""

import time

import machine

from pump.core import timekeeping
from pump.core.records import TIME_ESTIMATED, TIME_SYNCED, TIME_UNKNOWN

_EPOCH = 946684800 if time.gmtime(0)[0] == 2000 else 0  # the ESP32 counts from 2000
_SANE = 1767225600  # 2026-01-01: a chip clock before that was never set


class Clock:
    """quality: records.TIME_*. now_s() is 0 while it is unknown."""

    def __init__(self):
        self.quality = TIME_UNKNOWN
        self._chip = -1
        self._now = self._synced = 0
        self._doubts = ()
        if time.time() + _EPOCH > _SANE:
            self.quality = TIME_ESTIMATED

    def now_s(self):
        """Unix seconds; computed once a second, because they do not fit a small int."""
        chip = time.time()
        if chip != self._chip:
            self._chip = chip
            self._now = chip + _EPOCH if self.quality else 0
            if self.quality == TIME_SYNCED and chip - self._synced > timekeeping.FRESH_S:
                self.quality = TIME_ESTIMATED
        return self._now

    def estimate(self, unix_s):
        """A time that cannot be far off (the journal's last): better than none, good enough to check certificates."""
        if self.quality == TIME_UNKNOWN and unix_s > _SANE:
            self._set(unix_s, TIME_ESTIMATED)

    def set(self, unix_s):
        """The station's time. Returns the seconds by which it differs if it is not believed yet, otherwise 0."""
        now_s = self.now_s()
        good, self._doubts = timekeeping.judge(now_s, self.quality, unix_s, self._doubts)
        if not good:
            return unix_s - now_s
        self._set(unix_s, TIME_SYNCED)
        self._synced = time.time()
        return 0

    def _set(self, unix_s, quality):
        # The chip's clock is set as well: the TLS library looks there when it checks a certificate's dates.
        t = time.gmtime(unix_s - _EPOCH)
        machine.RTC().datetime((t[0], t[1], t[2], t[6], t[3], t[4], t[5], 0))
        self.quality = quality
        self._chip = -1
