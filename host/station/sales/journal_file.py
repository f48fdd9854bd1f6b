"""Does a journal that lies in a file hold what its pump wrote? Pure: bytes and key in, findings out (D27).

The bytes are the image of a journal partition, or records one after the other (an export, a message). In a ring a slot
may be torn: the power went while it was written, the same number went into the next slot, and nothing is missing. Such
a slot is harmless. Everything else that is no whole record in its place is not: a bit that was turned is found by the
CRC and named; a record that was changed and given a new CRC breaks the chain of macs.
"""

import hmac
from binascii import crc32
from collections.abc import Callable
from dataclasses import dataclass, field

from pump.core import records
from pump.core.journal import PER_SECTOR, SECTOR
from station.sales.chain import mac_of

SIZE = records.SIZE
BLANK = b"\xff" * SIZE
ALTERED = "altered"  # no whole record, although one belongs here
MISSING = "missing"  # no slot left for it
FORGED = "forged"  # whole, but its mac does not follow from key and the record before
FOREIGN = "foreign"  # names another device
DISORDER = "disorder"  # a sequence number that was there already
DIFFERS = "differs"  # not the bytes that the station has under this number
CUT_SHORT = "cut_short"  # the file ends within a record

Known = Callable[[int], bytes | None]  # the station's own copy of a record of this device, by its sequence


@dataclass(frozen=True, slots=True)
class Fault:
    """offset: of the slot in the file; seq, kind: of the record that belongs there, None: not known. bit: (offset in
    the file, bit 0..7) of the one bit whose turning back makes the record whole."""

    what: str
    offset: int
    seq: int | None = None
    kind: int | None = None
    bit: tuple[int, int] | None = None


@dataclass(slots=True)
class Report:
    """What a file holds. torn: offsets of harmless slots. is_chained: macs were checked; unproven: the oldest record
    alone follows one that is not in the file, so that its own mac could not be checked."""

    device: int | None = None
    first: int = 0
    last: int = 0
    count: int = 0
    torn: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_chained: bool = False
    unproven: bool = False


def examine(data: bytes, key: bytes | None, device: int | None = None, known: Known | None = None) -> Report:
    """key: the device's journal key, None: CRC and order only. known: looks up the station's copies, if there are."""
    report = Report(device, is_chained=key is not None)
    slots = [data[at : at + SIZE] for at in range(0, len(data) - len(data) % SIZE, SIZE)]
    whole = {n: records.header(raw) for n, raw in enumerate(slots) if records.is_whole(raw)}
    if report.device is None and whole:
        devices = [header[2] for header in whole.values()]
        report.device = max(set(devices), key=devices.count)
    foreign = {n for n, header in whole.items() if header[2] != report.device}
    for n in foreign:
        report.faults.append(Fault(FOREIGN, n * SIZE, whole[n][3], whole[n][0]))
        del whole[n]
    if len(data) % SIZE:
        report.faults.append(Fault(CUT_SHORT, len(slots) * SIZE))
    if not whole:
        odd = [n for n, raw in enumerate(slots) if n not in foreign and not _may_be_torn(raw, b"", None)]
        report.faults += [Fault(ALTERED, n * SIZE) for n in odd]
        return _sorted(report)
    _walk(_Walk(report, slots, whole, mac_of(key) if key else None, len(data) % SECTOR == 0, known))
    return _sorted(report)


def _sorted(report: Report) -> Report:
    report.faults.sort(key=lambda fault: fault.offset)
    report.torn.sort()
    return report


@dataclass(slots=True)
class _Walk:
    report: Report
    slots: list[bytes]
    whole: dict[int, tuple[int, ...]]
    mac: Callable[[bytes, bytes], bytes] | None
    is_ring: bool
    known: Known | None


def _walk(w: _Walk) -> None:
    """In the order of writing: from the slot after the newest record round to it."""
    report, slots = w.report, w.slots
    newest = max(w.whole, key=lambda n: w.whole[n][3])
    turn = [(newest + 1 + i) % len(slots) for i in range(len(slots))]
    tail = _tail(w, turn)
    last: int | None = None  # slot of the record before
    between: list[int] = []  # slots since then that hold no record
    for n in turn[len(tail) :]:
        if n not in w.whole:
            between.append(n)
            continue
        _next(w, last, between, n)
        last, between = n, []
    report.last = w.whole[newest][3]
    seqs = {header[3] for header in w.whole.values()}
    report.count, report.first = len(seqs), min(seqs)
    for place, n in enumerate(tail):
        if slots[n] == BLANK:
            continue
        if _may_be_torn(slots[n], slots[newest][records.MAC_AT : records.CRC_AT], w.mac):
            report.torn.append(n * SIZE)
        else:
            _altered(w, n, report.last + 1 + place)


