"""Fleets over the API: companies and their money, vehicles, rules, prices, statements, exceptions (C11, C12, Y7)."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Request, Response
from sqlalchemy import Connection, Engine

from station import accounts, cards, fleets, texts, tills
from station.api import commands
from station.api import fleet_models as m
from station.api.fleet_csv import exceptions_csv, statement_csv
from station.api.guard import needs
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
Since = Annotated[int, Query(ge=0, lt=1 << 40, description="Unix 秒，含 · Unix seconds, included")]
Until = Annotated[int, Query(ge=0, lt=1 << 40, description="Unix 秒，不含 · not included")]
Clerk = Annotated[Person, Depends(needs(may.ACCOUNT_EDIT))]
NOW = (1 << 40) - 1


def router(settings: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(prefix="/fleets", tags=["fleets"])

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    @routes.get("")
    def companies(_: Clerk, conn: Conn) -> list[m.UnitOut]:
        """All companies with their money."""
        return [m.unit_out(one) for one in fleets.companies(conn)]

    @routes.post("")
    def open_company(by: Clerk, key: commands.Key, body: m.CompanyIn) -> m.UnitOut:
        """A new company; its account's number stands on its cards."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            terms = accounts.Terms(**body.terms.model_dump())
            made = fleets.open_company(conn, body.name, terms, by.name, now, body.tax_no, body.contact)
            return m.unit_out(made).model_dump()

        return m.UnitOut(**commands.run(engine, key, "/fleets", body, do))

    @routes.get("/{company}")
    def one_company(_: Clerk, conn: Conn, company: m.Number) -> m.TreeOut:
        """A company with all its parts; owed_fen is the sum over them."""
        _known(conn, company)
        parts = [m.unit_out(fleets.unit(conn, account)) for account in fleets.tree(conn, company)]
        owed, overdue = fleets.owed_fen(conn, company), fleets.overdue_fen(conn, company, clock.now())
        return m.TreeOut(owed_fen=owed, overdue_fen=overdue, units=parts)

    @routes.put("/{company}/details")
    def describe(by: Clerk, key: commands.Key, company: m.Number, body: m.DetailsIn) -> m.UnitOut:
        """What invoices and reminders need."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = fleets.describe(conn, company, body.tax_no, body.contact, body.due_days, by.name, now)
            return m.unit_out(made).model_dump()

        return m.UnitOut(**commands.run(engine, key, f"/fleets/{company}/details", body, do))

    @routes.post("/{company}/parts")
    def add_part(by: Clerk, key: commands.Key, company: m.Number, body: m.PartIn) -> m.UnitOut:
        """A department, or an allotment for one vehicle, under a company or another part."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = fleets.add_part(conn, company, body.name, by.name, now, body.limit_fen)
            return m.unit_out(made).model_dump()

        return m.UnitOut(**commands.run(engine, key, f"/fleets/{company}/parts", body, do))

    @routes.post("/{company}/top-up")
    def top_up(by: Clerk, key: commands.Key, company: m.Number, body: m.TopUpIn) -> m.UnitOut:
        """Money comes in: prepaid, or against what is owed."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = fleets.top_up(conn, company, body.amount_fen, body.source, f"api:{key}", by.name, now)
            return m.unit_out(made).model_dump()

        return m.UnitOut(**commands.run(engine, key, f"/fleets/{company}/top-up", body, do))

    @routes.post("/{part}/allocate")
    def allocate(by: Clerk, key: commands.Key, part: m.Number, body: m.MoveIn) -> m.UnitOut:
        """Money from the parent to this part; below nought: back to the parent."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            move = fleets.allocate if body.amount_fen > 0 else fleets.recall
            move(conn, part, abs(body.amount_fen), f"api:{key}", by.name, now)
            return m.unit_out(fleets.unit(conn, part)).model_dump()

        return m.UnitOut(**commands.run(engine, key, f"/fleets/{part}/allocate", body, do))

    @routes.post("/{unit}/load")
    def load(by: Clerk, key: commands.Key, unit: m.Number, body: m.LoadIn) -> m.LoadOut:
        """Money of this unit for a purse card of the company: on the card at its next contact."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = fleets.load_card(conn, unit, cards.parse(body.card_no), body.amount_fen, by.name, now)
            return {"card_no": made.card_no, "amount_fen": made.amount_fen, "state": made.state}

        return m.LoadOut(**commands.run(engine, key, f"/fleets/{unit}/load", body, do))

    @routes.get("/{company}/vehicles")
    def vehicles(_: Clerk, conn: Conn, company: m.Number) -> list[m.VehicleOut]:
        """All vehicles; is_behind: the card was not at the desk since its rules changed."""
        _known(conn, company)
        return [
            m.VehicleOut(**asdict(one), is_behind=fleets.is_behind(conn, one))
            for one in fleets.vehicles_of(conn, company)
        ]

    @routes.post("/{company}/vehicles")
    def save_vehicle(by: Clerk, key: commands.Key, company: m.Number, body: m.VehicleIn) -> m.VehicleOut:
        """Adds a vehicle, or changes the one of that plate; it is paid by `company`: a company or a part."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            wanted = fleets.Vehicle(0, company, **body.model_dump())
            made = fleets.save(conn, wanted, by.name, now)
            return {**asdict(made), "is_behind": fleets.is_behind(conn, made)}

        return m.VehicleOut(**commands.run(engine, key, f"/fleets/{company}/vehicles", body, do))

    @routes.get("/{company}/drivers")
    def drivers(_: Clerk, conn: Conn, company: m.Number) -> list[m.DriverOut]:
        """All drivers."""
        _known(conn, company)
        return [m.DriverOut(**asdict(one)) for one in fleets.drivers_of(conn, company)]

    @routes.post("/{company}/drivers")
    def save_driver(by: Clerk, key: commands.Key, company: m.Number, body: m.DriverIn) -> m.DriverOut:
        """Adds a driver."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            wanted = fleets.Driver(0, company, body.name, body.card_no)
            return asdict(fleets.save_driver(conn, wanted, by.name, now))

        return m.DriverOut(**commands.run(engine, key, f"/fleets/{company}/drivers", body, do))

    @routes.get("/rules/{subject}")
    def rules(_: Clerk, conn: Conn, subject: m.Subject) -> list[m.RulesOut]:
        """All versions of a subject's rules, newest first."""
        return [m.rules_out(one) for one in fleets.versions(conn, subject)]

    @routes.put("/rules/{subject}")
    def set_rules(by: Clerk, key: commands.Key, subject: m.Subject, body: m.RulesIn) -> m.RulesOut:
        """Other rules, from the next question of a pump on."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            new = fleets.Rules(**body.rules.model_dump())
            return m.rules_out(fleets.set_rules(conn, subject, new, by.name, body.why, now)).model_dump()

        return m.RulesOut(**commands.run(engine, key, f"/fleets/rules/{subject}", body, do))

    @routes.get("/{company}/prices")
    def prices(_: Clerk, conn: Conn, company: m.Number) -> list[m.PriceOut]:
        """All price agreements, newest first."""
        _known(conn, company)
        return [m.PriceOut(**asdict(one)) for one in fleets.agreements(conn, company)]

    @routes.post("/{company}/prices")
    def agree(by: Clerk, key: commands.Key, company: m.Number, body: m.PriceIn) -> m.PriceOut:
        """A new agreement for sales that begin from `since` on (0: from now on)."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            since = body.since or now
            made = fleets.agree(
                conn, company, body.grade, body.kind, body.fen_per_l, since, body.until, by.name, body.why, now
            )
            return asdict(made)

        return m.PriceOut(**commands.run(engine, key, f"/fleets/{company}/prices", body, do))

    @routes.get("/{company}/statements")
    def statements(_: Clerk, conn: Conn, company: m.Number, limit: Limit = 100) -> list[m.StatementOut]:
        """Statements, newest first."""
        _known(conn, company)
        return [_statement(conn, one) for one in fleets.statements(conn, company, limit)]

    @routes.post("/{company}/statements")
    def make(by: Clerk, key: commands.Key, company: m.Number, body: m.StatementIn) -> m.StatementOut:
        """The next statement, of everything before `until` (0: now); its rebate is posted with it."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = fleets.make(conn, company, body.until or now, by.name, now)
            return _statement(conn, made).model_dump()

        return m.StatementOut(**commands.run(engine, key, f"/fleets/{company}/statements", body, do))

    @routes.get("/{company}/statements/{number}")
    def lines(_: Clerk, conn: Conn, company: m.Number, number: m.Number) -> m.LinesOut:
        """A statement with its lines."""
        found = _found(conn, company, number)
        every = [m.line_out(line) for line in fleets.lines(conn, company, number)]
        return m.LinesOut(statement=_statement(conn, found), lines=every)

    @routes.get("/{company}/statements/{number}/csv", response_class=Response)
    def lines_csv(_: Clerk, conn: Conn, request: Request, company: m.Number, number: m.Number) -> Response:
        """A statement's lines as CSV (UTF-8)."""
        _found(conn, company, number)
        lang = texts.language_of(request.cookies)
        return _csv(statement_csv(fleets.lines(conn, company, number), lang), f"statement-{company}-{number}")

    @routes.post("/{company}/statements/{number}/offer")
    def offer(by: Clerk, key: commands.Key, company: m.Number, number: m.Number, body: m.OfferIn) -> m.OfferOut:
        """Makes a statement invoiceable at the tills: its fuel less its rebate, never more."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return {"subject": offer_statement(conn, company, number)}

        path = f"/fleets/{company}/statements/{number}/offer"
        return m.OfferOut(**commands.run(engine, key, path, body, do))

    @routes.get("/{company}/exceptions")
    def exceptions(_: Clerk, conn: Conn, company: m.Number, since: Since = 0, until: Until = NOW) -> list[m.OddityOut]:
        """What in the vehicles' fills wants a look, newest first."""
        _known(conn, company)
        return [m.oddity_out(one) for one in fleets.vehicle_exceptions(conn, company, since, until)]

    @routes.get("/{company}/exceptions/csv", response_class=Response)
    def exceptions_file(
        _: Clerk, conn: Conn, request: Request, company: m.Number, since: Since = 0, until: Until = NOW
    ) -> Response:
        """The same as CSV (UTF-8)."""
        _known(conn, company)
        found = fleets.vehicle_exceptions(conn, company, since, until)
        return _csv(exceptions_csv(found, texts.language_of(request.cookies)), f"exceptions-{company}")

    @routes.get("/{company}/refusals")
    def refusals(_: Clerk, conn: Conn, company: m.Number, limit: Limit = 50, offset: Offset = 0) -> list[m.RefusalOut]:
        """What was declined at the pumps, and by which rule, newest first."""
        _known(conn, company)
        return [m.RefusalOut(**asdict(one)) for one in fleets.refusals_of(conn, company, limit, offset)]

    return routes


def offer_statement(conn: Connection, company: int, number: int) -> str:
    """The name under which the tills may invoice a statement."""
    subject = f"statement:{company}:{number}"
    tills.offer(conn, subject, fleets.statement(conn, company, number).invoice_fen)
    return subject


def _statement(conn: Connection, one: fleets.Statement) -> m.StatementOut:
    return m.StatementOut(**asdict(one), invoice_fen=one.invoice_fen, unpaid_fen=fleets.unpaid_fen(conn, one))


def _known(conn: Connection, company: int) -> None:
    try:
        fleets.unit(conn, company)
    except fleets.FleetError as error:
        raise HTTPException(404, str(error)) from None


def _found(conn: Connection, company: int, number: int) -> fleets.Statement:
    try:
        return fleets.statement(conn, company, number)
    except fleets.FleetError as error:
        raise HTTPException(404, str(error)) from None


def _csv(text: str, name: str) -> Response:
    said = {"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"}
    return Response(text, media_type="text/csv; charset=utf-8", headers=said)
