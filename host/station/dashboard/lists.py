"""The pages that list: sales, cards, quarantine. Filters are plain forms, so every view has an address of its own."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures, words
from station.dashboard.asked import ROWS, Asked, asked, sale_filter
from station.dashboard.dom import Icon, Tag, Words
from station.dashboard.filters import choice, field, submit
from station.dashboard.frame import Frame
from station.dashboard.source import CardRow, Page
from station.dashboard.tables import Column, Table, marked, sale_columns
from station.sales import QuarantineRow

Row = TypeVar("Row")
REFRESH_S = 2.0
RAW_SHOWN = 48  # bytes


class Listing(Generic[Row]):
    """A table with its pager, read again every `refresh_s` off the event loop."""

    def __init__(
        self,
        t: Words,
        path: str,
        question: Asked,
        columns: Sequence[Column[Row]],
        empty: str,
        read: Callable[[], Page[Row]],
        refresh_s: float = REFRESH_S,
    ) -> None:
        self.t, self.path, self.question, self.read = t, path, question, read
        self.drawn: tuple[int, int] | None = None
        self.table = Table(t, columns, empty)
        self.pager = Tag("div", look="pager hidden")
        ui.timer(refresh_s, self.look)

    async def look(self) -> None:
        try:
            page = await asyncio.to_thread(self.read)
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            self.table.show((), type(error).__name__)
            return
        self.table.show(list(page.rows))
        self._pager(page)

    def _pager(self, page: Page[Row]) -> None:
        if self.drawn == (len(page.rows), page.total):
            return
        self.drawn = (len(page.rows), page.total)
        first = self.question.offset + 1
        last = self.question.offset + len(page.rows)
        number = self.question.page
        self.pager.clear()
        self.pager.show(bool(page.rows) or number > 1)
        with self.pager:
            if page.rows:
                Tag("span", self.t("word.rows", a=f"{first:,}", b=f"{last:,}", n=f"{page.total:,}"), "muted")
            if number > 1:
                self._step("chevron_left", self.t("word.previous"), number - 1)
            if last < page.total and page.rows:
                self._step("chevron_right", self.t("word.next"), number + 1)

    def _step(self, icon: str, word: str, number: int) -> None:
        with Tag("a", look="press", href=self.question.link(self.path, number)):
            Icon(icon)
            Tag("span", word)


def _sales(frame: Frame, client: Client) -> None:
    question = asked(client.request.query_params, ("pump", "grade", "card", "from", "to"))
    wanted = sale_filter(question)
    source = frame.hub.source
    with frame.page("/sales", client) as t:
        Tag("h1", t("sales.title"))
        with Tag("section", look="panel"):
            with Tag("form", look="controls", method="get", action="/sales"):
                pumps = [("", t("word.all")), *((p.pump, words.pump(t, p.pump)) for p in source.forecourt())]
                choice(t("sales.pump"), "pump", question.raw["pump"], pumps)
                grades = [("", t("word.all")), *((str(g), texts.grade(g, t.lang)) for g in texts.GRADES)]
                choice(t("sales.grade"), "grade", question.raw["grade"], grades)
                field(t("sales.card"), "card", question.raw["card"], inputmode="numeric")
                field(t("sales.from"), "from", question.raw["from"], type="date")
                field(t("sales.to"), "to", question.raw["to"], type="date")
                submit(t, "/sales")
                with Tag("a", look="press", href=question.link("/sales.csv")):
                    Icon("download")
                    Tag("span", t("word.csv"))
            if question.problem:
                Tag("div", t(question.problem), "note failed", role="alert")
            Listing(
                t,
                "/sales",
                question,
                sale_columns(t),
                t("sales.none"),
                lambda: source.sales(wanted, question.offset, ROWS),
            )


def _card_columns(t: Words) -> list[Column[CardRow]]:
    yuan = f" ({t('unit.yuan')})"

    def shadow(row: CardRow) -> Tag | str:
        if not row.shadow:
            return figures.NOTHING
        word = texts.shadow_state(row.shadow, t.lang)
        return _mark(SHADOW_LOOKS, row.shadow, f"{word} · {t('cards.missing', n=row.missing)}" if row.missing else word)

    return [
        Column(t("cards.number"), lambda r: figures.card(r.card_no), "strong"),
        Column(t("cards.holder"), lambda r: r.holder or figures.NOTHING),
        Column(t("cards.plate"), lambda r: r.plate or figures.NOTHING),
        Column(t("cards.state"), lambda r: _mark(CARD_LOOKS, r.state, texts.card_state(r.state, t.lang))),
        Column(t("cards.balance") + yuan, lambda r: figures.yuan(r.books_fen), "num strong"),
        Column(t("cards.on_card") + yuan, lambda r: figures.yuan(r.seen_fen), "num"),
        Column(t("cards.flight") + yuan, lambda r: figures.yuan(r.in_flight_fen), "num"),
        Column(t("cards.pending") + yuan, lambda r: figures.yuan(r.pending_fen), "num"),
        Column(t("cards.agrees"), shadow),
        Column(t("cards.expires"), lambda r: figures.day(r.expiry_s) if r.expiry_s else t("cards.never")),
        Column(t("cards.seen"), lambda r: figures.day_and_clock(r.seen_s)),
        Column("", lambda r: Tag("a", t("nav.sales"), href=f"/sales?card={r.card_no}")),
    ]


CARD_LOOKS = {"active": ("good", "check_circle"), "blocked": ("bad", "block")}
SHADOW_LOOKS = {
    "agrees": ("good", "check_circle"), "waiting": ("warn", "hourglass_bottom"), "differs": ("bad", "error"),
}  # fmt: skip


def _mark(looks: dict[str, tuple[str, str]], state: str, word: str) -> Tag:
    look, icon = looks.get(state, ("warn", "help"))
    return marked(look, icon, word)


def _cards(frame: Frame, client: Client) -> None:
    question = asked(client.request.query_params, ("card",))
    source = frame.hub.source
    search = question.raw["card"]
    with frame.page("/cards", client) as t:
        Tag("h1", t("cards.title"))
        with Tag("section", look="panel"):
            with Tag("form", look="controls", method="get", action="/cards"):
                field(t("cards.search"), "card", question.raw["card"])
                submit(t, "/cards")
            Listing(
                t,
                "/cards",
                question,
                _card_columns(t),
                t("cards.empty"),
                lambda: source.cards(search, question.offset, ROWS),
            )


def _quarantine_columns(t: Words) -> list[Column[QuarantineRow]]:
    def raw(row: QuarantineRow) -> Tag:
        more = " …" if len(row.raw) > RAW_SHOWN else ""
        return Tag("code", row.raw[:RAW_SHOWN].hex(" ") + more, "raw")

    def decided(row: QuarantineRow) -> Tag:
        if row.decided_at is None:
            return marked("warn", "pending", t("quarantine.open"))
        return marked("good", "task_alt", f"{row.decision or ''} {figures.day_and_clock(row.decided_at)}".strip())

    return [
        Column(t("quarantine.seen"), lambda r: figures.day_and_clock(r.last_at)),
        Column(t("quarantine.times"), lambda r: f"{r.times:,}", "num"),
        Column(t("quarantine.reason"), lambda r: texts.quarantine_reason(r.reason, t.lang), "strong"),
        Column(t("quarantine.place"), lambda r: r.place),
        Column(t("quarantine.detail"), lambda r: r.detail, "wrap"),
        Column(t("quarantine.raw"), raw, "wrap"),
        Column(t("quarantine.decided"), decided),
    ]


def _quarantine(frame: Frame, client: Client) -> None:
    question = asked(client.request.query_params, ())
    source = frame.hub.source
    with frame.page("/quarantine", client) as t:
        Tag("h1", t("quarantine.title"))
        Tag("div", t("quarantine.lead"), "muted")
        with Tag("section", look="panel"):
            Listing(
                t,
                "/quarantine",
                question,
                _quarantine_columns(t),
                t("quarantine.empty"),
                lambda: source.quarantine(question.offset, ROWS),
            )


def register(frame: Frame) -> None:
    """Adds the pages to the service."""

    @ui.page("/sales")
    def sales(client: Client) -> None:
        _sales(frame, client)

    @ui.page("/cards")
    def cards(client: Client) -> None:
        _cards(frame, client)

    @ui.page("/quarantine")
    def quarantine(client: Client) -> None:
        _quarantine(frame, client)
