"""What lies on a Pumpside card: one DESFire application, AES (docs/card-format.md).

Keys: 0 issuing desk (application master), 1 pump, 2 credit (host only). All diversified per card, AN10922.
Access rights are read, write, read-and-write, change: a purse with write = pump allows Debit and LimitedCredit to
the pump key, and Credit only to the credit key (NXP MF3ICDx21, value files).
"""

import struct

AID = b"\x50\x53\x31"  # as sent, least significant byte first
SYSTEM = b"PUMPSIDE"  # the system identifier of AN10922 key diversification
KEY_MASTER, KEY_PUMP, KEY_CREDIT = 0, 1, 2
KEY_COUNT = 3

FILE_IDENTITY, FILE_LIMITS, FILE_PURSE, FILE_STATE, FILE_LOG, FILE_POINTS, FILE_USAGE = 1, 2, 3, 4, 5, 6, 7

IDENTITY_SIZE = 64
LIMITS_SIZE = 96
STATE_SIZE = 32
USAGE_SIZE = 32
LOG_SIZE = 32
LOG_RECORDS = 11  # a cyclic file keeps one record for the running transaction: ten readable

COMM_PLAIN, COMM_MAC, COMM_FULL = 0, 1, 3

# file -> (communication, read, write, read-and-write, change)
ACCESS = {
    FILE_IDENTITY: (COMM_MAC, KEY_PUMP, KEY_MASTER, KEY_MASTER, KEY_MASTER),
    FILE_LIMITS: (COMM_MAC, KEY_PUMP, KEY_CREDIT, KEY_CREDIT, KEY_MASTER),
    FILE_PURSE: (COMM_MAC, KEY_PUMP, KEY_PUMP, KEY_CREDIT, KEY_MASTER),
    FILE_STATE: (COMM_MAC, KEY_PUMP, KEY_PUMP, KEY_CREDIT, KEY_MASTER),
    FILE_LOG: (COMM_MAC, KEY_PUMP, KEY_PUMP, KEY_CREDIT, KEY_MASTER),
    FILE_POINTS: (COMM_MAC, KEY_PUMP, KEY_CREDIT, KEY_PUMP, KEY_MASTER),
    FILE_USAGE: (COMM_MAC, KEY_PUMP, KEY_PUMP, KEY_CREDIT, KEY_MASTER),
}

PURSE_LOWER_FEN = 0
PURSE_UPPER_REGISTERED_FEN = 500000  # 5,000 yuan, prepaid-card rules
PURSE_UPPER_ANONYMOUS_FEN = 100000  # 1,000 yuan

KIND_REGISTERED, KIND_ANONYMOUS, KIND_STAFF = 1, 2, 3
KIND_ACCOUNT = 4  # fleet or credit: the host authorises, the card holds no money
KIND_MANAGER, KIND_TEST, KIND_SERVICE, KIND_DRIVER = 5, 6, 7, 8
FLAG_USAGE = 1  # identity: the card has the usage file (cards made before 2026-11 have none)
RULE_DRIVER = 1  # limits: fuels only together with a driver's card of the same company
MOST_TRIES = 3  # wrong PINs in a row; then only the desk opens the card again
ODOMETER_STEP_KM = 100
DAY_OFFSET_S = 28800  # days and hours of the rules are China Standard Time, UTC+8, wherever the card is shown

