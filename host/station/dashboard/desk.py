"""The card desk's pages: what they share. A job at the reader with its progress, the second person, a receipt."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from nicegui import ui
from nicegui.client import Client

from station.cards import CardLink, Desk, Progress, Readers, Second, shared_readers
from station.dashboard import figures
from station.dashboard.dom import Icon, Tag, Words, press
from station.dashboard.forms import Choice, Field
from station.dashboard.office import Office, person_of, require_log_in
from station.platform import clock, database, parameters

T = TypeVar("T")
LOOK_S = 0.2
READER_COOKIE = "ps_reader"
Rows = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Desks:
    """The readers of this process. Their jobs have threads of their own: one that waits for a card stops no page."""

    office: Office
    readers: Readers
    threads: ThreadPoolExecutor

    @classmethod
    def of(cls, office: Office) -> "Desks":
        return cls(office, shared_readers(office.settings.readers), ThreadPoolExecutor(16, "desk"))


class Counter:
    """A viewer's place at the desk: `await counter.at(act)` does act(desk, reader) when a card lies on the reader."""

    def __init__(self, t: Words, desks: Desks, client: Client) -> None:
        self.t, self._desks, self._client = t, desks, client
        self.by = person_of(client)
        names = list(desks.readers.ports)
        self._reader = client.request.cookies.get(READER_COOKIE, "")
        self._reader = self._reader if self._reader in names else next(iter(names), "")
        self._progress: Progress | None = None
        if not names:
            Tag("div", t("desk.no_reader"), "panel note failed", role="alert")
        if len(names) > 1:
            with Tag("div", look="controls"):
                choice = Choice(t("desk.reader"), dict(zip(names, names, strict=True)), self._reader)
            choice.input.on("change", lambda: self._take(choice.value))
        with Tag("div", look="at-reader hidden", role="status") as self._strip:
            Icon("contactless")
            self._word = Tag("b", "")
            press("close", t("desk.give_up"), self._give_up)
        ui.timer(LOOK_S, self._look)

    async def at(self, act: Callable[[Desk, CardLink], T]) -> T:
        """ValueError: in words, why not."""
        office, progress = self._desks.office, Progress()
        settings = office.settings
        desk = Desk(office.engine, office.secrets, settings.station_no, settings.issuer, self.by.name)

        def work() -> T:
            with database.read(office.engine) as conn:
                require_log_in(conn, self._client)
            return self._desks.readers.do(self._reader, lambda link: act(desk, link), progress)

        self._progress = progress
        try:
            return await asyncio.get_running_loop().run_in_executor(self._desks.threads, work)
        finally:
            self._progress = None
            self._look()

    def _look(self) -> None:
        self._strip.show(self._progress is not None)
        if self._progress is not None:
            self._word.text = self.t(f"desk.{self._progress.stage}")

    def _give_up(self) -> None:
        if self._progress is not None:
            self._progress.give_up()

    def _take(self, name: str) -> None:
        self._reader = name
        self._client.run_javascript(f"document.cookie='{READER_COOKIE}={name};path=/;max-age=31536000;samesite=lax'")


class SecondFields:
    """Who signs above a cap; to be made inside a form. cap: the parameter."""

    def __init__(self, t: Words, desks: Desks, cap: str, label: str = "") -> None:
        with database.read(desks.office.engine) as conn:
            yuan = figures.yuan(parameters.value(conn, cap))
        self._name = Field(label or t("desk.second", yuan=yuan), maxlength="40", autocapitalize="none")
        self._password = Field(t("desk.password"), kind="password", maxlength="200")
        self._code = Field(t("desk.code"), maxlength="8", inputmode="numeric")

    @property
    def value(self) -> Second | None:
        name = self._name.value.strip()
        return Second(name, self._password.value, self._code.value.strip()) if name else None

    def clear(self) -> None:
        """Forgets who signed: nobody signs for the next customer unasked."""
        for field in (self._name, self._password, self._code):
            field.set("")


class Receipt:
    """What was done, for the customer: shown on the page and printed alone."""

    def __init__(self, t: Words, counter: Counter, station: str) -> None:
        self.t, self._counter, self._station = t, counter, station
        self._root = Tag("div", look="receipt hidden")

    def show(self, title: str, rows: Rows) -> None:
        t = self.t
        frame = [
            (t("desk.station"), self._station),
            (t("desk.at"), figures.day_and_clock(clock.now())),
            (t("desk.by"), self._counter.by.full_name),
        ]
        self._root.clear()
        with self._root:
            Tag("h2", title)
            sheet([*rows, *frame])
            button = press("print", t("desk.print"), look="no-print")
            button.on("click", js_handler="() => window.print()")
        self._root.show(True)


def sheet(rows: Rows) -> None:
    """Names and values under each other."""
    with Tag("dl", look="sheet"):
        for name, value in rows:
            Tag("dt", name)
            Tag("dd", value)


def lead(t: Words, job: str) -> None:
    """A page's heading and what to know before."""
    Tag("h1", t(f"desk.{job}.title"))
    Tag("div", t(f"desk.{job}.lead"), "muted")
