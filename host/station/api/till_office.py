"""Refunds, invoices and the day close over the API (Y4, Y6)."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlalchemy import Connection, Engine

from station import tills
from station.api import commands
from station.api.guard import needs
from station.api.till_models import (
    Day,
    DayOut,
    DecisionBody,
    InvoiceBody,
    InvoiceOut,
    Number,
    RedBody,
    RefundBody,
    RefundOut,
    Series,
    WhyBody,
    refund_out,
)
from station.platform import clock, database, once
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Cashier = Annotated[Person, Depends(needs(may.TILL))]
Leader = Annotated[Person, Depends(needs(may.SHIFT_CLOSE))]
Limit = Annotated[int, Query(ge=1, le=500, examples=[50])]


def router(settings: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(tags=["tills"])

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    @routes.get("/refunds", dependencies=[Depends(needs(may.TILL))], response_model=list[RefundOut])
    def refunds(conn: Conn, limit: Limit = 50) -> list[dict[str, Any]]:
        """The latest refunds, newest first."""
        now = clock.now()
        return [refund_out(one, now) for one in tills.refunds(conn, limit)]

    @routes.post("/bills/{bill}/refunds", response_model=RefundOut)
    def ask(bill: Number, body: RefundBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """Money back, at once or, above the cap, once a second person agrees."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = tills.ask_refund(
                conn, bill, body.line, body.amount_fen, body.pieces, body.till, by.name, body.why, now
            )
            return refund_out(made, now)

        return commands.run(engine, key, f"/bills/{bill}/refunds", body, do)

    @routes.post("/refunds/{refund}/decision", response_model=RefundOut)
    def decide(refund: Number, body: DecisionBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """The second person, at the till of whoever asks, approves or refuses."""
        with database.read(engine) as conn:
            done = once.seen(conn, key)
        second = "" if done else tills.refund_signed(engine, secrets, refund, body.second.second(), clock.now())

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return refund_out(tills.decide_refund(conn, refund, body.approve, second, body.why, now), now)

        return commands.run(engine, key, f"/refunds/{refund}/decision", body, do)

    @routes.get("/invoices", dependencies=[Depends(needs(may.TILL))], response_model=list[InvoiceOut])
    def invoices(conn: Conn, limit: Limit = 50) -> list[dict[str, Any]]:
        """The latest invoices and red letters, newest first."""
        return [asdict(one) for one in tills.invoices(conn, limit)]

    @routes.post("/invoices", response_model=InvoiceOut)
    def issue(body: InvoiceBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """A new invoice, never above what was sold."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(tills.issue_invoice(conn, body.buyer, body.tax_no, body.amounts, by.name, now))

        return commands.run(engine, key, "/invoices", body, do)

    @routes.post("/invoices/{series}/{number}/red", response_model=InvoiceOut)
    def red(series: Series, number: Number, body: RedBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """A red letter that takes an invoice back, whole or in part."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(tills.red_letter(conn, series, number, by.name, body.why, now, body.amounts))

        return commands.run(engine, key, f"/invoices/{series}/{number}/red", body, do)

    @routes.post("/invoices/{series}/{number}/reissue", response_model=InvoiceOut)
    def reissue(series: Series, number: Number, body: WhyBody, key: commands.Key, by: Cashier) -> dict[str, Any]:
        """A new invoice instead of a lost one."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(tills.reissue(conn, series, number, by.name, body.why, now))

        return commands.run(engine, key, f"/invoices/{series}/{number}/reissue", body, do)

    @routes.get("/days/{day}", dependencies=[Depends(needs(may.SHIFT_CLOSE))], response_model=DayOut)
    def day_report(conn: Conn, day: Day) -> dict[str, Any]:
        """A local day: as it was closed, or as it stands."""
        closed = tills.closed_day(conn, day)
        if closed is not None:
            return asdict(closed)
        report = asdict(tills.day_report(conn, day))
        return {"day": day, "closed_at": None, "closed_by": None, "report": report}

    @routes.post("/days/{day}/close", response_model=DayOut)
    def close_day(day: Day, key: commands.Key, by: Leader) -> dict[str, Any]:
        """Keeps a day's report for good."""
        path = f"/days/{day}/close"
        return commands.run(
            engine, key, path, commands.Nothing(), lambda c, now: asdict(tills.close_day(c, day, by.name, now))
        )

    return routes
