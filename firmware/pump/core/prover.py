"""Test measures, the prover and the calibration of a nozzle, led at the keypad by who holds a test or service card.

1 draws once, 2 draws three times into the prover and proposes a factor, 3 types a factor, 4 opens a pump that its meter
has locked (3 and 4 with a service card). A draw is a sale without money: lift, `#`, draw, hang up, type what the prover
shows in ml, `#` (or `*`: no prover was there). The factor changes only while the seal is open (D8, D14, D24).

Limits from JJG 443-2023 and GB/T 9081-2023: +-0.30 %, repeatability (greatest less least error) 0.10 %, lock after five
measures in a row beyond +-0.6 %. A board loads this module for such cards only.
"""

from pump.core import (
    alarms,
    card_layout,
    codes,
    cutoff,
    journal,
    linkside,
    metering,
    records,
    sale,
    ticks,
    view,
)

MOST_ERROR_PPM = 3000
MOST_SPREAD_PPM = 1000
LOCK_ERROR_PPM, LOCK_MEASURES = 6000, 5
ABSURD_PPM = 100000  # nobody's meter is ten percent off: a slip of the finger
RUNS = 3
HOLDS_MS = 180000  # an unattended wizard gives no fuel
_DIGITS = 6


def serve(ctl, card):
    """A test or service card was read and found good: its menu takes the keys."""
    if ctl.dialog:
        ctl.dialog.close()
    Wizard(ctl, card)


