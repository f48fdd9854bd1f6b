"""Alarms: raised once, journalled, cleared, journalled again; and fuel that flows outside any sale, to the millilitre.

ctl is the Controller; ctl.raised holds (code, nozzle), ctl.alarms the codes alone for others to read.
"""

from pump.core import codes, journal, records, ticks

NONE = 255  # no nozzle
TOLD_MS = 10000  # fuel that goes on flowing outside a sale is told as often
QUIET_MS = 600000  # after so long without a count it has stopped
WORTH_ML = 10  # less is not written down when the power fails, with which flow and records would race
CREEP_ML_S = 2  # a leak slower than this creeps past shut valves


def put(ctl, code, nozzle, on, value=0, volume_ml=0):
    """Raise (on) or clear an alarm. It is journalled if that is news, or if there is a new value or volume to tell."""
    known = (code, nozzle) in ctl.raised
    if bool(on) == known and not volume_ml and not (on and value):
        return
    if on and not known:
        ctl.raised.append((code, nozzle))
    elif known and not on:
        ctl.raised.remove((code, nozzle))
    ctl.alarms = tuple(sorted({c for c, _ in ctl.raised}))
    total_ml = ctl.meters[nozzle].total_ml if nozzle < len(ctl.meters) else 0
    ctl.append(records.ALARM, (code, nozzle, 1 if on else 0, value, volume_ml, total_ml))


def watch(ctl):
    """Four times a second, and at once in danger."""
    i, j = ctl.inputs, ctl.journal
    put(ctl, codes.ALARM_EMERGENCY, NONE, i.estop)
    put(ctl, codes.ALARM_SUPPLY, NONE, not i.supply_ok)
    if i.tamper and codes.ALARM_TAMPER not in ctl.alarms:
        ctl.append(records.TAMPER, (1, 1, 0))
    put(ctl, codes.ALARM_TAMPER, NONE, i.tamper)
    if j.free < j.slots // 8 or j.free > j.slots // 4:
        put(ctl, codes.ALARM_JOURNAL, NONE, j.free < j.slots // 8)
    if not i.lifted or ctl.delivery.sale:
        ctl.lifted_ms = ctl.now_ms
    off = ticks.diff(ctl.now_ms, ctl.lifted_ms) >= ctl.settings.nozzle_off_s * 1000
    put(ctl, codes.ALARM_NOZZLE_OFF, NONE, off)
    for n in range(len(ctl.meters)):
        if not ctl.delivery.sale or ctl.delivery.sale.nozzle != n:
            _outside(ctl, n)


def _outside(ctl, n):
    """Fuel that this nozzle gives outside a sale. It stays with the meter until it is worth an alarm, has stopped for
    long, a sale begins or the power fails: a record for every drop would fill the journal."""
    open_ml = ctl.meters[n].volume_ml
    raised = (codes.ALARM_LEAK, n) in ctl.raised or (codes.ALARM_CREEP, n) in ctl.raised
    if open_ml >= WORTH_ML and not ctl.inputs.supply_ok:
        flush_leak(ctl, n)
    elif open_ml != ctl.leak_ml[n]:
        if not ctl.leak_ml[n]:
            ctl.leak_from[n] = ctl.now_ms
        ctl.leak_ml[n], ctl.leak_ms[n] = open_ml, ctl.now_ms
        pause_ms = TOLD_MS if raised else 0
        if open_ml >= ctl.settings.leak_ml and ticks.diff(ctl.now_ms, ctl.leak_from[n]) >= pause_ms:
            flush_leak(ctl, n)
    elif open_ml or raised:
        quiet_ms = ticks.diff(ctl.now_ms, ctl.leak_ms[n])
        if open_ml and raised and quiet_ms >= TOLD_MS or quiet_ms >= QUIET_MS:
            flush_leak(ctl, n)


def flush_leak(ctl, n, code=codes.ALARM_LEAK):
    """Put what flowed outside any sale into the totalizer and the journal; an alarm only if it is much. What flowed
    slowly has crept; code ALARM_PREFLOW: it flowed between authorisation and the opening of the valves."""
    if ctl.journal.free <= journal.RESERVE:
        return  # without its record it must not be in the totalizer either
    s = ctl.settings
    flow_ms = ticks.diff(ctl.leak_ms[n], ctl.leak_from[n])
    volume_ml = ctl.meters[n].rebase()
    ctl.leak_ml[n] = 0
    if code == codes.ALARM_PREFLOW:
        put(ctl, code, n, volume_ml >= s.preflow_ml, 0, volume_ml)
        return
    much = volume_ml >= s.leak_ml
    if volume_ml * 1000 < CREEP_ML_S * flow_ms:
        put(ctl, code, n, False)
        put(ctl, codes.ALARM_CREEP, n, much, 0, volume_ml)
    else:
        put(ctl, codes.ALARM_CREEP, n, False)
        put(ctl, code, n, much, 0, volume_ml)
