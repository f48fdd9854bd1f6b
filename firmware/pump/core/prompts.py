"""What a card asks of the person who shows it, before it may fuel: its PIN, a driver's card, the kilometres.

No card waits for keys: a visit that lacks an answer opens a dialog and ends. What was answered stands in ctl.answers
until a sale begins, another card comes or ANSWER_MS pass, and the next contact of the card goes on from there: at
once while it is in the slot, at its next tap otherwise. A board loads this module only for cards with such rules.
"""

from pump.core import card_layout, codes, ticks, view
from pump.core.refused import Refused

PIN_DIGITS = 6
ODOMETER_DIGITS = 7
PAIR_MS = 60000  # so long after a driver's card the vehicle's is taken
NO_PIN = bytes(8)


class Answers:
    """To the card uid. driver: (card_no, company, when_ms) of a driver's card that was shown before."""

    def __init__(self, ctl, uid, driver=None):
        self.ctl = ctl
        self.uid = uid
        self.driver = driver
        self.dialog = None  # the one that was opened for this card
        self.pin = self.odometer_km = None
        self.known = self.doubted = False  # PIN was right; kilometres refused once
        self.at_ms = ctl.now_ms

    def ask(self, notice, digits, name, hidden=False):
        """Open the dialog whose answer becomes self.<name>."""
        from pump.core import dialog

        def done(number):
            ctl = self.ctl
            if number.cancelled:
                ctl.answers = None
                return
            setattr(self, name, number.text if hidden else number.value)
            self.at_ms = ctl.now_ms
            if ctl.present == self.uid:
                ctl.job_wanted = True
            else:
                ctl.view.notice = view.NOTICE_TAP_AGAIN

        self.at_ms = self.ctl.now_ms
        self.dialog = dialog.Number(self.ctl, notice, digits, hidden, done)

    def left(self):
        """The card was pulled out of the slot: only a driver's card leaves something behind."""
        if self.dialog and self.ctl.dialog is self.dialog:
            self.dialog.close()
        self.pin = self.odometer_km = None
        self.known = False

    def forget(self):
        """Too late, or another card has come: nothing of it counts any more."""
        self.left()
        self.ctl.answers = None


def pin_digest(issuer_mac, uid, salt, pin):
    """What stands on the card for a PIN: 8 bytes of AES-CMAC under the issuer's key, so that nobody without it can try
    PINs against a card's content. pin: its digits."""
    return issuer_mac.of(uid + b"PIN" + salt + pin.encode())[:8]


def ready(ctl, session, card):
    """Generator: True if nothing is missing. False: the person was asked, the visit is over. Refused."""
    answers = ctl.answers
    if not answers or answers.uid != card.uid:
        answers = ctl.answers = Answers(ctl, card.uid, answers and answers.driver)
    answers.at_ms = ctl.now_ms
    if ctl.dialog:
        if ctl.dialog is answers.dialog:
            answers.dialog.show()
        return False
    if card.rules & card_layout.RULE_DRIVER:
        if not answers.driver or ticks.diff(ctl.now_ms, answers.driver[2]) >= PAIR_MS:
            answers.driver = None
            ctl.view.notice = view.NOTICE_DRIVER
            return False
        if answers.driver[1] != card.company:
            answers.driver = None
            raise Refused(codes.REFUSE_PAIR, card.company)
        card.driver_no = answers.driver[0]
    if answers.known:
        card.tries = 0  # should the commit that forgives them have been torn, the reservation's takes its place
    elif card.digest != NO_PIN and not (yield from _pin(ctl, session, card, answers)):
        return False
    if card.kind == card_layout.KIND_DRIVER:
        answers.driver = card.card_no, card.company, ctl.now_ms
        ctl.view.notice = view.NOTICE_VEHICLE
        ctl.outputs.buzzer = view.BEEP_OK
        return False
    return not card.odometer_rule or _odometer(ctl, card, answers)


def _pin(ctl, session, card, answers):
    if card.tries >= card_layout.MOST_TRIES:
        raise Refused(codes.REFUSE_PIN_BLOCKED, card.tries)
    pin, answers.pin = answers.pin, None
    if pin is not None:
        from pump.core import purse  # what is asked lasts longer in memory than the purse

        # The try is on the card before anyone learns whether it was right: a card torn away keeps it.
        yield from purse.count_try(session, card, card.tries + 1)
        if pin_digest(ctl.issuer_mac, card.uid, card.salt, pin) == card.digest:
            answers.known = True
            yield from purse.count_try(session, card, 0)
            return True
        ctl.refuse(card, codes.REFUSE_PIN, card_layout.MOST_TRIES - card.tries)
        if card.tries >= card_layout.MOST_TRIES:
            return False
    ctl.view.figures = (card_layout.MOST_TRIES - card.tries,)
    answers.ask(view.NOTICE_PIN, PIN_DIGITS, "pin", True)
    return False


def _odometer(ctl, card, answers):
    """Not back, and not further than a tank may carry between two fills; asked once more before it is refused."""
    last_km, now_km = card.usage[4], answers.odometer_km
    if now_km is not None:
        if not last_km or 0 <= now_km - last_km <= card.odometer_rule * card_layout.ODOMETER_STEP_KM:
            card.odometer_km = now_km
            card.usage = card.usage[:4] + (now_km,)
            return True
        answers.odometer_km = None
        if answers.doubted:
            ctl.answers = None
            raise Refused(codes.REFUSE_ODOMETER, now_km)
        answers.doubted = True
        ctl.outputs.buzzer = view.BEEP_REFUSED
    answers.ask(view.NOTICE_ODOMETER, ODOMETER_DIGITS, "odometer_km")
    return False
