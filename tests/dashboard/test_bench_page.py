"""The bench page in a real browser: every act at hand in two clicks at most, confirmed in place (issue 2, point 3)."""

from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.dashboard.conftest import Viewer
from tests.dashboard.fakes import CARD

Act = list[Any]


def pump(page: Page, name: str) -> Locator:
    return page.locator(f'.bench-pump[data-pump="{name}"]')


def ready(viewer: Viewer, lang: str = "en") -> Page:
    page = viewer.open("/bench", lang=lang)
    expect(pump(page, "p4")).to_be_visible()
    return page


def test_a_whole_sale_by_hand_each_act_in_two_clicks(viewer: Viewer) -> None:
    """Insert, preset, lift, squeeze, let go, hang up, pull the card: each act reaches the bench once, as meant."""
    page = ready(viewer)
    one = pump(page, "p1")
    page.locator(f'[data-card="{CARD}"]').click()
    one.locator(".insert").click()
    expect(one.locator(".held")).to_contain_text("6200 0100 0000 0017 · 800.00")
    expect(one.locator(".said")).to_have_text("done")
    for key in "A50#":
        one.locator(".key", has_text=key).click()
    nozzle = one.locator('[data-nozzle="1"]')
    nozzle.get_by_text("Lift").click()
    expect(nozzle.locator(".lift")).to_contain_text("Hang up")
    nozzle.get_by_text("full", exact=True).click()
    expect(nozzle.get_by_text("full", exact=True).locator("..")).to_have_class("press on")
    nozzle.get_by_text("slow", exact=True).click()
    nozzle.get_by_text("none", exact=True).click()
    nozzle.get_by_text("Hang up").click()
    expect(nozzle.locator(".lift")).to_contain_text("Lift")
    one.locator(".remove").click()
    expect(one.locator(".held")).to_have_text("no card")
    assert viewer.tell("/_test/acts") == [
        ["pumps/p1/card/insert", {"card": "04aabbccddee01"}],
        *[["pumps/p1/keys", {"keys": key}] for key in "A50#"],
        ["pumps/p1/nozzle/1/lift", {}],
        ["pumps/p1/nozzle/1/trigger", {"squeeze": "full"}],
        ["pumps/p1/nozzle/1/trigger", {"squeeze": "slow"}],
        ["pumps/p1/nozzle/1/trigger", {"squeeze": "none"}],
        ["pumps/p1/nozzle/1/hang", {}],
        ["pumps/p1/card/remove", {}],
    ]


@pytest.mark.parametrize(
    ("button", "act", "undo", "undoing"),
    [
        ("Cut power", ["pumps/p3/power/off", {}], "Restore power", ["pumps/p3/power/on", {}]),
        ("cut", ["pumps/p3/network", {"kind": "cut"}], "up", ["pumps/p3/network", {"kind": "up"}]),
        ("frozen", ["pumps/p3/network", {"kind": "frozen"}], "slow", ["pumps/p3/network", {"kind": "slow"}]),
        ("Emergency stop", ["pumps/p3/estop", {"on": True}], "Emergency stop", ["pumps/p3/estop", {"on": False}]),
        ("Open housing", ["pumps/p3/tamper", {"on": True}], "Open housing", ["pumps/p3/tamper", {"on": False}]),
        ("Break seal", ["pumps/p3/seal", {"on": True}], "Break seal", ["pumps/p3/seal", {"on": False}]),
    ],
)
def test_each_fault_is_one_click_and_one_click_mends_it(
    viewer: Viewer, button: str, act: Act, undo: str, undoing: Act
) -> None:
    faults = pump(ready(viewer), "p3").locator(".faults")
    faults.locator(".press", has=faults.page.get_by_text(button, exact=True)).click()
    now = faults.page.get_by_text(undo if button == "Cut power" else button, exact=True)
    expect(faults.locator(".press.on", has=now)).to_be_visible()
    faults.locator(".press", has=faults.page.get_by_text(undo, exact=True)).click()
    expect(pump(faults.page, "p3").locator(".said")).to_have_text("done")
    assert viewer.tell("/_test/acts") == [act, undoing]


