"""Metering: factors, totalizers, prover readings and event log of every nozzle; a disputed sale's pulse timeline."""

import asyncio
import re

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures, timeline_chart, words
from station.dashboard.dom import Icon, Tag, Words, press
from station.dashboard.frame import Frame
from station.dashboard.source import Metering, SaleTimeline
from station.dashboard.tables import Column, Table, marked
from station.sales import Measure, MeterEvent, MeterState, ProverState

REFRESH_S = 2.0
SALE = re.compile(r"([A-Za-z0-9_-]{1,16})-([0-9]{1,10})")
LOOKS = {
    "none": ("muted", "remove"), "drawn": ("", "undo"), "ok": ("good", "check_circle"),
    "flagged": ("warn", "error_outline"), "locking": ("bad", "error"), "locked": ("bad", "lock"),
}  # fmt: skip
SECOND = 1000 // timeline_chart.STEP_MS
MOST_SECONDS = 900


def percent(ppm: int | None) -> str:
    """1234 -> "+0.123 %"; the sign always stands."""
    if ppm is None:
        return figures.NOTHING
    thousandths = (abs(ppm) + 5) // 10
    sign = "+" if ppm > 0 else "−" if ppm < 0 else "±"
    return f"{sign}{thousandths // 1000}.{thousandths % 1000:03d} %"


def millilitres(volume_ml: int | None) -> str:
    """Litres to the millilitre, as a totalizer counts: 1234567 -> "1,234.567"."""
    return figures.NOTHING if volume_ml is None else f"{volume_ml // 1000:,}.{volume_ml % 1000:03d}"


def _mark(t: Words, state: str) -> Tag:
    return marked(*LOOKS[state], t(f"meter.state.{state}"))


def _nozzle_columns(t: Words) -> list[Column[MeterState]]:
    def state(row: MeterState) -> Tag:
        return _mark(t, "locked" if row.locked else row.last.state if row.last else "none")

    return [
        Column(t("sales.pump"), lambda r: words.pump(t, r.pump)),
        Column("", lambda r: t("word.nozzle", n=r.nozzle + 1)),
        Column(t("sales.grade"), lambda r: words.grade_tag(t, r.grade)),
        Column(f"{t('meter.total')} ({t('unit.litre')})", lambda r: millilitres(r.total_ml), "num strong"),
        Column(f"{t('meter.factor')} (ppm)", lambda r: _ppm(r.factor_ppm), "num"),
        Column(t("meter.events"), lambda r: f"{r.events}", "num"),
        Column(t("meter.error"), lambda r: percent(r.last.error_ppm if r.last else None), "num"),
        Column(t("meter.last"), lambda r: figures.day_and_clock(r.last.at if r.last else None)),
        Column(t("meter.state"), state),
    ]


def _prover_columns(t: Words) -> list[Column[ProverState]]:
    def spread(row: ProverState) -> Tag | str:
        if row.spread_ppm is None:
            return figures.NOTHING
        good = row.new_ppm is not None
        return marked("good" if good else "bad", "check_circle" if good else "error", percent(row.spread_ppm)[1:])

    return [
        Column(t("sales.pump"), lambda r: words.pump(t, r.pump)),
        Column("", lambda r: t("word.nozzle", n=r.nozzle + 1)),
        Column(t("meter.step"), lambda r: t(f"meter.step.{r.step}", run=r.run), "strong"),
        Column(t("meter.errors"), lambda r: " · ".join(percent(error) for error in r.errors) or figures.NOTHING, "num"),
        Column(t("meter.mean"), lambda r: percent(r.mean_ppm), "num"),
        Column(t("meter.spread"), spread, "num"),
        Column(f"{t('meter.proposed')} (ppm)", lambda r: _ppm(r.new_ppm), "num strong"),
    ]


def _ppm(value: int | None) -> str:
    return figures.NOTHING if value is None else f"{value:+,}".replace("-", "−")


