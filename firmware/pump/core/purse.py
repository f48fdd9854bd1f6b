"""What pump and card say to each other about money: generators of native DESFire frames (docs/card-format.md).

Each is one part of a visit and leaves the order of journal and card to its caller. Nothing holds on the card before
CommitTransaction.
"""

import an10922
import desfire
from pump.core import card_layout, codes, limits


class Refused(Exception):  # noqa: N818 - the answer "no", not a fault
    def __init__(self, code, detail=0):
        super().__init__(code)
        self.code = code
        self.detail = detail


def open_card(session, card, pump_key, random16):
    """Select the application and prove to each other that pump and card know the card's pump key."""
    try:
        yield from session.select(card_layout.AID)
        key = an10922.diversify(pump_key, card.uid, card_layout.AID, card_layout.SYSTEM)
        yield from session.authenticate(card_layout.KEY_PUMP, key, random16)
    except desfire.DesfireError as error:
        if error.status == desfire.NO_SUCH_APPLICATION:
            raise Refused(codes.REFUSE_NOT_A_PURSE)
        if error.status == desfire.AUTHENTICATION_ERROR:
            raise Refused(codes.REFUSE_WRONG_KEY)
        raise Refused(codes.REFUSE_DAMAGED, error.status)


def read_card(session, card, issuer, issuer_mac):
    """Identity, limits, state and balance into card. Refused if something does not fit."""
    try:
        data = yield from session.read_data(card_layout.FILE_IDENTITY, 0, card_layout.IDENTITY_SIZE)
        code = limits.take_identity(card, data, issuer, issuer_mac)
        if not code:
            data = yield from session.read_data(card_layout.FILE_LIMITS, 0, card_layout.LIMITS_SIZE)
            code = limits.take_limits(card, data, issuer_mac)
        if code:
            raise Refused(code)
        state = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
        card.set_state(*card_layout.unpack_state(state))
        card.balance_fen = yield from session.get_value(card_layout.FILE_PURSE)
    except desfire.DesfireError as error:
        raise Refused(codes.REFUSE_DAMAGED, error.status)
    except ValueError:
        raise Refused(codes.REFUSE_DAMAGED)


def reserve(session, card, device, sale_seq, reserved_fen, time_s):
    """Step 1 of a sale up to the commit, which the caller sends."""
    yield from session.debit(card_layout.FILE_PURSE, reserved_fen)
    state = card_layout.pack_state(
        card.counter + 1, device, sale_seq, reserved_fen, time_s, card.last_load, card.tries
    )
    yield from session.write_data(card_layout.FILE_STATE, 0, state)


def settle(session, card, returned_fen, log):
    """Step 5 with its commit: give the unused money back, close the reservation, write the card's own log."""
    yield from session.limited_credit(card_layout.FILE_PURSE, returned_fen)
    state = card_layout.pack_state(card.counter, 0, 0, 0, 0, card.last_load, card.tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    yield from session.write_record(card_layout.FILE_LOG, log)
    yield from session.commit()
    card.balance_fen += returned_fen
    card.open_device = 0
