"""D19 D22 D26: prices planned, card lists, firmware, and how far each pump is, stand on one page."""

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import Viewer


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("zh", ("待生效", "现行", "作废", "下载中 37 %", "油机拒绝：signature", "失败，已退回旧版", "停用 99321 张")),
        ("en", ("planned", "in force", "void", "fetching 37 %", "refused by the pump: signature", "99321 blocked")),
    ],
)
def test_d22_d26_plans_and_updates_stand_with_their_state(viewer: Viewer, lang: str, words: tuple[str, ...]) -> None:
    page = viewer.open("/issued", lang=lang)
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(3)
    expect(page.locator("table").nth(1).locator("tbody tr")).to_have_count(4)
    for word in words:
        expect(page.get_by_text(word).first).to_be_visible()
    for figure in ("8.56", "8.16", "71,456", "0123456789abcdef", "v12"):
        expect(page.get_by_text(figure).first).to_be_visible()
    assert page.locator("img").count() == 0, "a name is text, whatever it looks like"


def test_d26_an_update_is_ordered_for_all_pumps_with_one_press(viewer: Viewer) -> None:
    page = viewer.open("/issued")
    page.get_by_text("全部油机更新到 v7").click()
    expect(page.get_by_text("已下达")).to_be_visible()
    expect(page.locator("table").nth(1).locator("tbody tr").first).to_contain_text("v7")


def test_without_prices_and_releases_the_page_says_how_they_come_and_a_failure_is_told(viewer: Viewer) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open("/issued")
    expect(page.get_by_text("pumpside price set")).to_be_visible()
    expect(page.get_by_text("pumpside update add")).to_be_visible()
    viewer.tell("/_test/mode/failing")
    expect(page.locator(".scroll .note.failed").first).to_contain_text("读取失败")
