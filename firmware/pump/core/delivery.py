"""The sale: from the card that is accepted to the money that is back on it. One point, up to four nozzles, one sale at a time.

    idle <-> nozzle (lifted, no card)      idle <-> card (card known, waits for a nozzle)
    card or nozzle -> authorised -> starting -> fuelling -> slow -> stopping -> settling -> idle or card

Valves, motor and permit follow from the state alone (drive()); in every state but starting, fuelling and slow they are off.
"""

from pump.core import codes, money, records, ticks, view

STARTING_MS = 200  # motor and small valve alone, so that the hose takes no blow
QUIET_MS = 500  # without a pulse the flow has ended
STOPPING_MS = 5000  # at most; what comes later counts as fuel outside a sale
FLOW_MS = 1000  # window of the flow shown
IDLE_MS = 10000
SHOW_MS = 20000  # a card that was only read is shown as long

_FLOWING = (view.STARTING, view.FUELLING, view.SLOW)


class Sale:
    """The running sale. limit_ml is the least of all limits, limit_reason tells which."""

    def __init__(self, card, nozzle, grade, price, authorised_fen, limit_ml, limit_reason):
        self.uid = card.uid
        self.card_no = card.card_no
        self.counter = card.counter + 1
        self.nozzle = nozzle
        self.grade = grade
        self.price = price
        self.reserved_fen = authorised_fen + 1
        self.limit_ml = limit_ml
        self.limit_reason = limit_reason
        self.big_ml = self.small_ml = 0
        self.seq = 0
        self.tariff = 0
        self.commit_sent = False
        self.reason = 0
        self.begun_ms = 0
        self.flow_max = 0
        self.closed_at_ml = 0