class Wizard:
    """The dialog of one card; figures and notices go to ctl.view."""

    def __init__(self, ctl, card):
        self.ctl, self.card = ctl, card
        self._keys(self)
        self._menu()

    def _keys(self, who):
        """Who takes them now; it goes when this card's time is over (core/prompts.py)."""
        self.ctl.dialog = who
        if self.ctl.answers:
            self.ctl.answers.dialog = who

    def _menu(self):
        self.act = self._choose
        self.run, self.errors = 0, []
        service = self.card.kind == card_layout.KIND_SERVICE
        self._tell(view.NOTICE_MENU, (view.MENU_SERVICE if service else view.MENU_TEST,))

    def _tell(self, notice, figures):
        self._told = notice, figures
        self.show()

    def key(self, ch):
        ctl = self.ctl
        if ctl.delivery.sale:
            if ch == "*":
                ctl.delivery.stop(codes.STOP_TEST)
        elif ticks.diff(ctl.now_ms, self.at_ms) >= HOLDS_MS:
            self.close()
        elif ch == "*" and self.act == self._choose:
            self.close()
        elif ch == "*":
            self._menu()
        else:
            self.act(ch)

    def close(self):
        ctl = self.ctl
        if ctl.dialog is self:
            ctl.dialog = None
            ctl.view.notice, ctl.view.figures = view.NOTICE_NONE, ()

    def show(self):
        """What is wanted from the person; again, when the card comes again. From here on it has its time."""
        ctl = self.ctl
        ctl.view.notice, ctl.view.figures = self._told
        self.at_ms = ctl.now_ms
        if ctl.answers:
            ctl.answers.at_ms = ctl.now_ms + HOLDS_MS & ticks.MASK

    # -- the menu
    def _choose(self, ch):
        if ch == "1" or ch == "2":
            self.three = ch == "2"
            self._wait()
        elif ch in "34" and self.card.kind == card_layout.KIND_SERVICE:
            if not self._sealed():
                self._typed_factor() if ch == "3" else self._unlock()

    def _sealed(self):
        """True, said and written down, if the seal is shut."""
        ctl = self.ctl
        if not ctl.inputs.seal_open:
            ctl.refuse(self.card, codes.REFUSE_SEAL, 0)
            self._tell(view.NOTICE_SEAL, ())
            return True
        return False

    def _unlock(self):
        ctl = self.ctl
        for n in range(len(ctl.meters)):
            ctl.meters[n].beyond = 0
            alarms.put(ctl, codes.ALARM_METER_LOCK, n, False)
        alarms.put(ctl, codes.ALARM_METER_LOCK, alarms.NONE, False)
        if ctl.strangers:  # the meters and the board that are here now are the right ones from here on
            ctl.meter_id, ctl.strangers = ctl.config.meter_id, 0
            keep_identity(ctl)
        ctl.lock(ctl.locked & ~view.LOCK_METER)
        self.close()
        ctl.view.notice, ctl.outputs.buzzer = view.NOTICE_UNLOCKED, view.BEEP_OK

    def _nozzle(self):
        """The nozzle that is up, else said."""
        nozzle = self.ctl.delivery.lifted()
        if nozzle < 0:
            self._tell(view.NOTICE_HANG_UP if self.ctl.inputs.lifted else view.NOTICE_LIFT, ())
        return nozzle

    def _typed_factor(self):
        """Seven digits: 1000000 + ppm, of the nozzle that is up."""
        nozzle = self._nozzle()
        if nozzle >= 0:
            from pump.core import dialog

            old_ppm = self.ctl.meters[nozzle].factor_ppm

            def done(number):
                self._again()
                if not number.cancelled:
                    new_ppm = number.value - metering.PPM
                    if abs(new_ppm) <= metering.MOST_FACTOR_PPM and not self._sealed():
                        set_factor(self.ctl, nozzle, new_ppm, 0, 0, self.card, codes.FACTOR_TYPED)

            self._keys(dialog.Number(self.ctl, view.NOTICE_FACTOR, 7, False, done))
            self.ctl.view.figures = (0, 0, old_ppm)

    def _again(self):
        """Back in charge of the keys after a number was typed."""
        self._keys(self)
        self._menu()

    # -- a draw
    def _wait(self):
        self.act = self._draw
        self._tell(view.NOTICE_TEST, (self.run + 1,))

    def _draw(self, ch):
        ctl = self.ctl
        delivery = ctl.delivery
        if ch != "#":
            return
        full = ctl.journal.free <= journal.RESERVE + sale.SALE_RECORDS
        if full or ctl.locked or ctl.hazard or delivery.reserving:
            ctl.refuse(self.card, codes.REFUSE_JOURNAL_FULL if full else codes.REFUSE_LOCKED, 0)
            return
        nozzle = self._nozzle()
        if nozzle < 0 or delivery.state not in (view.IDLE, view.NOZZLE, view.CARD, view.SETTLING):
            return
        delivery.settle_uid = None  # a sale that still waits for its card is settled at that card's next contact
        new = sale.Sale(self.card.uid, self.card.card_no, 0, nozzle, ctl.config.grades[nozzle], 0)
        new.kind, new.reserved_fen, new.limit_reason = card_layout.KIND_TEST, 1, codes.STOP_TEST
        v = ctl.view
        new.limit_ml = v.preset_value if v.preset_kind == codes.PRESET_VOLUME else ctl.settings.max_sale_ml
        new.big_ml, new.small_ml = cutoff.close_at(ctl, nozzle, new.limit_ml)
        alarms.flush_leak(ctl, nozzle)
        if ctl.journal.erased < sale.SALE_RECORDS:
            ctl.journal.idle_work()
        new.seq = measure(ctl, new, 0, 0, 0, codes.TEST_RETURN, self.run + 1, 0, 0)
        ctl.checkpoint.begin(new.seq, nozzle)
        delivery.authorised(new)
        self._tell(view.NOTICE_TEST, (self.run + 1,))

    def drawn(self, new, volume_ml):
        """The draw has ended: what does the prover show?"""
        self.sold, self.indicated_ml = new, volume_ml
        if not volume_ml:
            self._wait()
            return

        def done(number):
            self._keys(self)
            if number.cancelled:
                self._menu()
            else:
                self._read(number.value)

        from pump.core import dialog

        self._tell(view.NOTICE_PROVER, (self.run + 1, volume_ml))
        self._keys(dialog.Number(self.ctl, view.NOTICE_PROVER, _DIGITS, False, done))

    def _read(self, prover_ml):
        """What was typed: the error of this run."""
        error = metering.error_ppm(self.indicated_ml, prover_ml) if prover_ml else ABSURD_PPM
        if abs(error) >= ABSURD_PPM:
            self.ctl.outputs.buzzer = view.BEEP_REFUSED
            self.drawn(self.sold, self.indicated_ml)
            return
        self.run += 1
        self.errors.append(error)
        measure(self.ctl, self.sold, self.indicated_ml, 0, 0, codes.TEST_PROVER, self.run, prover_ml, error)
        judge(self.ctl, self.sold.nozzle, error)
        if not self.three or self.ctl.locked:
            self._menu()
            self.ctl.view.figures += (error,)
        elif self.run < RUNS:
            self._wait()
        else:
            self._propose()

    def _propose(self):
        """No factor is proposed for a meter that does not repeat itself."""
        self.mean = metering.mean_ppm(self.errors)
        self.spread = max(self.errors) - min(self.errors)
        self.new_ppm = metering.corrected_ppm(self.ctl.meters[self.sold.nozzle].factor_ppm, self.mean)
        if self.spread > MOST_SPREAD_PPM or abs(self.new_ppm) > metering.MOST_FACTOR_PPM:
            self.new_ppm = None
        self.act = self._accept
        figures = self.mean, self.spread
        self._tell(view.NOTICE_FACTOR, figures if self.new_ppm is None else figures + (self.new_ppm,))

    def _accept(self, ch):
        if ch != "#":
            return
        if self.new_ppm is None:
            self._menu()
        elif not self._sealed():
            set_factor(self.ctl, self.sold.nozzle, self.new_ppm, self.mean, self.spread, self.card, codes.FACTOR_PROVER)
            self._menu()


