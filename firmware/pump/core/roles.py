"""Cards of the people who work at the station: on and off duty, day close, out of service and back, test, service."""

from pump.core import card_layout, codes, records, ticks, view
from pump.core.refused import Refused

AGAIN_MS = 5000  # a card that flutters on the reader does not go on and off duty


def visit(ctl, session, card):
    """Generator: what this card does here. It was found good; nothing is open on it. Refused."""
    if ctl.role_uid == card.uid and ticks.diff(ctl.now_ms, ctl.role_ms) < AGAIN_MS:
        return
    if card.kind != card_layout.KIND_STAFF or any(card.digest):
        from pump.core import prompts

        if not (yield from prompts.ready(ctl, session, card)):
            return
    ctl.role_uid, ctl.role_ms = card.uid, ctl.now_ms
    if card.kind == card_layout.KIND_STAFF:
        ctl.answers = None  # as long as they stand, their module stays in memory
        _duty(ctl, card)
    elif card.kind == card_layout.KIND_MANAGER:
        _manager(ctl, card)
    elif card.kind == card_layout.KIND_TEST or card.kind == card_layout.KIND_SERVICE:
        from pump.core import prover

        prover.serve(ctl, card)
    else:
        raise Refused(codes.REFUSE_ROLE, card.kind)


def shift_record(ctl, uid, event):
    """SHIFT: totalizers, who is on duty, and what was sold since that shift began."""
    totals = [m.total_ml for m in ctl.meters] + [0, 0, 0]
    return ctl.append(records.SHIFT, (uid, event) + tuple(totals[:4]) + tuple(ctl.duty))


def _duty(ctl, card):
    """On duty, or off again; whoever was on duty before is relieved."""
    before, shift = ctl.duty[0], ctl.duty[1]
    ctl.outputs.buzzer = view.BEEP_OK
    if any(before):
        shift_record(ctl, card.uid, codes.SHIFT_OFF)
        ctl.view.notice, ctl.view.figures = view.NOTICE_OFF_DUTY, tuple(ctl.duty[1:])
        ctl.duty = [bytes(8), shift, 0, 0, 0]
    if before != card.card_no:
        ctl.duty = [card.card_no, shift + 1, 0, 0, 0]
        shift_record(ctl, card.uid, codes.SHIFT_ON)
        ctl.view.notice, ctl.view.figures = view.NOTICE_ON_DUTY, (shift + 1,)


def _manager(ctl, card):
    """A locked pump is opened again; one that works offers its menu."""
    if ctl.locked & ~view.LOCK_METER:
        ctl.pulser_faults = ctl.overruns = 0
        ctl.lock(ctl.locked & view.LOCK_METER)
        ctl.view.notice, ctl.outputs.buzzer = view.NOTICE_UNLOCKED, view.BEEP_OK
        return
    ctl.answers.dialog = Menu(ctl, card.uid)


class Menu:
    """1 closes the day, 2 takes the pump out of service, any other key leaves."""

    def __init__(self, ctl, uid):
        self.ctl, self.uid = ctl, uid
        ctl.dialog = self
        self.show()

    def show(self):
        self.ctl.view.notice, self.ctl.view.figures = view.NOTICE_MENU, (view.MENU_MANAGER,)

    def key(self, ch):
        ctl = self.ctl
        ctl.dialog = None
        ctl.view.notice = view.NOTICE_NONE
        if ch == "1":
            shift_record(ctl, self.uid, codes.SHIFT_DAY)
            ctl.view.notice = view.NOTICE_DAY_CLOSED
        elif ch == "2":
            ctl.lock(ctl.locked | view.LOCK_REMOTE)

    def close(self):
        self.key("*")
