"""The accounts' page: credit, what lies at which pump, and money that waits for its card (D28)."""

from playwright.sync_api import expect

from tests.dashboard.conftest import Viewer
from tests.dashboard.fakes import HOSTILE
from tests.dashboard.test_bench_page import ready


def test_accounts_leases_and_waiting_loads_stand_on_one_page(viewer: Viewer) -> None:
    page = viewer.open("/accounts", lang="en")
    tables = page.locator("table")
    expect(tables).to_have_count(3)
    first = tables.nth(0).locator("tbody tr").nth(0)
    expect(first.locator("td").nth(1)).to_have_text(HOSTILE)  # written as it is, not run
    expect(first.locator("td").nth(6)).to_have_text("15,154.33")  # 30,000 less owed and lent
    expect(tables.nth(1).locator("tbody tr").nth(0)).to_contain_text("The sale in hand")
    expect(tables.nth(2).locator("tbody tr")).to_contain_text("gateway:wechat")


def test_the_page_says_what_to_do_where_there_is_nothing(viewer: Viewer) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open("/accounts")
    expect(page.locator("section").nth(0)).to_contain_text("pumpside account open")
    expect(page.locator("section").nth(2)).to_contain_text("pumpside top-up")


def test_a_card_in_the_wallet_is_topped_up_by_phone(viewer: Viewer) -> None:
    page = ready(viewer)
    page.locator(".card-pick").first.click()
    page.get_by_text("Top up 200.00 yuan by phone").click()
    expect(page.locator(".said").first).to_have_text("Paid: on the card at its next tap at a pump")