def measure(ctl, test, volume_ml, pulses_a, pulses_b, how, run, prover_ml, error):
    """TEST_MEASURE. TEST_RETURN: a draw begins (volume 0) or has ended; TEST_PROVER: what the prover said of the draw
    that ended last, whose litres are in the totalizer already, so that volume_ml is 0 there and the totals tell."""
    total_ml = ctl.meters[test.nozzle].total_ml
    flowed_ml = volume_ml if how == codes.TEST_RETURN else 0
    return ctl.append(
        records.TEST_MEASURE,
        (test.nozzle, test.grade, flowed_ml, total_ml - volume_ml, total_ml, pulses_a, pulses_b, test.uid,
         test.card_no, how, run, prover_ml, error),
    )  # fmt: skip


def drawn(ctl, test, volume_ml, pulses_a, pulses_b):
    """The flow of a test measure has ended (core/delivery.py); volume_ml is in the totalizer."""
    run = ctl.dialog.run + 1 if ctl.dialog else 1
    measure(ctl, test, volume_ml, pulses_a, pulses_b, codes.TEST_RETURN, run, 0, 0)
    delivery = ctl.delivery
    delivery.sale = None
    ctl.view.reason, ctl.view.flow_ml_s = codes.STOP_TEST, 0
    delivery.enter(view.IDLE)
    if ctl.dialog:
        ctl.dialog.drawn(test, volume_ml)


def judge(ctl, nozzle, error):
    """Five measures in a row beyond the limit lock the pump."""
    meter = ctl.meters[nozzle]
    meter.beyond = meter.beyond + 1 if abs(error) > LOCK_ERROR_PPM else 0
    alarms.put(ctl, codes.ALARM_METER_LOCK, nozzle, meter.beyond, meter.beyond)
    if meter.beyond >= LOCK_MEASURES:
        ctl.lock(ctl.locked | view.LOCK_METER)


def set_factor(ctl, nozzle, new_ppm, error, spread, card, how):
    """A new calibration, first in the journal, then in the meter."""
    meter = ctl.meters[nozzle]
    alarms.flush_leak(ctl, nozzle)
    event = meter.events + 1 & 0xFFFF
    if ctl.append(
        records.CALIBRATION,
        (nozzle, event, meter.factor_ppm, new_ppm, error, spread, card.uid, card.card_no, how),
    ):
        meter.old_ppm, meter.factor_ppm = meter.factor_ppm, new_ppm
        meter.events, meter.beyond = event, 0
        alarms.put(ctl, codes.ALARM_METER_LOCK, nozzle, False)
        ctl.outputs.buzzer = view.BEEP_OK


def keep_identity(ctl):
    """SETTING: the crc of board and meters that belong together, and the starts that saw another one."""
    ctl.append(records.SETTING, (ctl.settings.version, linkside.METER_ID, ctl.strangers, ctl.meter_id))
