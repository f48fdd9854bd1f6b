"""When a step of the controller has something to do. A board steps every 10 ms and needs no such hint."""

from typing import Any

from pump.core import cutoff, delivery, ticks, view

IDLE_MS, RESTING_MS = 10_000, 120_000


def next_ms(ctl: Any) -> int:
    """Milliseconds after the last step by which something happens although no input changes."""
    d, s = ctl.delivery, ctl.settings
    age: int = ticks.diff(ctl.now_ms, d.since_ms)
    still: int = ticks.diff(ctl.now_ms, d.moved_ms)
    left = IDLE_MS
    if d.state == view.IDLE and not (ctl.inputs.lifted or ctl.hazard or ctl.locked or ctl.raised or ctl.dialog):
        unsent = ctl.journal.acked + 1 < ctl.journal.head
        if not unsent and not ctl.coming and not any(meter.volume_ml for meter in ctl.meters):
            return RESTING_MS
    if d.state == view.STARTING:
        left = delivery.STARTING_MS - age
    elif d.state in delivery.FLOWING:
        left = s.no_flow_s * 1000 - still
        if d.state == view.SLOW and d.sale.run_ml < 0:
            left = min(left, cutoff.SETTLE_MS - age)
    elif d.state == view.STOPPING:
        left = delivery.QUIET_MS - min(age, still)
    elif d.state == view.AUTHORISED:
        left = s.lift_s * 1000 - age
    elif d.state == view.SETTLING:
        left = s.grace_s * 1000 - age
    elif d.state == view.CARD and not ctl.config.slot:
        left = delivery.SHOW_MS - age
    return max(0, min(left, IDLE_MS))


def next_counts(ctl: Any) -> tuple[int, int] | None:
    """(nozzle, directed sum of both channels) at which something happens."""
    d = ctl.delivery
    if d.state not in delivery.FLOWING:
        return None
    meter = ctl.meters[d.sale.nozzle]
    ml = min(d.sale.small_ml, ctl.checkpoint.next_ml)
    if d.state == view.FUELLING and meter.volume_ml < d.sale.big_ml:
        ml = min(ml, d.sale.big_ml)
    return d.sale.nozzle, meter.counts_for(ml)
