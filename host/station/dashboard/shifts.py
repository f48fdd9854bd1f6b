"""Shifts and closed days, nozzle by nozzle: what the totalizer moved beside what was sold; and who is on duty."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from nicegui import ui
from nicegui.client import Client

from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.source import Shifts
from station.dashboard.tables import Column, Table, marked
from station.sales import SHIFT, NozzleSum, Period

REFRESH_S = 3.0


@dataclass(frozen=True, slots=True)
class Line:
    """One nozzle of a period; holder: who the card belongs to."""

    period: Period
    nozzle: NozzleSum
    holder: str


def lines(periods: tuple[Period, ...], holders: Mapping[str, str]) -> list[Line]:
    return [Line(p, n, holders.get(p.card_no, "")) for p in periods for n in p.nozzles]


def exact_litres(volume_ml: int | None) -> str:
    """Litres to the millilitre, as the report is held to it: 12345678 -> "12,345.678"."""
    if volume_ml is None:
        return figures.NOTHING
    whole, rest = divmod(abs(volume_ml), 1000)
    return f"{'−' if volume_ml < 0 else ''}{whole:,}.{rest:03d}"


def columns(t: Words, kind: str) -> list[Column[Line]]:
    litre = f" ({t('unit.litre')})"

    def place(row: Line) -> Tag:
        with Tag("span") as cell:
            Tag("span", f"{words.pump(t, row.period.pump)} / {row.nozzle.nozzle + 1} ")
            words.grade_tag(t, row.nozzle.grade)
        return cell

    def until(row: Line) -> str:
        return figures.day_and_clock(row.period.ended) if row.period.ended else t("shifts.running")

    every: list[Column[Line]] = [
        Column(t("shifts.pump"), place),
        Column(t("shifts.begun"), lambda r: figures.day_and_clock(r.period.begun)),
        Column(t("shifts.ended"), until),
        Column(t("shifts.start") + litre, lambda r: exact_litres(r.nozzle.start_ml), "num"),
        Column(t("shifts.end") + litre, lambda r: exact_litres(r.nozzle.end_ml), "num"),
        Column(t("shifts.measured") + litre, lambda r: exact_litres(r.nozzle.measured_ml), "num strong"),
        Column(t("shifts.sold") + litre, lambda r: exact_litres(r.nozzle.sold_ml), "num strong"),
        Column(t("shifts.outside") + litre, lambda r: exact_litres(r.nozzle.outside_ml), "num"),
        Column(t("shifts.count"), lambda r: f"{r.nozzle.sales:,}", "num"),
        Column(f"{t('tile.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.nozzle.sold_fen), "num"),
        Column(t("shifts.state"), lambda r: _check(t, r)),
    ]
    if kind == SHIFT:
        every[1:1] = [
            Column(t("shifts.number"), lambda r: str(r.period.number), "num"),
            Column(t("shifts.person"), lambda r: r.holder or figures.card(r.period.card_no)),
        ]
    return every


def _check(t: Words, row: Line) -> Tag:
    if row.nozzle.unexplained_ml is None:
        return marked("", "hourglass_top", t("shifts.running"))
    if row.nozzle.unexplained_ml:
        return marked("bad", "error", t("shifts.differs", litres=exact_litres(row.nozzle.unexplained_ml)))
    if not row.period.agrees and all(n.unexplained_ml == 0 for n in row.period.nozzles):
        return marked("bad", "error", t("shifts.told"))
    return marked("good", "check_circle", t("shifts.agrees"))


def duty(t: Words, known: Shifts) -> str:
    """ "1 号机 孙丽 · 2 号机 吴刚"."""
    on = [
        f"{words.pump(t, pump)} {known.holders.get(card_no) or figures.card(card_no)}"
        for pump, card_no in sorted(known.duty.items())
    ]
    return t("shifts.duty", who=" · ".join(on)) if on else t("shifts.nobody")


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/shifts")
    def shifts(client: Client) -> None:
        with frame.page("/shifts", client) as t:
            Tag("h1", t("shifts.title"))
            Tag("div", t("shifts.lead"), "muted")
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("shifts.shifts"))
                    on_duty = Tag("span", "")
                table = Table(t, columns(t, SHIFT), t("shifts.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("shifts.days"))
                days = Table(t, columns(t, ""), t("shifts.days.empty"))

        async def look() -> None:
            try:
                known = await asyncio.to_thread(frame.hub.source.shifts)
                on_duty.text = duty(t, known)
                table.show(lines(known.shifts, known.holders))
                days.show(lines(known.days, known.holders))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)
                days.show((), type(error).__name__)

        ui.timer(REFRESH_S, look)