def _measure_columns(t: Words) -> list[Column[Measure]]:
    litre = f" ({t('unit.litre')})"
    return [
        Column(t("sales.time"), lambda r: figures.day_and_clock(r.at)),
        Column(t("sales.pump"), lambda r: words.pump(t, r.pump)),
        Column("", lambda r: t("word.nozzle", n=r.nozzle + 1)),
        Column(t("meter.run"), lambda r: f"{r.run}", "num"),
        Column(t("meter.indicated") + litre, lambda r: millilitres(r.volume_ml), "num"),
        Column(t("meter.prover") + litre, lambda r: millilitres(r.prover_ml), "num"),
        Column(t("meter.error"), lambda r: percent(r.error_ppm), "num strong"),
        Column(t("meter.state"), lambda r: _mark(t, r.state)),
        Column(t("meter.by"), lambda r: figures.card(r.card_no), "muted"),
    ]


def _event_columns(t: Words) -> list[Column[MeterEvent]]:
    def what(row: MeterEvent) -> str:
        named = texts.alarm(row.old, t.lang) if row.kind == "alarm" else ""
        return t(f"meter.log.{row.kind}", old=row.old, new=row.new, what=named)

    return [
        Column(t("sales.time"), lambda r: figures.day_and_clock(r.at)),
        Column(t("sales.pump"), lambda r: words.pump(t, r.pump)),
        Column("", lambda r: t("word.nozzle", n=r.nozzle + 1) if r.nozzle is not None and r.nozzle < 4 else ""),
        Column(t("meter.log.what"), what, "strong"),
        Column(t("sales.number"), lambda r: f"{r.pump}-{r.seq}", "muted"),
    ]


