"""A QR code of version 3-L (29 x 29 modules, up to 77 characters of 0-9 A-Z and space $ % * + - . / :), mask 0.

ISO/IEC 18004:2015: alphanumeric mode (7.4.4), one block of 55 data and 15 error correction codewords over GF(256) with
the polynomial 0x11D (annex A), placement in columns of two (7.7.3), format information for L and mask 0 (annex C).
"""

SIZE = 29
MOST = 77
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
_DATA, _CORRECTION = 55, 15
_FORMAT = 0x77C4  # error correction L, mask 0, with its BCH code and mask pattern
# The generator polynomial of degree 15, highest power first, without its leading 1.
_GENERATOR = b"\x1d\xc4\x6f\xa3\x70\x4a\x0a\x69\x69\x8b\x84\x97\x20\x86\x1a"


def rows(text):
    """A generator that yields None while it works, so that others get their turn, and at last 29 integers of 29 bits,
    the left module in the highest, 1 is dark. ValueError if the text is too long or has other characters."""
    words = _data(text)
    yield None
    rest = bytearray(_CORRECTION)
    for word in words:
        factor = word ^ rest[0]
        for i in range(_CORRECTION):
            rest[i] = (rest[i + 1] if i < _CORRECTION - 1 else 0) ^ _times(_GENERATOR[i], factor)
        yield None
    words += rest
    out = []
    for row in range(SIZE):
        out.append(_fixed(row))
        yield None
    at = 0
    upward = True
    column = SIZE - 1
    while column > 0:
        if column == 6:
            column = 5  # the timing pattern's column holds no data
        for i in range(SIZE):
            row = SIZE - 1 - i if upward else i
            for c in (column, column - 1):
                if not _is_fixed(row, c):
                    bit = words[at >> 3] >> (7 - (at & 7)) & 1 if at < 560 else 0
                    at += 1
                    if bit ^ (row + c + 1 & 1):
                        out[row] |= 1 << (SIZE - 1 - c)
        upward = not upward
        column -= 2
        yield None
    yield out


def _data(text):
    """The 55 data codewords."""
    if len(text) > MOST:
        raise ValueError("too long for a QR code")
    value, bits = 2 << 9 | len(text), 13
    for i in range(0, len(text), 2):
        pair = 0
        for c in text[i : i + 2]:
            at = ALPHABET.find(c)
            if at < 0:
                raise ValueError("not for a QR code")
            pair = pair * 45 + at
        wide = 11 if i + 1 < len(text) else 6
        value, bits = value << wide | pair, bits + wide
    ends = min(4, _DATA * 8 - bits)
    ends += -(bits + ends) & 7
    words = bytearray((value << ends).to_bytes((bits + ends) // 8, "big"))
    pad = 0xEC
    while len(words) < _DATA:
        words.append(pad)
        pad ^= 0xFD  # 0xEC and 0x11 take turns
    return words


def _times(a, b):
    """The product in GF(256)."""
    product = 0
    while b:
        if b & 1:
            product ^= a
        a <<= 1
        if a & 0x100:
            a ^= 0x11D
        b >>= 1
    return product


def _is_fixed(r, c):
    """Finder patterns with their rims and the format, timing, alignment."""
    if r < 9 and (c < 9 or c > 20) or r > 20 and c < 9 or r == 6 or c == 6:
        return True
    return 20 <= r <= 24 and 20 <= c <= 24


def _fixed(r):
    """The row with everything that does not depend on the text."""
    bits = 0
    for c in range(SIZE):
        bits = bits << 1 | _module(r, c)
    return bits


def _module(r, c):
    for corner_r, corner_c in ((3, 3), (3, 25), (25, 3)):
        ring = max(abs(r - corner_r), abs(c - corner_c))
        if ring <= 4:
            return ring != 2 and ring != 4
    if 20 <= r <= 24 and 20 <= c <= 24:
        return max(abs(r - 22), abs(c - 22)) != 1
    if r == 6 or c == 6:
        return (r + c & 1) == 0
    if not _is_fixed(r, c):
        return False
    return _format(r, c)


def _format(r, c):
    """Bit 14 first: down... along row 8 from the left and column 8 upwards, and again at the other two corners."""
    if c == 8:
        if r < 9:
            n = r if r < 6 else r - 1
        elif r == SIZE - 8:
            return True
        else:
            n = r - SIZE + 15
    elif c < 8:
        n = 14 - c if c < 6 else 15 - c
    else:
        n = SIZE - 1 - c
    return _FORMAT >> n & 1
