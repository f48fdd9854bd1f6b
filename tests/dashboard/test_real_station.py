"""The pages over a real station: broker, ingest, books and four pumps that run the real firmware (issue 2).

Everything is done by clicks on /bench and seen on /, as a visitor would.
"""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.dashboard.conftest import Viewer
from tests.station_run import StationRun, until

pytestmark = pytest.mark.timeout(240)
WATCH_MS = 4000


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationRun]:
    with StationRun(tmp_path_factory.mktemp("station")) as run:
        until(lambda: zhang_wei_has_money(run), 90, "the first cards are issued and loaded")
        yield run


def zhang_wei_has_money(run: StationRun) -> bool:
    return any(card["holder"].startswith("张伟") and card["balance_fen"] for card in run.bench.state()["cards"])


@pytest.fixture
def visitor(chromium: BrowserContext, real: StationRun) -> Iterator[Viewer]:
    person = Viewer(chromium, real.url)
    yield person
    for page in person.pages:
        page.close()
    assert person.errors == []
    assert [url for url in person.asked if "//127.0.0.1:" not in url and not url.startswith(("data:", "blob:"))] == []


def figures_seen(page: Page, pump: str, ms: int) -> list[str]:
    """The litres that the tile showed one after the other."""
    seen: list[str] = page.evaluate(
        """([pump, ms]) => new Promise(done => {
            const litres = document.querySelector(`[data-pump="${pump}"] .volume`), seen = [litres.textContent];
            const watch = new MutationObserver(() => {
                if (litres.textContent !== seen[seen.length - 1]) seen.push(litres.textContent);
            });
            watch.observe(litres, {subtree: true, childList: true, characterData: true});
            setTimeout(() => { watch.disconnect(); done(seen); }, ms);
        })""",
        [pump, ms],
    )
    return seen


def test_a_sale_by_clicks_is_seen_live_and_ends_settled_in_the_books(visitor: Viewer, real: StationRun) -> None:
    """D5, D10, D31: hands on the bench page, figures on the home page at least four times a second, no reload."""
    bench, home = visitor.open("/bench", lang="en"), visitor.open("/", lang="en")
    hand = bench.locator('.bench-pump[data-pump="p2"]')
    tile = home.locator('[data-pump="p2"]')
    expect(tile).to_contain_text("online", timeout=30_000)
    card = bench.locator(".card-pick", has_text="张伟")
    card.click()
    hand.locator(".insert").click()
    hand.locator('[data-nozzle="0"] .lift').click()
    hand.locator('[data-nozzle="0"]').get_by_text("full", exact=True).click()
    expect(tile.locator(".chip")).to_contain_text("fuelling", timeout=20_000)
    expect(tile.locator(".volume")).not_to_have_text("0.00")
    seen = figures_seen(home, "p2", WATCH_MS)
    assert len(seen) - 1 >= 4 * WATCH_MS / 1000, seen
    assert [float(s) for s in seen] == sorted(float(s) for s in seen)
    expect(tile).to_contain_text("6200 0001")
    expect(hand.locator(".lcd")).to_contain_text(seen[0].split(".")[0])
    hand.locator('[data-nozzle="0"]').get_by_text("none", exact=True).click()
    hand.locator('[data-nozzle="0"] .lift').click()
    row = home.locator("table tbody tr").first
    expect(row).to_contain_text("settled", timeout=20_000)
    expect(row).to_contain_text("nozzle hung up")
    expect(home.locator(".strip")).to_contain_text("balanced · difference 0.00 yuan")
    expect(tile.locator(".volume")).to_have_text(row.locator("td").nth(3).text_content() or "")
    hand.locator(".remove").click()
    cards = visitor.open("/cards", lang="en")
    expect(cards.locator("tr", has_text="张伟")).to_contain_text("agrees")


def test_a_pump_without_power_is_offline_on_the_home_page_within_fifteen_seconds(
    visitor: Viewer, real: StationRun
) -> None:
    """D9: seen as a state in words and as an alarm from any page; back again with the power."""
    bench, home = visitor.open("/bench", lang="en"), visitor.open("/", lang="en")
    hand = bench.locator('.bench-pump[data-pump="p4"]')
    tile = home.locator('[data-pump="p4"]')
    expect(tile.locator(".foot")).to_contain_text("online", timeout=30_000)
    hand.get_by_text("Cut power").click()
    cut = time.monotonic()
    expect(tile.locator(".chip")).to_contain_text("offline")
    assert time.monotonic() - cut <= 16
    expect(bench.locator(".press.alarmed")).to_be_visible()
    hand.get_by_text("Restore power").click()
    expect(tile.locator(".foot")).to_contain_text("online", timeout=40_000)
