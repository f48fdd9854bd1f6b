"""Y1, Y7, C6: a customer pays by code before the cashier's eyes; the gateways' statements, in a real browser."""

import re
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import expect

from station import payments
from station.payments import book
from station.payments.gateway import Line, Statement
from station.platform import clock, database
from station.platform.settings import load
from station.setup import prepare
from tests.dashboard.conftest import OfficeRun, Viewer, served
from tests.dashboard.test_look import CHINESE, CONTRAST
from tests.payments.conftest import issue, serving
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.keys import equip

CARD, OTHER = "6200000300000010", "6200000300000028"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, str]]:
    """The gateways' side; its callbacks reach nobody, so that the station has to ask."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    with serving(gateway.app) as url:
        yield gateway, url


@pytest.fixture(scope="module")
def office(bench: tuple[Gateway, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeRun]:
    """As the office of other pages, with the gateways' settings in place before the pages start."""
    settings = load(data_dir=tmp_path_factory.mktemp("office"), bench=True)
    engine = prepare(settings)
    with database.write(engine) as conn:
        issue(conn, CARD)
        issue(conn, OTHER)
    equip(settings.data_dir / "payments", bench[0].keys, bench[1], "http://127.0.0.1:9")
    with served("tests.dashboard.office", str(settings.data_dir), ready="/api/v1/health") as address:
        yield OfficeRun(address, settings, engine)
    engine.dispose()


def _pays(bench: tuple[Gateway, str], order_no: str) -> None:
    trade = next(one for one in bench[0].trades.all.values() if one.order_no == order_no)
    bench[0].trades.pay(trade, clock.now())


@pytest.mark.parametrize(("gateway", "name"), [("wechat", "微信支付"), ("alipay", "支付宝")])
def test_c6_the_cashier_shows_a_code_and_sees_the_customer_pay(
    office: OfficeRun, bench: tuple[Gateway, str], clerk: Viewer, gateway: str, name: str
) -> None:
    page = clerk.open("/payments")
    expect(page.locator("form input").first).to_be_focused()
    page.keyboard.type({"wechat": CARD, "alipay": OTHER}[gateway])
    page.get_by_label("金额").fill("200")
    page.get_by_label("支付渠道").first.select_option(gateway)
    page.keyboard.press("Enter")
    code = page.locator("img.qr")
    expect(code).to_have_attribute("alt", f"{name}付款码，200.00 元")
    expect(page.locator(".pay")).to_contain_text("后失效")
    order_no = page.url.rpartition("=")[2]
    _pays(bench, order_no)
    expect(page.locator(".pay-face")).to_contain_text("已付款")
    expect(code).to_have_count(0)
    expect(page.locator("table").first).to_contain_text("已入账到用途")
    with database.read(office.engine) as conn:
        assert payments.known(conn, order_no).applied_at is not None


def test_c6_what_cannot_be_is_told_in_place(clerk: Viewer) -> None:
    page = clerk.open("/payments", lang="en")
    page.locator("form input").first.fill("6200000399999999")
    page.get_by_label("Amount").fill("200")
    page.keyboard.press("Enter")
    expect(page.locator(".said:not(.hidden)").first).to_have_class(re.compile("bad"))
    page.locator("form input").first.fill(CARD)
    page.get_by_label("Amount").fill("99999")
    page.keyboard.press("Enter")
    expect(page.locator(".said:not(.hidden)").first).to_contain_text("above what the card may hold")


def test_y6_money_that_found_no_place_is_seen_and_given_back(
    office: OfficeRun, bench: tuple[Gateway, str], clerk: Viewer
) -> None:
    """The card's load of the first story waits still."""
    now = clock.now()
    with database.write(office.engine) as conn:
        made = payments.make(conn, "wechat", f"load:{CARD}", 30_000, "wang", now)
    page = clerk.open(f"/payments/one?order={made.order_no}", lang="en")
    expect(page.locator("img.qr")).to_be_visible()
    _pays(bench, made.order_no)
    page.get_by_text("Ask the gateway").click()
    expect(page.locator(".pay-face")).to_contain_text("Paid, not placed yet")
    page.get_by_label("Reason").fill("the customer changed his mind")
    page.get_by_text("Give back").click()
    expect(page.locator("section", has_text="Refunds").last).to_contain_text("Done")
    page = clerk.open("/payments?state=paid", lang="en")
    expect(page.locator("tbody")).to_contain_text(made.order_no)


def test_y7_statements_are_fetched_compared_and_exported(
    office: OfficeRun, bench: tuple[Gateway, str], clerk: Viewer
) -> None:
    day = payments.china_day(clock.now() - 86_400)
    stray = Statement(b"x", (Line("pay", "P26stray", "", "T1", 12_345, clock.now() - 86_400),))
    with database.write(office.engine) as conn:
        kept = payments.statements.keep(conn, "wechat", day, stray, "chen", clock.now())
    page = clerk.open("/payments/statements", lang="en")
    expect(page.locator("tbody")).to_contain_text("1 differ")
    page.get_by_text("Fetch and compare").click()
    expect(page.locator(".said:not(.hidden)")).to_contain_text("agree, 0 differ")
    page.locator("tbody tr", has_text="1 differ").get_by_role("link").click()
    expect(page.locator("table").nth(1)).to_contain_text("Theirs, not ours")
    path = page.get_by_text("Export CSV").locator("xpath=ancestor::a").get_attribute("href")
    text = httpx.get(office.url + str(path), trust_env=False).text
    assert "P26stray" in text and "123.45" in text and kept.differences[0].kind == "missing_here"


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_pages_of_payments_read_well_in_both_themes_and_on_a_phone(
    office: OfficeRun, clerk: Viewer, lang: str
) -> None:
    with database.read(office.engine) as conn:
        newest = book.listing(conn, 1)[0].order_no
        report = payments.reports(conn, 1)[0].id
    paths = ("/payments", f"/payments/one?order={newest}", "/payments/statements", f"/payments/statement?id={report}")
    for path in paths:
        page = clerk.open(path, lang=lang)
        page.wait_for_selector("table, .note")
        if lang == "en":
            text = page.locator("body").inner_text().replace("中文", "")
            assert re.findall(CHINESE, text) == [], path
        for dark in (False, True):
            page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
            page.wait_for_timeout(250)  # transitions
            assert page.evaluate(CONTRAST) == [], (path, dark)
        page.set_viewport_size({"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
