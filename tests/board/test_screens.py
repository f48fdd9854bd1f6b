"""What the pump's display says, in both languages, on both displays, as the glass shows it. D2, D5, D17, D18, D25."""

import re
import unicodedata
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump import pages, screens, texts
from pump.core import codes, records, view
from pump.core.metering import Meter

SOFTWARE = "0123456789abcdef"
TABLES = {
    "REFUSALS": [value for name, value in vars(codes).items() if name.startswith("REFUSE_")],
    "REASONS": [value for name, value in vars(codes).items() if name.startswith("STOP_")],
    "NOTICES": [v for name, v in vars(view).items() if name.startswith("NOTICE_") and v != view.NOTICE_NONE],
    "STATES": list(range(1, 11)),
    "LOCKS": list(range(1, 8)),
}
ALL = [(table, code) for table, known in TABLES.items() for code in known]


def read(line: bytes) -> str:
    """As the display's own font reads it: every character of two bytes begins at an even column."""
    words = [bytes(line[at : at + 2]) for at in range(0, len(line), 2)]
    assert all(word[0] >= 0xA1 or word[0] < 0x80 and word[1] < 0x80 for word in words), line
    return b"".join(words).decode("gb2312")


def shown(look: view.View, lang: int = screens.ZH, lock: int = 0) -> list[str]:
    lines = screens.lines(look, lock, screens.GRAPHIC, lang)
    assert [len(line) for line in lines] == [16] * 4
    return [read(line) for line in lines]


def plain(text: str) -> str:
    """Full-width figures as ordinary ones."""
    return unicodedata.normalize("NFKC", text).strip()


def on_20_columns(look: view.View) -> list[str]:
    lines = screens.lines(look, 0, screens.CHARACTER, screens.ZH)
    assert [len(line) for line in lines] == [20] * 4
    return [line.decode("ascii").replace("\x00", "元").replace("\x01", "升") for line in lines]


@pytest.mark.parametrize("table, code", ALL)
def test_every_code_has_its_own_text_in_both_languages_that_fits_the_display(table: str, code: int) -> None:
    """D2: each refusal, notice, stop reason and lock is told in Chinese and in English."""
    zh, en = (texts.pick(getattr(texts, table), code, lang) for lang in (screens.ZH, screens.EN))
    assert 0 < len(zh) <= 16 and 0 < len(en) <= 16
    assert re.search("[\u4e00-\u9fff]", read(zh + b" " * (len(zh) % 2)))
    assert en.isascii() and en.decode().isprintable()
    for lang, own in ((screens.ZH, zh), (screens.EN, en)):
        others = [texts.pick(getattr(texts, table), other, lang) for other in TABLES[table] if other != code]
        assert own not in others


@pytest.mark.parametrize("table", TABLES)
def test_a_table_has_no_text_without_a_code_and_an_unknown_code_shows_nothing(table: str) -> None:
    lines = getattr(texts, table).split(b"\n")[1:]
    assert sorted(TABLES[table]) == list(range(1, len(lines) + 1))
    assert texts.pick(getattr(texts, table), len(lines) + 1, screens.ZH) == b""


def test_d5_money_and_litres_stand_large_on_the_first_two_lines_rounded_half_up() -> None:
    look = view.View()
    look.state, look.volume_ml, look.amount_fen, look.price_fen_per_l = view.FUELLING, 7_545, 5_704, 756
    money, litres, price, message = shown(look)
    assert (plain(money), plain(litres)) == ("57.04元", "7.55升")
    assert "５７．０４" in money, "16 x 16 dots each"
    assert price.strip() == "价7.56" and message.strip() == "正在加油"
    money, litres, price, message = shown(look, screens.EN)
    assert plain(money).replace(" ", "").endswith("57.04") and plain(litres) == "7.55L"
    assert message.strip() == "Fuelling"
    assert [line.strip() for line in on_20_columns(look)] == ["57.04 元", "7.55 升", "\x027.56", "Fuelling"]


