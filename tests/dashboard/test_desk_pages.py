"""The card desk as a cashier uses it: real pages over a real database, an emulated PN532 with DESFire cards."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pump.core import card_layout as layout
from station import cards, ledger
from station.cards import CardInHand, Desk, Order
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import seeded
from tests.cards.pumps import Pump
from tests.dashboard.conftest import OfficeRun, Viewer
from tests.dashboard.test_look import CHINESE, CONTRAST
from tests.station.world import PumpJournal
from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_reader import Reader

PAGES = ("query", "load", "issue", "lost", "replace", "refund", "limits", "reports")


@pytest.fixture(scope="module")
def reader(office: OfficeRun) -> Iterator[Reader]:
    with Reader(office.settings.data_dir / "bench" / "desk" / "reader", realistic=False) as reader:
        yield reader


@pytest.fixture(autouse=True)
def bare(reader: Reader) -> Iterator[None]:
    """No card lies there from the story before."""
    yield
    reader.take()


def blank(number: int) -> DesfireCard:
    return DesfireCard.blank(b"\x04" + number.to_bytes(6, "big"), seeded(number))


def press(page: Page, words: str) -> None:
    page.get_by_role("button", name=words, exact=True).click()


def test_c1_c6_a_customer_gets_a_card_loads_it_and_takes_the_receipt(
    clerk: Viewer, office: OfficeRun, reader: Reader
) -> None:
    """Keyboard first: type, Enter, lay the card down."""
    page = clerk.open("/cards/issue")
    page.get_by_label("持卡人").fill("张三")
    page.get_by_label("证件号").fill("110101199001011234")
    page.get_by_label("同时充值").fill("200")
    press(page, "制卡")
    expect(page.locator(".at-reader")).to_contain_text("请把卡放在读卡器上")
    reader.put(blank(1))
    expect(page.locator(".said.bad")).to_contain_text("同意")
    page.get_by_label("已核对证件").check()
    press(page, "制卡")
    expect(page.locator(".said.good")).to_contain_text("已发卡 6200 0001")
    expect(page.locator(".receipt")).to_contain_text("张三")
    expect(page.locator(".receipt")).to_contain_text("200.00")
    page = clerk.open("/cards/load", lang="en")
    expect(page.get_by_label("Amount")).to_be_focused()
    page.keyboard.type("50.5")
    page.keyboard.press("Enter")
    expect(page.locator(".said.good")).to_have_text("Loaded 50.50 yuan, 250.50 on the card")
    expect(page.locator(".at-reader")).to_be_hidden()
    page.emulate_media(media="print")
    assert page.locator(".receipt dd").first.is_visible() and not page.locator("h1").is_visible()
    with database.read(office.engine) as conn:
        assert ledger.balance(conn, ledger.cash("desk")) == -25_050


def test_d20_a_torn_load_is_pressed_again_and_paid_once(clerk: Viewer, office: OfficeRun, reader: Reader) -> None:
    card = blank(2)
    reader.put(card)
    page = clerk.open("/cards/issue")
    page.get_by_label("卡种").select_option(label="不记名卡/礼品卡")
    press(page, "制卡")
    expect(page.locator(".said.good")).to_contain_text("已发卡")
    number = cards_of(office)[0]
    frames = card.frames
    page = clerk.open("/cards/load")
    page.get_by_label("金额").fill("10")
    press(page, "收款并写卡")
    expect(page.locator(".said.good")).to_contain_text("卡内 10.00")
    page.get_by_label("金额").fill("20")
    reader.tear_after((card.frames - frames) // 2)
    press(page, "收款并写卡")
    expect(page.locator(".said.bad")).to_contain_text("勿重复收款")
    reader.put(card)
    press(page, "收款并写卡")
    expect(page.locator(".said.good")).to_contain_text("卡内 30.00")
    with database.read(office.engine) as conn:
        assert ledger.balance(conn, ledger.purse(number)) == 3_000 and cards.loads_waiting(conn) == []


def cards_of(office: OfficeRun) -> list[str]:
    with database.read(office.engine) as conn:
        return [card.card_no for card in cards.listing(conn)]


def test_c5_c7_c8_c9_a_lost_card_is_reported_and_replaced(clerk: Viewer, office: OfficeRun, reader: Reader) -> None:
    old = cards_of(office)[-1]
    page = clerk.open(f"/cards/query?card={old}")
    expect(page.locator("dl.sheet")).to_contain_text("张三")
    expect(page.locator("table").first.locator("tbody tr")).to_have_count(2)
    expect(page.get_by_text("明细与账一致")).to_be_visible()
    page = clerk.open(f"/cards/lost?card={old}")
    press(page, "挂失")
    expect(page.locator(".said.good")).to_contain_text("名单第 1 版")
    reader.put(blank(3))
    page = clerk.open(f"/cards/replace?card={old}")
    press(page, "补卡并转余额")
    expect(page.locator(".said.good")).to_contain_text("250.50 元")
    press_again = clerk.open(f"/cards/lost?card={old}", lang="en")
    press(press_again, "Found again")
    expect(press_again.locator(".said.bad")).to_contain_text("replaced or closed")


def test_y8_a_refund_above_the_cap_wants_a_second_person_and_a_small_one_does_not(
    clerk: Viewer, office: OfficeRun, reader: Reader
) -> None:
    card = blank(4)
    reader.put(card)
    page = clerk.open("/cards/issue", lang="en")
    page.get_by_label("Kind").select_option(label="anonymous or gift")
    page.get_by_label("Load at once").fill("900")
    press(page, "Make the card")
    expect(page.locator(".said.good")).to_contain_text("Issued")
    page = clerk.open("/cards/refund", lang="en")
    page.get_by_label("All of it").check()
    page.get_by_label("Reason").fill("moves away")
    press(page, "Take it off the card")
    expect(page.locator(".said.bad")).to_contain_text("second person")
    page.get_by_label("All of it").uncheck()
    page.get_by_label("Amount").fill("400")
    press(page, "Take it off the card")
    expect(page.locator(".said.good")).to_have_text("Pay 400.00 yuan")
    expect(page.locator(".receipt")).to_contain_text("Back to Cash")


def test_d21_limits_and_pin_are_changed_and_nothing_happens_without_a_card(clerk: Viewer, reader: Reader) -> None:
    page = clerk.open("/cards/limits")
    press(page, "读卡")
    press(page, "放弃")
    expect(page.locator(".said.bad")).to_have_text("读卡器上没有卡")
    card = blank(5)
    reader.put(card)
    issue = clerk.open("/cards/issue")
    issue.get_by_label("卡种").select_option(label="不记名卡/礼品卡")
    press(issue, "制卡")
    expect(issue.locator(".said.good")).to_contain_text("已发卡")
    page.get_by_label("每日（元）").fill("500")
    press(page, "写入限制")
    expect(page.locator(".said.bad").nth(1)).to_have_text("请先读这张卡")
    press(page, "读卡")
    expect(page.locator(".said.good").first).to_contain_text("6200")
    page.get_by_label("每日（元）").fill("500")
    page.get_by_label("时段").fill("6-22")
    press(page, "写入限制")
    expect(page.locator(".receipt")).to_contain_text("限制已写入")
    page.get_by_label("新密码").fill("4711")
    press(page, "改密码")
    expect(page.locator(".receipt")).to_contain_text("密码已写入")


def test_c5_c10_the_reports_reconcile(clerk: Viewer, office: OfficeRun) -> None:
    page = clerk.open("/cards/reports")
    expect(page.get_by_text("与卡片登记一致")).to_be_visible()
    with database.read(office.engine) as conn:
        held = cards.float_now(conn)
    expect(page.get_by_text("逐卡合计与账面一致")).to_contain_text(f"{held / 100:,.2f}")


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_each_page_reads_well_by_day_by_night_and_on_a_phone(clerk: Viewer, path: str, lang: str) -> None:
    page = clerk.open(f"/cards/{path}", lang=lang)
    expect(page.locator("h1")).to_be_visible()
    heads = page.locator("h1, h2, th:not(:empty), nav a, button span, label span").all_inner_texts()
    if lang == "en":
        assert re.findall(CHINESE, " ".join(heads).replace("中文", "")) == []
    for dark in (False, True):
        page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
        page.wait_for_timeout(250)
        assert page.evaluate(CONTRAST) == [], f"dark: {dark}"
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_shadow_names_the_records_that_are_out(clerk: Viewer, office: OfficeRun, reader: Reader) -> None:
    """C5: a card that fuelled at a pump whose records have not come yet."""
    card, secrets = blank(6), Secrets.load(office.settings.secrets_path)
    desk = Desk(office.engine, secrets, 1, 1)
    number = desk.issue(CardInHand(card), Order(layout.KIND_ANONYMOUS)).card_no
    desk.load(CardInHand(card), 50_000)
    card.reset()
    pump = Pump(office.engine, secrets, card, number, PumpJournal(secrets.device(257).journal))
    assert pump.visit(20_001, 10_000) == "sold"
    reader.put(card)
    page = clerk.open("/cards/query", lang="en")
    press(page, "Read the card")
    expect(page.get_by_text("1 records are still out")).to_be_visible()
    expect(page.get_by_text("its record still out: pump 257")).to_contain_text("75.60 yuan")
    pump.upload(99)
    press(page, "Read the card")
    expect(page.get_by_text("Card and books agree")).to_be_visible()
    expect(page.locator("table").first).to_contain_text("−75.60")