# Identity: version, kind, issuer, card number (8 bytes, 16 BCD digits), company, grade set (bit = grade), expiry and
# issue as Unix seconds, key version, flags; zeros to 48; issuer's AES-CMAC (16) over UID + bytes 0..47.
_IDENTITY = "<BBH8sIHIIBB"
IDENTITY_SIGNED = 48
# Limits: version, plate (UTF-8, 12), ml per fill, fen per day, fills per day, four stations (0: any), hours (bit = hour
# of the day, 0: any), PIN salt 4, PIN digest 8 (zeros: no PIN), odometer rule u8 (steps of 100 km that may lie between
# two fills at most, 0: not asked for), rules u8 (RULE_*); zeros to 80; CMAC (16) over UID + bytes 0..79.
_LIMITS = "<B12sIIBHHHHI4s8sBB"
LIMITS_SIGNED = 80
# State: version, PIN tries, two zeros, purse counter n, open reservation (device, seq, fen, time; device 0: none), last
# load id.
_STATE = "<BBHIIIIIQ"
# Usage: version (0: never written), fills of the day, day (since 1970), fen and ml of that day, last odometer in km.
_USAGE = "<BBHIII"
# Log: time, device, seq, counter, volume_ml, amount_fen, price_fen_per_l, grade, nozzle, reason, zero.
_LOG = "<IIIIIIIBBBB"


def _pad(data, size):
    return data + bytes(size - len(data))


def pack_identity(kind, issuer, card_no, company, grades, expiry, issued, key_version, flags=0):
    """The 48 signed bytes; card_no is 8 bytes of BCD."""
    return _pad(
        struct.pack(_IDENTITY, 1, kind, issuer, card_no, company, grades, expiry, issued, key_version, flags),
        IDENTITY_SIGNED,
    )


def unpack_identity(data):
    """(kind, issuer, card_no, company, grades, expiry, issued, key_version, flags); ValueError: unknown version."""
    fields = struct.unpack_from(_IDENTITY, data, 0)
    if fields[0] != 1:
        raise ValueError("identity version")
    return fields[1:]


def pack_limits(
    plate, fill_ml=0, day_fen=0, day_fills=0, stations=(0, 0, 0, 0), hours=0, salt=bytes(4), digest=bytes(8),
    odometer=0, rules=0,
):  # fmt: skip
    """The 80 signed bytes; zero means no limit; plate is UTF-8, 12 bytes at most."""
    return _pad(
        struct.pack(
            _LIMITS, 1, plate, fill_ml, day_fen, day_fills, *(tuple(stations) + (hours, salt, digest, odometer, rules))
        ),
        LIMITS_SIGNED,
    )


def unpack_limits(data):
    """(plate, fill_ml, day_fen, day_fills, (four stations), hours, salt, digest, odometer, rules)."""
    f = struct.unpack_from(_LIMITS, data, 0)
    if f[0] != 1:
        raise ValueError("limits version")
    return f[1].rstrip(b"\0"), f[2], f[3], f[4], f[5:9], f[9], f[10], f[11], f[12], f[13]


def pack_state(counter, open_device=0, open_seq=0, open_fen=0, open_time=0, last_load=0, tries=0):
    return _pad(
        struct.pack(_STATE, 1, tries, 0, counter, open_device, open_seq, open_fen, open_time, last_load), STATE_SIZE
    )


def unpack_state(data):
    """(counter, open_device, open_seq, open_fen, open_time, last_load, tries); open_device 0: nothing open."""
    f = struct.unpack_from(_STATE, data, 0)
    if f[0] != 1:
        raise ValueError("state version")
    return f[3], f[4], f[5], f[6], f[7], f[8], f[1]


def pack_usage(day, fills, fen, ml, odometer_km):
    return _pad(struct.pack(_USAGE, 1, fills, day, fen, ml, odometer_km), USAGE_SIZE)


def unpack_usage(data):
    """(day, fills, fen, ml, odometer_km), all 0 if nothing was written yet; ValueError: unknown version."""
    f = struct.unpack_from(_USAGE, data, 0)
    if f[0] > 1:
        raise ValueError("usage version")
    return f[2], f[1], f[3], f[4], f[5]


def pack_log(time_s, device, seq, counter, volume_ml, amount_fen, price_fen_per_l, grade, nozzle, reason):
    return struct.pack(
        _LOG, time_s, device, seq, counter, volume_ml, amount_fen, price_fen_per_l, grade, nozzle, reason, 0
    )


def unpack_log(data):
    return struct.unpack_from(_LOG, data, 0)[:10]
