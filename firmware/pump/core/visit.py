"""One contact of a card with the pump, from the first frame to the last: unfinished business first, then a new sale.

The order of journal and card is the purse's safety: a record is committed before the command that depends on it.
ctl.unsettled holds the sales that ended here but whose unused money is not known to be back on the card, oldest first:
(sale_seq, end_seq, uid, counter, reserved_fen, amount_fen, uncertain). The card names its open sale itself, and the
journal or the station knows the end of it; the table serves the sales whose settlement or reservation got no answer.
"""

import desfire
from pump.core import card_layout, codes, limits, purse, records, sale, ticks, view

ASK_MS = 4000  # how long a customer waits with the card on the reader for the station's answer
LOAD_MS = 300  # ... and for the word that money waits for the card, which was asked for before the card was read
OTHER_CARD_MS = 10000  # after the end of a sale only its own card is taken
ROOM = 8 + sale.MOST_UNSETTLED  # records that a visit may have to write before a sale
END_WITHIN = 400  # records that may lie between START and END of a sale


def visit(ctl, uid):
    """Generator of native frames, or None for "wait a moment"; ctl is the Controller."""
    card = limits.Card(uid)
    session = desfire.Session()
    delivery = ctl.delivery
    if ctl.answers and ctl.answers.uid != uid:
        ctl.answers.left()
    loading = _ask_load(ctl, uid)
    try:
        yield from purse.read_card(session, card, ctl.config, ctl.issuer_mac, ctl.random(16))
        waiting = delivery.settle_uid if delivery.state == view.SETTLING else None
        if waiting and waiting != uid:
            _pass_on(ctl, card)
            waiting = None
        if ctl.journal.free < ROOM:
            raise purse.Refused(codes.REFUSE_JOURNAL_FULL, 0)
        _observe(ctl, card)
        if card.open_device:
            yield from _settle(ctl, session, card, records.HOW_SALE if waiting else records.HOW_NEXT_CONTACT)
            loading = _ask_load(ctl, uid)  # nothing is loaded while a reservation is open, and the question may be lost
        _show(ctl, card)
        if waiting:
            delivery.settled()
            return
        code, detail = ctl.listed(card)
        code = code or limits.refuse(card, ctl.config.station_no, ctl.now_s, ctl.quality)
        if not code and card.role:
            from pump.core import roles

            yield from roles.visit(ctl, session, card)
            return
        if ctl.locked or ctl.hazard:
            code = code or codes.REFUSE_LOCKED
        elif ctl.settings.duty_required and not any(ctl.duty[0]):
            code = code or codes.REFUSE_NO_DUTY
        if code:
            raise purse.Refused(code, detail)
        loaded = None
        if loading and card.kind != card_layout.KIND_ACCOUNT:
            loaded = yield from _load(ctl, loading)
        if loaded is not None:
            session = desfire.Session()
            yield from purse.read_card(session, card, ctl.config, ctl.issuer_mac, ctl.random(16))
            _show(ctl, card)
        may = yield from _may_fuel(ctl, session, card)
        if may and delivery.accept():
            if card.kind == card_layout.KIND_ACCOUNT:
                from pump.core import account

                code = yield from account.authorise(ctl, ask, card)
                if code:
                    raise purse.Refused(code, 0)
            if delivery.accept():  # the nozzle may have been hung up while the station was asked
                yield from _reserve(ctl, session, card)
        elif loaded and may:  # else the display asks for a PIN or for a driver
            ctl.view.notice, ctl.view.figures = view.NOTICE_LOADED, (loaded,)
    except purse.Refused as refused:
        ctl.refuse(card, refused.args[0], refused.args[1])
    except desfire.DesfireError as error:  # where nothing else is made of it
        ctl.refuse(card, codes.REFUSE_DAMAGED, error.status)


def _ask_load(ctl, uid):
    """Is money waiting for this card (D28)? Asked while the card is read, so that it costs the customer no time."""
    return _put(ctl, {"ask": "load", "uid": _hex(uid)}) if ctl.link_online else None


def _load(ctl, loading):
    """Generator: put money on the card that waits for it at the station. The fen that are known to be on it, or None if
    the card was left alone; otherwise it has to be read again."""
    answer = yield from _answer(ctl, loading, LOAD_MS)
    if not answer or not answer.get("frames"):
        return None
    from pump.core import relay

    return (yield from relay.load(ctl, ask, answer))


def _pass_on(ctl, card):
    """Another card while a sale waits for its own: its end is in the journal and in ctl.unsettled, so that any contact
    of that card settles it. For a moment its owner has the right of way, against cards mixed up."""
    d = ctl.delivery
    if not card.role:
        if ticks.diff(ctl.now_ms, d.since_ms) < OTHER_CARD_MS:
            raise purse.Refused(codes.REFUSE_OTHER_CARD, 0)
        d.settle_uid = None
        d.enter(view.IDLE)


def _may_fuel(ctl, session, card):
    """Generator: do the rules of the card itself allow it, and has its person answered what they ask? purse.Refused."""
    if card.usage:
        from pump.core import usage

        code = usage.check(card, ctl.now_s, ctl.quality, ctl.settings.min_sale_fen)
        if code:
            raise purse.Refused(code, 0)
    if not (any(card.digest) or card.rules or card.odometer_rule or card.kind == card_layout.KIND_DRIVER):
        return True
    if not ctl.config.slot and ctl.delivery.lifted() < 0 and card.kind != card_layout.KIND_DRIVER:
        return True  # this contact only shows the balance: nothing is asked for it
    from pump.core import prompts

    return (yield from prompts.ready(ctl, session, card))


