"""Y5, N2, X3, X5, R1, R2, O1: the pages of supervision in a real browser over a real database."""

import csv
import io
import re

import httpx
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import text

from station import cards, ledger, risk, staff
from station.cards import issuing, registry
from station.dashboard import figures
from station.ledger import Transfer
from station.platform import audit, clock, database, parameters
from station.risk import SALE, Event
from tests.dashboard.conftest import OfficeRun, Viewer
from tests.dashboard.test_look import CHINESE, CONTRAST

PATHS = (
    "/books", "/books/accounts", "/books/statement?account=cash:desk&asset=fen", "/books/periods", "/books/checks",
    "/audit", "/risk", "/risk/rules", "/risk/rules/change?name=day_amount", "/parameters",
    "/parameters/change?name=cap.load", "/staff",
)  # fmt: skip
DAY = 86_400


def _load(office: OfficeRun, key: str, fen: int, at: int | None = None) -> None:
    with database.write(office.engine) as conn:
        lines = [Transfer(ledger.cash("desk"), ledger.pending("1"), fen)]
        ledger.post(conn, f"load:{key}", at or clock.now() - 10, lines, "cash")


def _suspect(office: OfficeRun, number: int) -> tuple[str, int]:
    """A card that was at two pumps at once, blocked by the watch: (its number, the finding's)."""
    now = clock.now()
    with database.write(office.engine) as conn:
        uid = bytes([4]) + number.to_bytes(6, "big")
        card_no = issuing.begin(conn, uid, issuing.Order(holder="张三", document="1101"), 1, now)
        issuing.complete(conn, card_no, "wang", now)
        both = [Event(SALE, now - 60, card_no, "s1", device, now - 120, 100, 100, ref=device) for device in (257, 258)]
        risk.observe(conn, both, {}, now)
        cards.watch(conn, now)
        case = risk.held(conn, card_no)
    assert case is not None
    return card_no, case.id


def _said(page: Page) -> Locator:
    return page.locator(".said:not(.hidden)")


def test_y5_the_trial_balance_of_chosen_days_balances_and_its_vouchers_come_as_csv(
    office: OfficeRun, clerk: Viewer
) -> None:
    _load(office, "old", 500, clock.now() - 40 * DAY)
    _load(office, "new", 12_300)
    page = clerk.open("/books", lang="en")
    money = page.locator("section", has=page.get_by_text("Money (yuan)"))
    expect(money).to_contain_text("balances")
    expect(money.locator("tbody tr", has_text="cash drawers")).to_contain_text("−128.00")
    page.locator("input[name=from]").fill(figures.day(clock.now() - 2 * DAY))
    page.keyboard.press("Enter")
    expect(money.locator("tbody tr", has_text="cash drawers")).to_contain_text("−123.00")
    link = page.get_by_text("Vouchers as CSV").locator("xpath=ancestor::a").get_attribute("href")
    rows = list(csv.DictReader(io.StringIO(httpx.get(office.url + str(link), trust_env=False).text.lstrip("\ufeff"))))
    paid = [row for row in rows if row["asset"] == "fen"]
    assert [(row["kind"], row["debit_yuan"], row["credit_yuan"]) for row in paid] == [
        ("cash", "123.00", "0.00"), ("pending", "0.00", "123.00"),
    ]  # fmt: skip
    money.get_by_text("cash drawers").click()
    page.get_by_text("cash:desk").click()
    lines = page.locator("table tbody tr")
    expect(lines).to_have_count(2)
    expect(lines.nth(0)).to_contain_text("−128.00")
    expect(lines.nth(1)).to_contain_text("−5.00")


def test_y5_a_period_is_closed_by_its_last_day_once(office: OfficeRun, clerk: Viewer) -> None:
    _load(office, "closing", 700, clock.now() - 60 * DAY)
    page = clerk.open("/books/periods")
    expect(page.locator("input[type=date]")).to_be_focused()
    last = figures.day(clock.now() - 50 * DAY)
    page.locator("input[type=date]").fill(last)
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_text(f"已结账到 {last}")
    expect(page.locator("table tbody tr")).to_contain_text(last)
    page.get_by_role("button", name="结账").click()
    expect(_said(page)).to_have_text("该期间已结账")


def test_x5_an_edited_row_is_named_on_the_pages_and_alarmed_on_all(office: OfficeRun, clerk: Viewer) -> None:
    with database.write(office.engine) as conn:
        for name in ("a", "b", "c"):
            audit.record(conn, clock.now(), "王芳", "test.change", name)
    with database.read(office.engine) as conn:
        seq = audit.recent(conn, 1, subject="b")[0].seq
    page = clerk.open("/audit?action=test.", lang="en")
    verify = page.get_by_role("button", name="Verify the whole chain")
    with database.write(office.engine) as conn:
        conn.execute(text("DROP TRIGGER IF EXISTS audit_no_update"))
        conn.execute(text("UPDATE audit SET who = 'x' WHERE seq = :seq"), {"seq": seq})
    verify.click()
    expect(_said(page)).to_contain_text(f"audit row {seq}")
    checks = clerk.open("/books/checks", lang="en")
    check = checks.get_by_role("button", name="Check now")
    check.click()
    expect(checks.locator("table tbody tr").first).to_contain_text(f"row {seq} ")
    checks.locator(".press.alarmed").click()
    expect(checks.locator(".alarm-list")).to_contain_text("the books' check found")
    with database.write(office.engine) as conn:
        conn.execute(text("UPDATE audit SET who = '王芳' WHERE seq = :seq"), {"seq": seq})
    verify.click()
    expect(_said(page)).to_contain_text("the chain is whole")
    check.click()
    expect(_said(checks)).to_have_text("everything checks")


