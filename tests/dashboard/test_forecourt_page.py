"""The home page in a real browser: D5 (live figures), D9 (a silent pump), D31 (money balance), alarms from any page."""

import re
from decimal import Decimal

from playwright.sync_api import expect

from pump.core.money import amount_fen
from tests.dashboard.conftest import Viewer

WATCH_MS = 3000


def test_the_tile_follows_the_flow_at_least_four_times_a_second_without_reload(viewer: Viewer) -> None:
    """D5, issue 2: the figures change as fuel flows, money and litres of the same moment."""
    page = viewer.open("/")
    page.wait_for_selector('[data-pump="p1"] .volume:not(:text("0.00"))')
    seen = page.evaluate(
        """(ms) => new Promise(done => {
            const tile = document.querySelector('[data-pump="p1"]');
            const read = () => [tile.querySelector('.money').textContent, tile.querySelector('.volume').textContent];
            const seen = [[performance.now(), ...read()]];
            const watch = new MutationObserver(() => {
                const now = read(), last = seen[seen.length - 1];
                if (now[0] !== last[1] || now[1] !== last[2]) seen.push([performance.now(), ...now]);
            });
            watch.observe(tile, {subtree: true, childList: true, characterData: true});
            setTimeout(() => { watch.disconnect(); done(seen); }, ms);
        })""",
        WATCH_MS,
    )
    changes = len(seen) - 1
    assert changes >= 4 * WATCH_MS / 1000, seen
    gaps_ms = [b[0] - a[0] for a, b in zip(seen, seen[1:], strict=False)]
    assert sorted(gaps_ms)[len(gaps_ms) // 2] <= 250
    volumes = [Decimal(volume) for _, _, volume in seen]
    assert volumes == sorted(volumes)
    for _, money, volume in seen:  # shown to 0.01 L, so the money may differ by what 0.005 L cost
        shown_fen, exact_fen = int(Decimal(money) * 100), amount_fen(int(Decimal(volume) * 1000), 756)
        assert abs(shown_fen - exact_fen) <= 4


def test_each_tile_tells_state_grade_card_link_and_alarms_in_words(viewer: Viewer) -> None:
    """D9, issue 2: a state is never a colour alone."""
    page = viewer.open("/")
    fuelling = page.locator('[data-pump="p1"]')
    told = "1 号机|加油中|92#|1 号枪|6200 0100 0000 0017|在线|未传 2 条|7.56 元/升|300.00 元"
    for words in told.split("|"):
        expect(fuelling).to_contain_text(words)
    locked = page.locator('[data-pump="p3"]')
    expect(locked).to_contain_text("已锁定")
    expect(locked.locator(".alarms")).to_contain_text("脉冲器故障、机壳被打开")
    silent = page.locator('[data-pump="p4"]')
    expect(silent).to_contain_text("离线")
    expect(silent).to_contain_text("42 秒前")
    expect(page.locator('[data-pump="p2"] .alarms')).to_be_hidden()


def test_money_strip_adds_up_and_a_missing_fen_is_an_alarm_on_every_page(viewer: Viewer) -> None:
    """D31: card + station + in flight = loaded; one fen less is told from any page."""
    page = viewer.open("/")
    strip = page.locator(".strip")
    expect(strip).to_contain_text("平衡 · 差额 0.00 元")
    figures = [Decimal(re.sub(r"[^\d.]", "", t)) for t in strip.locator(".term b").all_text_contents()]
    assert len(figures) == 5
    assert sum(figures[:4]) == figures[4]
    viewer.tell("/_test/mode/unbalanced")
    expect(strip).to_contain_text("不平衡 · 差额 0.01 元")
    other = viewer.open("/tanks", lang="en")
    other.locator(".press.alarmed").click()
    expect(other.locator(".alarm-list")).to_contain_text("money does not balance, difference 0.01 yuan")


def test_alarms_are_counted_and_listed_from_any_page(viewer: Viewer) -> None:
    for path in ("/", "/sales", "/tanks", "/cards", "/quarantine", "/bench"):
        page = viewer.open(path, lang="en")
        expect(page.locator(".press.alarmed")).to_contain_text("5 alarms")
        page.locator(".press.alarmed").click()
        for words in ("Pump 3", "pulser fault", "housing opened", "Pump 4", "pump offline", "2 records in quarantine"):
            expect(page.locator(".alarm-list")).to_contain_text(words)


def test_last_sales_and_tanks_stand_on_the_home_page(viewer: Viewer) -> None:
    page = viewer.open("/")
    rows = page.locator("table tbody tr")
    expect(rows).to_have_count(12)
    expect(rows.nth(0)).to_contain_text("进行中")
    expect(rows.nth(2)).to_contain_text("待结算")
    expect(page.locator('.tank[data-grade="1"]')).to_contain_text("21,975")
    expect(page.locator('.tank[data-grade="3"]')).to_contain_text("偏低")


def test_a_station_without_pumps_says_what_to_do(viewer: Viewer) -> None:
    viewer.tell("/_test/mode/empty")
    page = viewer.open("/")
    expect(page.get_by_text("还没有登记油机")).to_be_visible()
    expect(page.get_by_text("还没有交易")).to_be_visible()
    expect(page.get_by_text("还没有登记油罐")).to_be_visible()


def test_a_database_that_fails_is_told_and_the_pumps_stay_live(viewer: Viewer) -> None:
    page = viewer.open("/")
    expect(page.locator("table tbody tr")).to_have_count(12)
    viewer.tell("/_test/mode/failing")
    expect(page.locator(".note.failed")).to_contain_text("读取失败")
    expect(page.locator("table tbody tr")).to_have_count(12)  # what was known stays
    expect(page.locator(".press.alarmed")).to_contain_text("个报警")
    before = page.locator('[data-pump="p1"] .volume').text_content()
    expect(page.locator('[data-pump="p1"] .volume')).not_to_have_text(before or "")
    viewer.tell("/_test/mode/full")
    expect(page.locator(".note.failed")).to_be_hidden()
