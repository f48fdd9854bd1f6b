"""Where the valves close, so that the delivery ends at its limit and not above: what each nozzle was seen to do.

The big valve closes ahead, the rest flows slowly through the small one. What still comes after each closing is followed
per nozzle by its upper envelope: up at once, down slowly (a peak detector with slow release: it settles where about one
closing in 64 goes beyond), so that a sticking valve counts at once, and wear, temperature and pressure are followed.
The big valve's envelope is a time, because what comes is that time's flow, and the flow is the customer's hand. The
small valve's flow is its own: its envelope is a volume.

On a nozzle's first use, and for its first delivery after each power-on (it may have got another valve), the advances
are those of the settings; they are also the greatest ever. ctl, the Controller, has in ctl.cutoff for each nozzle None
or [SMALL_UL, LAG, FLOW, TAUGHT]; the checkpoint ring keeps it through power loss.
"""

SMALL_UL = 0  # envelope: microlitres beyond the point at which the small valve was told to close
LAG = 1  # envelope: what came within SETTLE_MS after the big valve was told to close, as time of the flow, 1/64 ms
FLOW = 2  # envelope of the nozzle's flow, ml/s
TAUGHT = 3  # deliveries that taught, up to MATURE; negative until both valves have closed once since power-on
SETTLE_MS = 500  # from the big valve's closing until the small valve alone decides the flow
MATURE = 8
MOST_LAG = 65535  # 1.02 s
KEEP_SHIFT = 4  # kept anew when it has moved by a sixteenth


def close_at(ctl, nozzle, limit_ml, flow_ml_s=0):
    """(big, small): volumes in ml at which this nozzle's valves close for a limit of limit_ml; 0: do not open it.

    flow_ml_s: what flows now, 0 if that is not known. A hand may squeeze harder at the last moment, so at least three
    quarters of what the nozzle can give are expected; and a big valve may stick for twice its time.
    """
    big_ml, small_ml = ctl.settings.big_advance_ml, ctl.settings.small_advance_ml
    known = _known(ctl, nozzle)
    if known and known[TAUGHT] > 0:
        count_ml = 250 // ctl.config.pulses_per_l[nozzle] + 1
        small_ml = min(small_ml, known[SMALL_UL] * 7 // 4000 + count_ml + 1)
        big_ml = min(big_ml, 2 * known[LAG] * _expected(known, flow_ml_s) // 64000 + small_ml)
    return max(0, limit_ml - big_ml), max(0, limit_ml - small_ml)


def retime(ctl, sold):
    """While the big valve is open: the moment of its closing follows the flow."""
    sold.flow_ml_s = ctl.view.flow_ml_s
    sold.big_ml = close_at(ctl, sold.nozzle, sold.limit_ml, sold.flow_ml_s)[0]


def learn(ctl, sold, volume_ml):
    """After a delivery of volume_ml, of what its end has shown. One that a hand ended early teaches nothing."""
    by_limit = sold.reason == sold.limit_reason
    settled = sold.run_ml >= 0
    if not by_limit and not settled:
        return
    n = sold.nozzle
    known = _known(ctl, n) or [ctl.settings.small_advance_ml * 1000, 0, 0, 0]
    taught = max(known[TAUGHT], -known[TAUGHT])
    release = min(6, max(1, taught - 1))
    if sold.flow_max:
        known[FLOW] = _envelope(known[FLOW], sold.flow_max, release)
    ran = sold.big_at_ml >= 0 and sold.flow_ml_s > 0 and known[FLOW] > 0
    if ran:
        run_ml = sold.run_ml if settled else volume_ml - sold.big_at_ml
        lag = min(MOST_LAG, run_ml * 64000 // _expected(known, sold.flow_ml_s))
        high = known[LAG] or min(MOST_LAG, ctl.settings.big_advance_ml * 32000 // known[FLOW])
        ran = sold.flow_ml_s * 4 >= known[FLOW] * 3  # a hand that gave way says little about the valve
        if ran or lag > high:
            known[LAG] = _envelope(high, lag, release)
    if by_limit and settled:
        known[SMALL_UL] = _envelope(known[SMALL_UL], (volume_ml - sold.small_ml) * 1000, release)
        if ran or known[TAUGHT] > 0:
            known[TAUGHT] = min(MATURE, taught + 1)
    ctl.cutoff[n] = known
    first, second = ctl.checkpoint.learned.get(n, (0, 0))
    taught = max(known[TAUGHT], -known[TAUGHT])
    if taught != first >> 24 or _moved(known[SMALL_UL], first & 0xFFFFFF) or _moved(known[LAG], second >> 16):
        ctl.checkpoint.learn(n, known[SMALL_UL] | taught << 24, known[LAG] << 16 | known[FLOW])


def _moved(now, kept):
    return abs(now - kept) > kept >> KEEP_SHIFT


def _expected(known, flow_ml_s):
    return max(flow_ml_s, known[FLOW] * 3 // 4) if flow_ml_s else known[FLOW]


def _envelope(high, sample, release):
    return max(sample, high - (high - sample >> release))


def _known(ctl, nozzle):
    """The nozzle's row, after power-on from the checkpoint ring; None if there is none."""
    known = ctl.cutoff[nozzle]
    if known is None and nozzle in ctl.checkpoint.learned:
        first, second = ctl.checkpoint.learned[nozzle]
        known = ctl.cutoff[nozzle] = [first & 0xFFFFFF, second >> 16, second & 0xFFFF, -(first >> 24)]
    return known
