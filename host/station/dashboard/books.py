"""The books: trial balance, accounts and their statements, closing, checks (Y5, N2)."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from nicegui import ui
from nicegui.client import Client

from station import ledger, texts
from station.dashboard import figures
from station.dashboard.asked import ROWS, asked, days
from station.dashboard.dom import Icon, Tag, Words
from station.dashboard.filters import field, submit
from station.dashboard.forms import Field, Form, of_language
from station.dashboard.frame import Frame
from station.dashboard.lists import Listing
from station.dashboard.office import Office, person_of
from station.dashboard.shifts import exact_litres
from station.dashboard.source import Page
from station.dashboard.tables import Column, Table, marked
from station.ledger import Check, Line, Move, Period
from station.platform import clock, database, typed

SCAN_EVERY_S = 60.0  # these pages read all postings: seldom enough for a year's books
REFRESH_S = 3.0
CHECKS_SHOWN = 30
HEAD_SHOWN = 12  # hex digits: enough to compare by eye


def amount(asset: str, figure: int) -> str:
    """A figure of the books in its asset's own unit: yuan, litres to the millilitre, whole pieces."""
    if asset == ledger.FEN:
        return figures.yuan(figure)
    return exact_litres(figure) if asset == ledger.ML else f"{figure:,}".replace("-", "−")


def _asset(t: Words, asset: str) -> str:
    return t(f"books.asset.{asset}")


def _line_columns(t: Words) -> list[Column[Line]]:
    return [
        Column(t("books.kind"), lambda r: Tag("a", texts.account_kind(r.kind, t.lang), href=_accounts_of(r.kind))),
        Column(t("books.class"), lambda r: texts.account_class(r.account_class, t.lang)),
        Column(t("books.accounts"), lambda r: f"{r.accounts:,}", "num"),
        Column(t("books.debit"), lambda r: amount(r.asset, r.debit), "num"),
        Column(t("books.credit"), lambda r: amount(r.asset, r.credit), "num"),
        Column(t("books.balance"), lambda r: amount(r.asset, r.balance), "num strong"),
    ]


def _accounts_of(kind: str) -> str:
    return f"/books/accounts?account={kind}:"


def _trial(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ("from", "to"))
    since, until = days(question)
    with frame.page("/books", client) as t:
        Tag("h1", t("books.title"))
        Tag("div", t("books.lead"), "muted")
        with Tag("section", look="panel"), Tag("form", look="controls", method="get", action="/books"):
            field(t("sales.from"), "from", question.raw["from"], type="date", autofocus="")
            field(t("word.until"), "to", question.raw["to"], type="date")
            submit(t, "/books")
            end = clock.now() + 1 if until is None else until
            with Tag(
                "a", look="press", href=f"/api/v1/books/vouchers.csv?since={since or 0}&until={end}&lang={t.lang}"
            ):
                Icon("download")
                Tag("span", t("books.vouchers"))
        if question.problem:
            Tag("div", t(question.problem), "note failed", role="alert")
        shown = Tag("div", look="stack")
        with shown:
            Tag("div", t("frame.loading"), "note")

    async def look() -> None:
        try:
            lines = await office.read(lambda conn: ledger.trial_balance(conn, until, since or 0))
            failure = ""
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            lines, failure = [], type(error).__name__
        shown.clear()
        with shown:
            _by_asset(t, lines, failure)

    ui.timer(SCAN_EVERY_S, look)


def _by_asset(t: Words, lines: Sequence[Line], failure: str) -> None:
    for asset in sorted({line.asset for line in lines}) or [ledger.FEN]:
        some = [line for line in lines if line.asset == asset]
        difference = sum(line.balance for line in some)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", _asset(t, asset))
                if difference:
                    marked("bad", "error", t("books.unbalanced", n=amount(asset, difference)))
                elif some:
                    marked("good", "check_circle", t("books.balanced"))
            Table(t, _line_columns(t), t("books.empty")).show(some, failure)


class _Account(NamedTuple):
    name: str
    asset: str
    balance: int


def _account_columns(t: Words) -> list[Column[_Account]]:
    def name(row: _Account) -> Tag:
        return Tag("a", row.name, href=f"/books/statement?account={row.name}&asset={row.asset}")

    return [
        Column(t("books.account"), name, "strong"),
        Column(t("books.kind"), lambda r: texts.account_kind(r.name.partition(":")[0], t.lang)),
        Column(t("books.class"), lambda r: texts.account_class(ledger.class_of(r.name), t.lang)),
        Column("", lambda r: _asset(t, r.asset)),
        Column(t("books.balance"), lambda r: amount(r.asset, r.balance), "num strong"),
    ]


def _accounts(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ("account",))
    prefix = question.raw["account"]

    def read() -> Page[_Account]:
        with database.read(office.engine) as conn:
            rows = [_Account(*row) for row in ledger.listing(conn, prefix, ROWS, question.offset)]
            return Page(rows, ledger.listing_count(conn, prefix))

    with frame.page("/books/accounts", client) as t:
        Tag("h1", t("books.accounts.title"))
        with Tag("section", look="panel"):
            with Tag("form", look="controls", method="get", action="/books/accounts"):
                field(t("books.accounts.prefix"), "account", prefix, autofocus="")
                submit(t, "/books/accounts")
            Listing(t, "/books/accounts", question, _account_columns(t), t("books.accounts.empty"), read, REFRESH_S)


