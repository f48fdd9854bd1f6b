"""The gateways' statements against our payments: what agrees, and every difference by name (Y7)."""

import asyncio
from datetime import timedelta

from nicegui import ui
from nicegui.client import Client

from station import payments
from station.dashboard import figures
from station.dashboard.asked import ROWS, asked
from station.dashboard.dom import Icon, Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.lists import Listing
from station.dashboard.office import Office, person_of
from station.dashboard.payments import gateway_name
from station.dashboard.source import Page
from station.dashboard.tables import Column, Table, marked
from station.payments import Difference, GatewayError, Report
from station.platform import clock, database

PATH = "/payments/statements"


def _columns(t: Words, office: Office) -> list[Column[Report]]:
    def outcome(row: Report) -> Tag:
        if not row.differences:
            return marked("good", "check_circle", t("payments.agrees"))
        return marked("bad", "error", t("payments.differ", n=len(row.differences)))

    return [
        Column(t("payments.day"), lambda r: Tag("a", r.day, href=f"/payments/statement?id={r.id}")),
        Column(t("payments.gateway"), lambda r: gateway_name(office, r.gateway, t.lang)),
        Column(t("payments.differences"), outcome),
        Column(t("payments.matched"), lambda r: f"{r.matched:,}", "num"),
        Column(t("payments.ours"), lambda r: figures.yuan(r.ours_fen), "num strong"),
        Column(t("payments.theirs"), lambda r: figures.yuan(r.theirs_fen), "num strong"),
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("word.who"), lambda r: r.by),
    ]


def _differences(t: Words) -> list[Column[Difference]]:
    def fen(value: int) -> str:
        return figures.yuan(value) if value else figures.NOTHING

    return [
        Column(t("payments.differ.kind"), lambda r: marked("bad", "error", t(f"payments.differ.{r.kind}"))),
        Column(t("payments.order"), lambda r: Tag("a", r.order_no, href=f"/payments/one?order={r.order_no}")),
        Column(t("payments.refund.number"), lambda r: r.refund_no),
        Column(t("payments.ours"), lambda r: fen(r.ours_fen), "num strong"),
        Column(t("payments.theirs"), lambda r: fen(r.theirs_fen), "num strong"),
    ]


def _list(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ())
    ready, person = payments.gateways(office.settings.data_dir).ready, person_of(client)

    def read() -> Page[Report]:
        with database.read(office.engine) as conn:
            return Page(payments.reports(conn, ROWS, question.offset), payments.report_count(conn))

    with frame.page(PATH, client) as t:

        async def compare(_: str) -> str:
            chosen = ready[gateway.value]
            try:
                found = await asyncio.to_thread(
                    payments.fetch, office.engine, chosen, day.value, person.name, clock.now()
                )
            except GatewayError as error:
                raise ValueError(str(error)) from error
            return t("payments.statements.done", day=found.day, matched=found.matched, n=len(found.differences))

        Tag("h1", t("payments.statements.title"))
        Tag("div", t("payments.statements.lead"), "muted")
        with Tag("section", look="panel"):
            if ready:
                with Form(t, t("payments.statements.go"), compare, "fact_check"):
                    names = {name: one.title[t.lang == "en"] for name, one in ready.items()}
                    gateway = Choice(t("payments.gateway"), names, autofocus="")
                    yesterday = payments.china_day(clock.now()) - timedelta(days=1)
                    day = Field(t("payments.day"), yesterday.isoformat(), "date", max=yesterday.isoformat())
            else:
                Tag("div", t("payments.none"), "note")
            Listing(t, PATH, question, _columns(t, office), t("payments.statements.empty"), read)


async def _one(frame: Frame, office: Office, client: Client) -> None:
    number = client.request.query_params.get("id", "")
    try:
        found = await office.read(
            lambda conn: payments.report(conn, int(number) if number.isdecimal() and len(number) < 10 else 0)
        )
    except KeyError:
        ui.navigate.to(PATH)
        return
    with frame.page(PATH, client) as t:
        Tag("h1", t("payments.statement", gateway=gateway_name(office, found.gateway, t.lang), day=found.day))
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("payments.differences"))
                with Tag("a", look="press", href=f"/api/v1/payment-statements/{found.id}/differences.csv"):
                    Icon("download")
                    Tag("span", t("word.csv"))
                Tag("a", t("word.back"), href=PATH)
            Table(t, _columns(t, office), "").show([found])
            Table(t, _differences(t), t("payments.agrees")).show(list(found.differences))


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page(PATH)
    def listed(client: Client) -> None:
        _list(frame, office, client)

    @ui.page("/payments/statement")
    async def one(client: Client) -> None:
        await _one(frame, office, client)