def _show(ctl, card):
    ctl.view.card_no, ctl.view.balance_fen = card.card_no, card.balance_fen


def _observe(ctl, card):
    """Write what the card's counter tells about sales of ours that got no answer."""
    for seq, _, uid, counter, reserved_fen, amount_fen, uncertain in list(ctl.unsettled):
        if uid != card.uid or card.open_device == ctl.config.device and card.open_seq == seq:
            continue
        if card.counter > counter or card.counter == counter and not card.open_device:
            _settled(ctl, card, ctl.config.device, seq, counter, reserved_fen, amount_fen, records.HOW_OBSERVED)
        elif uncertain:
            ctl.append(records.VOID, (ctl.config.device, seq, card.uid, counter, records.HOW_NEXT_CONTACT))
            sale.forget(ctl, seq)


def _settle(ctl, session, card, how):
    """Step 5 for the reservation that is open on the card, whoever made it."""
    device, seq, reserved_fen = card.open_device, card.open_seq, card.open_fen
    end = None
    if device == ctl.config.device:
        end = _end_of(ctl, card)
    if end:
        nozzle, grade, reason, price, amount_fen, volume_ml = end[4], end[5], end[6], end[8], end[11], end[12]
    else:
        answer = yield from _unfinished(ctl, card)
        amount_fen, volume_ml, grade = answer["amount_fen"], answer["volume_ml"], answer["grade"] & 255
        nozzle, reason, price = 255, answer["reason"] & 255, answer["price"]
    if not 0 <= amount_fen < reserved_fen:
        raise purse.Refused(codes.REFUSE_UNFINISHED, 1)
    log = card_layout.pack_log(
        ctl.now_s, device, seq, card.counter, volume_ml, amount_fen, price, grade, nozzle, reason
    )
    try:
        yield from purse.settle(session, card, reserved_fen - amount_fen, log, amount_fen, volume_ml)
    except desfire.DesfireError as error:
        raise purse.Refused(codes.REFUSE_DAMAGED, error.status)
    _settled(ctl, card, device, seq, card.counter, reserved_fen, amount_fen, how)


def _settled(ctl, card, device, seq, counter, reserved_fen, amount_fen, how):
    returned_fen = reserved_fen - amount_fen
    ctl.append(
        records.SETTLED,
        (device, seq, card.uid, counter, reserved_fen, amount_fen, returned_fen, card.balance_fen, how),
    )
    if device == ctl.config.device:
        sale.forget(ctl, seq)


def _end_of(ctl, card):
    """Body of the END record of our sale that is open on the card, if the ring still holds it, else None."""
    sale_seq = card.open_seq
    for seq in range(sale_seq + 1, min(ctl.journal.head, sale_seq + END_WITHIN)):
        if not ctl.journal.read(seq, ctl.buffer):
            break
        if ctl.buffer[1] == records.END:  # sales of one point follow one another: the next END is this sale's
            body = records.body(ctl.buffer)
            same = (body[0], body[1], body[3], body[10]) == (sale_seq, card.uid, card.counter, card.open_fen)
            return body if same else None  # a pump whose flash was replaced has given the number to another sale
    return None


def _unfinished(ctl, card):
    """The station's answer about a sale of which we know no end. Refused if it knows none or does not answer."""
    sold = [card.open_device, card.open_seq]
    question = {"ask": "unfinished", "uid": _hex(card.uid), "sale": sold, "counter": card.counter}
    answer = None
    if ctl.link_online:
        ctl.view.notice = view.NOTICE_ASKING
        answer = yield from ask(ctl, question, ASK_MS)
    if not answer or answer.get("unknown") or answer.get("sale") != sold:
        raise purse.Refused(codes.REFUSE_UNFINISHED, 0)
    for name in ("amount_fen", "volume_ml", "grade", "price", "reason"):
        if type(answer.get(name)) is not int or not 0 <= answer[name] < 0x40000000:
            raise purse.Refused(codes.REFUSE_UNFINISHED, 2)
    return answer


def ask(ctl, question, timeout_ms):
    """Generator of nothing to send: the station's answer (a dict), None if it does not come in time."""
    return (yield from _answer(ctl, _put(ctl, question), timeout_ms))


def _put(ctl, question):
    """Put a question; returns its id. One that is still open is given up for it."""
    question["id"] = "%08x" % int.from_bytes(ctl.random(4), "big")
    ctl.answered, ctl.asking = None, question
    return question["id"]


def _answer(ctl, question_id, timeout_ms):
    asked_ms = ctl.uptime_ms
    while True:
        answer, ctl.answered = ctl.answered, None
        if answer and answer.get("id") == question_id:
            return answer
        if ctl.uptime_ms - asked_ms >= timeout_ms:
            ctl.asking = None
            return None
        yield None


def _hex(data):
    return "".join("%02x" % b for b in data)


def _reserve(ctl, session, card):
    """Step 1: journal, then debit and open reservation in one commit, then journal again."""
    new = sale.begin(ctl, card)  # START is committed
    try:
        yield from purse.reserve(session, card, ctl.config.device, new.seq, new.reserved_fen, ctl.now_s)
        new.commit_sent = True
        yield from session.commit()
    except desfire.DesfireError as error:
        raise purse.Refused(codes.REFUSE_DAMAGED, error.status)
    card.counter, card.balance_fen = new.counter, card.balance_fen - new.reserved_fen
    sale.reserved(ctl, new, card)  # RESERVED is committed: fuel may flow
    ctl.answers = None
    _show(ctl, card)
