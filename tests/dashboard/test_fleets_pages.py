"""The companies' pages over a real station: opened, paid, allocated, ruled and settled by a clerk (C11, C12, Y7)."""

from datetime import datetime

import pytest
from playwright.sync_api import Page, expect

from station import fleets, ledger
from station.accounts import Terms
from station.platform import database
from station.platform.secrets import Secrets
from tests.dashboard.conftest import OfficeRun, Viewer
from tests.dashboard.test_look import CONTRAST
from tests.fleets.company import Pump, card, number_of
from tests.station.world import T0

DAY = 86_400
FULL = "顺达物流"


def furnish(office: OfficeRun) -> int:
    """A company with a department, two vehicles, rules, a price, sales, a statement, a refusal and exceptions."""
    noon = T0 - T0 % DAY + 28 * 3600
    with database.write(office.engine) as conn:
        firm = fleets.open_company(
            conn, FULL, Terms(3_000_000, offline_fen=0), "陈静", T0, "91110000MA0000000X"
        ).account
        part = fleets.add_part(conn, firm, "运输部", "陈静", T0).account
        fleets.allocate(conn, part, 1_000_000, "A", "陈静", T0)
        uids = [card(conn, 1, firm, "京A10001"), card(conn, 2, firm, "京A10002")]
        for uid, unit, plate in ((uids[0], firm, "京A10001"), (uids[1], part, "京A10002")):
            wanted = fleets.Vehicle(0, unit, plate, 60_000, 1, 9_000, number_of(uid))
            fleets.save(conn, wanted, "陈静", T0)
        fleets.set_rules(conn, fleets.of_unit(part), fleets.Rules(day_fills=2), "陈静", "合同", T0)
        fleets.agree(conn, firm, 1, fleets.DISCOUNT, 20, T0, 0, "陈静", "框架协议", T0)
        pump = Pump(conn, Secrets.load(office.settings.secrets_path))
        for day in range(6):
            pump.fuel(uids[0], 45_000, noon + day * DAY, km=20_000 + day * 500)
        pump.fuel(uids[1], 61_000, noon + DAY, km=5_000)
        pump.fuel(uids[1], 20_000, noon + DAY + 3600, km=4_000)
        assert pump.ask(uids[1], noon + DAY + 7200).grant is None
        fleets.top_up(conn, firm, 100_000, "gateway:icbc", "P", "陈静", noon + 7 * DAY)
        fleets.make(conn, firm, noon + 8 * DAY, "陈静", noon + 8 * DAY)
    return firm


@pytest.fixture(scope="module")
def firm(office: OfficeRun) -> int:
    return furnish(office)


def typed(page: Page, form: int, values: dict[str, str]) -> None:
    """Fills the form by its labels and sends it."""
    root = page.locator("form.controls:not([method])").nth(form)
    last = None
    for label, value in values.items():
        last = root.locator("label").filter(has_text=label).locator("input, select").first
        if last.evaluate("e => e.tagName") == "SELECT":
            last.select_option(label=value)
        else:
            last.fill(value)
    assert last is not None
    root.locator("button[type=submit]").click()


def test_c11_a_clerk_opens_a_company_and_moves_its_money(clerk: Viewer, office: OfficeRun) -> None:
    page = clerk.open("/fleets", lang="en")
    expect(page.locator("section").first).to_contain_text("No company yet")
    typed(page, 0, {"Customer": "远航客运", "Credit line": "1000"})
    expect(page.locator(".said").first).to_have_text("Opened: 远航客运")
    page.get_by_role("link", name="远航客运").click()
    expect(page.locator("h1")).to_have_text("远航客运")
    typed(page, 1, {"Department": "North"})
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(2)
    typed(page, 0, {"Amount": "500.00", "Bank": "icbc"})
    expect(page.locator(".said").first).to_have_text("500.00 yuan taken")
    typed(page, 1, {"Way": "to the part", "Amount": "2000"})
    expect(page.locator(".said.bad")).to_contain_text("1500.00")  # 500 paid and a line of 1,000
    typed(page, 1, {"Amount": "700"})
    expect(page.locator(".said").nth(1)).to_have_text("700.00 yuan moved: North")
    rows = page.locator("table").first.locator("tbody tr")
    expect(rows.nth(0).locator("td").nth(7)).to_have_text("−500.00")  # with all its parts it owes nothing
    expect(rows.nth(1).locator("td").nth(4)).to_have_text("700.00")
    typed(page, 3, {"Credit line": "2000", "State": "Stopped", "Days to pay": "15"})
    expect(page.locator(".said.bad")).to_have_text("say why")
    typed(page, 3, {"Reason": "late"})
    expect(rows.nth(0)).to_contain_text("Stopped")
    expect(rows.nth(0)).to_contain_text("2,000.00")
    with database.read(office.engine) as conn:
        assert ledger.verify(conn) == []
        assert ledger.balance(conn, ledger.gateway("icbc")) == -50_000


