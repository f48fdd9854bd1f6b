"""What the pump's display says, decoded as the glass shows it. D2, D5, D25."""

import pytest

from pump import screens
from pump.core import codes, view

SOFTWARE = "0123456789abcdef"


def shown(look: view.View, clock_s: int = 0, link_up: bool = True) -> list[str]:
    lines = screens.lines(look, SOFTWARE, "p1", link_up, clock_s)
    assert [len(line) for line in lines] == [20] * 4
    return [line.decode("latin-1").replace("\x00", "元").replace("\x01", "升") for line in lines]


def test_d5_money_and_litres_stand_on_the_first_two_lines_rounded_half_up() -> None:
    look = view.View()
    look.state, look.volume_ml, look.amount_fen, look.price_fen_per_l = view.FUELLING, 7_545, 5_704, 756
    money, litres, price, message = shown(look)
    assert money.strip() == "57.04 元" and litres.strip() == "7.55 升"
    assert "7.56" in price and message.strip() == "fuelling"


def test_the_largest_figures_fit() -> None:
    look = view.View()
    look.volume_ml, look.amount_fen, look.balance_fen, look.price_fen_per_l = 999_999, 99_999_99, 500_000, 99_999
    look.preset_kind, look.preset_value = codes.PRESET_VOLUME, 999_990
    assert shown(look)[0].strip() == "99999.99 元"


@pytest.mark.parametrize("code", [getattr(codes, name) for name in vars(codes) if name.startswith("REFUSE_")])
def test_d2_every_refusal_has_a_text_of_its_own(code: int) -> None:
    look = view.View()
    look.notice, look.refusal = view.NOTICE_REFUSED, code
    others = set()
    for other in range(1, 17):
        look.refusal = other
        others.add(shown(look)[3].strip())
    look.refusal = code
    assert shown(look)[3].strip() and len(others) == 16


def test_every_notice_and_every_reason_has_a_text_and_an_unknown_code_has_none() -> None:
    look = view.View()
    for notice in range(1, 13):
        look.notice = notice
        if notice != view.NOTICE_REFUSED:
            assert shown(look)[3].strip()
    look.notice, look.amount_fen = 0, 1
    texts = set()
    for reason in range(1, 17):
        look.reason = reason
        texts.add(shown(look)[3].strip())
    assert len(texts) == 16 and "" not in texts
    look.reason = 99
    assert shown(look)[3].strip() == ""


def test_keys_are_echoed_while_a_preset_is_typed() -> None:
    look = view.View()
    look.entry_kind, look.entry = codes.PRESET_MONEY, "200"
    assert "200_ 元" in shown(look)[2]


def test_d25_the_second_page_shows_the_software_id() -> None:
    look = view.View()
    look.page = 1
    name, software, station, clock = shown(look, clock_s=1_790_000_000, link_up=False)
    assert "p1" in name and SOFTWARE in software and "offline" in station
    assert clock.split()[1] == "22:13"  # UTC+8
