"""What pump and card say to each other about money: generators of native DESFire frames (docs/card-format.md).

Each is one part of a visit and leaves the order of journal and card to its caller. Nothing holds on the card before
CommitTransaction.
"""

import an10922
import desfire
from pump.core import card_layout, codes
from pump.core.refused import Refused as Refused  # who asks the purse finds it here


def read_card(session, card, config, issuer_mac, random16):
    """Prove to each other that pump and card know the card's pump key, then read identity, limits, state and balance.

    issuer_mac: a cmac.Cmac under the issuer's key. Refused if something does not fit.
    """
    try:
        yield from session.select(card_layout.AID)
        key = an10922.diversify(config.pump_key, card.uid, card_layout.AID, card_layout.SYSTEM)
        yield from session.authenticate(card_layout.KEY_PUMP, key, random16)
        data = yield from session.read_data(card_layout.FILE_IDENTITY, 0, card_layout.IDENTITY_SIZE)
        if issuer_mac.of(card.uid + data[: card_layout.IDENTITY_SIGNED]) != data[card_layout.IDENTITY_SIGNED :]:
            raise ValueError("mac")
        card.kind, issuer, card_no, card.company, card.grades, card.expiry, _, _, flags = card_layout.unpack_identity(
            data
        )
        card.card_no = bytes(card_no)
        if issuer != config.issuer:
            raise Refused(codes.REFUSE_WRONG_ISSUER, issuer)
        data = yield from session.read_data(card_layout.FILE_LIMITS, 0, card_layout.LIMITS_SIZE)
        if issuer_mac.of(card.uid + data[: card_layout.LIMITS_SIGNED]) != data[card_layout.LIMITS_SIGNED :]:
            raise ValueError("mac")
        (
            card.plate, card.fill_ml, card.day_fen, card.day_fills, card.stations, card.hours, card.salt, card.digest,
            card.odometer_rule, card.rules,
        ) = card_layout.unpack_limits(data)  # fmt: skip
        data = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
        card.counter, card.open_device, card.open_seq, card.open_fen, _, card.last_load, card.tries = (
            card_layout.unpack_state(data)
        )
        if card.day_fen or card.day_fills or card.odometer_rule:
            if not flags & card_layout.FLAG_USAGE:
                raise ValueError("no usage file")
            data = yield from session.read_data(card_layout.FILE_USAGE, 0, card_layout.USAGE_SIZE)
            card.usage = card_layout.unpack_usage(data)
        card.balance_fen = yield from session.get_value(card_layout.FILE_PURSE)
    except desfire.DesfireError as error:
        if error.status == desfire.NO_SUCH_APPLICATION:
            raise Refused(codes.REFUSE_NOT_A_PURSE, 0)
        if error.status == desfire.AUTHENTICATION_ERROR:
            raise Refused(codes.REFUSE_WRONG_KEY, 0)
        raise Refused(codes.REFUSE_DAMAGED, error.status)
    except ValueError:
        raise Refused(codes.REFUSE_DAMAGED, 0)


def reserve(session, card, device, sale_seq, reserved_fen, time_s):
    """Step 1 of a sale up to the commit, which the caller sends. An account's card holds no money: none is taken."""
    if card.kind != card_layout.KIND_ACCOUNT:
        yield from session.debit(card_layout.FILE_PURSE, reserved_fen)
    state = card_layout.pack_state(card.counter + 1, device, sale_seq, reserved_fen, time_s, card.last_load, card.tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    if card.usage:
        yield from session.write_data(card_layout.FILE_USAGE, 0, card_layout.pack_usage(*card.usage))


def settle(session, card, returned_fen, log, amount_fen, volume_ml):
    """Step 5 with its commit: give the unused money back, close the reservation, write the card's own log and usage."""
    if card.kind != card_layout.KIND_ACCOUNT:
        yield from session.limited_credit(card_layout.FILE_PURSE, returned_fen)
    state = card_layout.pack_state(card.counter, 0, 0, 0, 0, card.last_load, card.tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    used = None
    if card.usage:
        from pump.core import usage

        used = usage.after(card.usage, amount_fen, volume_ml)
        yield from session.write_data(card_layout.FILE_USAGE, 0, card_layout.pack_usage(*used))
    yield from session.write_record(card_layout.FILE_LOG, log)
    yield from session.commit()
    if card.kind != card_layout.KIND_ACCOUNT:
        card.balance_fen += returned_fen
    card.usage = used
    card.open_device = 0


def count_try(session, card, tries):
    """Commit the number of wrong PINs in a row. Only while no reservation is open on the card."""
    state = card_layout.pack_state(card.counter, 0, 0, 0, 0, card.last_load, tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    yield from session.commit()
    card.tries = tries