class TimelineView:
    """One sale's timeline: asked for, waited for, drawn; looked at again until it is whole."""

    def __init__(self, t: Words, frame: Frame, pump: str, sale_seq: int) -> None:
        self.t, self.source, self.pump, self.sale_seq = t, frame.hub.source, pump, sale_seq
        self.shown: SaleTimeline | None = None
        self.failure = ""
        with Tag("div", look="controls"):
            press("download", t("meter.line.fetch"), self._fetch, "on")
            self.said = Tag("span", "", "muted", role="status")
        self.root = Tag("div")
        with self.root:
            Tag("div", t("frame.loading"), "note")
        self.timer = ui.timer(1.0, self.look)

    async def _fetch(self) -> None:
        try:
            await asyncio.to_thread(self.source.ask_timeline, self.pump, self.sale_seq)
            self.said.text = self.t("meter.line.asked")
        except ValueError:
            self.said.text = self.t("meter.offline")

    async def look(self) -> None:
        try:
            found = await asyncio.to_thread(self.source.timeline, self.pump, self.sale_seq)
        except ValueError:
            self._note(self.t("meter.line.bad"))
            return
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            self._note(self.t("frame.failed", why=type(error).__name__))
            return
        if found != self.shown or self.failure:
            self.shown, self.failure = found, ""
            self.root.clear()
            with self.root:
                self._draw(found)

    def _note(self, failure: str) -> None:
        if failure != self.failure:
            self.failure = failure
            self.root.clear()
            with self.root:
                Tag("div", failure, "note failed", role="alert")

    def _draw(self, found: SaleTimeline) -> None:
        t, line = self.t, found.line
        if line is None or not line.pages:
            Tag("div", t("meter.line.unasked" if line is None else "meter.line.gone"), "note")
            return
        self.said.text = ""
        columns = timeline_chart.steps(line)
        pages = len(line.pages)
        if line.is_whole:
            marked("good", "check_circle", t("meter.line.whole", pages=pages, seconds=len(columns) // SECOND))
        elif line.missing:
            marked("warn", "warning", t("meter.line.partial", pages=pages, missing=line.missing[0] + 1))
        else:
            marked("warn", "warning", t("meter.line.open_end", pages=pages))
        self._sums(found)
        Tag("h3", t("meter.line.question"))
        ui.html(timeline_chart.drawing(columns), sanitize=False)
        Tag("div", t("meter.line.key", ms=timeline_chart.per_column(columns) * timeline_chart.STEP_MS), "muted")
        self._table(columns)

    def _sums(self, found: SaleTimeline) -> None:
        t, line, end = self.t, found.line, found.end
        if line is None:
            return
        if end is None:
            marked("warn", "hourglass_bottom", t("meter.line.no_end"))
            return
        mine = (line.edges_a // 2, line.edges_b // 2)
        told = (end.pulses_a, end.pulses_b)
        for name, kept, recorded in zip("AB", mine, told, strict=True):
            Tag("div", t("meter.line.channel", name=name, mine=f"{kept:,}", told=f"{recorded:,}"), "sums")
        if mine == told:
            marked("good", "check_circle", f"{t('meter.line.agrees')} · {millilitres(end.volume_ml)} {t('unit.litre')}")
        elif line.is_whole:
            marked("bad", "error", t("meter.line.differs"))

    def _table(self, columns: list[timeline_chart.Column]) -> None:
        t = self.t
        seconds = timeline_chart.merged(columns, SECOND)[:MOST_SECONDS]
        with Tag("details"):
            Tag("summary", t("meter.line.table"))
            with Tag("div", look="scroll"), Tag("table", look="plain"):
                with Tag("thead"), Tag("tr"):
                    Tag("th", t("meter.line.second"), "num", scope="col")
                    for name in "AB":
                        Tag("th", t("meter.line.edges", name=name), "num", scope="col")
                with Tag("tbody"):
                    for second, column in enumerate(seconds, 1):
                        with Tag("tr"):
                            Tag("td", f"{second}", "num")
                            for value in (column.a, column.b):
                                Tag("td", figures.NOTHING if value is None else f"{value:,}", "num")


def _timeline(t: Words, frame: Frame, typed: str) -> None:
    with Tag("section", look="panel", id="timeline"):
        with Tag("header"):
            Tag("h2", t("meter.line"))
        Tag("div", t("meter.line.lead"), "muted")
        with Tag("form", look="controls", method="get", action="/meter"):
            with Tag("label", t("meter.line.sale")):
                Tag("input", name="sale", value=typed, maxlength="28")
            with Tag("button", look="press on", type="submit"):
                Icon("timeline")
                Tag("span", t("meter.line.show"))
        match = SALE.fullmatch(typed)
        if match:
            TimelineView(t, frame, match[1], int(match[2]))
        elif typed:
            Tag("div", t("meter.line.bad"), "note failed", role="alert")


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/meter")
    def meter(client: Client) -> None:
        typed = client.request.query_params.get("sale", "").strip()[:28]
        with frame.page("/meter", client) as t:
            Tag("h1", t("meter.title"))
            Tag("div", t("meter.lead"), "muted")
            if typed:
                _timeline(t, frame, typed)
            tables = []
            for title, empty, columns in (
                ("meter.nozzles", "meter.empty", _nozzle_columns(t)),
                ("meter.provers", "meter.provers.empty", _prover_columns(t)),
                ("meter.measures", "meter.measures.empty", _measure_columns(t)),
                ("meter.log", "meter.log.empty", _event_columns(t)),
            ):
                with Tag("section", look="panel"):
                    with Tag("header"):
                        Tag("h2", t(title))
                    tables.append(Table(t, columns, t(empty)))  # type: ignore[misc]
            if not typed:
                _timeline(t, frame, typed)

        async def look() -> None:
            found, failure = Metering(), ""
            try:
                found = await asyncio.to_thread(frame.hub.source.metering)
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                failure = type(error).__name__
            for table, rows in zip(tables, (found.meters, found.provers, found.measures, found.events), strict=True):
                table.show(list(rows), failure)

        ui.timer(REFRESH_S, look)
