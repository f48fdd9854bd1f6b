"""The frame of every page: name, navigation, alarms, language and theme. Choices live in two cookies of the browser."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures, words
from station.dashboard.dom import Icon, Tag, Words, press
from station.dashboard.hub import AlarmLine, Hub
from station.dashboard.office import scope_of
from station.staff import Person, permissions

# Groups of pages in the order of the day's work; the bar shows the groups, below it the pages of the one that is open.
GROUPS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "nav.group.forecourt",
        (
            ("/", "nav.forecourt"),
            ("/sales", "nav.sales"),
            ("/tanks", "nav.tanks"),
            ("/meter", "nav.meter"),
            ("/shifts", "nav.shifts"),
            ("/issued", "nav.issued"),
            ("/quarantine", "nav.quarantine"),
        ),
    ),
    (
        "nav.group.cards",
        (
            ("/cards", "nav.cards"),
            ("/cards/query", "nav.desk.query"),
            ("/cards/load", "nav.desk.load"),
            ("/cards/issue", "nav.desk.issue"),
            ("/cards/lost", "nav.desk.lost"),
            ("/cards/replace", "nav.desk.replace"),
            ("/cards/refund", "nav.desk.refund"),
            ("/cards/limits", "nav.desk.limits"),
            ("/cards/reports", "nav.desk.reports"),
            ("/payments", "nav.payments"),
        ),
    ),
    (
        "nav.group.tills",
        (
            ("/till", "nav.till"),
            ("/till/shift", "nav.till.shift"),
            ("/till/refunds", "nav.till.refunds"),
            ("/till/day", "nav.till.day"),
        ),
    ),
    ("nav.group.fleets", (("/fleets", "nav.fleets"), ("/accounts", "nav.accounts"))),
    (
        "nav.group.books",
        (
            ("/books", "nav.books"),
            ("/books/accounts", "nav.books.accounts"),
            ("/books/periods", "nav.books.periods"),
            ("/books/checks", "nav.books.checks"),
            ("/payments/statements", "nav.payments.statements"),
            ("/audit", "nav.audit"),
        ),
    ),
    ("nav.group.risk", (("/risk", "nav.risk"), ("/risk/rules", "nav.risk.rules"))),
    ("nav.group.network", (("/network", "nav.network"),)),
    ("nav.group.settings", (("/parameters", "nav.parameters"), ("/staff", "nav.staff"))),
)
SCOPED = ("/network",)  # pages for who sees a part of the stations only
BENCH = ("nav.group.bench", (("/bench", "nav.bench"),))
THEMES = {"auto": None, "light": False, "dark": True}
THEME_ICONS = {"auto": "brightness_auto", "light": "light_mode", "dark": "dark_mode"}
COOKIE = "document.cookie='%s=%s;path=/;max-age=31536000;samesite=lax'"
ALARM_LOOK_S = 0.5


class Frame:
    """Builds pages. `bench`: whether simulated pumps run here."""

    def __init__(self, hub: Hub, bench: bool) -> None:
        self.hub = hub
        self.groups = (*GROUPS, BENCH) if bench else GROUPS
        self.titles = dict(page for _, pages in self.groups for page in pages)

    @contextmanager
    def page(self, path: str, client: Client, title: str = "") -> Iterator[Words]:
        """Everything around a page's content; yields the viewer's words. path: the page's in GROUPS; title: a key of
        its own for a page that stands below it."""
        cookies = client.request.cookies
        lang = texts.language_of(cookies)
        theme = cookies.get("ps_theme", "auto")
        theme = theme if theme in THEMES else "auto"
        t = Words(lang)
        person = getattr(client.request.state, "person", None)  # put there by the guard
        sees_all = scope_of(client) is None
        # The page object is shared by all viewers; language and theme are one viewer's.
        client.page = copy.copy(client.page)
        client.page.language = "en-US" if lang == texts.EN else "zh-CN"
        client.page.dark = THEMES[theme]
        client.title = f"{t(title or self.titles[path])} · {t('brand')}"
        client.on_connect(lambda: self.hub.joined(client.id))
        client.on_delete(lambda: self.hub.left(client.id))
        with Tag("header", look="bar"):
            Tag("a", t("brand"), "brand", href="/")
            open_group = self._navigation(t, path, person, sees_all)
            with Tag("div", look="tools"):
                Tag("span", t("frame.zone", zone=figures.zone()), "zone")
                if sees_all:
                    AlarmBadge(self.hub, t)
                self._switches(t, theme)
                if person is not None and person.role != permissions.LOCAL_ROLE:
                    with Tag("form", look="who", method="post", action="/logout"):
                        Tag("span", f"{person.full_name} · {t('role.' + person.role)}")
                        Tag("button", t("login.out"), "press plain", type="submit")
        if len(open_group) > 1:
            with Tag("nav", look="pages"):
                for link, key in open_group:
                    Tag("a", t(key), "here" if link == path else "", href=link)
        with Tag("div", look="content"):
            yield t

    def _navigation(self, t: Words, path: str, person: Person | None, sees_all: bool) -> list[tuple[str, str]]:
        """Draws the groups that this person may see; the pages of the open one."""
        here: list[tuple[str, str]] = []
        with Tag("nav"):
            for group, pages in self.groups:
                seen = [
                    page
                    for page in pages
                    if (person is None or person.may(permissions.for_page(page[0]))) and (sees_all or page[0] in SCOPED)
                ]
                if not seen:
                    continue
                is_open = any(link == path for link, _ in seen)
                here = seen if is_open else here
                Tag("a", t(group), "here" if is_open else "", href=seen[0][0])
        return here

    @staticmethod
    def _switches(t: Words, theme: str) -> None:
        other = texts.ZH if t.lang == texts.EN else texts.EN
        language = press("translate", t("frame.language"), look="plain language", title=t("frame.language.title"))
        language.on("click", js_handler="() => { %s; location.reload(); }" % (COOKIE % ("ps_lang", other)))
        following = {"auto": "light", "light": "dark", "dark": "auto"}[theme]
        title = (
            f"{t('frame.theme')}（{t('frame.theme.' + theme)}）"
            if t.lang == texts.ZH
            else (f"{t('frame.theme')} ({t('frame.theme.' + theme)})")
        )
        button = press(THEME_ICONS[theme], "", look="plain theme", title=title)
        button.on("click", js_handler="() => { %s; location.reload(); }" % (COOKIE % ("ps_theme", following)))


class AlarmBadge:
    """How many alarms stand, from any page; a click lists them."""

    def __init__(self, hub: Hub, t: Words) -> None:
        self.hub, self.t = hub, t
        self.shown: list[AlarmLine] | None = None
        with Tag("button", look="press calm", type="button") as self.button:
            self.icon = Icon("check_circle")
            self.label = Tag("span", t("alarm.none"))
        self.button.on("click", self.toggle)
        self.panel = Tag("div", look="alarm-list hidden", role="status")
        self.open = False
        ui.timer(ALARM_LOOK_S, self.look)

    def toggle(self) -> None:
        self.open = not self.open
        self.panel.show(self.open)

    def look(self) -> None:
        lines = self.hub.alarms(self.hub.source.forecourt())
        if lines == self.shown:
            return
        self.shown = lines
        t = self.t
        word = t("alarm.one") if len(lines) == 1 else t("alarm.count", n=len(lines)) if lines else t("alarm.none")
        self.label.text = word
        self.icon.text = "warning" if lines else "check_circle"
        self.button.look("press alarmed" if lines else "press calm")
        self.panel.clear()
        with self.panel:
            for line in lines:
                with Tag("div", look="row-line"):
                    Icon("warning", "bad")
                    Tag("b", words.pump(t, line.pump) if line.pump else t("alarm.station"))
                    Tag("span", texts.of(t.lang, line.words))
            if not lines:
                Tag("div", t("alarm.none"), "note")
