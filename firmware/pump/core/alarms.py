"""Alarms: raised once, journalled, cleared, journalled again; and fuel that flows outside any sale, to the millilitre."""

from pump.core import codes, records, ticks

NONE = 255  # no nozzle
QUIET_MS = 10000  # fuel outside a sale is written down when it has stopped this long, or at the next sale


class Alarms:
    def __init__(self, ctl):
        self.ctl = ctl
        self._active = []  # (code, nozzle)
        self._leak_ml = [0] * 4
        self._leak_ms = [0] * 4
        self._lifted_ms = 0
        self._lifted = False
        self._opened = 0

    def recover(self, raised):
        """What was raised before power-on stays raised until its cause is seen to be gone."""
        self._active = [(code, nozzle) for code, nozzle in raised]
        for code in (codes.ALARM_EXCEPTION, codes.ALARM_SUPPLY, codes.ALARM_READER, codes.ALARM_DISPLAY):
            for active, nozzle in list(self._active):
                if active == code:
                    self.clear(code, nozzle)

    def codes(self):
        """Rising, each once."""
        return sorted({code for code, _ in self._active})

    def active(self, code):
        for a in self._active:
            if a[0] == code:
                return True
        return False

    def _record(self, code, nozzle, raised, value, volume_ml):
        total = self.ctl.meters[nozzle].total_ml if nozzle < len(self.ctl.meters) else 0
        self.ctl.append(records.ALARM, (code, nozzle, raised, value, volume_ml, total))

    def raise_(self, code, nozzle, value=0, volume_ml=0):
        if (code, nozzle) not in self._active:
            self._active.append((code, nozzle))
        elif not volume_ml and code not in (codes.ALARM_PULSER, codes.ALARM_OVERRUN):
            return
        self._record(code, nozzle, 1, value, volume_ml)

    def clear(self, code, nozzle, volume_ml=0):
        if (code, nozzle) in self._active:
            self._active.remove((code, nozzle))
        elif not volume_ml:
            return
        self._record(code, nozzle, 0, 0, volume_ml)

    def state_again(self):
        for code, nozzle in self._active:
            self._record(code, nozzle, 1, 0, 0)

    def _follow(self, code, on):
        if on:
            self.raise_(code, NONE)
        else:
            self.clear(code, NONE)

    def watch(self):
        """Four times a second, and at once in danger."""
        ctl = self.ctl
        i, j = ctl.inputs, ctl.journal
        self._follow(codes.ALARM_EMERGENCY, i.estop)
        self._follow(codes.ALARM_SUPPLY, not i.supply_ok)
        if i.tamper and not self.active(codes.ALARM_TAMPER):
            self._opened += 1
            ctl.append(records.TAMPER, (1, self._opened, 0))
        self._follow(codes.ALARM_TAMPER, i.tamper)
        if j.free < j.slots // 8:
            self.raise_(codes.ALARM_JOURNAL, NONE, j.free)
        elif j.free > j.slots // 4:
            self.clear(codes.ALARM_JOURNAL, NONE)
        if not i.lifted or ctl.delivery.sale:
            self._lifted_ms = ctl.now_ms
            self._follow(codes.ALARM_NOZZLE_OFF, False)
        elif ticks.diff(ctl.now_ms, self._lifted_ms) >= ctl.settings.nozzle_off_s * 1000:
            self._follow(codes.ALARM_NOZZLE_OFF, True)
        for n in range(len(ctl.meters)):
            self._watch_leak(n)

    def _watch_leak(self, n):
        ctl = self.ctl
        if ctl.delivery.sale and ctl.delivery.sale.nozzle == n:
            return
        open_ml = ctl.meters[n].volume_ml
        if open_ml != self._leak_ml[n]:
            self._leak_ml[n] = open_ml
            self._leak_ms[n] = ctl.now_ms
            if open_ml >= ctl.settings.leak_ml:
                self.flush_leak(n)
        elif open_ml > 0 and ticks.diff(ctl.now_ms, self._leak_ms[n]) >= QUIET_MS:
            self.flush_leak(n)

    def flush_leak(self, n):
        """Put what flowed outside any sale into the totalizer and the journal; an alarm only if it is much."""
        volume_ml = self.ctl.meters[n].rebase()
        self._leak_ml[n] = 0
        if volume_ml >= self.ctl.settings.leak_ml:
            self.raise_(codes.ALARM_LEAK, n, 0, volume_ml)
        elif volume_ml or self.active(codes.ALARM_LEAK):
            self.clear(codes.ALARM_LEAK, n, volume_ml)
