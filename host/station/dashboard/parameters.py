"""Parameters of the station: what holds now, in which bounds, since when and why; each changed with a reason (O1)."""

from typing import NamedTuple

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table
from station.platform import clock, parameters, typed
from station.platform.database import Connection
from station.platform.parameters import PARAMETERS, Version

REFRESH_S = 3.0


class _Row(NamedTuple):
    name: str
    now: Version


def _rows(conn: Connection) -> list[_Row]:
    return [_Row(name, parameters.newest(conn, name)) for name in PARAMETERS]


def shown(name: str, value: int) -> str:
    """A parameter's value as it is typed: fen as yuan, everything else as the whole number it is."""
    return figures.yuan(value) if PARAMETERS[name].unit == "fen" else f"{value:,}"


def read_value(name: str, text: str) -> int:
    """What was typed, in the parameter's own unit. ValueError."""
    if PARAMETERS[name].unit == "fen":
        return typed.fen(text)
    return typed.scaled(text, 1, PARAMETERS[name].highest, "须为整数 a whole number is wanted")


def _unit(t: Words, name: str) -> str:
    return t(f"parameters.unit.{PARAMETERS[name].unit}")


def _columns(t: Words) -> list[Column[_Row]]:
    def bounds(row: _Row) -> str:
        known = PARAMETERS[row.name]
        return f"{shown(row.name, known.lowest)} – {shown(row.name, known.highest)}"

    return [
        Column(t("parameters.name"), lambda r: texts.parameter(r.name, t.lang), "strong"),
        Column(t("parameters.value"), lambda r: shown(r.name, r.now.value), "num strong"),
        Column(t("parameters.unit"), lambda r: _unit(t, r.name)),
        Column(t("parameters.bounds"), bounds, "num"),
        *_version_columns(t),
        Column("", lambda r: r.name, "muted"),
        Column("", lambda r: Tag("a", t("parameters.edit"), href=f"/parameters/change?name={r.name}")),
    ]


def _version_columns(t: Words) -> list[Column[_Row]]:
    return [
        Column(t("parameters.since"), lambda r: figures.day_and_clock(r.now.at)),
        Column(t("word.who"), lambda r: r.now.by or t("parameters.default")),
        Column(t("word.why"), lambda r: r.now.why, "wrap"),
    ]


def _change(frame: Frame, office: Office, client: Client) -> None:
    name, person = client.request.query_params.get("name", ""), person_of(client)
    if name not in PARAMETERS:
        ui.navigate.to("/parameters")
        return
    with frame.page("/parameters", client) as t:
        title = t("parameters.change", name=texts.parameter(name, t.lang))
        Tag("h1", title)

        async def change(_: str) -> str:
            value = read_value(name, field.value)
            made = await office.write(
                lambda conn: parameters.change(conn, name, value, person.name, why.value, clock.now())
            )
            why.set("")
            await look()
            return t("parameters.done", value=f"{shown(name, made.value)} {_unit(t, name)}")

        with Tag("section", look="panel"):
            with Form(t, t("parameters.save"), change, "save"):
                field = Field(f"{t('parameters.value')} ({_unit(t, name)})", inputmode="decimal", autofocus="")
                why = Field(t("word.why"), maxlength="200")
            Tag("a", t("word.back"), "note", href="/parameters")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("parameters.history"))
            value = Column[_Row](t("parameters.value"), lambda r: shown(name, r.now.value), "num strong")
            table = Table(t, [value, *_version_columns(t)], t("parameters.default"))

    async def look() -> None:
        try:
            table.show([_Row(name, one) for one in await office.read(lambda conn: parameters.history(conn, name))])
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/parameters")
    def page(client: Client) -> None:
        with frame.page("/parameters", client) as t:
            Tag("h1", t("parameters.title"))
            Tag("div", t("parameters.lead"), "muted")
            with Tag("section", look="panel"):
                table = Table(t, _columns(t), t("parameters.default"))

        async def look() -> None:
            try:
                table.show(await office.read(_rows))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)

        ui.timer(REFRESH_S, look)

    @ui.page("/parameters/change")
    def change(client: Client) -> None:
        _change(frame, office, client)
