"""The books over the API: trial balance, accounts, statements, closing, vouchers, checks (Y5, N2, X5)."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine

from station import ledger, texts
from station.api import commands
from station.api.guard import needs
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
Since = Annotated[
    int, Query(ge=0, lt=1 << 40, description="Unix 秒，含 · Unix seconds, included", examples=[1793462400])
]
Until = Annotated[int, Query(ge=0, lt=1 << 40, description="Unix 秒，不含 · not included", examples=[1796054400])]
Account = Annotated[str, Query(min_length=1, max_length=80, examples=["cash:desk"])]
Asset = Annotated[str, Query(pattern="^(fen|ml|pcs)$", examples=["fen"])]
NOW = 1 << 40  # later than all that is booked


class LineOut(BaseModel):
    """One kind of account in the trial balance; whole units of the asset; balance = credit - debit."""

    asset: Annotated[str, Field(examples=["fen"])]
    account_class: Annotated[str, Field(examples=["liability"])]
    kind: Annotated[str, Field(examples=["purse"])]
    accounts: Annotated[int, Field(examples=[214])]
    debit: Annotated[int, Field(examples=[3614760])]
    credit: Annotated[int, Field(examples=[6000000])]
    balance: Annotated[int, Field(examples=[2385240])]


class AccountOut(BaseModel):
    """An account and what stands on it, in whole units of the asset."""

    account: Annotated[str, Field(examples=["purse:6200010000000017"])]
    asset: Annotated[str, Field(examples=["fen"])]
    balance: Annotated[int, Field(examples=[20000])]


class AccountsOut(BaseModel):
    """A page of accounts; total: how many there are in all."""

    total: Annotated[int, Field(examples=[1])]
    rows: list[AccountOut]


class MoveOut(BaseModel):
    """One line of a statement. at: when it happened; booked: when it counts; balance: after it."""

    key: Annotated[str, Field(examples=["load:4611686018427387"])]
    at: Annotated[int, Field(examples=[1795377600])]
    booked: Annotated[int, Field(examples=[1795377600])]
    other: Annotated[str, Field(examples=["pending:6200010000000017"])]
    change: Annotated[int, Field(examples=[-50000])]
    balance: Annotated[int, Field(examples=[-6000000])]
    memo: Annotated[str, Field(examples=["现金充值"])]


class StatementOut(BaseModel):
    """A page of an account's statement, newest first."""

    total: Annotated[int, Field(examples=[1])]
    rows: list[MoveOut]


class PeriodOut(BaseModel):
    """A closed period: everything booked before `until`."""

    until: Annotated[int, Field(examples=[1796054400])]
    closed_at: Annotated[int, Field(examples=[1796061000])]
    closed_by: Annotated[str, Field(examples=["lihua"])]


class CloseBody(BaseModel):
    """Close everything booked before `until`, the beginning of a local day as a rule."""

    until: Annotated[int, Field(gt=0, lt=1 << 40, examples=[1796054400])]


class FindingOut(BaseModel):
    """Something wrong: which check, and what (Chinese, then English)."""

    check: Annotated[str, Field(examples=["audit"])]
    text: Annotated[str, Field(examples=["审计第 7 行被改动 audit row 7 was edited"])]


class CheckOut(BaseModel):
    """A check of the books; ok: nothing was found. audit_rows, audit_head: what to keep elsewhere."""

    id: Annotated[int, Field(examples=[12])]
    at: Annotated[int, Field(examples=[1796065200])]
    by: Annotated[str, Field(examples=["system"])]
    ok: Annotated[bool, Field(examples=[True])]
    transfers: Annotated[int, Field(examples=[48211])]
    audit_rows: Annotated[int, Field(examples=[907])]
    audit_head: Annotated[str, Field(examples=["882d91b0daff" + "0" * 52])]
    found: list[FindingOut]


