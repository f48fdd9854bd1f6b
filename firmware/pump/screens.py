"""What the display says: a view becomes four lines of bytes. Pure.

Two displays behind one small interface. Graphic: 16 columns in GB2312, a Chinese character takes two and begins at an
even one (ST7920). Character: 20 columns of ASCII with eight characters of its own (lcd.GLYPHS), English. Litres and
money stand in 16 x 16 dots on the graphic display, so that they are read from a metre.
"""

from pump import texts
from pump.core import view as v
from pump.core.card_layout import MOST_TRIES
from pump.core.codes import (
    ALARM_EMERGENCY,
    ALARM_SUPPLY,
    ALARM_TAMPER,
    PRESET_FULL,
    PRESET_MONEY,
    PRESET_NONE,
    REFUSE_PIN,
)
from pump.core.money import round_half_up_div

CHARACTER, GRAPHIC = 20, 16  # columns
ZH, EN = 0, 1
_OWN = 2  # the column of texts.WORDS for the 20 x 4 display
YUAN, LITRE, PRICE, LEFT, MONEY, VOLUME, FULL, TYPE, SCAN = 1, 2, 3, 4, 5, 6, 7, 8, 9  # lines of texts.WORDS
STATES = (v.IDLE, v.NOZZLE, v.CARD, v.AUTHORISED, v.STARTING, v.FUELLING, v.SLOW, v.STOPPING, v.SETTLING, v.LOCKED)
_TYPED = (v.NOTICE_PIN, v.NOTICE_ODOMETER, v.NOTICE_PROVER)


def hundredths(value):
    """12345 -> b"123.45"."""
    return b"%d.%02d" % (value // 100, value % 100)


def line(left, right, columns):
    """Left and right in one line. Both begin at an even column if it is the graphic display's."""
    if columns == GRAPHIC and len(right) & 1:
        right = right[:2] + b" " + right[2:] if right[:1] > b"\x80" else b" " + right
    return bytearray((left + b" " * columns)[: columns - len(right)] + right)


def wide(text):
    """ASCII in characters of 16 x 16 dots: GB2312 row 3."""
    out = bytearray()
    for byte in text:
        out.append(0xA3 if byte > 32 else 0xA1)
        out.append(byte | 0x80 if byte > 32 else 0xA1)
    return out


def locks(locked, alarms):
    """The number in texts.LOCKS of the most urgent reason why nothing may flow; 0: none."""
    n = 1
    for code in (ALARM_EMERGENCY, ALARM_TAMPER, ALARM_SUPPLY):
        if code in alarms:
            return n
        n += 1
    for bit in (v.LOCK_REMOTE, v.LOCK_PULSER, v.LOCK_OVERRUN, v.LOCK_METER):
        if locked & bit:
            return n
        n += 1
    return 0


def message(view, lock, lang):
    """The line of advice."""
    if view.notice == v.NOTICE_REFUSED:
        return texts.pick(texts.REFUSALS, view.refusal, lang)
    if view.notice == v.NOTICE_PIN and view.refusal == REFUSE_PIN and view.figures and not view.entry:
        if view.figures[0] < MOST_TRIES:
            return texts.pick(texts.REFUSALS, REFUSE_PIN, lang)  # until the next try is typed
    if view.notice:
        return texts.pick(texts.NOTICES, view.notice, lang)
    if view.state == v.LOCKED and lock:
        return texts.pick(texts.LOCKS, lock, lang)
    if view.state == v.IDLE and (view.amount_fen or view.volume_ml):
        return texts.pick(texts.REASONS, view.reason, lang)
    return texts.pick(texts.STATES, STATES.index(view.state) + 1, lang)


def litres(volume_ml):
    """12344 -> b"12.34"."""
    return hundredths(round_half_up_div(volume_ml, 10))


def figure(number, unit, columns, lang):
    """A large figure with its unit."""
    if columns == GRAPHIC:
        number = wide(number) if len(number) <= 7 else number
        if unit == YUAN and lang == EN:
            return line(texts.pick(texts.WORDS, unit, EN), number, columns)
    else:
        number += b" "
        lang = _OWN
    return line(b"", number + texts.pick(texts.WORDS, unit, lang), columns)


def _third(view, columns, lang):
    """What is being typed or was preset, or figures, else price and balance."""
    words = texts.WORDS
    kind = view.entry_kind
    if view.entry or kind != PRESET_NONE or view.notice in _TYPED:
        label = TYPE if view.notice in _TYPED else VOLUME if kind > PRESET_MONEY else MONEY
        unit = b"" if label == TYPE else texts.pick(words, YUAN if label == MONEY else LITRE, lang)
        return line(texts.pick(words, label, lang), view.entry.encode() + b"_" + unit, columns)
    kind = view.preset_kind
    if kind == PRESET_FULL:
        return line(texts.pick(words, FULL, lang), b"", columns)
    if kind != PRESET_NONE:
        money = kind == PRESET_MONEY
        value = hundredths(view.preset_value) if money else litres(view.preset_value)
        unit = texts.pick(words, YUAN if money else LITRE, lang)
        return line(texts.pick(words, MONEY if money else VOLUME, lang), value + unit, columns)
    left = right = b""
    if view.balance_fen >= 0:
        right = texts.pick(words, LEFT, lang) + hundredths(view.balance_fen)
    elif view.nozzle >= 0:
        right = b"#%d" % (view.nozzle + 1)
    if view.price_fen_per_l:
        left = hundredths(view.price_fen_per_l)
        if len(left) + len(right) < columns - 2:
            left = texts.pick(words, PRICE, lang) + left
    return line(left, right, columns)


def lines(view, lock, columns, lang):
    """Four lines of `columns` bytes. lock: see locks(); lang: ZH or EN, the 20 x 4 display reads English alone."""
    if columns == CHARACTER:
        lang = EN
    third = _third(view, columns, _OWN if columns == CHARACTER else lang)
    out = [
        figure(hundredths(view.amount_fen), YUAN, columns, lang),
        figure(litres(view.volume_ml), LITRE, columns, lang),
        third,
        line(message(view, lock, lang), b"", columns),
    ]
    if view.figures and view.notice:
        from pump import guide

        guide.put(out, view, columns, lang)
    return out
