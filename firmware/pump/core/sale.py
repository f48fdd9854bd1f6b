"""One sale on paper: its limits, and the records that begin and end it. ctl is the Controller."""

from pump.core import alarms, codes, cutoff, journal, money, records
from pump.core.refused import Refused

MOST_UNSETTLED = 24
LEAST_PRESET_ML = 1000  # below it the meter is not good for its accuracy
SALE_RECORDS = 12  # that a sale may write, alarms included


class Sale:
    """limit_ml is the least of all limits, limit_reason tells which one."""

    def __init__(self, uid, card_no, counter, nozzle, grade, price):
        self.uid = uid
        self.card_no = card_no
        self.counter = counter
        self.nozzle = nozzle
        self.grade = grade
        self.price = price
        self.seq = self.tariff = self.reserved_fen = self.limit_ml = self.limit_reason = self.big_ml = self.small_ml = 0
        self.reason = self.begun_ms = self.flow_max = 0
        self.kind = self.lease = 0
        # core/cutoff.py: flow with the big valve open (0: not measured), where it closed, what came in SETTLE_MS after
        self.flow_ml_s, self.big_at_ml, self.run_ml = 0, -1, -1
        self.commit_sent = False


def _limits(ctl, sale, card):
    """The least of card, preset and settings, in money and in volume."""
    s, v = ctl.settings, ctl.view
    fen, fen_reason = card.balance_fen - 1, codes.STOP_CARD_LIMIT
    ml, ml_reason = s.max_sale_ml, codes.STOP_MAXIMUM
    if fen < s.min_sale_fen:
        raise Refused(codes.REFUSE_BALANCE, 0)
    fen = min(fen, card.most_fen)
    if fen > s.max_sale_fen:
        fen, fen_reason = s.max_sale_fen, codes.STOP_MAXIMUM
    if v.preset_kind == codes.PRESET_MONEY and v.preset_value <= fen:
        fen, fen_reason = v.preset_value, codes.STOP_PRESET
    if 0 < card.fill_ml < ml:
        ml, ml_reason = card.fill_ml, codes.STOP_CARD_VOLUME
    if v.preset_kind == codes.PRESET_VOLUME and v.preset_value <= ml:
        ml, ml_reason = v.preset_value, codes.STOP_PRESET
    by_money_ml = money.volume_for_amount_ml(fen, sale.price)
    if v.preset_kind == codes.PRESET_MONEY and money.volume_for_amount_ml(v.preset_value, sale.price) < LEAST_PRESET_ML:
        raise Refused(codes.REFUSE_LIMIT, v.preset_value)
    if ml < by_money_ml:
        sale.reserved_fen, sale.limit_ml, sale.limit_reason = money.amount_fen(ml, sale.price) + 1, ml, ml_reason
    else:
        sale.reserved_fen, sale.limit_ml, sale.limit_reason = fen + 1, by_money_ml, fen_reason


def begin(ctl, card):
    """Work out the limits and commit START. Refused if there is nothing that may be sold."""
    nozzle = ctl.delivery.lifted()
    grade = ctl.config.grades[nozzle]
    price = ctl.prices.get(grade, 0)
    if not card.grades >> grade & 1:
        raise Refused(codes.REFUSE_GRADE, 0)
    if not price:
        raise Refused(codes.REFUSE_NO_PRICE, 0)
    if ctl.journal.free <= journal.RESERVE or (
        len(ctl.unsettled) >= MOST_UNSETTLED and ctl.unsettled[0][1] > ctl.journal.acked
    ):
        raise Refused(codes.REFUSE_JOURNAL_FULL, 0)
    sale = Sale(card.uid, card.card_no, card.counter + 1, nozzle, grade, price)
    _limits(ctl, sale, card)
    sale.big_ml, sale.small_ml = cutoff.close_at(ctl, nozzle, sale.limit_ml)
    sale.tariff, sale.kind, sale.lease = ctl.tariff, card.kind, card.lease
    alarms.flush_leak(ctl, nozzle)
    if ctl.journal.erased < SALE_RECORDS:
        ctl.journal.idle_work()  # now, with the valves shut, rather than in the middle of the sale
    sale.seq = ctl.append(
        records.START,
        (card.uid, card.card_no, sale.counter, sale.reserved_fen, nozzle, grade, price, sale.tariff,
         ctl.meters[nozzle].total_ml, card.balance_fen, ctl.view.preset_kind, ctl.view.preset_value, card.plate,
         card.kind, card.lease, card.driver_no, card.odometer_km),
    )  # fmt: skip
    ctl.delivery.reserving = sale
    return sale


