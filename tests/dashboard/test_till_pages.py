"""The till's pages as a cashier walks them: Y3, Y4, Y6, Y8, Y9 in both languages."""

import re

import pytest
from playwright.sync_api import Page, expect

from station import staff, tills
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.tills import GoodsWanted
from tests.dashboard.conftest import OfficeRun, Viewer
from tests.dashboard.test_look import CHINESE, CONTRAST
from tests.tills import shop as shops
from tests.tills.shop import Shop, cash

PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def shop(office: OfficeRun) -> Shop:
    """A shop with two open tills in the office's database, its times about now; fuel waits to be paid."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shops, "NOW", clock.now())
        made = Shop(office.engine, Secrets.load(office.settings.secrets_path))
        made.pump.at = clock.now() - 600
        made.fuel(10_000, made.walk_in())
    with database.write(office.engine) as conn:
        staff.add(conn, "li", "李华", "leader", PASSWORD, "setup", clock.now())
    return made


def look(page: Page, lang: str) -> None:
    """Only its own language, and contrast by day and by night."""
    if lang == "en":
        text = page.locator(".content").inner_text()
        for name in ("矿泉水", "机油", "散客", "漏液", "物流公司"):
            text = text.replace(name, "")
        assert re.findall(CHINESE, text) == []
    for dark in (False, True):
        page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
        page.wait_for_timeout(250)  # transitions
        assert page.evaluate(CONTRAST) == [], f"dark: {dark}"


def test_y9_water_and_change_by_the_keyboard_alone_and_a_receipt_to_print(clerk: Viewer, shop: Shop) -> None:
    page = clerk.open("/till?till=t1", lang="en")
    expect(page.locator("h1")).to_have_text("Till t1")
    expect(page.locator("table.plain").first).to_contain_text("to be paid")
    page.get_by_label("Code of goods").press_sequentially("6901*3")
    page.keyboard.press("Enter")
    expect(page.locator(".till-sum b")).to_have_text("6.00")
    page.get_by_label("Handed over").press_sequentially("10")
    page.keyboard.press("Enter")
    expect(page.locator(".till-change b")).to_have_text("4.00")
    look(page, "en")
    page.emulate_media(media="print")
    expect(page.locator(".receipt")).to_contain_text("矿泉水")
    expect(page.locator("header.bar")).to_be_hidden()


def test_y3_walk_in_fuel_paid_by_card_and_cash_together(clerk: Viewer, shop: Shop) -> None:
    page = clerk.open("/till?till=t2")
    page.locator("table.plain .press.on").first.click()
    expect(page.locator(".till-sum b")).to_have_text("75.60")
    page.get_by_label("实收").fill("50")
    page.get_by_text("银行卡", exact=True).click()
    expect(page.locator(".said.bad")).to_have_text("请输入终端流水号")
    page.get_by_label("流水号").fill("000123")
    page.get_by_text("银行卡", exact=True).click()
    expect(page.locator(".said.good").last).to_have_text("已收，还差 25.60 元")
    page.get_by_label("实收").fill("30")
    page.keyboard.press("Enter")
    expect(page.locator(".till-change b")).to_have_text("4.40")
    with database.read(shop.engine) as conn:
        assert [t.kind for t in tills.bills(conn, 1)[0].tenders] == ["bank_card", "cash"]


def test_y4_y6_y8_a_refund_a_second_person_and_an_invoice(clerk: Viewer, shop: Shop) -> None:
    now = clock.now()
    with database.write(shop.engine) as conn:
        bill = tills.ring_up(conn, "t1", [GoodsWanted("6902", 5)], [cash(79_000)], "wang", now).bill
    page = clerk.open(f"/till/refunds?bill={bill}")
    page.get_by_label("金额 (元)").fill("600")
    page.get_by_label("退回件数").fill("4")
    page.get_by_label("原因").first.fill("漏液")
    page.get_by_role("button", name="退款").click()
    expect(page.get_by_text("等待复核", exact=False).first).to_be_visible()
    page.get_by_label("编号").fill("1")
    page.get_by_label("复核人（超限额时）").fill("li")
    page.get_by_label("复核人密码").fill(PASSWORD)
    page.get_by_role("button", name="复核").click()
    expect(page.get_by_text("退款 1：已退")).to_be_visible()
    page.get_by_label("购买方").fill("物流公司")
    page.get_by_role("button", name="开票").click()
    expect(page.get_by_text("190.00 元")).to_be_visible()
    with database.read(shop.engine) as conn:
        assert tills.refund(conn, 1).decided_by == "li"
        assert tills.invoices(conn, 1)[0].amount_fen == 19_000
    look(clerk.open(f"/till/refunds?bill={bill}", lang="en"), "en")


def test_y9_a_shift_ends_with_its_drawer_counted_and_the_day_shows_it(clerk: Viewer, shop: Shop) -> None:
    page = clerk.open("/till/shift?till=t2", lang="en")
    page.get_by_label("Counted").fill("1")
    page.get_by_role("button", name="Close the shift").click()
    expect(page.locator(".said.bad")).to_contain_text("second person")
    with database.read(shop.engine) as conn:
        held = tills.in_drawer(conn, "t2")
    page.get_by_label("Counted").fill(f"{(held - 50) // 100}.{(held - 50) % 100:02d}")
    page.get_by_role("button", name="Close the shift").click()
    expect(page.locator(".said.good")).to_contain_text("off by −0.50 yuan")
    look(page, "en")
    page = clerk.open("/till/day", lang="en")
    expect(page.locator("table.plain").first).to_contain_text("Pump 1 / 1")
    expect(page.get_by_text("The ways to pay add up to the bills")).to_be_visible()
    look(page, "en")


def test_the_pages_say_what_to_do_before_anything_is_there(clerk: Viewer, shop: Shop) -> None:
    page = clerk.open("/till")
    expect(page.get_by_text("选择收银台")).to_be_visible()
    page = clerk.open("/till/refunds?bill=999")
    expect(page.get_by_text("没有这张账单")).to_be_visible()
    page = clerk.open("/till/day?day=yesterday")
    expect(page.locator(".note.failed")).to_be_visible()
