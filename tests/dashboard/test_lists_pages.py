"""Sales, cards, tanks, quarantine in a real browser: paging on the server, filters, CSV, empty and hostile."""

import csv
import io
from urllib.parse import quote

import httpx
import pytest
from playwright.sync_api import expect

from station.dashboard import figures
from tests.dashboard.conftest import Viewer
from tests.dashboard.fakes import CARD, HOSTILE


def test_sales_page_through_the_server_fifty_at_a_time(viewer: Viewer) -> None:
    page = viewer.open("/sales", lang="en")
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(50)
    expect(page.locator(".pager")).to_contain_text("1–50 of 130")
    page.get_by_text("Next", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("51–100 of 130")
    page.get_by_text("Next", exact=True).click()
    expect(rows).to_have_count(30)
    expect(page.get_by_text("Next", exact=True)).to_have_count(0)
    page.get_by_text("Previous", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("51–100 of 130")


def test_the_filter_is_an_address_that_can_be_kept_and_exported(viewer: Viewer) -> None:
    page = viewer.open("/sales", lang="en")
    page.locator('select[name="pump"]').select_option("p2")
    page.locator('input[name="card"]').fill("6200 0100 0000 0017")
    page.get_by_text("Filter", exact=True).click()
    expect(page.locator(".pager")).to_contain_text("of 33")
    assert "pump=p2" in page.url
    expect(page.locator('select[name="pump"]')).to_have_value("p2")
    assert set(page.locator("table tbody td:nth-child(2)").all_text_contents()) == {"Pump 2"}
    link = page.get_by_text("Export CSV").locator("..").get_attribute("href") or ""
    assert link.startswith("/sales.csv?")
    answer = httpx.get(viewer.station + link, trust_env=False, cookies={"ps_lang": "en"})
    lines = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert len(lines) == 1 + 33
    assert lines[0][:3] == ["time", "pump", "nozzle"]
    assert {line[1] for line in lines[1:]} == {"p2"}
    assert {line[7] for line in lines[1:]} == {f"\t{CARD}"}


@pytest.mark.parametrize(
    "query",
    [
        "page=-1", "page=999999999999999999999", "page=abc", "grade=' OR 1=1", "card=" + "9" * 4000, "pump=%00",
        "from=2026-02-30", "from=0001-01-01&to=9999-12-31", "card=" + quote(HOSTILE), "pump=" + quote(HOSTILE),
    ],
)  # fmt: skip
def test_hostile_filters_neither_break_the_page_nor_run(viewer: Viewer, query: str) -> None:
    page = viewer.open(f"/sales?{query}")
    expect(page.locator("h1")).to_have_text("交易记录")
    page.wait_for_selector("table tbody tr, .panel .note, .pager")
    assert page.locator("img").count() == 0
    assert httpx.get(f"{viewer.station}/sales.csv?{query}", trust_env=False).status_code == 200


def test_a_day_that_is_none_is_told(viewer: Viewer) -> None:
    page = viewer.open("/sales?from=2026-02-30", lang="en")
    expect(page.get_by_text("write a day as 2026-11-22")).to_be_visible()


def test_cards_show_what_the_books_and_the_card_say(viewer: Viewer) -> None:
    """C3, C5: by the books, as last seen on the card, in flight, and how they agree."""
    page = viewer.open("/cards", lang="en")
    first = page.locator("table tbody tr").nth(0)
    for words in ("6200 0100 0000 0017", "800.00", "599.99", "200.01", "waits for records · 2 missing", "active"):
        expect(first).to_contain_text(words)
    second = page.locator("table tbody tr").nth(1)
    expect(second).to_contain_text("blocked")
    expect(second).to_contain_text(HOSTILE)  # a holder's name is text, whatever it holds
    assert page.locator("img").count() == 0
    page.locator('input[name="card"]').fill("0025")
    page.locator('input[name="card"]').press("Enter")
    expect(page.locator("table tbody tr")).to_have_count(1)


def test_quarantine_keeps_odd_records_in_sight_as_they_came(viewer: Viewer) -> None:
    page = viewer.open("/quarantine", lang="en")
    rows = page.locator("table tbody tr")
    expect(rows.nth(0)).to_contain_text("wrong authentication code")
    expect(rows.nth(0)).to_contain_text("to look at")
    expect(rows.nth(1)).to_contain_text("7b 5b")
    expect(rows.nth(1)).to_contain_text(HOSTILE)
    assert page.locator("img").count() == 0


def test_tanks_show_stock_ullage_and_state(viewer: Viewer) -> None:
    page = viewer.open("/tanks", lang="en")
    rows = page.locator("table tbody tr")
    expect(rows.nth(0)).to_contain_text("21,975")
    expect(rows.nth(0)).to_contain_text("8,025")
    expect(rows.nth(2)).to_contain_text("low")
    expect(rows.nth(3)).to_contain_text("−12")
    expect(rows.nth(3)).to_contain_text("book stock impossible")


@pytest.mark.parametrize(
    ("lang", "by_gauge", "by_hand"), [("zh", "液位仪", "人工计量"), ("en", "level gauge", "dipped")]
)
def test_tanks_show_what_was_read_beside_the_books(viewer: Viewer, lang: str, by_gauge: str, by_hand: str) -> None:
    """I1: book, gauge, difference and time of the reading; a tank never read shows dashes, not noughts."""
    page = viewer.open("/tanks", lang=lang)

    def cells(row: int) -> list[str]:
        return [cell.strip() for cell in page.locator("table tbody tr").nth(row).locator("td").all_inner_texts()][1:5]

    page.wait_for_selector("table tbody tr")
    at = figures.day_and_clock
    assert cells(0) == ["21,975", "21,944", "−31.20", f"{at(1_790_000_000)} · {by_gauge}"]
    assert cells(1) == ["17,991", "17,992", "0.77", f"{at(1_790_000_060)} · {by_hand}"]
    assert cells(2)[1:] == ["—", "—", "—"]


@pytest.mark.parametrize("path", ["/sales", "/tanks", "/cards", "/quarantine"])
def test_empty_lists_say_what_to_do_and_failures_what_is_wrong(viewer: Viewer, path: str) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open(path)
    expect(page.locator(".note:not(.failed)").last).to_be_visible()
    expect(page.locator("table")).to_have_count(0)
    viewer.tell("/_test/mode/failing")
    expect(page.locator(".scroll .note.failed")).to_contain_text("读取失败")
    viewer.tell("/_test/mode/full")
    expect(page.locator("table tbody tr").first).to_be_visible()
