"""Every page that the navigation offers, over a real database: no complaint of the browser, one language, readable by
day and by night, no wider than a phone."""

import re

import pytest
from playwright.sync_api import expect

from station.dashboard.frame import GROUPS
from tests.dashboard.conftest import Viewer
from tests.dashboard.test_look import CHINESE, CONTRAST

PATHS = [path for _, pages in GROUPS for path, _ in pages]
LOADING = {"zh": "读取中", "en": "Loading"}


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_walked_in_both_languages_and_themes(clerk: Viewer, path: str, lang: str) -> None:
    page = clerk.open(path, lang=lang)
    page.emulate_media(reduced_motion="reduce")  # no transition between the themes to wait for
    expect(page.locator(".content > *").first).to_be_visible()
    expect(page.locator(".content")).not_to_contain_text(LOADING[lang])
    if lang == "en":
        assert re.findall(CHINESE, page.locator("body").inner_text().replace("中文", "")) == []
    else:
        heads = page.locator("h1, h2, nav a").all_inner_texts()
        assert [words for words in heads if words and not re.search(CHINESE, words)] == []
    for dark in (False, True):
        page.evaluate("dark => { document.body.classList.toggle('body--dark', dark) }", dark)
        assert page.evaluate(CONTRAST) == [], f"dark: {dark}"
    page.set_viewport_size({"width": 360, "height": 740})
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360, [wide, page.evaluate(WIDER)]


# What sticks out at the right, to be named when a page is too wide.
WIDER = """() => [...document.querySelectorAll('body *')]
    .filter(e => e.getBoundingClientRect().right > 361 && !e.closest('.scroll, nav'))
    .map(e => e.tagName + '.' + e.className).slice(0, 8)"""
