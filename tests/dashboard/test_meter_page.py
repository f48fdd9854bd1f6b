"""The metering page in a real browser (D8, D24, D25, D30): factors, readings, event log, a timeline drawn."""

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import Scheme, Viewer


def test_d25_factors_totalizers_and_events_in_chinese_and_english(viewer: Viewer) -> None:
    page = viewer.open("/meter")
    expect(page.locator("h1")).to_have_text("计量")
    first = page.locator("table").nth(0).locator("tbody tr")
    expect(first).to_have_count(3)
    expect(first.nth(0)).to_contain_text("12,345.678")
    expect(first.nth(0)).to_contain_text("−1,250")
    expect(first.nth(1)).to_contain_text("未检定")
    expect(first.nth(2)).to_contain_text("计量自锁")
    page = viewer.open("/meter", lang="en")
    log = page.locator("table").nth(3).locator("tbody tr")
    expect(log.nth(2)).to_contain_text("factor 0 → -1250 ppm")
    expect(log.nth(3)).to_contain_text("start number 2 with another board or meter")


def test_d8_prover_readings_beyond_the_limit_are_flagged(viewer: Viewer) -> None:
    page = viewer.open("/meter", lang="en")
    rows = page.locator("table").nth(2).locator("tbody tr")
    expect(rows).to_have_count(5)
    expect(rows.nth(0)).to_contain_text("+0.700 %")
    expect(rows.nth(0)).to_contain_text("beyond ±0.6 %")
    expect(rows.nth(1)).to_contain_text("returned to tank")
    expect(rows.nth(4)).to_contain_text("within ±0.30 %")


def test_d8_the_prover_wizard_is_followed_on_the_page(viewer: Viewer) -> None:
    rows = viewer.open("/meter", lang="en").locator("table").nth(1).locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("three runs done")
    for figure in ("+0.400 %", "0.020 %", "−3,984"):
        expect(rows.nth(0)).to_contain_text(figure)
    expect(rows.nth(1)).to_contain_text("run 2: the prover's reading is awaited")


@pytest.mark.parametrize(("theme", "scheme"), [("light", "light"), ("dark", "dark")])
def test_d30_a_whole_timeline_is_drawn_and_sums_to_the_sale(viewer: Viewer, theme: str, scheme: Scheme) -> None:
    page = viewer.open("/meter?sale=p1-5", lang="en", theme=theme, scheme=scheme)
    panel = page.locator("#timeline")
    expect(panel).to_contain_text("Whole: 5 pages, 50 s")
    expect(panel).to_contain_text("channel A: 3,250 pulses, recorded 3,250")
    expect(panel).to_contain_text("agrees with the sale's record")
    bars = panel.locator("svg.timeline rect.channel-a")
    assert bars.count() >= 300
    box = bars.nth(10).bounding_box()
    assert box and box["height"] > 20 and box["width"] > 0.5
    panel.locator("summary").click()
    expect(panel.locator("details tbody tr")).to_have_count(50)
    expect(panel.locator("details tbody tr").first).to_contain_text("130")


def test_d30_what_is_missing_is_told_and_hatched(viewer: Viewer) -> None:
    page = viewer.open("/meter?sale=p1-3", lang="en")
    panel = page.locator("#timeline")
    expect(panel).to_contain_text("Not whole: 4 pages have come, page 3 is missing")
    assert panel.locator("svg.timeline rect.unknown").count() > 50
    expect(panel).not_to_contain_text("agrees")


def test_d30_a_timeline_is_fetched_by_a_press(viewer: Viewer) -> None:
    page = viewer.open("/meter?sale=p1-1")
    panel = page.locator("#timeline")
    expect(panel).to_contain_text("本站还没有这笔交易的时间线")
    panel.get_by_text("向油机索取").click()
    expect(panel).to_contain_text("完整")
    page = viewer.open("/meter?sale=p1-2")
    expect(page.locator("#timeline")).to_contain_text("油机已不再保存这笔交易")
    page = viewer.open("/meter?sale=p1-4")
    page.locator("#timeline").get_by_text("向油机索取").click()
    expect(page.locator("#timeline")).to_contain_text("油机离线")


@pytest.mark.parametrize("typed", ["p9-5", "nonsense", "p1-99999999999999", "<img src=x onerror=alert(1)>"])
def test_d30_a_sale_that_is_none_is_told(viewer: Viewer, typed: str) -> None:
    page = viewer.open(f"/meter?sale={typed}", lang="en")
    expect(page.locator("#timeline")).to_contain_text("No such sale")
    assert page.locator("img").count() == 0


def test_empty_and_failing_states_are_words(viewer: Viewer) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open("/meter", lang="en")
    expect(page.locator(".content")).to_contain_text("show a test card at a pump")
    viewer.tell("/_test/mode/failing")
    expect(page.locator(".note.failed").first).to_be_visible()
