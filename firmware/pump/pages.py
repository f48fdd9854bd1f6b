"""The pages behind key D: software and its checksum, time and link, totalizer and factor of each nozzle. D18, D25.

Loaded when a person looks, dropped afterwards.
"""

from pump import screens, texts
from pump.core import view as v

TITLES = """
软件号＝校验和|Software id
本站已连接|Station online
本站未连接|Station offline
时间不可靠|Time unknown
时间为估计|Time estimated
时间已校准|Time synchronised
号枪累计升|#Total litres
系数|Factor
校准次数|Calibrated
流水未传|Unsent records""".encode("gb2312")
_SOFTWARE, _ONLINE, _OFFLINE, _TIME, _TOTAL, _FACTOR, _COUNT, _UNSENT = 1, 2, 3, 4, 7, 8, 9, 10


def lines(ctl, columns, lang, software, pump, link_up):
    """Four lines for ctl.view.page (1 and up), as screens.lines gives them. software: 16 hex digits; pump: its name."""
    if columns == screens.CHARACTER:
        lang = screens.EN
    page = ctl.view.page
    if page == 1:
        left = ctl.journal.head - 1 - ctl.journal.acked
        return [
            screens.line(b"Pumpside", pump.encode(), columns),
            _title(_SOFTWARE, lang, columns),
            screens.line(software.encode(), b"", columns),
            screens.line(texts.pick(TITLES, _UNSENT, lang), b"%d" % left, columns),
        ]
    if page == 2:
        return [
            screens.line(moment(ctl.now_s), b"", columns),
            _title(_TIME + ctl.quality, lang, columns),
            screens.line(b"UTC+8", b"boot %d" % ctl.boot_id, columns),
            _title(_ONLINE if link_up else _OFFLINE, lang, columns),
        ]
    return _nozzle(ctl, page - v.PAGES, columns, lang)


def _title(code, lang, columns):
    return screens.line(texts.pick(TITLES, code, lang), b"", columns)


def _nozzle(ctl, n, columns, lang):
    """Totalizer in millilitre steps, factor in ppm (the one before and the one in force), how often it was changed."""
    meter = ctl.meters[n]
    total_ml = meter.total_ml
    factor = b"%+d>%+d" % (meter.old_ppm, meter.factor_ppm) if meter.events else b"%+d ppm" % meter.factor_ppm
    head = b" %d" % (n + 1) + texts.pick(TITLES, _TOTAL, lang)
    return [
        screens.line(head, b"", columns),
        screens.line(b"", b"%d.%03d" % (total_ml // 1000, total_ml % 1000), columns),
        screens.line(texts.pick(TITLES, _FACTOR, lang), factor, columns),
        screens.line(texts.pick(TITLES, _COUNT, lang), b"%d" % meter.events, columns),
    ]


def moment(now_s):
    """Unix seconds to b"2026-11-22 14:05" in China's time; dashes if unknown. Gregorian calendar, Howard Hinnant's
    `civil_from_days`."""
    if not now_s:
        return b"---------- --:--"
    now_s += 28800
    days, seconds = now_s // 86400 + 719468, now_s % 86400
    era = days // 146097
    day_of_era = days % 146097
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    month += 3 if month < 10 else -9
    year = year_of_era + era * 400 + (month < 3)
    return b"%04d-%02d-%02d %02d:%02d" % (year, month, day, seconds // 3600, seconds // 60 % 60)