def _tail(w: _Walk, turn: list[int]) -> list[int]:
    """The slots behind the newest record that were erased for what comes next."""
    tail = []
    for n in turn[:-1]:
        if n in w.whole or (w.is_ring and n % PER_SECTOR == 0) or (not w.is_ring and n == 0):
            break
        tail.append(n)
    return tail


def _next(w: _Walk, last: int | None, between: list[int], n: int) -> None:
    """One whole record, with the slots before it that hold none."""
    kind, _, _, seq, _, _, _ = w.whole[n]
    report = w.report
    broken = [b for b in between if w.slots[b] != BLANK]
    if last is None:
        # The oldest of the file. What lies before it is being erased, or it is a record that was turned into none.
        for place, b in enumerate(reversed(broken)):
            if w.slots[b][0] != 0xFF and not _may_be_torn(w.slots[b], b"", None):
                _altered(w, b, seq - 1 - place)
    else:
        before = w.whole[last][3]
        missing = list(range(before + 1, seq)) if seq > before else []
        if seq <= before:
            report.faults.append(Fault(DISORDER, n * SIZE, seq, kind))
        elif missing and not broken and w.is_ring and _is_being_erased(w, last, between):
            pass
        else:
            # A torn slot is the likelier harmless one of those that lie in a gap.
            gap = sorted(broken, key=lambda b: _may_be_torn(w.slots[b], b"", None))[: len(missing)]
            for b, its in zip(sorted(gap), missing, strict=False):
                _altered(w, b, its)
            report.torn += [b * SIZE for b in broken if b not in gap]
            report.faults += [Fault(MISSING, n * SIZE, its) for its in missing[len(gap) :]]
    _prove(w, last, n, kind, seq)


def _is_being_erased(w: _Walk, last: int, between: list[int]) -> bool:
    """True if these blank slots are the rest of the oldest sector: the next to be erased, and an erase may be cut."""
    oldest = min(w.whole, key=lambda n: w.whole[n][3])
    sectors = {slot // PER_SECTOR for slot in (*between, last, oldest)}
    return bool(between) and len(sectors) == 1 and between[-1] % PER_SECTOR == PER_SECTOR - 1


def _prove(w: _Walk, last: int | None, n: int, kind: int, seq: int) -> None:
    raw, report = w.slots[n], w.report
    previous = w.slots[last] if last is not None and w.whole[last][3] == seq - 1 else None
    if previous is None and seq > 1 and w.known:
        previous = w.known(seq - 1)
    if w.mac:
        before = records.CHAIN_START if seq == 1 else previous and previous[records.MAC_AT : records.CRC_AT]
        if before is None:
            report.unproven = report.unproven or last is None
        elif not hmac.compare_digest(w.mac(before, raw), raw[records.MAC_AT : records.CRC_AT]):
            report.faults.append(Fault(FORGED, n * SIZE, seq, kind))
            return
    copy = w.known(seq) if w.known else None
    if copy is not None and copy != raw:
        report.faults.append(Fault(DIFFERS, n * SIZE, seq, kind))


def _altered(w: _Walk, n: int, seq: int) -> None:
    bit = _turned_bit(w.slots[n])
    kind = w.slots[n][1]
    if bit and bit[0] == 1:
        kind ^= 1 << bit[1]
    place = (n * SIZE + bit[0], bit[1]) if bit else None
    w.report.faults.append(Fault(ALTERED, n * SIZE, seq, kind if kind in records.BODIES else None, place))


def _turned_bit(raw: bytes) -> tuple[int, int] | None:
    """The one bit whose turning back makes these bytes a whole record: CRC-32 tells all 1,024 apart."""
    trial = bytearray(raw)
    for at in range(SIZE):
        for bit in range(8):
            trial[at] ^= 1 << bit
            if records.is_whole(trial):
                return at, bit
            trial[at] ^= 1 << bit
    return None


def _may_be_torn(raw: bytes, previous_mac: bytes, mac: Callable[[bytes, bytes], bytes] | None) -> bool:
    """True if a program that broke off leaves such bytes: the beginning of a record, then nothing but 0xFF.

    If it broke off in the last twenty bytes, what came before must fit what there is of mac and CRC, so that a whole
    record with a bit turned, whose last byte happens to be 0xFF, is not taken for one.
    """
    done = len(raw.rstrip(b"\xff"))
    if done > records.CRC_AT:
        crc = crc32(raw[: records.CRC_AT]).to_bytes(4, "little")
        return raw[records.CRC_AT : done] == crc[: done - records.CRC_AT] and done < SIZE
    if done > records.MAC_AT and mac and previous_mac:
        expected = mac(previous_mac, raw)
        return raw[records.MAC_AT : done] == expected[: done - records.MAC_AT]
    return done < SIZE
