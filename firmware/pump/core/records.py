"""The journal record: 128 bytes that are the same in flash, on the wire and in the database (docs/journal.md).

Layout, little endian:

    0  version u8     | 1  kind u8        | 2  time quality u8 | 3  reserved u8 (0)
    4  device u32     | 8  seq u32        | 12 boot id u32     | 16 uptime_s u32 | 20 wall time, Unix seconds u32
    24 body, 84 bytes, one format per kind, padded with zeros
    108 mac, 16 bytes: HMAC-SHA256(journal key, mac of the record before + bytes 0..107), cut to 16
    124 crc32 u32 over bytes 0..123

The chain of a device starts with a mac of sixteen zeros before sequence 1.
"""

import binascii
import hashlib
import struct

SIZE = 128
VERSION = 1
HEADER = "<BBBBIIIII"
BODY_AT = 24
BODY_SIZE = 84
MAC_AT = 108
MAC_SIZE = 16
CRC_AT = 124
CHAIN_START = bytes(MAC_SIZE)

# Quality of the wall time.
TIME_UNKNOWN, TIME_ESTIMATED, TIME_SYNCED = 0, 1, 2

BOOT = 1
START = 2
RESERVED = 3
END = 4
SETTLED = 5
VOID = 6
REFUSAL = 7
TEST_MEASURE = 8
SHIFT = 9
PRICE = 10
LIST = 11
SETTING = 12
ALARM = 13
UPDATE = 14
TAMPER = 15
CALIBRATION = 16
LEASE = 17

# Struct formats of the bodies, by kind from 1 on; the fields' names stand in record_fields.py, which only the host
# loads. One text, because a table of so many texts costs the board a KB of heap.
_BODIES = """B8sHIQQQQ
7s8sIIBBIIQIBI12sBI8sI
IIIIIQ7s
I7s8sIBBBBIIIIIQQIIHHHBI
II7sIIIIIB
II7sIB
7s8sBBBIII
BBIQQII7s8sBBIi
7sBQQQQ8sIIQQ
IBBIII
BIII
I16sqq
BBBiIQ
B8s8sI
BBI
BHiiiI7s8sB
IIIHIB"""
LAST_KIND = 17


def layout(kind):
    """The struct format of this kind's body. KeyError for an unknown kind."""
    if not 0 < kind <= LAST_KIND:
        raise KeyError(kind)
    at = 0
    for _ in range(kind - 1):
        at = _BODIES.index("\n", at) + 1
    end = _BODIES.find("\n", at)
    return "<" + (_BODIES[at:end] if end > 0 else _BODIES[at:])


BODIES = {kind: layout(kind) for kind in range(1, LAST_KIND + 1)}  # for the host; nothing on the board asks for it

# END.flags
FLAG_UNCERTAIN = 1  # the reservation's commit got no answer: nothing flowed, the card may or may not hold it
FLAG_RECOVERED = 2  # ended after a power loss, from the last checkpoint

# SETTLED.how and VOID.how
HOW_SALE, HOW_NEXT_CONTACT, HOW_OBSERVED, HOW_DESK = 1, 2, 3, 4

# LEASE.how
LEASE_GRANTED, LEASE_RESTATED, LEASE_ENDED = 1, 2, 3


def mac(key, previous_mac, record):
    """The chained mac of a record (bytes 0..107 are covered). HMAC-SHA256, RFC 2104, cut to 16 bytes. key: 32 bytes."""
    inner = hashlib.sha256(bytes(b ^ 0x36 for b in key) + b"\x36" * (64 - len(key)))
    inner.update(previous_mac)
    inner.update(record[:MAC_AT])
    outer = hashlib.sha256(bytes(b ^ 0x5C for b in key) + b"\x5c" * (64 - len(key)))
    outer.update(inner.digest())
    return outer.digest()[:MAC_SIZE]


def build(key, previous_mac, kind, device, seq, boot, uptime_s, wall_s, quality, fields):
    """One sealed record. fields: a tuple in the order of record_fields.FIELDS[kind]. Returns 128 bytes."""
    record = bytearray(SIZE)
    struct.pack_into(HEADER, record, 0, VERSION, kind, quality, 0, device, seq, boot, uptime_s, wall_s)
    struct.pack_into(layout(kind), record, BODY_AT, *fields)
    record[MAC_AT:CRC_AT] = mac(key, previous_mac, record)
    struct.pack_into("<I", record, CRC_AT, binascii.crc32(memoryview(record)[:CRC_AT]))
    return bytes(record)


def is_whole(record):
    """True if the length, version and CRC are right; says nothing about the mac."""
    if len(record) != SIZE or record[0] != VERSION:
        return False
    return struct.unpack_from("<I", record, CRC_AT)[0] == binascii.crc32(memoryview(record)[:CRC_AT])


def header(record):
    """(kind, quality, device, seq, boot, uptime_s, wall_s) of a whole record."""
    _, kind, quality, _, device, seq, boot, uptime_s, wall_s = struct.unpack_from(HEADER, record, 0)
    return kind, quality, device, seq, boot, uptime_s, wall_s


def body(record):
    """The body's values as a tuple in the order of record_fields.FIELDS. KeyError for an unknown kind."""
    return struct.unpack_from(layout(record[1]), record, BODY_AT)
