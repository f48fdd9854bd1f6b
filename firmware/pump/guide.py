"""What the figures of a notice mean, in words: tries left, shifts, money loaded, errors and factors, menus. Pure.

Loaded only while such figures stand in the view; core/view.py says which notice brings which figures.
"""

from pump import screens, texts
from pump.core import view as v

WORDS = """
剩|left
班次|Shift
笔|sales
误差|Error
重复性|Repeat
系数|Factor
已充|Loaded""".encode("gb2312")
_TRIES, _SHIFT, _SALES, _ERROR, _SPREAD, _FACTOR, _LOADED = 1, 2, 3, 4, 5, 6, 7

# By view.MENU_*; digits 16 dots wide, so that the Chinese behind them stands at even columns.
MENUS = """
１日结　２停用|1 Day    2 Lock
１回罐　２检定|1 Test 2 Prover
１回２检３系４解|1T 2Prv 3Fct 4Un""".encode("gb2312")


def put(lines, view, columns, lang):
    """Writes the figures of the view's notice into the four lines, in place."""
    notice, figures = view.notice, view.figures
    if columns == screens.CHARACTER:
        lang = screens.EN

    def named(word, text):
        return screens.line(texts.pick(WORDS, word, lang), text, columns)

    def ppm(word, value):
        return named(word, b"%+d ppm" % value)

    if notice == v.NOTICE_PIN:
        lines[2] = screens.line(b"", view.entry.encode() + b"_", columns)
        left = texts.pick(WORDS, _TRIES, lang) + b" %d" % figures[0]
        lines[2][: len(left)] = left
    elif notice == v.NOTICE_ON_DUTY:
        lines[2] = named(_SHIFT, b"%d" % figures[0])
    elif notice == v.NOTICE_OFF_DUTY and len(figures) == 4:
        lines[0] = screens.figure(screens.hundredths(figures[3]), screens.YUAN, columns, lang)
        lines[1] = screens.figure(screens.litres(figures[2]), screens.LITRE, columns, lang)
        lines[2] = named(_SHIFT, b"%d" % figures[0])
    elif notice == v.NOTICE_LOADED:
        lines[2] = named(_LOADED, screens.hundredths(figures[0]))
    elif notice == v.NOTICE_FACTOR and len(figures) > 1:
        lines[0], lines[1] = ppm(_ERROR, figures[0]), ppm(_SPREAD, figures[1])
        if not view.entry:
            lines[2] = ppm(_FACTOR, figures[2]) if len(figures) > 2 else named(_FACTOR, b"-")
    elif notice == v.NOTICE_MENU and len(figures) > 1:
        lines[2] = ppm(_ERROR, figures[1])
    elif notice == v.NOTICE_MENU:
        lines[2] = screens.line(texts.pick(MENUS, figures[0], lang), b"", columns)
    else:
        lines[2] = screens.line(b"", b" ".join([b"%d" % n for n in figures])[:columns], columns)