@given(
    volume_ml=st.integers(0, 999_999),
    amount_fen=st.integers(0, 999_999),
    balance_fen=st.integers(-1, 500_000),
    price=st.integers(0, 99_999),
    nozzle=st.integers(-1, 3),
    lang=st.sampled_from((screens.ZH, screens.EN)),
)
def test_d5_whatever_the_figures_they_fit_and_stand_at_even_columns(
    volume_ml: int, amount_fen: int, balance_fen: int, price: int, nozzle: int, lang: int
) -> None:
    look = view.View()
    look.volume_ml, look.amount_fen, look.balance_fen = volume_ml, amount_fen, balance_fen
    look.price_fen_per_l, look.nozzle = price, nozzle
    money, litres, third, _ = shown(look, lang)
    assert f"{amount_fen // 100}.{amount_fen % 100:02d}" in plain(money)
    assert f"{(volume_ml + 5) // 1000}.{(volume_ml + 5) % 1000 // 10:02d}" in plain(litres)
    if balance_fen >= 0 and price < 10_000:
        assert f"{balance_fen // 100}.{balance_fen % 100:02d}" in third
        assert not price or f"{price // 100}.{price % 100:02d}" in third


@pytest.mark.parametrize(
    "kind, value, expected",
    [
        (codes.PRESET_MONEY, 20_000, "定额    200.00元"),
        (codes.PRESET_VOLUME, 20_000, "定量     20.00升"),
        (codes.PRESET_FULL, 0, "加满"),
    ],
)
def test_d4_a_preset_stands_in_the_third_line(kind: int, value: int, expected: str) -> None:
    look = view.View()
    look.preset_kind, look.preset_value = kind, value
    assert shown(look)[2].rstrip() == expected


def test_d4_keys_are_echoed_while_a_preset_is_typed_before_and_after_its_kind_is_chosen() -> None:
    look = view.View()
    look.entry = "2"
    assert "2_元" in shown(look)[2], "money is meant until B is pressed"
    look.entry_kind, look.entry = codes.PRESET_VOLUME, "20"
    assert "20_升" in shown(look)[2] and "20_升" in on_20_columns(look)[2]


def test_d21_a_pin_is_shown_as_stars_and_an_odometer_as_typed() -> None:
    look = view.View()
    look.notice, look.entry = view.NOTICE_PIN, "***"
    assert shown(look)[2:] == ["输入        ***_", "请输密码后按#   "]
    look.notice, look.entry = view.NOTICE_ODOMETER, ""
    assert shown(look, screens.EN)[2:] == ["Type           _", "km, then #      "]


@pytest.mark.parametrize(
    "notice, figures, zh, en",
    [
        (view.NOTICE_PIN, (2,), ["剩 2           _"], ["left 2         _"]),
        (view.NOTICE_ON_DUTY, (12,), ["班次          12"], ["Shift         12"]),
        (view.NOTICE_LOADED, (10_000,), ["已充      100.00"], ["Loaded    100.00"]),
        (view.NOTICE_MENU, (view.MENU_MANAGER,), ["１日结　２停用  "], ["1 Day    2 Lock "]),
        (view.NOTICE_MENU, (view.MENU_TEST,), ["１回罐　２检定  "], ["1 Test 2 Prover "]),
        (view.NOTICE_MENU, (view.MENU_SERVICE,), ["１回２检３系４解"], ["1T 2Prv 3Fct 4Un"]),
        (view.NOTICE_MENU, (view.MENU_TEST, 7_012), ["误差   +7012 ppm"], ["Error  +7012 ppm"]),
        (view.NOTICE_PROVER, (3,), ["               3"], ["               3"]),
    ],
)
def test_the_figures_of_a_notice_are_told_in_words(
    notice: int, figures: tuple[int, ...], zh: list[str], en: list[str]
) -> None:
    look = view.View()
    look.notice, look.figures = notice, figures
    assert shown(look)[2:3] == zh and shown(look, screens.EN)[2:3] == en
    assert on_20_columns(look)[2].strip()


def test_d21_a_wrong_pin_is_said_until_the_next_try_is_typed() -> None:
    look = view.View()
    look.notice, look.figures = view.NOTICE_PIN, (3,)
    look.refusal = codes.REFUSE_PIN  # of an earlier card
    assert shown(look)[3].strip() == "请输密码后按#"
    look.figures = (2,)
    assert [line.strip() for line in shown(look)[2:]] == ["剩 2           _", "密码错误"]
    look.entry = "*"
    assert shown(look)[3].strip() == "请输密码后按#"


def test_d8_a_proposed_factor_stands_with_its_error_and_repeatability() -> None:
    look = view.View()
    look.notice, look.figures = view.NOTICE_FACTOR, (-3_120, 240, 3_130)
    lines = ["误差   -3120 ppm", "重复性  +240 ppm", "系数   +3130 ppm", "新系数？按＃接受"]
    assert shown(look) == lines
    look.figures = (-3_120, 1_400)
    assert shown(look)[2].split() == ["系数", "-"], "a meter that does not repeat itself gets no factor"
    assert len(on_20_columns(look)) == 4


