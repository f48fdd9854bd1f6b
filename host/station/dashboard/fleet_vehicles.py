"""One company's vehicles and drivers, and money for its purse cards."""

from urllib.parse import quote

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import cards, fleets, texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.fleet_frame import HOME, REFRESH_S, company_page, keyed
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database, sheets, typed

Seen = tuple[fleets.Vehicle, str, bool]  # the vehicle, who pays for it, whether its card is behind


def _vehicles(conn: Connection, company: int) -> list[Seen]:
    return [
        (one, fleets.unit(conn, one.unit).name, fleets.is_behind(conn, one))
        for one in fleets.vehicles_of(conn, company)
    ]


def _columns(t: Words) -> list[Column[Seen]]:
    def state(row: Seen) -> Tag:
        if row[0].state == fleets.GONE:
            return marked("muted", "block", t("fleets.gone"))
        if row[2]:
            return marked("warn", "sync_problem", t("fleets.behind"))
        return marked("good", "check_circle", t("fleets.active"))

    return [
        Column(t("fleets.plate"), lambda r: Tag("a", r[0].plate, href=f"vehicles?plate={quote(r[0].plate)}"), "strong"),
        Column(t("fleets.payer"), lambda r: r[1]),
        Column(t("sales.card"), lambda r: figures.card(r[0].card_no)),
        Column(t("sales.grade"), lambda r: texts.grade(r[0].grade, t.lang) if r[0].grade else t("word.all")),
        Column(f"{t('fleets.tank')} ({t('unit.litre')})", lambda r: figures.litres(r[0].tank_ml or None), "num"),
        Column(t("fleets.norm"), lambda r: figures.litres(r[0].norm_ml_per_100km or None), "num"),
        Column(t("accounts.state"), state),
        Column("", lambda r: Tag("a", t("fleets.rules"), href=f"rules?subject={fleets.of_vehicle(r[0].id)}")),
    ]


def _drivers(t: Words) -> list[Column[fleets.Driver]]:
    return [
        Column(t("fleets.driver"), lambda r: r.name, "strong"),
        Column(t("sales.card"), lambda r: figures.card(r.card_no)),
    ]


def litres(text: str) -> int:
    """Litres as typed, in ml; empty: 0. ValueError."""
    return typed.scaled(text or "0", 1000, 1_000_000, "升数如 60 或 9.5 litres like 60 or 9.5")


def _typed(ml: int) -> str:
    return sheets.litres(ml) if ml else ""


def _page(frame: Frame, office: Office, client: Client, number: int) -> None:
    person = person_of(client).name
    with company_page(frame, office, client, number, "vehicles") as (t, company):
        if company is None:
            return

        async def save(_: str) -> str:
            wanted = fleets.Vehicle(
                0, int(unit.value), plate.value, litres(tank.value), int(grade.value), litres(norm.value),
                card.value.strip() or None, state.value,
            )  # fmt: skip
            made = await office.write(lambda conn: fleets.save(conn, wanted, person, clock.now()))
            await look()
            return t("fleets.vehicle.done", plate=made.plate)

        async def driver(key: str) -> str:
            wanted = fleets.Driver(0, number, name.value, driver_card.value.strip() or None)

            def do(conn: Connection) -> None:
                keyed(conn, key, f"driver {name.value}", lambda now: fleets.save_driver(conn, wanted, person, now))

            await office.write(do)
            await look()
            return t("fleets.driver.done", name=name.value)

        async def load(key: str) -> str:
            fen, of = typed.fen(amount.value), int(source.value)

            def do(conn: Connection) -> None:
                card_no = cards.parse(load_card.value)
                what = f"load {of} {card_no} {fen}"
                keyed(conn, key, what, lambda now: fleets.load_card(conn, of, card_no, fen, person, now))

            await office.write(do)
            amount.set("")
            return t("fleets.load.done", yuan=figures.yuan(fen))

        wanted_plate = client.request.query_params.get("plate", "")
        with database.read(office.engine) as conn:
            listed = fleets.vehicles_of(conn, number)
        old = next((one for one in listed if one.plate == wanted_plate), fleets.Vehicle(0, number, ""))
        with Tag("section", look="panel"):
            table = Table(t, _columns(t), t("fleets.vehicles.empty"))
            with Form(t, t("fleets.vehicle.go"), save, "local_shipping"):
                plate = Field(t("fleets.plate"), old.plate, maxlength="12", autofocus="", hint="京A12345")
                unit = Choice(t("fleets.payer"), company.parts, str(old.unit))
                card = Field(t("sales.card"), old.card_no or "", maxlength="19", inputmode="numeric")
                grades = {"0": t("word.all")} | {str(code): texts.grade(code, t.lang) for code in texts.GRADES}
                grade = Choice(t("sales.grade"), grades, str(old.grade))
                tank = Field(f"{t('fleets.tank')} ({t('unit.litre')})", _typed(old.tank_ml), inputmode="decimal")
                norm = Field(t("fleets.norm"), _typed(old.norm_ml_per_100km), inputmode="decimal")
                states = {fleets.ACTIVE: t("fleets.active"), fleets.GONE: t("fleets.gone")}
                state = Choice(t("accounts.state"), states, old.state)
            Tag("div", t("fleets.vehicles.lead"), "note")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.drivers"))
            drivers = Table(t, _drivers(t), t("fleets.drivers.empty"))
            with Form(t, t("fleets.driver.go"), driver, "badge"):
                name = Field(t("fleets.driver"), maxlength="40")
                driver_card = Field(t("fleets.driver.card"), maxlength="19", inputmode="numeric")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.load"))
                Tag("span", t("fleets.load.lead"), "muted")
            with Form(t, t("fleets.load.go"), load, "add_card"):
                load_card = Field(t("sales.card"), maxlength="19", inputmode="numeric")
                amount = Field(f"{t('accounts.amount')} ({t('unit.yuan')})", inputmode="decimal")
                source = Choice(t("fleets.load.from"), company.parts)

    async def look() -> None:
        try:
            table.show(await office.read(lambda conn: _vehicles(conn, number)))
            drivers.show(await office.read(lambda conn: fleets.drivers_of(conn, number)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)
            drivers.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page(HOME + "/{company}/vehicles")
    def vehicles(client: Client, company: int) -> None:
        _page(frame, office, client, company)
