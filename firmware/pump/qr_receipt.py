"""The receipt on the graphic display: a QR code on its left half beside the figures of the sale just ended (D27).

Sitronix ST7920 data sheet V4.0: picture memory by extended instructions, row and word, then two bytes a word; words 8
to 15 of a row stand 32 rows lower. A module is 2 x 2 dots, so that 29 of them stand in the 64 rows of the glass.
"""

import asyncio

from pump import screens, texts

_PAUSE_MS = 10  # between two bursts of 3 ms on the bus
_TOP = 3  # dots above and left of the code
_SIZE = 29  # qr.SIZE
_DATA = 1
_EXTENDED, _PICTURE, _BASIC, _ADDRESS = 0x24, 0x26, 0x28, 0x80
_EMPTY = bytes(8)


async def draw(lcd, ctl, url, lang, wanted):
    """Draws, and switches the picture on when it is whole; True then. Ends when wanted() is no longer true. url: what
    comes before the receipt's text, upper case. OSError if the display does not answer."""
    from pump.core import receipt
    from qr import rows as code

    text = receipt.of_last_sale(ctl)
    if not text:
        return False
    rows = None
    for step in code(url + text):
        rows = step
        await asyncio.sleep_ms(0)
        if not wanted():
            return False
    lines = _beside(ctl.view, lang)
    while lcd.update(lines):
        await asyncio.sleep_ms(_PAUSE_MS)
    for y in range(32):
        lcd.send(0, (_EXTENDED, _ADDRESS | y, _ADDRESS))
        for half in (y, y + 32):
            lcd.send(_DATA, _dots(rows, half))
            lcd.send(_DATA, _EMPTY)
            await asyncio.sleep_ms(_PAUSE_MS)
        if not wanted():
            lcd.wipe()
            return False
    lcd.send(0, (_PICTURE, _BASIC))
    return True


def _beside(view, lang):
    """Money and litres on the right half, and what to do."""
    out = []
    money = screens.hundredths(view.amount_fen) + texts.pick(texts.WORDS, screens.YUAN, lang)
    volume = screens.litres(view.volume_ml) + texts.pick(texts.WORDS, screens.LITRE, lang)
    scan = texts.pick(texts.WORDS, screens.SCAN, lang)
    for text in (money, volume, scan[:8], scan[8:]):
        out.append(screens.line(b"", text[:8], screens.GRAPHIC))
    return out


def _dots(rows, y):
    """Eight bytes: the left 64 dots of a row of the glass."""
    out = bytearray(8)
    y = y - _TOP >> 1
    if 0 <= y < _SIZE:
        for column in range(_SIZE):
            if rows[y] >> (_SIZE - 1 - column) & 1:
                for x in (2 * column + _TOP, 2 * column + _TOP + 1):
                    out[x >> 3] |= 0x80 >> (x & 7)
    return out