def test_a_pulser_channel_is_broken_and_mended(viewer: Viewer) -> None:
    """D14 at the bench."""
    page = ready(viewer)
    choice = pump(page, "p2").locator('[data-nozzle="0"] select')
    choice.select_option("stuck_b")
    expect(choice).to_have_class("field broken")
    choice.select_option("ok")
    expect(choice).to_have_class("field")
    assert viewer.tell("/_test/acts") == [
        ["pumps/p2/nozzle/0/pulser", {"kind": "stuck_b"}],
        ["pumps/p2/nozzle/0/pulser", {"kind": "ok"}],
    ]


def test_broker_and_traffic_are_switched_and_show_how_they_stand(viewer: Viewer) -> None:
    page = ready(viewer)
    page.locator(".press.traffic").click()
    expect(page.locator(".press.traffic")).to_have_attribute("aria-pressed", "true")
    page.get_by_text("Stop", exact=True).click()
    expect(page.locator(".bench-globals")).to_contain_text("stopped")
    page.get_by_text("Start", exact=True).click()
    expect(page.locator(".bench-globals")).to_contain_text("running")
    page.get_by_text("Kill", exact=True).click()
    expect(page.locator(".bench-globals")).to_contain_text("down")
    acts = [act for act, _ in viewer.tell("/_test/acts")]
    assert acts == ["traffic/on", "broker/stop", "broker/start", "broker/kill"]


def test_a_refused_act_says_why_beside_the_hand_in_both_languages(viewer: Viewer) -> None:
    for lang, words in (("en", "the slot is taken"), ("zh", "卡位已有卡")):
        viewer.tell("/_test/fresh")
        page = ready(viewer, lang)
        one = pump(page, "p1")
        one.locator(".insert").click()
        expect(one.locator(".held")).to_have_class("held on")
        one.locator(".insert").click()
        expect(one.locator(".said.bad")).to_have_text(words)


def test_a_tap_pump_taps_the_card_in_hand(viewer: Viewer) -> None:
    page = ready(viewer)
    page.locator('[data-card="6200010000000025"]').click()
    expect(page.get_by_text("In hand: 6200 0100 0000 0025")).to_be_visible()
    pump(page, "p4").locator(".press.tap").click()
    expect(pump(page, "p4").locator(".said")).to_have_text("done")
    assert viewer.tell("/_test/acts") == [["pumps/p4/card/tap", {"card": "04aabbccddee02", "hold_ms": 1500}]]


def test_a_blank_card_goes_onto_the_desk_reader_and_back(viewer: Viewer) -> None:
    """Two clicks: choose, lay down. There the issuing desk finds it (`pumpside card issue`)."""
    page = ready(viewer)
    page.get_by_text("Blank 04aabbccddee03").click()
    page.get_by_text("Lay the card in hand").click()
    expect(page.locator(".on-desk")).to_have_text("Blank 04aabbccddee03")
    page.get_by_text("Take it away").click()
    expect(page.locator(".on-desk")).to_have_text("empty")
    assert viewer.tell("/_test/acts") == [["desk/put", {"card": "04aabbccddee03"}], ["desk/take", {}]]


def test_the_display_stands_as_it_is_with_glyphs_and_without_markup(viewer: Viewer) -> None:
    """20 by 4 characters; a custom glyph is drawn dot by dot; what looks like HTML is text; dark without power."""
    page = ready(viewer)
    lcd = pump(page, "p1").locator(".lcd")
    expect(lcd.locator(".lcd-line")).to_have_count(4)
    first = lcd.locator(".lcd-line").nth(0)
    expect(first.locator("span")).to_have_count(20)
    assert first.text_content() == "PUMP 1  <b>READY</b>"
    expect(lcd.locator("b")).to_have_count(0)
    dots = lcd.locator("svg path").get_attribute("d") or ""
    assert dots.count("M") == sum(bin(row).count("1") for row in (0x04, 0x0E, 0x1F, 0x04, 0x04, 0x04, 0x04, 0x00))
    assert lcd.evaluate("e => e.scrollWidth <= e.clientWidth")
    pump(page, "p1").get_by_text("Cut power").click()
    expect(lcd).to_have_class("lcd dark")
    assert (first.text_content() or "").strip() == ""


def test_a_bench_that_is_gone_is_told_and_found_again(viewer: Viewer) -> None:
    page = ready(viewer)
    viewer.tell("/_test/bench/dead")
    expect(page.locator(".note.failed")).to_contain_text("the bench failed with status 500")
    expect(pump(page, "p1")).to_be_hidden()
    viewer.tell("/_test/bench/alive")
    expect(pump(page, "p1")).to_be_visible()
    expect(page.locator(".note.failed")).to_be_hidden()