def _checked(one: ledger.Check) -> dict[str, Any]:
    seen = one.seen
    found = [{"check": finding.check, "text": finding.text} for finding in seen.found]
    head = {"transfers": seen.transfers, "audit_rows": seen.audit_rows, "audit_head": seen.audit_head}
    return {"id": one.id, "at": one.at, "by": one.by, "ok": one.ok, **head, "found": found}


def router(_: Settings, engine: Engine, __: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(prefix="/books", tags=["books"])
    view = [Depends(needs(may.BOOKS_VIEW))]

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type
    Closer = Annotated[Person, Depends(needs(may.BOOKS_CLOSE))]  # noqa: N806
    Viewer = Annotated[Person, Depends(needs(may.BOOKS_VIEW))]  # noqa: N806

    @routes.get("/balance", dependencies=view, response_model=list[LineOut])
    def balance(conn: Conn, since: Since = 0, until: Until = NOW - 1) -> list[dict[str, Any]]:
        """The trial balance by asset and kind of account; each asset's balances add up to 0."""
        lines = ledger.trial_balance(conn, until, since)
        return [
            {
                **{name: getattr(line, name) for name in LineOut.model_fields if name != "balance"},
                "balance": line.balance,
            }
            for line in lines
        ]

    @routes.get("/accounts", dependencies=view, response_model=AccountsOut)
    def accounts(
        conn: Conn, prefix: Annotated[str, Query(max_length=80)] = "", limit: Limit = 50, offset: Offset = 0
    ) -> dict[str, Any]:
        """Accounts whose names begin with `prefix`, by name."""
        rows = [
            {"account": account, "asset": asset, "balance": balance}
            for account, asset, balance in ledger.listing(conn, prefix, limit, offset)
        ]
        return {"total": ledger.listing_count(conn, prefix), "rows": rows}

    @routes.get("/statement", dependencies=view, response_model=StatementOut)
    def statement(
        conn: Conn, account: Account, asset: Asset = "fen", limit: Limit = 50, offset: Offset = 0
    ) -> dict[str, Any]:
        """What moved on one account, newest first, with the balance after each line."""
        rows = [
            {name: getattr(move, name) for name in MoveOut.model_fields}
            for move in ledger.statement(conn, account, asset, limit, offset)
        ]
        return {"total": ledger.move_count(conn, account, asset), "rows": rows}

    @routes.get("/vouchers.csv", dependencies=view, response_class=Response)
    def vouchers(
        conn: Conn, since: Since, until: Until, lang: Annotated[str, Query(pattern="^(zh|en)$")] = "zh"
    ) -> Response:
        """Vouchers by local day as CSV (UTF-8): debits and credits of each day and asset are equal."""
        lines = ledger.vouchers(conn, since, until)
        return Response(
            ledger.voucher_csv(lines, lambda kind: texts.account_kind(kind, lang)),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="vouchers.csv"', "Cache-Control": "no-store"},
        )

    @routes.get("/periods", dependencies=view, response_model=list[PeriodOut])
    def periods(conn: Conn) -> list[ledger.Period]:
        """Closed periods, newest first."""
        return ledger.periods(conn)

    @routes.post("/periods", response_model=PeriodOut)
    def close(body: CloseBody, person: Closer, key: commands.Key) -> dict[str, Any]:
        """Closes everything booked before `until`, once and in order; 422 if it is not over or does not balance."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            made = ledger.close(conn, body.until, person.name, now)
            return {"until": made.until, "closed_at": made.closed_at, "closed_by": made.closed_by}

        return commands.run(engine, key, "/books/periods", body, do)

    @routes.get("/checks", dependencies=view, response_model=list[CheckOut])
    def checks(conn: Conn, limit: Limit = 50, offset: Offset = 0) -> list[dict[str, Any]]:
        """Checks of the books by night and on demand, newest first."""
        return [_checked(one) for one in ledger.checks(conn, limit, offset)]

    @routes.post("/checks", response_model=CheckOut)
    def check(person: Viewer) -> dict[str, Any]:
        """Checks the books now and keeps the result; asking twice only checks twice."""
        return _checked(ledger.run_check(engine, person.name, clock.now()))

    return routes