def test_d23_the_end_of_a_shift_shows_its_money_and_litres() -> None:
    look = view.View()
    look.notice, look.figures = view.NOTICE_OFF_DUTY, (12, 45, 1_234_560, 987_654)
    assert [plain(line) for line in shown(look)][:3] == ["9876.54元", "1234.56升", "班次          12"]
    look.figures = (12, 450, 99_999_999, 123_456_789)  # of a busy shift: in figures of ordinary width
    assert [line.strip() for line in shown(look)][:2] == ["1234567.89元", "100000.00升"]


def locked_views() -> Iterator[tuple[int, tuple[int, ...], str]]:
    yield 0, (), "暂停使用"
    yield view.LOCK_REMOTE, (), "站内锁定"
    yield view.LOCK_PULSER, (), "脉冲故障锁定"
    yield view.LOCK_OVERRUN, (), "过冲锁定"
    yield view.LOCK_METER, (codes.ALARM_NOZZLE_OFF,), "计量自锁"
    yield view.LOCK_REMOTE, (codes.ALARM_EMERGENCY, codes.ALARM_TAMPER), "急停已按下"
    yield 0, (codes.ALARM_TAMPER,), "机壳被打开"
    yield 0, (codes.ALARM_SUPPLY,), "供电异常"


@pytest.mark.parametrize("locked, alarms, expected", locked_views())
def test_d17_a_locked_pump_says_why_the_most_urgent_reason_first(
    locked: int, alarms: tuple[int, ...], expected: str
) -> None:
    look = view.View()
    look.state = view.LOCKED
    assert shown(look, lock=screens.locks(locked, alarms))[3].strip() == expected


def test_d18_after_a_sale_its_figures_and_the_reason_of_its_end_stay() -> None:
    look = view.View()
    look.amount_fen, look.volume_ml, look.reason = 4_995, 6_607, codes.STOP_PRESET
    assert shown(look)[3].strip() == "已到定额"


def page(number: int, columns: int = screens.GRAPHIC, lang: int = screens.ZH, now_s: int = 1_790_000_000) -> list[str]:
    ctl = SimpleNamespace(
        view=SimpleNamespace(page=number),
        journal=SimpleNamespace(head=12, acked=8),
        meters=[Meter(100, 1_234), Meter(100)],
        now_s=now_s,
        quality=records.TIME_SYNCED,
        boot_id=7,
    )
    ctl.meters[0].total_ml, ctl.meters[0].events, ctl.meters[0].old_ppm = 146_000_000_123, 3, -250
    lines = pages.lines(ctl, columns, lang, SOFTWARE, "p1", False)
    assert [len(line) for line in lines] == [columns] * 4
    return [read(line) if columns == screens.GRAPHIC else line.decode("ascii") for line in lines]


def test_d25_the_first_page_shows_the_software_id_which_is_the_checksum() -> None:
    name, title, software, unsent = page(1)
    assert name.split() == ["Pumpside", "p1"] and title.strip() == "软件号＝校验和" and software == SOFTWARE
    assert unsent.split() == ["流水未传", "3"]
    assert SOFTWARE in page(1, screens.CHARACTER)[2]


def test_d26_the_second_page_shows_time_with_its_quality_and_zone_and_the_link() -> None:
    assert page(2)[0] == "2026-09-21 22:13" and page(2)[1].strip() == "时间已校准"
    assert page(2)[2].startswith("UTC+8") and page(2)[3].strip() == "本站未连接"
    assert page(2, now_s=0)[0].count("-") > 10
    assert page(2, screens.CHARACTER)[3].strip() == "Station offline"


def test_d18_a_page_for_each_nozzle_shows_the_totalizer_to_the_millilitre() -> None:
    title, total, factor, count = page(3)
    assert title.strip() == "1号枪累计升" and total.strip() == "146000000.123"
    assert factor.split() == ["系数", "-250>+1234"] and count.split() == ["校准次数", "3"], "before and in force (D25)"
    assert page(4)[2].split() == ["系数", "+0", "ppm"]
    assert page(4, lang=screens.EN)[0].strip() == "2#Total litres"


@given(st.integers(1, 4_102_444_800))
def test_the_boards_calendar_is_the_hosts(now_s: int) -> None:
    from datetime import UTC, datetime, timedelta

    expected = datetime.fromtimestamp(now_s, UTC) + timedelta(hours=8)
    assert pages.moment(now_s).decode() == expected.strftime("%Y-%m-%d %H:%M")
