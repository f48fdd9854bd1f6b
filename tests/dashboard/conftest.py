"""A browser (Debian's Chromium) and the pages over the fakes in a process of their own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import httpx
import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from sqlalchemy import Engine

from station.platform.settings import Settings, load
from station.setup import prepare
from tools.ports import free_port

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
START_S = 60
PATIENCE_MS = 20_000  # the machine may be busy; what must be fast is measured where it is claimed
Scheme = Literal["light", "dark"]


expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def served(module: str, *arguments: str, ready: str = "/_test/mode/full") -> Iterator[str]:
    """The address of pages that another process serves; `ready`: what answers when they are there."""
    port = free_port()
    server = subprocess.Popen([sys.executable, "-m", module, str(port), *arguments], cwd=ROOT)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + START_S
        while True:
            try:
                httpx.get(address + ready, trust_env=False, timeout=5)
                break
            except httpx.TransportError:
                assert server.poll() is None, "the pages did not start"
                assert time.monotonic() < until, "the pages took too long to start"
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="session")
def station() -> Iterator[str]:
    """The address of the pages over the fakes."""
    with served("tests.dashboard.serve") as address:
        yield address


@dataclass(frozen=True)
class OfficeRun:
    """A station's pages over a real database: its address, its settings and its database for the test to fill."""

    url: str
    settings: Settings
    engine: Engine


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OfficeRun]:
    """Without log-in: who opens a page is `local` and may do everything."""
    settings = load(data_dir=tmp_path_factory.mktemp("office"), bench=True)
    engine = prepare(settings)
    with served("tests.dashboard.office", str(settings.data_dir), ready="/api/v1/health") as address:
        yield OfficeRun(address, settings, engine)
    engine.dispose()


@pytest.fixture
def clerk(chromium: BrowserContext, office: OfficeRun) -> Iterator["Viewer"]:
    """Someone at the office's pages; fails the test if the browser complained or anything left the machine."""
    person = Viewer(chromium, office.url)
    yield person
    person.leave()


@pytest.fixture(scope="module")
def chromium() -> Iterator[BrowserContext]:
    """One browser profile for a module's tests, so that scripts and fonts are fetched once.

    Not for the session: Playwright's synchronous face keeps an event loop running in this thread, and no other test
    could use asyncio until it ends.
    """
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: apt-get install chromium")
        pytest.skip("not run: Chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser.new_context()
        browser.close()


@dataclass
class Viewer:
    """A person's browser: opens pages in a language and theme, notes errors and every address asked for."""

    context: BrowserContext
    station: str
    errors: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)

    def open(
        self, path: str, lang: str = "zh", theme: str = "light", width: int = 1440, scheme: Scheme = "light"
    ) -> Page:
        self.context.add_cookies(
            [
                {"name": "ps_lang", "value": lang, "url": self.station},
                {"name": "ps_theme", "value": theme, "url": self.station},
            ]
        )
        page = self.context.new_page()
        self.pages.append(page)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.set_default_timeout(PATIENCE_MS)
        page.on("console", lambda m: self.errors.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("websocket", lambda ws: self.asked.append(ws.url))
        page.goto(self.station + path)
        return page

    def leave(self) -> None:
        """Closes the pages; AssertionError if the browser complained or anything left the machine."""
        for page in self.pages:
            page.close()
        assert self.errors == []
        here = (self.station, self.station.replace("http", "ws"), "data:", "blob:")
        abroad = [url for url in self.asked if not url.startswith(here)]
        assert abroad == []

    def tell(self, path: str) -> Any:
        """Steers the fakes."""
        return httpx.get(self.station + path, trust_env=False).json()


@pytest.fixture
def viewer(chromium: BrowserContext, station: str) -> Iterator[Viewer]:
    """Fails the test at its end if the browser complained or anything left the machine."""
    person = Viewer(chromium, station)
    person.tell("/_test/mode/full")
    person.tell("/_test/bench/alive")
    person.tell("/_test/fresh")
    yield person
    person.leave()
