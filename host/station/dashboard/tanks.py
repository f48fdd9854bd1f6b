"""The tanks by the books, and on their page beside that what was read in them; a bar for the home page."""

import asyncio

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.tables import Column, Table, marked
from station.wetstock import TankRow

REFRESH_S = 2.0
LOOKS = {"ok": ("good", "check_circle"), "low": ("warn", "trending_down"), "empty": ("bad", "error")}


def percent(tank: TankRow) -> int:
    """How full a tank is by the books, in whole percent, 0..100."""
    return max(0, min(100, tank.stock_ml * 100 // tank.capacity_ml)) if tank.capacity_ml > 0 else 0


def level_bar(tank: TankRow) -> None:
    with Tag("div", look="level", aria_hidden="true"):
        Tag("div", look="" if tank.state == "ok" else "low").width(percent(tank))


def state_mark(t: Words, tank: TankRow) -> Tag:
    look, icon = LOOKS.get(tank.state, ("bad", "error"))
    return marked(look, icon, texts.tank_state(tank.state, t.lang))


def tank_bar(t: Words, tank: TankRow) -> None:
    """A tank as a line: grade, litres by the books, how full; its state only where a person should look."""
    with Tag("div", look="tank", data_grade=tank.grade):
        with Tag("span"):
            words.grade_tag(t, tank.grade)
            if tank.state != "ok":
                Tag("span", " ")
                state_mark(t, tank)
        with Tag("span", look="num"):
            Tag("b", figures.whole_litres(tank.stock_ml))
            Tag("span", f"/ {figures.whole_litres(tank.capacity_ml)} {t('unit.litre')} · {percent(tank)}%", "unit")
        level_bar(tank)


def read_at(t: Words, tank: TankRow) -> str:
    """When a tank was last read, and by what."""
    known = {"gauge": t("tanks.source.gauge"), "dip": t("tanks.source.dip")}
    if tank.gauge_at is None or tank.gauge_source is None:
        return figures.NOTHING
    return f"{figures.day_and_clock(tank.gauge_at)} · {known.get(tank.gauge_source, tank.gauge_source)}"


def columns(t: Words) -> list[Column[TankRow]]:
    litre = f" ({t('unit.litre')})"
    return [
        Column(t("sales.grade"), lambda r: words.grade_tag(t, r.grade)),
        Column(t("tanks.book") + litre, lambda r: figures.whole_litres(r.stock_ml), "num strong"),
        Column(t("tanks.gauge") + litre, lambda r: figures.whole_litres(r.gauge_ml), "num strong"),
        Column(t("tanks.difference") + litre, lambda r: figures.litres(r.difference_ml), "num"),
        Column(t("tanks.read_at"), lambda r: read_at(t, r)),
        Column(t("tanks.capacity") + litre, lambda r: figures.whole_litres(r.capacity_ml), "num"),
        Column(t("tanks.ullage") + litre, lambda r: figures.whole_litres(r.capacity_ml - r.stock_ml), "num"),
        Column(t("tanks.mark") + litre, lambda r: figures.whole_litres(r.low_ml), "num"),
        Column(t("tanks.level"), level_bar, "level-cell"),
        Column("", lambda r: f"{percent(r)}%", "num"),
        Column(t("tanks.state"), lambda r: state_mark(t, r)),
    ]


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/tanks")
    def tanks(client: Client) -> None:
        with frame.page("/tanks", client) as t:
            Tag("h1", t("tanks.title"))
            with Tag("section", look="panel"):
                table = Table(t, columns(t), t("tanks.empty"))

        async def look() -> None:
            try:
                table.show(list(await asyncio.to_thread(frame.hub.source.tanks)))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)

        ui.timer(REFRESH_S, look)
