"""After power-on: find the ends of journal and checkpoint ring, replay the newest records, end a sale that was cut.

What replay yields: totalizers, prices, locks, alarms, unsettled sales. A board may drop this module after start().
"""

import binascii
import struct

from pump.core import alarms, checkpoint, codes, journal, linkside, records, sale, view

_BLANK = b"\xff" * records.SIZE


def recover(ctl, cause, software):
    """All of it, and the BOOT record. ctl: a Controller with its flash attached and its counters read."""
    find_checkpoint(ctl.checkpoint)
    find_head(ctl.journal, ctl.checkpoint.acked)
    known = _replay(ctl)
    for n in range(len(ctl.meters)):
        ctl.meters[n].total_ml = known.totals[n]
        ctl.meters[n].stand(ctl.inputs.edges[2 * n], ctl.inputs.edges[2 * n + 1], 0)
    ctl.boot_id += 1
    ctl.append(records.BOOT, (cause, software, min(65535, ctl.journal.torn), known.uptime_s) + tuple(known.totals))
    ctl.alarms = tuple(sorted({code for code, _ in ctl.raised}))
    for code, nozzle in list(ctl.raised):
        if code in (codes.ALARM_EXCEPTION, codes.ALARM_SUPPLY, codes.ALARM_READER, codes.ALARM_DISPLAY):
            ctl.clear_alarm(code, nozzle)
    if known.start:
        _end_cut_sale(ctl, known)
    if known.test:
        _end_cut_test(ctl, known)
    _identify(ctl, known)
    if known.end:
        _show(ctl.view, known.end)


def find_head(ring, acked):
    """Set the journal's head. acked: a lower bound of what the station has.

    What lies ahead of the head's sector is erased again even if it looks blank: an erase may have been torn.
    """
    buf = bytearray(records.SIZE)
    newest, sector = 0, -1
    for i in range(ring.flash.sectors):
        for slot in range(journal.PER_SECTOR):
            ring.flash.readinto((i * journal.PER_SECTOR + slot) * records.SIZE, buf)
            if records.is_whole(buf):
                seq = records.header(buf)[3]
                if seq > newest:
                    newest, sector = seq, i
            elif slot or buf != _BLANK:
                continue
            break
    if sector < 0:
        return
    for i in range(journal.PER_SECTOR):
        slot = sector * journal.PER_SECTOR + i
        ring.flash.readinto(slot * records.SIZE, buf)
        if buf == _BLANK:
            ring.slot, ring.erased = slot, journal.PER_SECTOR - i
            break
        ring.slot = (slot + 1) % ring.slots
        if records.is_whole(buf):
            ring.head = records.header(buf)[3] + 1
            ring.mac = bytes(buf[records.MAC_AT : records.CRC_AT])
            ring.torn = 0
        else:
            ring.torn += 1
    ring.acked = min(acked, ring.head - 1)


def find_checkpoint(ring):
    """Find the newest sector, and in it the last sale, the last acknowledgement kept and what was learned."""
    buf = bytearray(checkpoint.SLOT)
    for sector in range(ring.flash.sectors):
        fields = _slot(ring, sector * checkpoint.PER_SECTOR, buf)
        if fields and fields[0] == checkpoint.KIND_SECTOR and fields[3] > ring.generation:
            ring.generation, ring.sector = fields[3], sector
    if not ring.generation:
        return
    used = in_tally = 0
    for i in range(checkpoint.PER_SECTOR):
        fields = _slot(ring, ring.sector * checkpoint.PER_SECTOR + i, buf)
        if fields:
            kind, nozzle, _, first, second = fields
            in_tally = kind == checkpoint.KIND_SALE
            if kind == checkpoint.KIND_LEARNED:
                ring.learned[nozzle] = first, second
            elif kind == checkpoint.KIND_SECTOR or kind == checkpoint.KIND_ACKED:
                ring.acked = max(ring.acked, second)
            elif kind == checkpoint.KIND_SALE:
                ring.sale_seq, ring.nozzle, ring.volume_ml = first, nozzle, 0
            elif first == ring.sale_seq:
                ring.volume_ml = max(ring.volume_ml, second)
        elif in_tally:
            cleared = tally(buf)
            ring.volume_ml += cleared * checkpoint.STEP_ML
            in_tally = cleared == checkpoint.SLOT * 8
        if buf != _BLANK[: checkpoint.SLOT]:
            used = i + 1
    ring.next = used + 1  # one more is left alone: the tally slot of a sale that had not come to its first bit


