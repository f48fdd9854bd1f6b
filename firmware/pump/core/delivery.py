"""The state machine of a fuelling point: one sale at a time, up to four nozzles.

    idle <-> nozzle (lifted, no card)      idle <-> card (card known, waits for a nozzle)
    card or nozzle -> authorised -> starting -> fuelling -> slow -> stopping -> settling -> idle or card

Valves, motor and permit follow from the state alone (drive()); in every state but starting, fuelling and slow they
are off.
"""

from pump.core import alarms, card_layout, codes, cutoff, money, sale, ticks, view

STARTING_MS = 200  # motor and small valve alone, so that the hose takes no blow
QUIET_MS = 500  # without a pulse the flow has ended
STOPPING_MS = 5000  # at most; what comes later counts as fuel outside a sale
FLOW_MS = 1000  # window of the flow shown
SHOW_MS = 20000  # a card that was only read is shown as long

FLOWING = (view.STARTING, view.FUELLING, view.SLOW)


class Delivery:
    """Public: state, since_ms, sale (running, from the reservation on), reserving (START committed, RESERVED not yet),
    settle_uid (card of the sale that waits to be settled, during its grace time), moved_ms (last pulse of the sale).
    A test measure (core/prover.py) runs as a sale without money."""

    def __init__(self, ctl):
        self.ctl = ctl
        self.state = view.IDLE
        self.sale = self.reserving = self.settle_uid = None
        self.armed = False  # every nozzle has hung since the last sale
        self.accepted = False  # the card present may fuel
        self.since_ms = self.moved_ms = self._flow_ms = self._flow_ml = 0

    def enter(self, state):
        self.state = self.ctl.view.state = state
        self.since_ms = self.ctl.now_ms

    def lifted(self):
        """The one nozzle that is up since a time when all hung; -1: none or several."""
        up = self.ctl.inputs.lifted
        if self.armed:
            for nozzle in range(len(self.ctl.config.grades)):
                if up == 1 << nozzle:
                    return nozzle
        return -1

    def accept(self):
        """The card may fuel. True if a nozzle is up, so that money is to be reserved now."""
        if self.state not in (view.IDLE, view.NOZZLE, view.CARD):
            return False
        self.accepted = True
        if self.lifted() >= 0:
            return True
        v = self.ctl.view
        v.notice = view.NOTICE_LIFT if self.ctl.config.slot else view.NOTICE_LIFT_THEN_TAP
        if self.ctl.inputs.lifted:
            v.notice = view.NOTICE_HANG_UP
        self.enter(view.CARD)
        return False

    def authorised(self, new):
        """The money of this sale is reserved on its card."""
        self.sale, self.reserving = new, None
        self.accepted = self.armed = False
        v = self.ctl.view
        v.nozzle, v.grade, v.price_fen_per_l = new.nozzle, new.grade, new.price
        v.limit_fen, v.sale_seq = new.reserved_fen - 1, new.seq
        v.volume_ml = v.amount_fen = v.reason = v.preset_kind = v.preset_value = 0
        v.notice = view.NOTICE_NONE
        self.ctl.outputs.buzzer = view.BEEP_OK
        self.enter(view.AUTHORISED)

    def settled(self):
        """The unused money of the sale just ended is back on its card."""
        ctl = self.ctl
        self.settle_uid = None
        ctl.view.notice = view.NOTICE_SETTLED
        ctl.outputs.buzzer = view.BEEP_OK
        self.accepted = ctl.config.slot and ctl.present is not None
        self.enter(view.CARD if self.accepted else view.IDLE)

    def step(self):
        """One control tick, after the meters are read."""
        ctl, state, up = self.ctl, self.state, self.ctl.inputs.lifted
        age_ms = ticks.diff(ctl.now_ms, self.since_ms)
        if not up and not self.sale:
            self.armed = True
        if state in FLOWING:
            self._flow(age_ms)
        elif state == view.STOPPING:
            if ctl.moved:
                self.moved_ms = ctl.now_ms
            quiet_ms = ticks.diff(ctl.now_ms, self.moved_ms)
            if age_ms >= QUIET_MS and quiet_ms >= QUIET_MS or age_ms >= STOPPING_MS:
                self._finish()
        elif state == view.AUTHORISED:
            if ctl.hazard:
                self.stop(codes.STOP_EMERGENCY if ctl.inputs.supply_ok else codes.STOP_POWER)
            elif ctl.config.slot and not ctl.present:
                self.stop(codes.STOP_CARD_PULLED)
            elif ctl.meters[self.sale.nozzle].volume_ml >= ctl.settings.preflow_ml:
                alarms.flush_leak(ctl, self.sale.nozzle, codes.ALARM_PREFLOW)
                self.stop(codes.STOP_CANCELLED)  # fuel comes through shut valves: they could not end this sale
            elif up == 1 << self.sale.nozzle:
                self._begin()
            elif age_ms >= ctl.settings.lift_s * 1000:
                self.stop(codes.STOP_CANCELLED)
        elif state == view.SETTLING:
            if age_ms >= ctl.settings.grace_s * 1000:
                self.enter(view.IDLE)
        elif not self.reserving:
            self._rest(up, age_ms)
        self.drive()

    def _begin(self):
        """The valves open. What dripped before that is nobody's."""
        ctl, sold = self.ctl, self.sale
        alarms.flush_leak(ctl, sold.nozzle, codes.ALARM_PREFLOW)
        sold.begun_ms = self.moved_ms = self._flow_ms = ctl.now_ms
        self._flow_ml = 0
        if ctl.trace:
            ctl.trace.begin(sold.seq, ctl.now_ms, sold.nozzle, ctl.inputs.edges)
        self.enter(view.STARTING)

    def _rest(self, up, age_ms):
        """idle, nozzle, card, locked."""
        ctl, state, v = self.ctl, self.state, self.ctl.view
        if ctl.locked or ctl.hazard:
            if state != view.LOCKED:
                self.accepted = False
                self.enter(view.LOCKED)
        elif state == view.LOCKED:
            self.enter(view.IDLE)
        elif state == view.CARD:
            if not ctl.present and (ctl.config.slot or age_ms >= SHOW_MS):
                self.accepted = False
                v.notice = view.NOTICE_NONE
                self.enter(view.IDLE)
            elif self.accepted and ctl.present and self.lifted() >= 0:
                ctl.job_wanted = True
        elif state == view.IDLE and up:
            if v.notice != view.NOTICE_REFUSED and not ctl.dialog:
                v.notice = view.NOTICE_CARD_FIRST if self.armed else view.NOTICE_HANG_UP
            v.nozzle = self.lifted()
            if v.nozzle >= 0:
                v.grade = ctl.config.grades[v.nozzle]
                v.price_fen_per_l = ctl.prices.get(v.grade, 0)
            self.enter(view.NOZZLE)
        elif state == view.NOZZLE and not up:
            if not ctl.dialog:
                v.notice = view.NOTICE_NONE
            self.enter(view.IDLE)

    def _flow(self, age_ms):
        ctl, sold, now_ms = self.ctl, self.sale, self.ctl.now_ms
        meter = ctl.meters[sold.nozzle]
        volume_ml = meter.volume_ml
        if ctl.moved:
            self.moved_ms = now_ms
            self._show(volume_ml)
            if volume_ml >= ctl.checkpoint.next_ml:
                ctl.checkpoint.reached(volume_ml)
        window_ms = ticks.diff(now_ms, self._flow_ms)
        if window_ms >= FLOW_MS:
            ctl.view.flow_ml_s = (volume_ml - self._flow_ml) * 1000 // window_ms
            self._flow_ms, self._flow_ml = now_ms, volume_ml
            sold.flow_max = max(sold.flow_max, ctl.view.flow_ml_s)
            if self.state == view.FUELLING and age_ms >= window_ms:
                cutoff.retime(ctl, sold)
        if not ctl.inputs.supply_ok:
            self.stop(codes.STOP_POWER)
            ctl.checkpoint.exact(volume_ml)
        elif ctl.hazard:
            self.stop(codes.STOP_EMERGENCY)
        elif not ctl.inputs.lifted >> sold.nozzle & 1:
            self.stop(codes.STOP_NOZZLE)
        elif volume_ml >= sold.small_ml:
            self.stop(sold.limit_reason)
        elif ctl.moved and meter.fault(ctl.settings.pulser_stop):
            self.stop(codes.STOP_PULSER)
        elif ctl.config.slot and not ctl.present:
            self.stop(codes.STOP_CARD_PULLED)
        elif ctl.view.flow_ml_s > ctl.settings.max_flow_ml_s:
            self.stop(codes.STOP_OVERFLOW)
        elif ticks.diff(now_ms, self.moved_ms) >= ctl.settings.no_flow_s * 1000:
            self.stop(codes.STOP_NO_FLOW)
        elif ticks.diff(now_ms, sold.begun_ms) >= ctl.settings.max_sale_s * 1000:
            self.stop(codes.STOP_TIME)
        elif volume_ml >= sold.big_ml:
            if self.state != view.SLOW:
                sold.big_at_ml = volume_ml if self.state == view.FUELLING else -1
                self.enter(view.SLOW)
            elif sold.run_ml < 0 and age_ms >= cutoff.SETTLE_MS:
                sold.run_ml = volume_ml - max(0, sold.big_at_ml)
        elif self.state == view.STARTING and age_ms >= STARTING_MS:
            self.enter(view.FUELLING)

    def _show(self, volume_ml):
        self.ctl.view.volume_ml = volume_ml
        self.ctl.view.amount_fen = min(money.amount_fen(volume_ml, self.sale.price), self.sale.reserved_fen - 1)

    def stop(self, reason):
        """Shut everything; the sale ends when the flow has."""
        if self.state in FLOWING or self.state == view.AUTHORISED:
            self.sale.reason = reason
            self.moved_ms = self.ctl.now_ms
            self.enter(view.STOPPING)
            self.drive()

    def _finish(self):
        """The flow has ended: commit END, then the money waits for its card."""
        ctl, sold = self.ctl, self.sale
        meter = ctl.meters[sold.nozzle]
        if not sold.begun_ms and meter.volume_ml:
            alarms.flush_leak(ctl, sold.nozzle, codes.ALARM_PREFLOW)
        a, b = meter.pulses()
        volume_ml = meter.rebase()
        self._show(volume_ml)
        if ctl.trace:
            ctl.trace.end(ctl.inputs.edges)
        if sold.kind == card_layout.KIND_TEST:
            from pump.core import prover

            prover.drawn(ctl, sold, volume_ml, a, b)
            return
        seconds = ticks.diff(ctl.now_ms, sold.begun_ms) // 1000 if sold.begun_ms else 0
        over_ml = sale.end(ctl, sold, 0, volume_ml, a, b, seconds)
        ctl.view.reason, ctl.view.flow_ml_s = sold.reason, 0
        self.settle_uid, self.sale = sold.uid, None
        ctl.strikes(sold, over_ml)
        cutoff.learn(ctl, sold, volume_ml)
        ctl.view.notice = view.NOTICE_REINSERT if ctl.config.slot else view.NOTICE_TAP_TO_SETTLE
        self.enter(view.SETTLING)
        ctl.job_wanted = ctl.present is not None

    def drive(self):
        """Set the outputs that the state allows: everything off unless fuel is meant to flow."""
        o = self.ctl.outputs
        if self.state not in FLOWING:
            o.motor = o.big = o.small = o.permit = 0
            o.threshold_nozzle = -1
            return
        nozzle = self.sale.nozzle
        o.motor = o.small = 1 << nozzle
        o.big = o.small if self.state == view.FUELLING else 0
        o.permit = 1
        if o.threshold_nozzle < 0:
            o.threshold_counts = self.ctl.meters[nozzle].counts_for(self.sale.small_ml)
            o.threshold_nozzle = nozzle