def test_r2_a_finding_waits_in_the_queue_until_somebody_decides_with_a_reason(office: OfficeRun, clerk: Viewer) -> None:
    card_no, case = _suspect(office, 1)
    page = clerk.open("/risk?state=open")
    row = page.locator("table tbody tr", has_text="两机同时用卡")
    expect(row).to_contain_text("60 秒")
    row.get_by_text("处理").click()
    expect(page.locator("h1")).to_contain_text(f"第 {case} 号发现")
    expect(page.locator("select")).to_be_focused()
    page.get_by_role("button", name="作出决定").click()
    expect(_said(page)).to_have_text("请写明理由")
    page.locator("form input").fill("看过录像，是本人")
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_text("已处理：已排除")
    expect(page.locator("table tbody tr")).to_contain_text("看过录像，是本人")
    with database.read(office.engine) as conn:
        known = registry.card(conn, card_no)
        assert known is not None and known.state == "active", "the finding had blocked it"
        assert risk.held(conn, card_no) is None


def test_r1_a_rule_is_changed_with_a_reason_and_keeps_its_versions(office: OfficeRun, clerk: Viewer) -> None:
    page = clerk.open("/risk/rules", lang="en")
    page.locator("table tbody tr", has_text="large amount in a day").get_by_text("Change").click()
    over = page.locator("form input").first
    expect(over).to_be_focused()
    expect(over).to_have_value("3,000.00")
    over.fill("4500")
    page.get_by_label("Reason").fill("harvest")
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_text("Version 1 is in force")
    expect(page.locator("table tbody tr")).to_have_count(2)
    expect(page.locator("table tbody tr").first).to_contain_text("4,500.00 yuan")
    with database.read(office.engine) as conn:
        assert next(rule for rule in risk.rules(conn) if rule.name == "day_amount").over == 450_000


def test_o1_a_parameter_is_changed_in_its_own_unit_and_in_bounds(office: OfficeRun, clerk: Viewer) -> None:
    page = clerk.open("/parameters/change?name=cap.load")
    page.get_by_label("现值").fill("99999999")
    page.get_by_label("理由").fill("试试")
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_class(re.compile(r"\bbad\b"))
    page.get_by_label("现值").fill("1500.5")
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_text("已改为 1,500.50 元")
    expect(page.locator("table tbody tr")).to_contain_text("试试")
    with database.read(office.engine) as conn:
        assert parameters.value(conn, "cap.load") == 150_050
    clerk.open("/parameters").locator("table tbody tr", has_text="1,500.50").wait_for()


def test_x3_somebody_new_gets_a_role_a_code_by_qr_once_and_is_switched_off(office: OfficeRun, clerk: Viewer) -> None:
    page = clerk.open("/staff", lang="en")
    page.get_by_label("Log-in name").fill("lihua")
    page.get_by_label("Name", exact=True).fill("<img src=x>")
    page.get_by_label("Role").select_option("accountant")
    page.get_by_label("First password").fill("1234567890")
    page.keyboard.press("Enter")
    expect(_said(page)).to_contain_text("at least 10 characters")
    page.get_by_label("First password").fill("battery staple")
    page.keyboard.press("Enter")
    expect(_said(page)).to_have_text("<img src=x> was added")
    row = page.locator("table tbody tr", has_text="lihua")
    expect(row).to_contain_text("wanted")
    row.get_by_text("Manage").click()
    page.get_by_role("button", name="Make a new one-time code").click()
    expect(page.locator("img")).to_have_count(1)
    expect(page.locator("img")).to_have_attribute("src", re.compile("^data:image/svg"))
    page.get_by_label("State").select_option("off")
    page.get_by_role("button", name="Set the state").click()
    expect(page.locator(".said.good", has_text="Switched off")).to_be_visible()
    with database.read(office.engine) as conn:
        made = staff.person(conn, "lihua")
    assert made is not None and made.has_code and not made.active
    again = clerk.open("/staff/person?name=lihua", lang="en")
    expect(again.locator("h1")).to_contain_text("lihua")
    assert again.locator("img").count() == 0, "the code is shown once"


def test_the_pages_of_supervision_read_well_by_day_by_night_and_on_a_phone(office: OfficeRun, clerk: Viewer) -> None:
    """Each in one of the two languages, turn by turn; the stories above are told in both."""
    _load(office, "look", 100)
    for number, path in enumerate(PATHS):
        page = clerk.open(path, lang=("en", "zh")[number % 2])
        page.emulate_media(reduced_motion="reduce")  # no transitions to wait for
        page.wait_for_selector("table tbody tr, .scroll .note:not(:has-text('…'))")
        if number % 2:
            heads = page.locator("h1, h2, th:not(:empty), nav a").all_inner_texts()
            assert all(re.search(CHINESE, words) for words in heads), path
        else:
            words = page.locator("body").inner_text()
            for name in ("中文", "张三", "王芳", "看过录像，是本人", "试试"):  # the switch, and what people typed
                words = words.replace(name, "")
            assert re.findall(CHINESE, words) == [], path
        for dark in (False, True):
            page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
            assert page.evaluate(CONTRAST) == [], f"{path}, dark: {dark}"
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        page.close()