def _slot(ring, index, buf):
    """Read a slot into buf; its fields, or None (then it is blank, torn or a tally)."""
    ring.flash.readinto(index * checkpoint.SLOT, buf)
    crc = struct.unpack_from("<I", buf, 12)[0]
    if checkpoint.KIND_SECTOR <= buf[0] <= checkpoint.KIND_LEARNED and crc == binascii.crc32(memoryview(buf)[:12]):
        return struct.unpack_from(checkpoint.LAYOUT, buf, 0)
    return None


def tally(buf):
    """Bits cleared in a tally slot; 0 for anything that is none (a torn slot of another kind)."""
    zeros = 0
    while zeros < len(buf) and buf[zeros] == 0:
        zeros += 1
    if zeros == len(buf):
        return zeros * 8
    for bits in range(8):
        if buf[zeros] == 0xFF << bits & 0xFF and buf[zeros + 1 :] == _BLANK[: len(buf) - zeros - 1]:
            return zeros * 8 + bits
    return 0


class _Known:
    def __init__(self):
        self.totals = [0, 0, 0, 0]
        self.uptime_s = 0
        self.start = None  # body of a START without END
        self.start_seq = 0
        self.reserved = False
        self.end = None  # body of the last END
        self.test = None  # (seq, body) of a test measure that began


def _replay(ctl):
    """At least a statement, and everything the station has not acknowledged."""
    known, ring, buf = _Known(), ctl.journal, ctl.buffer
    window = ring.restate_every + journal.RESTATE_SLACK
    for seq in range(max(1, ring.head - ring.slots, min(ring.head - window, ring.acked + 1)), ring.head):
        if ring.read(seq, buf) and 0 < buf[1] <= records.LAST_KIND:
            _, _, _, _, ctl.boot_id, known.uptime_s, _ = records.header(buf)
            _visit(ctl, known, buf[1], seq, records.body(buf))
    return known


def _visit(ctl, known, kind, seq, body):
    if kind == records.BOOT:
        known.totals = list(body[4:8])
    elif kind == records.SHIFT:
        known.totals = list(body[2:6])
        ctl.duty = [bytes(8), body[7], 0, 0, 0] if body[1] == codes.SHIFT_OFF else list(body[6:11])
        if body[1] == codes.SHIFT_RESTATED:
            ctl.statement = seq
    elif kind == records.START:
        known.start, known.start_seq, known.reserved = body, seq, False
        ctl.prices[body[5]], ctl.tariff = body[6], body[7]
    elif kind == records.RESERVED:
        known.reserved = True
    elif kind == records.END:
        known.totals[body[4]] = body[14]
        sale.count_duty(ctl, body[12], body[11])
        sale.spend(ctl, body[21], body[11])
        known.start, known.end = None, body
        ctl.pulser_faults = ctl.overruns = 0  # an ALARM after this END says otherwise
        sale.keep(ctl, (body[0], seq, body[1], body[3], body[10], body[11], bool(body[7] & records.FLAG_UNCERTAIN)))
    elif kind == records.SETTLED or kind == records.VOID:
        if body[0] == ctl.config.device:
            sale.forget(ctl, body[1])
    elif kind == records.PRICE:
        ctl.prices[body[2]], ctl.tariff = body[4], body[0]
    elif kind == records.TEST_MEASURE:
        known.totals[body[0]] = body[4]
        known.test = None if body[2] or body[11] else (seq, body)
    elif kind == records.SETTING:
        if bytes(body[1]).rstrip(b"\0") == linkside.LOCK_NAME:
            ctl.locked = body[3]
        elif bytes(body[1]).rstrip(b"\0") == linkside.METER_ID:
            ctl.strangers, ctl.meter_id = body[2:]
    elif kind == records.CALIBRATION:
        meter = ctl.meters[body[0]]
        meter.events, meter.old_ppm, meter.factor_ppm = body[1:4]
    elif kind == records.LEASE:  # the last word about what is lent to this pump of that account
        ctl.leases = [x for x in ctl.leases if x[1] != body[1]] + ([body[:5]] if body[2] else [])
    elif kind == records.ALARM:
        code, nozzle, raised, value, volume_ml, total_ml = body
        if volume_ml:
            known.totals[nozzle] = total_ml
        if (code, nozzle) in ctl.raised:
            ctl.raised.remove((code, nozzle))
        if raised:
            ctl.raised.append((code, nozzle))
            if code == codes.ALARM_PULSER:
                ctl.pulser_faults = value
            elif code == codes.ALARM_OVERRUN:
                ctl.overruns = value
        if code == codes.ALARM_METER_LOCK and nozzle < len(ctl.meters):
            ctl.meters[nozzle].beyond = value


