"""One company's statements with their lines, and what in its vehicles' fills wants a look."""

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import fleets, texts
from station.api.fleet_csv import oddity_figure
from station.api.fleets import offer_statement
from station.dashboard import figures
from station.dashboard.asked import asked, days
from station.dashboard.dom import Icon, Tag, Words
from station.dashboard.filters import field, submit
from station.dashboard.fleet_frame import HOME, REFRESH_S, Company, address, company_page, keyed
from station.dashboard.forms import Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database, typed
from station.platform.clock import DAY_S

API = "/api/v1/fleets"
LAST_DAYS = 31
Seen = tuple[fleets.Statement, int]  # a statement, and what of it is unpaid
SUMS = ("opening", "delivered", "rebate", "loaded", "paid", "other", "closing")


def _statements(conn: Connection, number: int) -> list[Seen]:
    return [(one, fleets.unpaid_fen(conn, one)) for one in fleets.statements(conn, number)]


def _columns(t: Words) -> list[Column[Seen]]:
    yuan = f" ({t('unit.yuan')})"

    def state(row: Seen) -> Tag:
        if not row[1]:
            return marked("good", "check_circle", t("fleets.paid"))
        words = t("fleets.unpaid", yuan=figures.yuan(row[1]), day=figures.day(row[0].due_at))
        return marked("bad" if row[0].due_at <= clock.now() else "warn", "schedule", words)

    def link(row: Seen) -> Tag:
        one = row[0]
        return Tag("a", str(one.number), href=f"{address(one.company, 'statements')}?number={one.number}")

    def sums(name: str) -> Column[Seen]:
        look = "num strong" if name == "closing" else "num"
        return Column(t(f"fleets.{name}") + yuan, lambda r: figures.yuan(getattr(r[0], f"{name}_fen")), look)

    return [
        Column(t("accounts.number"), link, "num strong"),
        Column(t("fleets.period"), lambda r: f"{figures.day(r[0].since)} – {figures.day_and_clock(r[0].until)}"),
        *(sums(name) for name in SUMS),
        Column(f"{t('tile.volume')} ({t('unit.litre')})", lambda r: figures.litres(r[0].volume_ml), "num"),
        Column(t("accounts.state"), state),
    ]


def _lines(t: Words) -> list[Column[fleets.Line]]:
    yuan, litre = f" ({t('unit.yuan')})", f"{t('tile.volume')} ({t('unit.litre')})"
    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("fleets.what"), lambda r: t(f"fleets.kind.{r.kind}")),
        Column(t("fleets.plate"), lambda r: r.sale.plate if r.sale else "", "strong"),
        Column(t("sales.card"), lambda r: figures.card(r.sale.card_no) if r.sale else ""),
        Column("km", lambda r: f"{r.sale.odometer_km:,}" if r.sale and r.sale.odometer_km else "", "num"),
        Column(t("sales.grade"), lambda r: texts.grade(r.sale.grade, t.lang) if r.sale else ""),
        Column(litre, lambda r: figures.litres(r.sale.volume_ml) if r.sale else "", "num"),
        Column(t("unit.price"), lambda r: figures.yuan(r.sale.price_fen_per_l) if r.sale else "", "num"),
        Column(t("fleets.owed") + yuan, lambda r: figures.yuan(r.owed_fen), "num strong"),
        Column(t("fleets.rebate") + yuan, lambda r: figures.yuan(r.rebate_fen) if r.rebate_fen else "", "num"),
    ]