def test_c12_rules_are_set_and_what_they_declined_is_read(clerk: Viewer, office: OfficeRun, firm: int) -> None:
    page = clerk.open(f"/fleets/{firm}", lang="en")
    refused = page.locator("section").last.locator("tbody tr")
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("Fills per day")
    expect(refused).to_contain_text("京A10002")
    page.get_by_role("link", name="Vehicles and drivers").click()
    expect(page.locator("table").first.locator("tbody tr").nth(1)).to_contain_text("Rules not on the card yet")
    page.locator("table").first.locator("tbody tr").nth(0).get_by_role("link", name="Rules").click()
    expect(page.locator("h2").first).to_have_text("Rules of 京A10001")
    typed(page, 0, {"Money per day": "350.50", "Hours": "6-22", "Reason": "trial"})
    expect(page.locator(".said").first).to_contain_text("Saved")
    expect(page.locator("table").first).to_contain_text("Money per day 350.50 yuan")
    with database.read(office.engine) as conn:
        car, _ = fleets.vehicles_of(conn, firm)
        assert fleets.rules(conn, fleets.of_vehicle(car.id)) == fleets.Rules(day_fen=35_050, hours=tuple(range(6, 22)))


def test_y7_a_price_is_agreed_and_a_statement_made_read_and_released(
    clerk: Viewer, office: OfficeRun, firm: int
) -> None:
    page = clerk.open(f"/fleets/{firm}/rules", lang="en")
    typed(page, 1, {"Kind": "fixed price", "yuan/L": "7.10", "Reason": "2027"})
    expect(page.locator("table").last.locator("tbody tr").first).to_contain_text("7.10")
    page.get_by_role("link", name="Statements").click()
    first = page.locator("table").first.locator("tbody tr")
    expect(first).to_contain_text("yuan unpaid, due")
    first.get_by_role("link", name="1", exact=True).click()
    expect(page.locator("h2").first).to_have_text(f"Statement 1 of {FULL}")
    lines = page.locator("table").first.locator("tbody tr")
    expect(lines).to_have_count(11)  # eight fills, two rebates of two units, a payment
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    assert "京A10001" in download.value.path().read_text("utf-8-sig")
    page.get_by_role("button", name="Release for invoicing").click()
    expect(page.locator(".said").first).to_contain_text(f"statement:{firm}:1")
    page.get_by_role("button", name="Make the statement").click()
    expect(page.locator("table").nth(1).locator("tbody tr")).to_have_count(2)


def test_c12_exceptions_are_read_in_the_time_asked_for(clerk: Viewer, firm: int) -> None:
    begin = datetime.fromtimestamp(T0).strftime("%Y-%m-%d")
    page = clerk.open(f"/fleets/{firm}/exceptions?from={begin}", lang="en")
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0)).to_contain_text("odometer went back")
    expect(rows.nth(1)).to_contain_text("more than the tank")
    expect(rows.nth(1)).to_contain_text("60.000 L")
    page = clerk.open(f"/fleets/{firm}/exceptions")
    expect(page.locator("section")).to_contain_text("没有异常")
    missing = clerk.open("/fleets/4711", lang="en")
    expect(missing.locator("h1")).to_have_text("There is no company 4711")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_of_a_company_can_be_read_in_both_themes(clerk: Viewer, firm: int, theme: str) -> None:
    for path in ("/fleets", *(f"/fleets/{firm}{tail}" for tail in ("", "/vehicles", "/rules", "/statements?number=1"))):
        page = clerk.open(path, theme=theme)
        expect(page.locator("table tbody tr").first).to_be_visible()
        assert page.evaluate(CONTRAST) == [], path
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
