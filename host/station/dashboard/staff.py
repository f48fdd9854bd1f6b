"""The staff: who they are, what they may do, their passwords and second factors, by an administrator (X3, X4)."""

import asyncio

import segno
from nicegui import ui
from nicegui.client import Client

from station import staff
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database
from station.platform.sealing import Sealer
from station.staff import Person

REFRESH_S = 3.0


def _columns(t: Words) -> list[Column[Person]]:
    def state(row: Person) -> Tag:
        return (
            marked("good", "check_circle", t("staff.active"))
            if row.active
            else marked("muted", "block", t("staff.off"))
        )

    def code(row: Person) -> Tag:
        if row.has_code:
            return marked("good", "check_circle", t("staff.code.set"))
        if row.role in staff.SECOND_FACTOR:
            return marked("warn", "error_outline", t("staff.code.missing"))
        return marked("muted", "remove", t("staff.code.none"))

    return [
        Column(t("staff.full_name"), lambda r: r.full_name, "strong"),
        Column(t("staff.name"), lambda r: r.name),
        Column(t("staff.role"), lambda r: t("role." + r.role)),
        Column(t("staff.state"), state),
        Column(t("staff.code"), code),
        Column("", lambda r: Tag("a", t("staff.edit"), href=f"/staff/person?name={r.name}")),
    ]


def _roles(t: Words) -> dict[str, str]:
    return {role: t("role." + role) for role in staff.ROLES}


def _add_form(t: Words, office: Office, by: Person) -> None:
    async def add(_: str) -> str:
        made = await office.write(
            lambda conn: staff.add(conn, name.value, full_name.value, role.value, password.value, by.name, clock.now())
        )
        for one in (name, full_name, password):
            one.set("")
        return t("staff.added", name=made.full_name)

    with Form(t, t("staff.add.go"), add, "person_add"):
        name = Field(t("staff.name"), maxlength="40", autofocus="", autocapitalize="none")
        full_name = Field(t("staff.full_name"), maxlength="40")
        role = Choice(t("staff.role"), _roles(t))
        password = Field(t("staff.password"), kind="password", maxlength="200")


def _person(frame: Frame, office: Office, client: Client) -> None:
    wanted, by = client.request.query_params.get("name", ""), person_of(client)
    with database.read(office.engine) as conn:
        one = staff.person(conn, wanted)
    with frame.page("/staff", client) as t:
        if one is None:
            Tag("div", t("staff.unknown"), "panel note failed", role="alert")
            return
        Tag("h1", t("staff.person", name=f"{one.full_name} ({one.name})"))
        Tag("a", t("word.back"), href="/staff")

        async def set_role(_: str) -> str:
            await office.write(lambda conn: staff.set_role(conn, one.name, role.value, by.name, clock.now()))
            return t("staff.role.done", role=t("role." + role.value))

        async def set_active(_: str) -> str:
            active = state.value == "on"
            await office.write(lambda conn: staff.set_active(conn, one.name, active, by.name, clock.now()))
            return t("staff.on.done" if active else "staff.off.done")

        async def set_password(_: str) -> str:
            await office.write(lambda conn: staff.set_password(conn, one.name, password.value, by.name, clock.now()))
            password.set("")
            return t("staff.password.done")

        async def set_code(_: str) -> str:
            sealer = Sealer(office.secrets.data_keys)
            address = await office.write(lambda conn: staff.set_up_code(conn, sealer, one.name, by.name, clock.now()))
            picture = await asyncio.to_thread(lambda: segno.make(address).svg_data_uri(scale=5, border=4))
            code.clear()
            with code:
                Tag("img", src=picture, alt=t("staff.code"), width="260", look="qr")
            return t("staff.code.done")

        with Tag("section", look="panel"), Form(t, t("staff.role.go"), set_role, "badge"):
            role = Choice(t("staff.role"), _roles(t), one.role, autofocus="")
        with Tag("section", look="panel"), Form(t, t("staff.state.go"), set_active, "person"):
            states = {"on": t("staff.active"), "off": t("staff.off")}
            state = Choice(t("staff.state"), states, "on" if one.active else "off")
        with Tag("section", look="panel"), Form(t, t("staff.password.go"), set_password, "key"):
            password = Field(t("staff.password.new"), kind="password", maxlength="200")
        with Tag("section", look="panel"):
            with Form(t, t("staff.code.go"), set_code, "qr_code_2"):
                pass
            code = Tag("div", look="qr")


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/staff")
    def page(client: Client) -> None:
        with frame.page("/staff", client) as t:
            Tag("h1", t("staff.title"))
            Tag("div", t("staff.lead"), "muted")
            with Tag("section", look="panel"):
                table = Table(t, _columns(t), t("staff.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("staff.add"))
                _add_form(t, office, person_of(client))

        async def look() -> None:
            try:
                table.show(await office.read(staff.everyone))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)

        ui.timer(REFRESH_S, look)

    @ui.page("/staff/person")
    def person(client: Client) -> None:
        _person(frame, office, client)
