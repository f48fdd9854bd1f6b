"""D23: the shifts' page in a real browser: readings to the millilitre, who is on duty, what does not agree."""

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import Viewer


@pytest.mark.parametrize(
    ("lang", "running", "agrees", "differs"),
    [("zh", "进行中", "相符", "不符 0.017 升"), ("en", "running", "agrees", "0.017 litres unexplained")],
)
def test_d23_shifts_stand_with_readings_to_the_millilitre(
    viewer: Viewer, lang: str, running: str, agrees: str, differs: str
) -> None:
    page = viewer.open("/shifts", lang=lang)
    rows = page.locator("table").first.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text(running)
    for figure in ("1,000.000", "1,037.016", "37.016", "16.766", "20.250", "126.75", agrees):
        expect(rows.nth(1)).to_contain_text(figure)
    expect(rows.nth(2)).to_contain_text(differs)
    expect(page.locator("table").nth(1).locator("tbody tr")).to_have_count(1)
    assert page.locator("img").count() == 0, "a holder's name is text, whatever it looks like"


def test_d23_without_shifts_the_page_says_how_one_begins_and_a_failure_is_told(viewer: Viewer) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open("/shifts")
    expect(page.locator(".scroll .note").first).to_contain_text("员工卡")
    expect(page.get_by_text("无人当班")).to_be_visible()
    viewer.tell("/_test/mode/failing")
    expect(page.locator(".scroll .note.failed").first).to_contain_text("读取失败")
