"""The day close on one printable page: meters beside sales, ways to pay, drawers, refunds, invoices, heads."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nicegui import ui
from nicegui.client import Client

from station import tills
from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words, press
from station.dashboard.forms import Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.shifts import exact_litres
from station.dashboard.tables import Column, Table, marked
from station.dashboard.till import kind_word
from station.platform import clock
from station.platform.database import Connection, read
from station.tills import ClosedDay, DayReport, TillError


def _nozzle_columns(t: Words) -> list[Column[tills.NozzleDay]]:
    litre = f" ({t('unit.litre')})"

    def difference(row: tills.NozzleDay) -> Tag:
        look, icon = ("good", "check_circle") if row.difference_ml == 0 else ("bad", "error")
        return marked(look, icon, exact_litres(row.difference_ml))

    return [
        Column(t("till.day.nozzle"), lambda r: f"{words.pump(t, r.pump)} / {r.nozzle + 1}", "strong"),
        Column(t("sales.grade"), lambda r: words.grade_tag(t, r.grade)),
        Column(t("till.day.moved") + litre, lambda r: exact_litres(r.moved_ml), "num"),
        Column(t("till.day.sold") + litre, lambda r: exact_litres(r.sold_ml), "num"),
        Column(t("till.day.tested") + litre, lambda r: exact_litres(r.tested_ml), "num"),
        Column(t("till.day.difference") + litre, difference, "num"),
        Column(t("till.day.count"), lambda r: f"{r.sales:,}", "num"),
        Column(f"{t('till.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.sold_fen), "num strong"),
    ]


def _tender_columns(t: Words, office: Office) -> list[Column[tills.TenderDay]]:
    return [
        Column(t("till.day.kind"), lambda r: kind_word(t, office, r.kind), "strong"),
        Column(t("till.day.count"), lambda r: f"{r.count:,}", "num"),
        Column(f"{t('till.day.taken')} ({t('unit.yuan')})", lambda r: figures.yuan(r.taken_fen), "num strong"),
        Column(f"{t('till.day.returned')} ({t('unit.yuan')})", lambda r: figures.yuan(r.returned_fen), "num"),
    ]


def _drawer_columns(t: Words) -> list[Column[tills.ShiftDay]]:
    yuan = f" ({t('unit.yuan')})"

    def difference(row: tills.ShiftDay) -> Tag:
        if row.difference_fen is None:
            return marked("", "hourglass_top", t("shifts.running"))
        look, icon = ("good", "check_circle") if row.difference_fen == 0 else ("bad", "error")
        return marked(look, icon, figures.yuan(row.difference_fen))

    return [
        Column(t("till.day.shift"), lambda r: f"{r.till} / {r.shift}", "strong"),
        Column(t("till.day.cashier"), lambda r: r.cashier),
        Column(t("till.day.float") + yuan, lambda r: figures.yuan(r.float_fen), "num"),
        Column(t("till.day.expected") + yuan, lambda r: figures.yuan(r.expected_fen), "num"),
        Column(t("till.day.counted") + yuan, lambda r: figures.yuan(r.counted_fen), "num"),
        Column(t("till.day.difference") + yuan, difference, "num"),
    ]


def _table(t: Words, name: str, empty: str, columns: Sequence[Column[Any]], rows: Sequence[Any]) -> None:
    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t(name))
        Table(t, columns, t(empty)).show(rows)


def _sums(t: Words, day: DayReport) -> None:
    yuan: Mapping[str, int] = {
        "bills_fen": day.bills_fen,
        "fuel": day.fuel_fen,
        "goods": day.goods_fen,
        "refunds_fen": day.refunds_fen,
        "invoices_fen": day.invoices_fen,
        "red_fen": day.red_letters_fen,
        "safe": day.safe_fen,
    }
    counts = {"bills": day.bills, "refunds": day.refunds, "open": day.refunds_open, "invoices": day.invoices}
    shown = {name: figures.yuan(fen) for name, fen in yuan.items()}
    with Tag("section", look="panel"), Tag("div", look="controls"):
        Tag("div", t("till.day.sums", **shown, **counts, red=day.red_letters))
        agrees = day.tenders_agree
        look, icon = ("good", "balance") if agrees else ("bad", "error")
        marked(look, icon, t("till.day.agree" if agrees else "till.day.disagree"))
        heads = {"rows": day.audit_rows, "audit": day.audit_head, "books": day.books_head}
        Tag("code", t("till.day.heads", **heads), "raw wrap")


def _close_form(t: Words, office: Office, day: str, by: str) -> None:
    async def close(_: str) -> str:
        await office.write(lambda conn: tills.close_day(conn, day, by, clock.now()))
        ui.navigate.to(f"/till/day?day={day}")
        return t("till.day.done", day=day)

    with Form(t, t("till.day.close"), close, "lock"):
        pass


def _read(conn: Connection, day: str) -> tuple[DayReport, ClosedDay | None]:
    closed = tills.closed_day(conn, day)
    return (tills.report_of(closed) if closed else tills.day_report(conn, day)), closed


def _page(t: Words, office: Office, client: Client) -> None:
    day = client.request.query_params.get("day", "").strip()[:10] or tills.day_of(clock.now())
    report: DayReport | None = None
    closed: ClosedDay | None = None
    with suppress(TillError), read(office.engine) as conn:
        report, closed = _read(conn, day)
    Tag("h1", t("till.day.title") if report is None else f"{t('till.day.title')} {day}")
    with Tag("form", look="controls no-print", method="get", action="/till/day"):
        with Tag("label"):
            Tag("span", t("till.day.day"))
            Tag("input", name="day", type="date", value=day if report else "", autofocus="")
        Tag("button", t("till.day.show"), "press on", type="submit")
        press("print", t("till.print")).on("click", js_handler="() => window.print()")
    if report is None:
        Tag("div", t("sales.bad_day"), "panel note failed", role="alert")
        return
    if closed:
        at = figures.day_and_clock(closed.closed_at)
        Tag("div", t("till.day.closed", day=day, by=closed.closed_by, at=at), "good")
    else:
        Tag("div", t("till.day.open", day=day), "warn")
        with Tag("div", look="no-print"):
            _close_form(t, office, day, person_of(client).name)
    _sums(t, report)
    _table(t, "till.day.nozzles", "till.day.nozzles.empty", _nozzle_columns(t), report.nozzles)
    with Tag("div", look="two"):
        _table(t, "till.day.drawers", "till.day.drawers.empty", _drawer_columns(t), report.shifts)
        _table(t, "till.day.tenders", "till.day.tenders.empty", _tender_columns(t, office), report.tenders)


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/till/day")
    def page(client: Client) -> None:
        with frame.page("/till/day", client) as t:
            _page(t, office, client)