def reserved(ctl, sale, card):
    """The card holds the reservation: commit RESERVED; the valve may open."""
    total_ml = ctl.meters[sale.nozzle].total_ml
    ctl.append(
        records.RESERVED,
        (ctl.config.device, sale.seq, sale.counter, sale.reserved_fen, card.balance_fen, total_ml, card.uid),
    )
    ctl.checkpoint.begin(sale.seq, sale.nozzle)
    ctl.delivery.authorised(sale)


def broken(ctl):
    """The reservation got no answer: no flow. If its commit was never sent, nothing can be open on the card."""
    sale, ctl.delivery.reserving = ctl.delivery.reserving, None
    if sale:
        sale.reason = codes.STOP_UNCERTAIN
        end(ctl, sale, records.FLAG_UNCERTAIN, 0, 0, 0, 0)
        if not sale.commit_sent:
            ctl.append(records.VOID, (ctl.config.device, sale.seq, sale.uid, sale.counter, records.HOW_SALE))
            forget(ctl, sale.seq)


def end(ctl, sale, flags, volume_ml, pulses_a, pulses_b, seconds):
    """Commit END for volume_ml, which the totalizer has taken already. Returns the millilitres beyond the limit."""
    total_ml = ctl.meters[sale.nozzle].total_ml
    amount_fen = min(money.amount_fen(volume_ml, sale.price), sale.reserved_fen - 1)
    over_ml = max(0, volume_ml - sale.limit_ml)
    seq = ctl.append(
        records.END,
        (sale.seq, sale.uid, sale.card_no, sale.counter, sale.nozzle, sale.grade, sale.reason, flags, sale.price,
         sale.tariff, sale.reserved_fen, amount_fen, volume_ml, total_ml - volume_ml, total_ml, pulses_a, pulses_b,
         min(65535, over_ml), min(65535, seconds), min(65535, sale.flow_max), sale.kind, sale.lease),
    )  # fmt: skip
    keep(
        ctl,
        (sale.seq, seq, sale.uid, sale.counter, sale.reserved_fen, amount_fen, bool(flags & records.FLAG_UNCERTAIN)),
    )
    count_duty(ctl, volume_ml, amount_fen)
    spend(ctl, sale.lease, amount_fen)
    return over_ml


def count_duty(ctl, volume_ml, amount_fen):
    """A sale belongs to the shift in which it ends."""
    d = ctl.duty
    if any(d[0]) and volume_ml:
        d[2] += 1
        d[3] += volume_ml
        d[4] += amount_fen


def spend(ctl, lease, amount_fen):
    """A sale of an account counts down from what is lent to this pump, if that was what it was made under."""
    ctl.leases = [(x[0], x[1], x[2] - amount_fen, x[3] - 1, x[4]) if x[0] == lease else x for x in ctl.leases]


def keep(ctl, unsettled):
    """Into the table of unsettled sales; when it is full the oldest makes room: its end is with the station."""
    ctl.unsettled.append(unsettled)
    del ctl.unsettled[:-MOST_UNSETTLED]


def forget(ctl, sale_seq):
    ctl.unsettled = [u for u in ctl.unsettled if u[0] != sale_seq]
