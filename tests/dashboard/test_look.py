"""How the pages look: two languages, two themes, a narrow phone, contrast, nothing fetched from elsewhere."""

import re

import pytest
from playwright.sync_api import expect

from tests.dashboard.conftest import Scheme, Viewer

PATHS = ("/", "/sales", "/tanks", "/cards", "/quarantine", "/bench")
DARK = re.compile(r"\bbody--dark\b")
FIGURES = "[...document.querySelectorAll('.tile .figure')]"
CHINESE = "[\u4e00-\u9fff]+"

# Contrast of every visible text against what is painted behind it (WCAG 2.1 relative luminance).
CONTRAST = """() => {
    const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
    const linear = v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
    const lum = ([r, g, b]) => [r, g, b].map(v => linear(v / 255))
        .reduce((s, v, i) => s + v * [.2126, .7152, .0722][i], 0);
    const behind = e => { for (; e; e = e.parentElement) {
        const c = parse(getComputedStyle(e).backgroundColor); if (c.length === 3 || c[3] === 1) return c.slice(0, 3); }
        return [255, 255, 255]; };
    const poor = [];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
        const seen = e.checkVisibility({visibilityProperty: true, opacityProperty: true});
        if (!own || !seen || e.closest('[disabled], .lcd.dark, script, style')) continue;
        const a = lum(parse(getComputedStyle(e).color)), b = lum(behind(e));
        const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
        if (ratio < 4.5) poor.push([ratio.toFixed(2), e.className, e.textContent.slice(0, 20)]);
    }
    return poor;
}"""


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_a_page_reads_well_in_its_language_in_both_themes_and_on_a_phone(viewer: Viewer, path: str, lang: str) -> None:
    """Only its own language, contrast of 4.5 : 1 by day and by night, and a narrow phone scrolls down only."""
    page = viewer.open(path, lang=lang)
    page.wait_for_selector("table tbody tr, .tank, .bench-pump .press.on")
    page.locator(".press.alarmed").click()
    page.wait_for_selector(".alarm-list .row-line")
    assert page.evaluate("document.documentElement.lang") == {"zh": "zh-CN", "en": "en-US"}[lang]
    if lang == "en":
        text = page.locator("body").inner_text()
        for name in ("中文", "张三", "京"):  # the switch to Chinese, a holder, a plate
            text = text.replace(name, "")
        assert re.findall(CHINESE, text) == []
    else:
        heads = page.locator("h1, h2, th:not(:empty), nav a").all_inner_texts()
        assert all(re.search(CHINESE, words) for words in heads)
    for dark in (False, True):
        page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
        page.wait_for_timeout(250)  # transitions
        assert page.evaluate(CONTRAST) == [], f"dark: {dark}"
    page.locator(".press.alarmed").click()
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.querySelector('header.bar').getBoundingClientRect().height") <= 110


def test_language_and_theme_are_switched_from_the_frame_and_kept(viewer: Viewer) -> None:
    page = viewer.open("/tanks")
    page.locator(".press.language").click()
    expect(page.locator("h1")).to_have_text("Tanks")
    page.locator(".press.theme").click()
    expect(page.locator("body")).to_have_class(DARK)
    page.locator("nav a", has_text="Sales").click()
    expect(page.locator("h1")).to_have_text("Sales")
    expect(page.locator("body")).to_have_class(DARK)


def test_the_theme_follows_the_system_unless_chosen(viewer: Viewer) -> None:
    cases: tuple[tuple[str, Scheme, bool], ...] = (
        ("auto", "dark", True), ("auto", "light", False), ("light", "dark", False), ("dark", "light", True),
    )  # fmt: skip
    for theme, scheme, dark in cases:
        page = viewer.open("/tanks", theme=theme, scheme=scheme)
        expect(page.locator("h1")).to_be_visible()
        assert page.evaluate("document.body.classList.contains('body--dark')") is dark


def test_figures_are_readable_from_two_metres(viewer: Viewer) -> None:
    """Two metres away, 20 minutes of arc are 11.6 mm: 40 CSS pixels and more (96 px = 25.4 mm) for money and litres."""
    page = viewer.open("/")
    page.wait_for_selector(".tile")
    for width in (1024, 1280, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        sizes = page.evaluate(f"{FIGURES}.map(e => parseFloat(getComputedStyle(e).fontSize))")
        assert min(sizes) >= 40
        right = page.evaluate(f"{FIGURES}.map(e => e.getBoundingClientRect().right)")
        assert all(abs(a - b) < 0.5 for a, b in zip(right[::2], right[1::2], strict=True))  # aligned at the point
