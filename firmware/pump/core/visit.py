"""One contact of a card with the pump, from the first frame to the last: unfinished business first, then a new sale.

The order of journal and card is the purse's safety: a record is committed before the command that depends on it.
"""

import desfire
from pump.core import card_layout, codes, limits, purse, records, recovery, unsettled, view

ASK_MS = 4000  # how long a customer waits with the card on the reader for the station's answer


def visit(ctl, uid):
    """Generator of native frames, or None for "wait a moment"; ctl is the Controller."""
    card = limits.Card(uid)
    session = desfire.Session()
    try:
        yield from purse.open_card(session, card, ctl.config.pump_key, ctl.random(16))
        yield from purse.read_card(session, card, ctl.config.issuer, ctl.issuer_mac)
        ctl.delivery.card_read(card)
        waiting = ctl.delivery.waiting_uid()
        if waiting and waiting != uid:
            raise purse.Refused(codes.REFUSE_OTHER_CARD)
        _observe(ctl, card)
        if card.open_device:
            yield from _settle(ctl, session, card)
        if waiting:
            ctl.delivery.settled()
        else:
            code = limits.refuse(card, ctl.config.station_no, ctl.now_s, ctl.quality, ctl.blacklist)
            if code:
                raise purse.Refused(code)
            if ctl.delivery.accept(card):
                yield from _reserve(ctl, session, card)
    except purse.Refused as refused:
        ctl.refuse(card, refused.code, refused.detail)
    return card


def _observe(ctl, card):
    """Write what the card's counter tells about sales of ours that got no answer."""
    for sale in ctl.unsettled.of_card(card.uid):
        seq, counter = sale[unsettled.SALE], sale[unsettled.COUNTER]
        if card.open_device == ctl.config.device and card.open_seq == seq:
            continue
        if card.counter > counter or card.counter == counter and not card.open_device:
            _write_settled(ctl, card, ctl.config.device, seq, counter, sale[unsettled.RESERVED], sale[unsettled.AMOUNT],
                           records.HOW_OBSERVED)
        elif sale[unsettled.UNCERTAIN]:
            ctl.append(records.VOID, (ctl.config.device, seq, card.uid, counter, records.HOW_NEXT_CONTACT))
            ctl.unsettled.remove(seq)


def _settle(ctl, session, card):
    """Step 5 for the reservation that is open on the card, whoever made it."""
    device, seq, reserved_fen = card.open_device, card.open_seq, card.open_fen
    end = recovery.end_of(ctl.journal, seq, ctl.buffer) if device == ctl.config.device else None
    if end:
        nozzle, grade, reason, price, amount_fen, volume_ml = end[4], end[5], end[6], end[8], end[11], end[12]
    else:
        answer = yield from _ask(ctl, card)
        amount_fen, volume_ml = answer["amount_fen"], answer["volume_ml"]
        nozzle, grade, reason, price = 255, answer["grade"], answer["reason"], answer["price"]
    if not 0 <= amount_fen < reserved_fen:
        raise purse.Refused(codes.REFUSE_UNFINISHED, 1)
    log = card_layout.pack_log(
        ctl.now_s, device, seq, card.counter, volume_ml, amount_fen, price, grade, nozzle, reason
    )
    try:
        yield from purse.settle(session, card, reserved_fen - amount_fen, log)
    except desfire.DesfireError as error:
        raise purse.Refused(codes.REFUSE_DAMAGED, error.status)
    how = records.HOW_SALE if ctl.delivery.waiting_uid() else records.HOW_NEXT_CONTACT
    _write_settled(ctl, card, device, seq, card.counter, reserved_fen, amount_fen, how)
    ctl.delivery.card_read(card)


def _write_settled(ctl, card, device, seq, counter, reserved_fen, amount_fen, how):
    returned_fen = reserved_fen - amount_fen
    ctl.append(
        records.SETTLED,
        (device, seq, card.uid, counter, reserved_fen, amount_fen, returned_fen, card.balance_fen, how),
    )
    if device == ctl.config.device:
        ctl.unsettled.remove(seq)


def _ask(ctl, card):
    """The station's answer about a sale of which we know no end. Refused if it knows none or does not answer."""
    if not ctl.ask_unfinished(card):
        raise purse.Refused(codes.REFUSE_UNFINISHED)
    ctl.view.notice = view.NOTICE_ASKING
    asked_ms = ctl.uptime_ms
    while ctl.answered is None and ctl.uptime_ms - asked_ms < ASK_MS:
        yield None
    answer = ctl.take_answer()
    if answer is None:
        raise purse.Refused(codes.REFUSE_UNFINISHED)
    return answer


def _reserve(ctl, session, card):
    """Step 1: journal, then debit and open reservation in one commit, then journal again."""
    sale = ctl.delivery.begin(card)  # START is committed
    try:
        yield from purse.reserve(session, card, ctl.config.device, sale.seq, sale.reserved_fen, ctl.now_s)
        sale.commit_sent = True
        yield from session.commit()
    except desfire.DesfireError as error:
        raise purse.Refused(codes.REFUSE_DAMAGED, error.status)
    ctl.delivery.reserved(card)  # RESERVED is committed: fuel may flow