def _move_columns(t: Words, asset: str) -> list[Column[Move]]:
    def memo(row: Move) -> str:
        late = t("books.late", at=figures.day_and_clock(row.at)) if row.booked != row.at else ""
        return " · ".join(part for part in (row.memo, late) if part)

    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.booked)),
        Column(t("books.change"), lambda r: amount(asset, r.change), "num strong"),
        Column(t("books.balance"), lambda r: amount(asset, r.balance), "num"),
        Column(t("books.other"), lambda r: r.other),
        Column(t("books.key"), lambda r: r.key, "muted"),
        Column(t("books.memo"), memo, "wrap"),
    ]


def _statement(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ("account", "asset"))
    account, asset = question.raw["account"], question.raw["asset"]
    asset = asset if asset in (ledger.FEN, ledger.ML, ledger.PIECES) else ledger.FEN

    def read() -> Page[Move]:
        with database.read(office.engine) as conn:
            moves = ledger.statement(conn, account, asset, ROWS, question.offset)
            return Page(moves, ledger.move_count(conn, account, asset))

    with frame.page("/books/accounts", client, "books.accounts.title") as t:
        Tag("h1", t("books.statement", account=account))
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", _asset(t, asset))
                Tag("a", t("word.back"), href=_accounts_of(account.partition(":")[0]))
            empty = t("books.statement.empty")
            Listing(t, "/books/statement", question, _move_columns(t, asset), empty, read, SCAN_EVERY_S)


def _last_day(until: int) -> str:
    """The last day of a period that ends before `until`."""
    return figures.day(until - 1)


def _period_columns(t: Words) -> list[Column[Period]]:
    return [
        Column(t("books.periods.closed"), lambda r: _last_day(r.until), "strong"),
        Column(t("books.periods.at"), lambda r: figures.day_and_clock(r.closed_at)),
        Column(t("word.who"), lambda r: r.closed_by),
    ]


def _periods(frame: Frame, office: Office, client: Client) -> None:
    person = person_of(client)
    with frame.page("/books/periods", client) as t:
        Tag("h1", t("books.periods.title"))
        Tag("div", t("books.periods.lead"), "muted")

        async def close(_: str) -> str:
            until = typed.day(day.value, 1)
            period = await office.write(lambda conn: ledger.close(conn, until, person.name, clock.now()))
            await look()
            return t("books.periods.done", day=_last_day(period.until))

        with Tag("section", look="panel"), Form(t, t("books.periods.go"), close, "lock"):
            day = Field(t("books.periods.day"), kind="date", autofocus="")
        with Tag("section", look="panel"):
            table = Table(t, _period_columns(t), t("books.periods.empty"))

    async def look() -> None:
        try:
            table.show(await office.read(ledger.periods))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def _check_columns(t: Words) -> list[Column[Check]]:
    def result(row: Check) -> Tag:
        if row.ok:
            return marked("good", "check_circle", t("books.checks.good"))
        return marked("bad", "error", t("books.checks.bad", n=len(row.seen.found)))

    def faults(row: Check) -> Tag:
        with Tag("div") as cell:
            for found in row.seen.found:
                Tag("div", of_language(found.text, t.lang))
        return cell

    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("word.who"), lambda r: r.by),
        Column(t("books.checks.result"), result),
        Column(t("books.checks.what"), faults, "wrap"),
        Column(t("books.checks.transfers"), lambda r: f"{r.seen.transfers:,}", "num"),
        Column(t("books.checks.head"), lambda r: f"{r.seen.audit_rows} {r.seen.audit_head[:HEAD_SHOWN]}", "muted"),
    ]


def _checks(frame: Frame, office: Office, client: Client) -> None:
    person = person_of(client)
    with frame.page("/books/checks", client) as t:
        Tag("h1", t("books.checks.title"))
        Tag("div", t("books.checks.lead"), "muted")

        async def check(_: str) -> str:
            made = await asyncio.to_thread(ledger.run_check, office.engine, person.name, clock.now())
            await look()
            if not made.ok:
                raise ValueError(t("books.checks.bad", n=len(made.seen.found)))
            return t("books.checks.good")

        with Tag("section", look="panel"):
            with Form(t, t("books.checks.go"), check, "fact_check"):
                pass
            table = Table(t, _check_columns(t), t("books.checks.none"))
        old = Tag("div", t("books.checks.old"), "panel note failed hidden", role="alert")

    async def look() -> None:
        try:
            checks = await office.read(lambda conn: ledger.checks(conn, CHECKS_SHOWN))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)
            return
        table.show(checks)
        old.show(bool(checks) and checks[0].at < clock.now() - clock.DAY_S - clock.HOUR_S)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/books")
    def trial(client: Client) -> None:
        _trial(frame, office, client)

    @ui.page("/books/accounts")
    def accounts(client: Client) -> None:
        _accounts(frame, office, client)

    @ui.page("/books/statement")
    def statement(client: Client) -> None:
        _statement(frame, office, client)

    @ui.page("/books/periods")
    def periods(client: Client) -> None:
        _periods(frame, office, client)

    @ui.page("/books/checks")
    def checks(client: Client) -> None:
        _checks(frame, office, client)