def _statements_page(frame: Frame, office: Office, client: Client, number: int) -> None:
    person = person_of(client).name
    with company_page(frame, office, client, number, "statements") as (t, company):
        if company is None:
            return

        async def make(key: str) -> str:
            def do(conn: Connection) -> None:
                def begin(now: int) -> None:
                    fleets.make(conn, number, typed.day(until.value) if until.value else now, person, now)

                keyed(conn, key, f"statement {number} {until.value}", begin)

            await office.write(do)
            await look()
            return t("fleets.statement.done")

        _one_statement(t, office, client, company)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.page.statements"))
                Tag("span", t("fleets.statements.lead"), "muted")
            table = Table(t, _columns(t), t("fleets.statements.empty"))
            with Form(t, t("fleets.statement.go"), make, "receipt_long"):
                until = Field(t("fleets.statement.until"), kind="date")

    async def look() -> None:
        try:
            table.show(await office.read(lambda conn: _statements(conn, number)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def _one_statement(t: Words, office: Office, client: Client, company: Company) -> None:
    """The lines of the statement that was asked for, to read, print, export and invoice."""
    wanted = client.request.query_params.get("number", "")
    if not wanted.isdigit():
        return
    number = company.number
    with database.read(office.engine) as conn:
        try:
            one = fleets.statement(conn, number, int(wanted))
        except fleets.FleetError:
            return
        lines = fleets.lines(conn, number, one.number)

    async def offer(_: str) -> str:
        subject = await office.write(lambda conn: offer_statement(conn, number, one.number))
        return t("fleets.offer.done", subject=subject, yuan=figures.yuan(one.invoice_fen))

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("fleets.statement.of", n=one.number, name=company.name))
            period = f"{figures.day_and_clock(one.since)} – {figures.day_and_clock(one.until)}"
            Tag("span", period, "muted")
            with Tag("a", look="press", href=f"{API}/{number}/statements/{one.number}/csv", download=""):
                Icon("download")
                Tag("span", t("word.csv"))
        with Tag("div", look="strip"):
            for name in SUMS:
                with Tag("span", look="term"):
                    Tag("span", t(f"fleets.{name}"))
                    Tag("b", figures.yuan(getattr(one, f"{name}_fen")))
        Table(t, _lines(t), t("fleets.lines.empty")).show(lines)
        with Form(t, t("fleets.offer.go"), offer, "request_quote"):
            Tag("span", t("fleets.offer", yuan=figures.yuan(one.invoice_fen)), "muted")


def _oddities(t: Words) -> list[Column[fleets.Report]]:
    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.oddity.fill.ended)),
        Column(t("fleets.plate"), lambda r: r.vehicle.plate, "strong"),
        Column(t("fleets.what"), lambda r: marked("warn", "warning", t(f"fleets.odd.{r.oddity.kind}"))),
        Column(t("fleets.found"), lambda r: oddity_figure(r.oddity.kind, r.oddity.value), "num strong"),
        Column(t("fleets.expected"), lambda r: oddity_figure(r.oddity.kind, r.oddity.expected), "num"),
        Column(f"{t('tile.volume')} ({t('unit.litre')})", lambda r: figures.litres(r.oddity.fill.volume_ml), "num"),
        Column("km", lambda r: f"{r.oddity.fill.odometer_km:,}" if r.oddity.fill.odometer_km else "", "num"),
        Column(t("sales.card"), lambda r: figures.card(r.oddity.fill.card_no)),
    ]


def _exceptions_page(frame: Frame, office: Office, client: Client, number: int) -> None:
    question = asked(client.request.query_params, ("from", "to"))
    since, until = days(question)
    begin, end = since or clock.now() - LAST_DAYS * DAY_S, until or clock.now() + 1
    with company_page(frame, office, client, number, "exceptions") as (t, company):
        if company is None:
            return
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.page.exceptions"))
                Tag("span", t("fleets.exceptions.lead"), "muted")
                with Tag(
                    "a", look="press", href=f"{API}/{number}/exceptions/csv?since={begin}&until={end}", download=""
                ):
                    Icon("download")
                    Tag("span", t("word.csv"))
            with Tag("form", look="controls", method="get"):
                field(t("fleets.since"), "from", question.raw.get("from", "") or figures.day(begin), type="date")
                field(t("word.until"), "to", question.raw.get("to", ""), type="date")
                submit(t, address(number, "exceptions"))
            table = Table(t, _oddities(t), t("fleets.exceptions.empty"))

    async def look() -> None:
        try:
            table.show(await office.read(lambda conn: fleets.vehicle_exceptions(conn, number, begin, end)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page(HOME + "/{company}/statements")
    def statements(client: Client, company: int) -> None:
        _statements_page(frame, office, client, company)

    @ui.page(HOME + "/{company}/exceptions")
    def exceptions(client: Client, company: int) -> None:
        _exceptions_page(frame, office, client, company)