def _end_cut_sale(ctl, known):
    """Power went during a sale: end it at its last checkpoint, or, if it never was reserved, as uncertain."""
    uid, card_no, counter, reserved_fen, nozzle, grade, price, tariff = known.start[:8]
    cut = sale.Sale(uid, card_no, counter, nozzle, grade, price)
    cut.seq, cut.tariff, cut.reserved_fen = known.start_seq, tariff, reserved_fen
    cut.kind, cut.lease = known.start[13:15]
    volume_ml, flags = 0, records.FLAG_UNCERTAIN | records.FLAG_RECOVERED
    cut.reason = codes.STOP_UNCERTAIN
    if known.reserved:
        flags, cut.reason = records.FLAG_RECOVERED, codes.STOP_POWER
        if ctl.checkpoint.sale_seq == known.start_seq:
            volume_ml = ctl.checkpoint.volume_ml
    cut.limit_ml = volume_ml
    ctl.meters[nozzle].total_ml += volume_ml
    sale.end(ctl, cut, flags, volume_ml, 0, 0, 0)
    ctl.journal.read(ctl.journal.head - 1, ctl.buffer)
    known.end = records.body(ctl.buffer)


def _end_cut_test(ctl, known):
    """Power went during a test measure: what the checkpoint holds of it went through the meter."""
    seq, (nozzle, grade, _, _, total_ml, _, _, uid, card_no, how, run, _, _) = known.test
    volume_ml = ctl.checkpoint.volume_ml if ctl.checkpoint.sale_seq == seq else 0
    if volume_ml and ctl.journal.free > journal.RESERVE:
        meter = ctl.meters[nozzle]
        meter.total_ml += volume_ml
        ctl.append(
            records.TEST_MEASURE,
            (nozzle, grade, volume_ml, meter.total_ml - volume_ml, meter.total_ml, 0, 0, uid, card_no, how, run, 0, 0),
        )


STRANGE_STARTS = 3


def _identify(ctl, known):
    """The third start in a row on another board or with another meter than the journal knows locks the pump (D24;
    GB/T 9081-2023). A journal that knows none takes what is there."""
    seen, old = ctl.config.meter_id, ctl.strangers
    if not seen:
        return
    if seen == ctl.meter_id:
        ctl.strangers = 0
    elif ctl.meter_id:
        ctl.strangers = min(old + 1, STRANGE_STARTS)
    if old != ctl.strangers or not ctl.meter_id:
        ctl.meter_id = ctl.meter_id or seen
        ctl.append(records.SETTING, (ctl.settings.version, linkside.METER_ID, ctl.strangers, ctl.meter_id))
        alarms.put(ctl, codes.ALARM_METER_LOCK, alarms.NONE, ctl.strangers, ctl.strangers)
    if ctl.strangers == STRANGE_STARTS:
        ctl.lock(ctl.locked | view.LOCK_METER)


def _show(v, end):
    """The figures of the last sale stand on the display again, however often the power goes."""
    v.sale_seq, v.card_no, v.nozzle, v.grade, v.reason = end[0], end[2], end[4], end[5], end[6]
    v.price_fen_per_l, v.amount_fen, v.volume_ml = end[8], end[11], end[12]
