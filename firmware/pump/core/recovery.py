"""What the journal's newest records tell after power-on: totalizers, prices, locks, unsettled sales, a sale cut by power loss."""

from pump.core import codes, journal, money, records

LOCK_NAME = b"locked"
SHIFT_RESTATED = 0  # SHIFT.event: nobody's shift, the totalizers stated again


class Recovered:
    """Feed it whole records, oldest first, with visit()."""

    def __init__(self, device, table):
        self.device = device
        self.table = table
        self.totals = [0, 0, 0, 0]
        self.prices = {}
        self.tariff = 0
        self.boot_id = 0
        self.uptime_s = 0
        self.locked = 0
        self.pulser_faults = 0
        self.overruns = 0
        self.last_statement = 0
        self.start = None  # body of a START without END, and its sequence number
        self.start_seq = 0
        self.reserved = False
        self.last_end = None
        self.alarms = []  # [code, nozzle] raised and not cleared

    def visit(self, record, acked):
        kind, _, _, seq, boot, self.uptime_s, _ = records.header(record)
        self.boot_id = boot
        if kind not in records.BODIES:
            return
        body = records.body(record)
        if kind == records.BOOT:
            self.totals = list(body[4:8])
        elif kind == records.SHIFT:
            self.totals = list(body[2:6])
            if body[1] == SHIFT_RESTATED:
                self.last_statement = seq
        elif kind == records.START:
            self.start, self.start_seq, self.reserved = body, seq, False
            self.prices[body[5]] = body[6]
            self.tariff = body[7]
        elif kind == records.RESERVED:
            self.reserved = True
        elif kind == records.END:
            self._end(seq, body, acked)
        elif kind == records.SETTLED and body[0] == self.device or kind == records.VOID:
            self.table.remove(body[1])
        elif kind == records.PRICE:
            self.prices[body[2]] = body[4]
            self.tariff = body[0]
        elif kind == records.ALARM:
            self._alarm(body)
        elif kind == records.TEST_MEASURE:
            self.totals[body[0]] = body[4]
        elif kind == records.SETTING:
            if bytes(body[1]).rstrip(b"\0") == LOCK_NAME:
                self.locked = body[3]

    def _end(self, seq, body, acked):
        sale, uid, _, counter, nozzle, _, reason, flags, _, _, reserved, amount, _, _, total = body[:15]
        self.totals[nozzle] = total
        self.pulser_faults = self.overruns = 0  # an ALARM after this END says otherwise
        self.start = None
        self.last_end = body
        self.table.add((sale, seq, uid, counter, reserved, amount, bool(flags & records.FLAG_UNCERTAIN)), acked)

    def _alarm(self, body):
        code, nozzle, raised, value, _, total = body
        if total and nozzle < 4:
            self.totals[nozzle] = total
        self.alarms = [a for a in self.alarms if a != [code, nozzle]]
        if code == codes.ALARM_PULSER and raised:
            self.pulser_faults = value
        elif code == codes.ALARM_OVERRUN and raised:
            self.overruns = value
        if raised:
            self.alarms.append([code, nozzle])


def end_of(journal, sale_seq, buf):
    """Body of the END record of this device's sale sale_seq, if the ring still holds it, else None."""
    for seq in range(sale_seq + 1, min(journal.head, sale_seq + 400)):
        if not journal.read(seq, buf):
            return None
        if buf[1] == records.END:
            body = records.body(buf)
            if body[0] == sale_seq:
                return body
            return None  # sales of one point follow one another: the next END is this sale's
    return None


def recover(ring, device, table):
    """Replay the ring's newest records: at least a statement, and everything the station has not acknowledged."""
    known = Recovered(device, table)
    buf = bytearray(records.SIZE)
    window = ring.restate_every + journal.RESTATE_SLACK
    for seq in range(max(1, min(ring.head - window, ring.acked + 1)), ring.head):
        if ring.read(seq, buf):
            known.visit(buf, ring.acked)
    return known


def end_cut_sale(ctl, known):
    """Power went during a sale: end it at its last checkpoint, or, if it never was reserved, as uncertain."""
    if not known.start:
        return
    uid, card_no, counter, reserved_fen, nozzle, grade, price, tariff, total_ml = known.start[:9]
    volume_ml = 0
    flags, reason = records.FLAG_UNCERTAIN | records.FLAG_RECOVERED, codes.STOP_UNCERTAIN
    if known.reserved:
        flags, reason = records.FLAG_RECOVERED, codes.STOP_POWER
        if ctl.checkpoint.sale_seq == known.start_seq:
            volume_ml = ctl.checkpoint.volume_ml
    amount_fen = min(money.amount_fen(volume_ml, price), reserved_fen - 1)
    ctl.meters[nozzle].total_ml = total_ml + volume_ml
    seq = ctl.append(
        records.END,
        (known.start_seq, uid, card_no, counter, nozzle, grade, reason, flags, price, tariff, reserved_fen, amount_fen,
         volume_ml, total_ml, total_ml + volume_ml, 0, 0, 0, 0, 0),
    )
    ctl.unsettled.add(
        (known.start_seq, seq, uid, counter, reserved_fen, amount_fen, not known.reserved), ctl.journal.acked
    )
    v = ctl.view
    v.nozzle, v.grade, v.price_fen_per_l, v.volume_ml, v.amount_fen = nozzle, grade, price, volume_ml, amount_fen
    v.reason, v.card_no, v.sale_seq = reason, card_no, known.start_seq