class Delivery:
    def __init__(self, ctl):
        self.ctl = ctl
        self.state = view.IDLE
        self.since_ms = 0
        self.sale = None
        self.reserving = False
        self.settle_uid = None  # card of the sale that waits to be settled, during its grace time
        self.armed = False  # every nozzle has hung since the last sale
        self.accepted = False  # the card present may fuel
        self._moved_ms = 0
        self._flow_ms = 0
        self._flow_ml = 0

    def _enter(self, state):
        self.state = self.ctl.view.state = state
        self.since_ms = self.ctl.now_ms

    def _age(self):
        return ticks.diff(self.ctl.now_ms, self.since_ms)

    # -- what a visit asks and tells
    def waiting_uid(self):
        return self.settle_uid if self.state == view.SETTLING else None

    def card_read(self, card):
        v = self.ctl.view
        v.card_no, v.balance_fen = card.card_no, card.balance_fen

    def accept(self, card):
        """The card may fuel. True if a nozzle is up, so that money is to be reserved now."""
        if self.ctl.locked or self.ctl.hazard:
            self.ctl.refuse_now(codes.REFUSE_LOCKED)
        if self.state not in (view.IDLE, view.NOZZLE, view.CARD):
            return False
        self.accepted = True
        if self._lifted() >= 0:
            return True
        self.ctl.view.notice = view.NOTICE_LIFT if self.ctl.config.slot else view.NOTICE_LIFT_THEN_TAP
        if self.ctl.inputs.lifted:
            self.ctl.view.notice = view.NOTICE_HANG_UP
        self._enter(view.CARD)
        return False

    def _lifted(self):
        """The one nozzle that is up since a time when all hung; -1: none or several."""
        lifted = self.ctl.inputs.lifted
        if self.armed:
            for nozzle in range(len(self.ctl.config.grades)):
                if lifted == 1 << nozzle:
                    return nozzle
        return -1

    def begin(self, card):
        """Work out the limits and commit START. purse.Refused if there is nothing to sell."""
        ctl, s = self.ctl, self.ctl.settings
        nozzle = self._lifted()
        grade = ctl.config.grades[nozzle]
        price = ctl.tariff.price(grade)
        ctl.refuse_sale(card, grade, price)
        kind, preset = ctl.entry.preset_kind, ctl.entry.preset_value
        fen, ml, reason = card.balance_fen - 1, s.max_sale_ml, codes.STOP_CARD_LIMIT
        if fen < s.min_sale_fen:
            ctl.refuse_now(codes.REFUSE_BALANCE)
        if fen > s.max_sale_fen:
            fen, reason = s.max_sale_fen, codes.STOP_MAXIMUM
        if kind == codes.PRESET_MONEY and preset <= fen:
            fen, reason = preset, codes.STOP_PRESET
        by_money = money.volume_for_amount_ml(fen, price)
        volume_reason = codes.STOP_MAXIMUM
        if card.fill_ml and card.fill_ml < ml:
            ml, volume_reason = card.fill_ml, codes.STOP_CARD_VOLUME
        if kind == codes.PRESET_VOLUME and preset <= ml:
            ml, volume_reason = preset, codes.STOP_PRESET
        if ml < by_money:
            fen, reason = money.amount_fen(ml, price), volume_reason
        else:
            ml = by_money
        sale = Sale(card, nozzle, grade, price, fen, ml, reason)
        sale.big_ml, sale.small_ml = ctl.cutoff.close_at(nozzle, ml)
        sale.tariff = ctl.tariff.version
        ctl.flush_leak(nozzle)
        meter = ctl.meters[nozzle]
        sale.seq = ctl.append(
            records.START,
            (card.uid, card.card_no, sale.counter, sale.reserved_fen, nozzle, grade, price, sale.tariff,
             meter.total_ml, card.balance_fen, kind, preset, card.plate),
        )
        self.sale = sale
        self.reserving = True
        return sale

    def broken(self):
        """The reservation got no answer: no flow. If its commit was never sent, nothing can be open on the card."""
        if not self.reserving:
            return
        sale = self.sale
        self.reserving = False
        sale.reason = codes.STOP_UNCERTAIN
        self._end_record(records.FLAG_UNCERTAIN)
        if not sale.commit_sent:
            self.ctl.append(records.VOID, (self.ctl.config.device, sale.seq, sale.uid, sale.counter, records.HOW_SALE))
            self.ctl.unsettled.remove(sale.seq)
        self.sale = None

    def reserved(self, card):
        """The card holds the reservation: commit RESERVED; the valve may open."""
        ctl, sale = self.ctl, self.sale
        card.counter, card.balance_fen = sale.counter, card.balance_fen - sale.reserved_fen
        ctl.append(
            records.RESERVED,
            (ctl.config.device, sale.seq, sale.counter, sale.reserved_fen, card.balance_fen,
             ctl.meters[sale.nozzle].total_ml, sale.uid),
        )
        ctl.checkpoint.begin(sale.seq, sale.nozzle)
        self.reserving = False
        self.accepted = self.armed = False
        ctl.entry.clear()
        v = ctl.view
        v.nozzle, v.grade, v.price_fen_per_l = sale.nozzle, sale.grade, sale.price
        v.limit_fen, v.sale_seq, v.balance_fen = sale.reserved_fen - 1, sale.seq, card.balance_fen
        v.volume_ml = v.amount_fen = v.reason = 0
        v.notice = view.NOTICE_NONE
        ctl.beep(view.BEEP_OK)
        self._enter(view.AUTHORISED)

    def settled(self):
        """The unused money of the sale just ended is back on its card."""
        self.settle_uid = None
        self.ctl.view.notice = view.NOTICE_SETTLED
        self.ctl.beep(view.BEEP_OK)
        if self.ctl.config.slot and self.ctl.present:
            self.accepted = True
            self._enter(view.CARD)
        else:
            self._enter(view.IDLE)

    # -- the tick
    def step(self):
        ctl, state, lifted = self.ctl, self.state, self.ctl.inputs.lifted
        if not lifted and not self.sale:
            self.armed = True
        if state in _FLOWING:
            self._flow()
        elif state == view.STOPPING:
            if ctl.moved:
                self._moved_ms = ctl.now_ms
            if (ticks.diff(ctl.now_ms, self._moved_ms) >= QUIET_MS and self._age() >= QUIET_MS) or (
                self._age() >= STOPPING_MS
            ):
                self._finish()
        elif state == view.AUTHORISED:
            if ctl.hazard:
                self.stop(codes.STOP_EMERGENCY if ctl.inputs.supply_ok else codes.STOP_POWER)
            elif lifted == 1 << self.sale.nozzle:
                self.sale.begun_ms = self._moved_ms = self._flow_ms = ctl.now_ms
                self._flow_ml = 0
                self._enter(view.STARTING)
            elif ctl.config.slot and not ctl.present:
                self.stop(codes.STOP_CARD_PULLED)
            elif self._age() >= ctl.settings.lift_s * 1000:
                self.stop(codes.STOP_CANCELLED)
        elif state == view.SETTLING:
            if self._age() >= ctl.settings.grace_s * 1000:
                self._enter(view.IDLE)
        elif not self.reserving:
            self._rest(lifted)
        self.drive()

    def _rest(self, lifted):
        """idle, nozzle, card, locked."""
        ctl, state = self.ctl, self.state
        if ctl.locked or ctl.hazard:
            if state != view.LOCKED:
                self.accepted = False
                self._enter(view.LOCKED)
        elif state == view.LOCKED:
            self._enter(view.IDLE)
        elif state == view.CARD:
            if ctl.config.slot and not ctl.present or not ctl.config.slot and self._age() >= SHOW_MS:
                self.accepted = False
                ctl.view.notice = view.NOTICE_NONE
                self._enter(view.IDLE)
            elif self._lifted() >= 0 and ctl.present and self.accepted:
                ctl.want_job()
        elif state == view.IDLE and lifted:
            if ctl.view.notice != view.NOTICE_REFUSED:
                ctl.view.notice = view.NOTICE_CARD_FIRST if self.armed else view.NOTICE_HANG_UP
            ctl.show_nozzle(self._lifted())
            self._enter(view.NOZZLE)
        elif state == view.NOZZLE and not lifted:
            ctl.view.notice = view.NOTICE_NONE
            self._enter(view.IDLE)

    def _flow(self):
        ctl, sale, now_ms = self.ctl, self.sale, self.ctl.now_ms
        meter = ctl.meters[sale.nozzle]
        volume_ml = max(0, meter.volume_ml)
        if ctl.moved:
            self._moved_ms = now_ms
            self._show(volume_ml)
            if volume_ml >= ctl.checkpoint.next_ml:
                ctl.checkpoint.reached(volume_ml)
        if ticks.diff(now_ms, self._flow_ms) >= FLOW_MS:
            flow = (volume_ml - self._flow_ml) * 1000 // ticks.diff(now_ms, self._flow_ms)
            self._flow_ms, self._flow_ml = now_ms, volume_ml
            ctl.view.flow_ml_s = flow
            sale.flow_max = max(sale.flow_max, flow)
        if not ctl.inputs.supply_ok:
            self.drive(True)
            ctl.checkpoint.exact(volume_ml)
            self.stop(codes.STOP_POWER)
        elif ctl.hazard:
            self.stop(codes.STOP_EMERGENCY)
        elif not ctl.inputs.lifted >> sale.nozzle & 1:
            self.stop(codes.STOP_NOZZLE)
        elif volume_ml >= sale.small_ml:
            sale.closed_at_ml = volume_ml
            self.stop(sale.limit_reason)
        elif ctl.moved and meter.fault(ctl.settings.pulser_stop):
            self.stop(codes.STOP_PULSER)
        elif ctl.config.slot and not ctl.present:
            self.stop(codes.STOP_CARD_PULLED)
        elif ticks.diff(now_ms, self._moved_ms) >= ctl.settings.no_flow_s * 1000:
            self.stop(codes.STOP_NO_FLOW)
        elif self.state == view.STARTING:
            if self._age() >= STARTING_MS:
                self._enter(view.SLOW if volume_ml >= sale.big_ml else view.FUELLING)
        elif self.state == view.FUELLING and volume_ml >= sale.big_ml:
            self._enter(view.SLOW)

    def _show(self, volume_ml):
        sale, v = self.sale, self.ctl.view
        v.volume_ml = volume_ml
        v.amount_fen = min(money.amount_fen(volume_ml, sale.price), sale.reserved_fen - 1)

    def stop(self, reason):
        """Shut everything; the sale ends when the flow has."""
        if self.state in _FLOWING or self.state == view.AUTHORISED:
            self.sale.reason = reason
            self._moved_ms = self.ctl.now_ms
            self._enter(view.STOPPING)
            self.drive()

    def cancel(self):
        """The customer's key: ends a sale in which nothing has flowed yet."""
        if self.state == view.AUTHORISED or self.state in _FLOWING and not self.ctl.view.volume_ml:
            self.stop(codes.STOP_CANCELLED)

    def _finish(self):
        ctl, sale = self.ctl, self.sale
        self._show(max(0, ctl.meters[sale.nozzle].volume_ml))
        over_ml = self._end_record(0)
        ctl.view.reason, ctl.view.flow_ml_s = sale.reason, 0
        if sale.closed_at_ml:
            ctl.cutoff.observe(sale.nozzle, sale.closed_at_ml, ctl.view.volume_ml, 0)
        ctl.sale_ended(sale, over_ml)
        self.settle_uid, self.sale = sale.uid, None
        ctl.view.notice = view.NOTICE_REINSERT if ctl.config.slot else view.NOTICE_TAP_TO_SETTLE
        self._enter(view.SETTLING)
        if ctl.present:
            ctl.want_job()

    def _end_record(self, flags):
        """Commit END. Returns the millilitres beyond the limit."""
        ctl, sale = self.ctl, self.sale
        meter = ctl.meters[sale.nozzle]
        start_ml, volume_ml, a, b, seconds = meter.total_ml, 0, 0, 0, 0
        if not flags:
            a, b = meter.pulses()
            volume_ml = meter.rebase()
            if sale.begun_ms:
                seconds = min(65535, ticks.diff(ctl.now_ms, sale.begun_ms) // 1000)
        amount_fen = min(money.amount_fen(volume_ml, sale.price), sale.reserved_fen - 1)
        over_ml = max(0, volume_ml - sale.limit_ml)
        seq = ctl.append(
            records.END,
            (sale.seq, sale.uid, sale.card_no, sale.counter, sale.nozzle, sale.grade, sale.reason, flags, sale.price,
             sale.tariff, sale.reserved_fen, amount_fen, volume_ml, start_ml, start_ml + volume_ml, a, b,
             min(65535, over_ml), seconds, min(65535, sale.flow_max)),
        )
        ctl.unsettled.add(
            (sale.seq, seq, sale.uid, sale.counter, sale.reserved_fen, amount_fen, flags != 0), ctl.journal.acked
        )
        return over_ml

    def drive(self, off=False):
        """Set the outputs that the state allows: everything off unless fuel is meant to flow."""
        o = self.ctl.outputs
        if off or self.state not in _FLOWING:
            o.motor = o.big = o.small = o.permit = 0
            o.threshold_nozzle = -1
            return
        sale = self.sale
        bit = 1 << sale.nozzle
        o.motor = o.small = bit
        o.big = bit if self.state == view.FUELLING else 0
        o.permit = 1
        if o.threshold_nozzle < 0:
            o.threshold_counts = self.ctl.meters[sale.nozzle].counts_for(sale.small_ml)
            o.threshold_nozzle = sale.nozzle

    # -- the simulation's hints
    def next_ms(self):
        """See Controller."""
        ctl, s, state = self.ctl, self.ctl.settings, self.state
        if state == view.STARTING:
            left = STARTING_MS - self._age()
        elif state in _FLOWING:
            left = s.no_flow_s * 1000 - ticks.diff(ctl.now_ms, self._moved_ms)
        elif state == view.STOPPING:
            left = QUIET_MS - ticks.diff(ctl.now_ms, self._moved_ms)
        elif state == view.AUTHORISED:
            left = s.lift_s * 1000 - self._age()
        elif state == view.SETTLING:
            left = s.grace_s * 1000 - self._age()
        elif state == view.CARD and not ctl.config.slot:
            left = SHOW_MS - self._age()
        else:
            left = IDLE_MS
        return max(0, min(left, IDLE_MS))

    def next_counts(self):
        """See Controller."""
        if self.state not in _FLOWING:
            return None
        sale = self.sale
        meter = self.ctl.meters[sale.nozzle]
        ml = min(sale.small_ml, self.ctl.checkpoint.next_ml)
        if self.state == view.FUELLING and meter.volume_ml < sale.big_ml:
            ml = min(ml, sale.big_ml)
        return sale.nozzle, meter.counts_for(ml)
