"""A sale in 45 characters that cannot be forged: what the QR code on the display says, and the station verifies (D27).

28 bytes, big endian: 3 bits version (1), 4 bits grade, 20 bits millilitres, 20 bits fen, 17 bits price (fen per litre);
u32 device, u32 sequence of the sale's START record, u32 Unix time of its END; 8 bytes of HMAC-SHA256 over these 20
under the device's journal key. The hashed text begins with words of its own, so no record's mac is a receipt's. Written
in base32 (RFC 4648) without padding: letters and digits, as a QR code's alphanumeric mode likes them. No card data.
"""

import struct

from pump.core import records

LENGTH = 45
VERSION = 1
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
PURPOSE = b"pumpside receipt"
_SIZE, _SIGNED = 28, 20
_LOOK_BACK = 60  # records after a sale's END within which it is looked for


def encode(key, device, sale_seq, at_s, grade, volume_ml, amount_fen, price_fen_per_l):
    """The text of a receipt. ValueError for figures beyond its fields. key: the device's journal key, 32 bytes."""
    if volume_ml >> 20 or amount_fen >> 20 or price_fen_per_l >> 17 or grade >> 4:
        raise ValueError("too large for a receipt")
    figures = ((VERSION << 4 | grade) << 20 | volume_ml) << 37 | amount_fen << 17 | price_fen_per_l
    signed = figures.to_bytes(8, "big") + struct.pack(">III", device, sale_seq, at_s)
    value = int.from_bytes(signed + _mac(key, signed), "big") << 1
    return "".join([_ALPHABET[value >> shift & 31] for shift in range(5 * LENGTH - 5, -1, -5)])


def _mac(key, signed):
    return records.mac(key, PURPOSE, signed)[: _SIZE - _SIGNED]


def decode(text):
    """(device, sale_seq, at_s, grade, volume_ml, amount_fen, price_fen_per_l, signed bytes, mac) of a receipt's text,
    not verified; None if it is none."""
    value = 0
    for c in text:
        at = _ALPHABET.find(c)
        if at < 0:
            return None
        value = value << 5 | at
    if len(text) != LENGTH or value & 1 or value >> 222 != VERSION:
        return None
    data = (value >> 1).to_bytes(_SIZE, "big")
    figures = int.from_bytes(data[:8], "big")
    device, sale_seq, at_s = struct.unpack(">III", data[8:_SIGNED])
    return (
        device, sale_seq, at_s, figures >> 57 & 15, figures >> 37 & 0xFFFFF, figures >> 17 & 0xFFFFF, figures & 0x1FFFF,
        data[:_SIGNED], data[_SIGNED:],
    )  # fmt: skip


def is_genuine(key, signed, mac):
    """True if the device that holds this journal key made it. The host compares in constant time by itself."""
    return _mac(key, signed) == mac


def of_last_sale(ctl):
    """The text for the sale whose figures the view shows; "" if no fuel flowed or its END is no longer near."""
    buf = bytearray(records.SIZE)
    for seq in range(ctl.journal.head - 1, max(0, ctl.journal.head - _LOOK_BACK), -1):
        if ctl.journal.read(seq, buf) and buf[1] == records.END:
            body = records.body(buf)
            sale_seq, grade, price, amount_fen, volume_ml = body[0], body[5], body[8], body[11], body[12]
            if sale_seq != ctl.view.sale_seq or not volume_ml:
                break
            at_s = records.header(buf)[6]
            try:
                return encode(
                    ctl.config.journal_key, ctl.config.device, sale_seq, at_s, grade, volume_ml, amount_fen, price
                )
            except ValueError:
                break
    return ""
