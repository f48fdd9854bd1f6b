"""Companies: the list of all, and one company's parts with their money, and what was declined to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import accounts, fleets, texts
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.fleet_frame import HOME, REFRESH_S, Company, address, company_page, keyed, rule_figure, rule_word
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database, sheets, typed

REFUSALS = 20
Look = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Row:
    """A unit, how deep it stands, and what is owed with all below it and should have been paid."""

    unit: fleets.Unit
    depth: int
    owed_fen: int
    overdue_fen: int


def _read(conn: Connection, accounts_of: list[int]) -> list[Row]:
    now = clock.now()
    return [
        Row(
            fleets.unit(conn, account),
            len(fleets.line_of(conn, account)) - 1,
            fleets.owed_fen(conn, account),
            fleets.overdue_fen(conn, account, now),
        )
        for account in accounts_of
    ]


def _state(t: Words, row: Row) -> Tag:
    if row.overdue_fen:
        return marked("bad", "event_busy", t("fleets.overdue", yuan=figures.yuan(row.overdue_fen)))
    if row.unit.money.state == accounts.ACTIVE:
        return marked("good", "check_circle", t("accounts.active"))
    return marked("bad", "block", t("accounts.stopped"))


def _columns(t: Words, linked: bool) -> list[Column[Row]]:
    yuan = f" ({t('unit.yuan')})"

    def name(row: Row) -> Tag:
        if linked:
            return Tag("a", row.unit.name, href=address(row.unit.account))
        return Tag("span", row.unit.name, f"depth-{min(row.depth, 3)}")

    return [
        Column(t("accounts.number"), lambda r: str(r.unit.account), "num"),
        Column(t("fleets.unit"), name, "strong"),
        Column(t("accounts.state"), lambda r: _state(t, r)),
        Column(t("accounts.limit") + yuan, lambda r: figures.yuan(r.unit.money.terms.limit_fen), "num"),
        Column(t("fleets.own") + yuan, lambda r: figures.yuan(r.unit.own_fen), "num strong"),
        Column(t("accounts.lent") + yuan, lambda r: figures.yuan(r.unit.money.lent_fen), "num"),
        Column(t("accounts.available") + yuan, lambda r: figures.yuan(r.unit.money.available_fen), "num"),
        Column(t("fleets.owed_all") + yuan, lambda r: figures.yuan(r.owed_fen), "num strong"),
    ]


def _refusals(t: Words) -> list[Column[fleets.Refusal]]:
    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("fleets.plate"), lambda r: r.plate or figures.NOTHING, "strong"),
        Column(t("sales.card"), lambda r: figures.card(r.card_no)),
        Column(t("fleets.rule"), lambda r: rule_word(t, r.rule)),
        Column(t("fleets.allowed"), lambda r: rule_figure(r.rule, r.allowed, t.lang) if r.allowed else "", "num"),
        Column(t("fleets.used"), lambda r: rule_figure(r.rule, r.used, t.lang), "num"),
        Column(t("fleets.at_pump"), lambda r: texts.refusal(r.code, t.lang)),
    ]


def _all(frame: Frame, office: Office, client: Client) -> None:
    person = person_of(client)
    with frame.page(HOME, client) as t:

        async def open_company(key: str) -> str:
            terms = accounts.Terms(typed.fen(limit.value), typed.fen(sale.value), typed.fen(offline.value))

            def do(conn: Connection) -> None:
                keyed(
                    conn,
                    key,
                    f"company {name.value}",
                    lambda now: fleets.open_company(
                        conn, name.value, terms, person.name, now, tax_no.value, contact.value
                    ),
                )

            await office.write(do)
            await look()
            return t("fleets.opened", name=name.value)

        Tag("h1", t("fleets.title"))
        Tag("div", t("fleets.lead"), "muted")
        with Tag("section", look="panel"):
            table = Table(t, _columns(t, True), t("fleets.empty"))
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.open"))
            with Form(t, t("fleets.open.go"), open_company, "add_business"):
                name = Field(t("accounts.name"), maxlength="80", autofocus="", required="")
                limit = Field(f"{t('accounts.limit')} ({t('unit.yuan')})", "0", inputmode="decimal")
                sale = Field(f"{t('fleets.sale')} ({t('unit.yuan')})", "2000", inputmode="decimal")
                offline = Field(f"{t('fleets.offline')} ({t('unit.yuan')})", "500", inputmode="decimal")
                tax_no = Field(t("fleets.tax_no"), maxlength="20")
                contact = Field(t("fleets.contact"), maxlength="40")
            Tag("div", t("fleets.open.hint"), "note")

    async def look() -> None:
        try:
            table.show(await office.read(lambda conn: _read(conn, [one.account for one in fleets.companies(conn)])))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            table.show((), type(error).__name__)

    ui.timer(REFRESH_S, look)


def _overview(frame: Frame, office: Office, client: Client, number: int) -> None:
    with company_page(frame, office, client, number, "overview") as (t, company):
        if company is None:
            return
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.money"))
                Tag("span", t("fleets.money.lead"), "muted")
            table = Table(t, _columns(t, False), "")

        async def look() -> None:
            try:
                table.show(await office.read(lambda conn: _read(conn, fleets.tree(conn, number))))
                declined.show(await office.read(lambda conn: fleets.refusals_of(conn, number, REFUSALS)))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                table.show((), type(error).__name__)
                declined.show((), type(error).__name__)

        _money_forms(t, office, client, company, look)
        _terms_form(t, office, client, number, look)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.refusals"))
            declined = Table(t, _refusals(t), t("fleets.refusals.empty"))
    ui.timer(REFRESH_S, look)


def _money_forms(t: Words, office: Office, client: Client, company: Company, look: Look) -> None:
    person, number = person_of(client).name, company.number
    children = {account: name for account, name in company.parts.items() if account != str(number)}

    async def top_up(key: str) -> str:
        fen, source = typed.fen(amount.value), f"gateway:{bank.value}" if bank.value else "desk"
        await office.write(lambda conn: fleets.top_up(conn, number, fen, source, key, person, clock.now()))
        await look()
        amount.set("")
        return t("fleets.top_up.done", yuan=figures.yuan(fen))

    async def move(key: str) -> str:
        fen, child = typed.fen(moved.value), int(part.value or 0)
        go = fleets.allocate if way.value == "to" else fleets.recall
        await office.write(lambda conn: go(conn, child, fen, key, person, clock.now()))
        await look()
        moved.set("")
        return t("fleets.move.done", yuan=figures.yuan(fen), name=children.get(part.value, ""))

    async def add(key: str) -> str:
        def do(conn: Connection) -> None:
            above = int(parent.value)
            what = f"part {above} {name.value}"
            keyed(conn, key, what, lambda now: fleets.add_part(conn, above, name.value, person, now))

        await office.write(do)
        ui.navigate.reload()
        return t("fleets.part.done", name=name.value)

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("fleets.top_up"))
        with Form(t, t("fleets.top_up.go"), top_up, "payments"):
            amount = Field(f"{t('accounts.amount')} ({t('unit.yuan')})", inputmode="decimal", autofocus="")
            bank = Field(t("fleets.bank"), maxlength="20", hint=t("fleets.bank.hint"))
    if children:
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("fleets.move"))
            with Form(t, t("fleets.move.go"), move, "swap_vert"):
                way = Choice(t("fleets.way"), {"to": t("fleets.way.to"), "back": t("fleets.way.back")})
                part = Choice(t("fleets.part"), children)
                moved = Field(f"{t('accounts.amount')} ({t('unit.yuan')})", inputmode="decimal")
    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("fleets.part.new"))
        with Form(t, t("fleets.part.go"), add, "account_tree"):
            name = Field(t("fleets.part"), maxlength="80", hint=t("fleets.part.hint"))
            parent = Choice(t("fleets.part.under"), company.parts)


def _terms_form(t: Words, office: Office, client: Client, number: int, look: Look) -> None:
    """Credit line, state, and what invoices and reminders need."""
    person = person_of(client).name
    with database.read(office.engine) as conn:
        old = fleets.unit(conn, number)
    terms = old.money.terms

    async def change(key: str) -> str:
        new = replace(terms, limit_fen=typed.fen(limit.value), offline_fen=typed.fen(offline.value))
        days = typed.scaled(due.value, 1, 365, "账期 0 至 365 天 due within 0 to 365 days")

        def do(conn: Connection) -> None:
            def begin(now: int) -> None:
                accounts.change(conn, number, new, now, person)
                accounts.set_state(conn, number, state.value, now, person, why.value)
                fleets.describe(conn, number, tax_no.value, contact.value, days, person, now)

            keyed(conn, key, f"terms {number} {new} {state.value} {days} {tax_no.value} {contact.value}", begin)

        if not why.value.strip():
            raise ValueError("须写明原因 say why")
        await office.write(do)
        await look()
        why.set("")
        return t("fleets.terms.done")

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("fleets.terms"))
        with Form(t, t("fleets.terms.go"), change, "edit"):
            yuan = f" ({t('unit.yuan')})"
            limit = Field(t("accounts.limit") + yuan, sheets.yuan(terms.limit_fen), inputmode="decimal")
            offline = Field(t("fleets.offline") + yuan, sheets.yuan(terms.offline_fen), inputmode="decimal")
            states = {accounts.ACTIVE: t("accounts.active"), accounts.STOPPED: t("accounts.stopped")}
            state = Choice(t("accounts.state"), states, old.money.state)
            due = Field(t("fleets.due_days"), str(old.due_days), inputmode="numeric")
            tax_no = Field(t("fleets.tax_no"), old.tax_no, maxlength="20")
            contact = Field(t("fleets.contact"), old.contact, maxlength="40")
            why = Field(t("word.why"), maxlength="200", size="30")


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page(HOME)
    def every(client: Client) -> None:
        _all(frame, office, client)

    @ui.page(HOME + "/{company}")
    def one(client: Client, company: int) -> None:
        _overview(frame, office, client, company)
