"""Audit, risk and parameters over the API (X5, R1-R3, O1)."""

from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Engine

from station import cards, risk
from station.api import commands
from station.api.guard import needs
from station.platform import audit, database, parameters
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
Time = Annotated[int | None, Query(ge=0, lt=1 << 40)]
Word = Annotated[str | None, Query(max_length=80)]
Name = Annotated[str, Path(max_length=40)]
Why = Annotated[str, Field(min_length=1, max_length=200, examples=["节前从严"])]
Read = Callable[[], Iterator[Connection]]
_ROW: Any = ConfigDict(from_attributes=True)


class EntryOut(BaseModel):
    """One change: who did what to what, the values before and after, and why."""

    model_config = _ROW
    seq: Annotated[int, Field(examples=[7])]
    at: Annotated[int, Field(examples=[1795377600])]
    who: Annotated[str, Field(examples=["chen"])]
    action: Annotated[str, Field(examples=["parameter"])]
    subject: Annotated[str, Field(examples=["cap.load"])]
    old: Annotated[dict[str, Any], Field(examples=[{"value": 200000}])]
    new: Annotated[dict[str, Any], Field(examples=[{"value": 150000}])]
    why: Annotated[str, Field(examples=["节前从严"])]


class EntriesOut(BaseModel):
    """A page of changes, newest first; total: how many there are in all."""

    total: Annotated[int, Field(examples=[1])]
    rows: list[EntryOut]


class BreakOut(BaseModel):
    """Where the chain does not hold."""

    model_config = _ROW
    seq: Annotated[int, Field(examples=[3])]
    text: Annotated[str, Field(examples=["审计第 3 行被改动 audit row 3 was edited"])]


class ChainOut(BaseModel):
    """The audit's chain: its length and head, and every place where it does not hold."""

    rows: Annotated[int, Field(examples=[907])]
    head: Annotated[str, Field(examples=["882d91b0daff" + "0" * 52])]
    whole: Annotated[bool, Field(examples=[True])]
    breaks: list[BreakOut]


class CaseOut(BaseModel):
    """A finding. state: told, open (waits for a person), cleared, confirmed; value and over in the rule's own unit."""

    model_config = _ROW
    id: Annotated[int, Field(examples=[2])]
    rule: Annotated[str, Field(examples=["two_pumps"])]
    subject: Annotated[str, Field(examples=["6200010000000017"])]
    ref: Annotated[int, Field(examples=[1103806595073])]
    at: Annotated[int, Field(examples=[1795379595])]
    found_at: Annotated[int, Field(examples=[1795379601])]
    value: Annotated[int, Field(examples=[60])]
    over: Annotated[int, Field(examples=[0])]
    action: Annotated[str, Field(examples=["block"])]
    state: Annotated[str, Field(examples=["open"])]
    decided_at: Annotated[int | None, Field(examples=[None])]
    decided_by: Annotated[str | None, Field(examples=[None])]
    why: Annotated[str | None, Field(examples=[None])]


class CasesOut(BaseModel):
    """A page of findings, newest first."""

    total: Annotated[int, Field(examples=[1])]
    rows: list[CaseOut]


class DecisionBody(BaseModel):
    """clear: harmless, a card that this finding blocked is good again; confirm; block: confirm and block the card."""

    verdict: Annotated[str, Field(pattern="^(clear|confirm|block)$", examples=["clear"])]
    why: Annotated[str, Field(min_length=1, max_length=200, examples=["车队集中加油"])]


class RuleBody(BaseModel):
    """A rule: what is measured over which window, above which value, what follows. kinds: of cards, []: all; hours:
    bits of the local hours it is about, 0: all; quiet_s: no second finding on the same subject within that time."""

    metric: Annotated[str, Field(max_length=40, examples=["count"])]
    over: Annotated[int, Field(ge=0, lt=1 << 40, examples=[6])]
    window_s: Annotated[int, Field(ge=0, le=7 * 86_400, examples=[3600])] = 0
    by: Annotated[str, Field(pattern="^(card|staff)$", examples=["card"])] = "card"
    action: Annotated[str, Field(pattern="^(alert|hold|block)$", examples=["hold"])] = "alert"
    kinds: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(max_length=16, examples=[[1, 2]])] = []
    hours: Annotated[int, Field(ge=0, lt=1 << 24, examples=[0])] = 0
    quiet_s: Annotated[int, Field(ge=0, le=7 * 86_400, examples=[3600])] = 3600
    on: Annotated[bool, Field(examples=[True])] = True


class NewRuleBody(RuleBody):
    """The next version of a rule, with a reason."""

    why: Why


class RuleOut(RuleBody):
    """A rule in force or a version of it; version 0 is what a station starts with."""

    name: Annotated[str, Field(examples=["burst_count"])]
    version: Annotated[int, Field(examples=[3])]
    at: Annotated[int, Field(examples=[1795377600])]
    set_by: Annotated[str, Field(examples=["chen"])]
    why: Annotated[str, Field(examples=["节假日"])]


class ParameterOut(BaseModel):
    """A parameter as it stands, its bounds and unit; version 0: the default, by nobody."""

    name: Annotated[str, Field(examples=["cap.load"])]
    value: Annotated[int, Field(examples=[150000])]
    unit: Annotated[str, Field(examples=["fen"])]
    default: Annotated[int, Field(examples=[200000])]
    lowest: Annotated[int, Field(examples=[0])]
    highest: Annotated[int, Field(examples=[100000000])]
    version: Annotated[int, Field(examples=[1])]
    at: Annotated[int, Field(examples=[1795377600])]
    by: Annotated[str, Field(examples=["chen"])]
    why: Annotated[str, Field(examples=["节前从严"])]


class ParameterBody(BaseModel):
    """Another value, in the parameter's unit, and why."""

    value: Annotated[int, Field(ge=-(1 << 40), lt=1 << 40, examples=[150000])]
    why: Why


def _rule(one: risk.RuleVersion) -> dict[str, Any]:
    return {**risk.to_json(one.rule), "version": one.version, "at": one.at, "set_by": one.by, "why": one.why}


def _parameter(version: parameters.Version) -> dict[str, Any]:
    return {**asdict(parameters.PARAMETERS[version.name]), **asdict(version)}


def router(_: Settings, engine: Engine, __: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter()

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    _audit(routes, connection)
    _risk(routes, connection, engine)
    _parameters(routes, connection, engine)
    return routes


def _audit(routes: APIRouter, connection: Read) -> None:
    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type
    view = [Depends(needs(may.AUDIT_VIEW))]

    @routes.get("/audit", tags=["audit"], dependencies=view, response_model=EntriesOut)
    def entries(
        conn: Conn,
        limit: Limit = 50,
        offset: Offset = 0,
        who: Word = None,
        subject: Word = None,
        action: Word = None,
        since: Time = None,
        until: Time = None,
    ) -> dict[str, Any]:
        """Who changed what; action: all that begin so. since <= time < until."""
        chosen: dict[str, Any] = {"who": who, "subject": subject, "action": action, "since": since, "until": until}
        return {"total": audit.count(conn, **chosen), "rows": audit.recent(conn, limit, offset, **chosen)}

    @routes.get("/audit/chain", tags=["audit"], dependencies=view, response_model=ChainOut)
    def chain(conn: Conn) -> dict[str, Any]:
        """Follows the whole chain of hashes; keep its head elsewhere."""
        breaks = list(audit.verify(conn))
        rows, head = audit.head(conn)
        return {"rows": rows, "head": head, "whole": not breaks, "breaks": breaks}


def _risk(routes: APIRouter, connection: Read, engine: Engine) -> None:
    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806
    Reviewer = Annotated[Person, Depends(needs(may.RISK_REVIEW))]  # noqa: N806
    Ruler = Annotated[Person, Depends(needs(may.RISK_RULES))]  # noqa: N806

    @routes.get("/risk/cases", tags=["risk"], dependencies=[Depends(needs(may.RISK_REVIEW))], response_model=CasesOut)
    def cases(
        conn: Conn,
        limit: Limit = 50,
        offset: Offset = 0,
        state: Annotated[str | None, Query(pattern="^(told|open|cleared|confirmed)$")] = None,
        rule: Annotated[str, Query(max_length=40)] = "",
        subject: Annotated[str, Query(max_length=80)] = "",
    ) -> dict[str, Any]:
        """What the rules found; state=open waits for a decision."""
        found = risk.cases(conn, limit, offset, state=state, rule=rule, subject=subject)
        return {"total": risk.case_count(conn, state, rule=rule, subject=subject), "rows": found}

    @routes.post("/risk/cases/{case_id}/decision", tags=["risk"], response_model=CaseOut)
    def decide(
        case_id: Annotated[int, Path(ge=0, lt=1 << 31)], body: DecisionBody, person: Reviewer, key: commands.Key
    ) -> dict[str, Any]:
        """A person's decision, once and with a reason; 422 if somebody has decided already."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return asdict(cards.review(conn, case_id, body.verdict, person.name, now, body.why))

        return commands.run(engine, key, f"/risk/cases/{case_id}/decision", body, do)

    @routes.get(
        "/risk/rules", tags=["risk"], dependencies=[Depends(needs(may.RISK_RULES))], response_model=list[RuleOut]
    )
    def rules(conn: Conn) -> list[dict[str, Any]]:
        """The rules in force."""
        return [_rule(risk.rule_versions(conn, rule.name)[0]) for rule in risk.rules(conn)]

    @routes.get(
        "/risk/rules/{name}", tags=["risk"], dependencies=[Depends(needs(may.RISK_RULES))], response_model=list[RuleOut]
    )
    def versions(conn: Conn, name: Name) -> list[dict[str, Any]]:
        """All versions of a rule, newest first."""
        return [_rule(one) for one in risk.rule_versions(conn, name)]

    @routes.put("/risk/rules/{name}", tags=["risk"], response_model=RuleOut)
    def set_rule(name: Name, body: NewRuleBody, person: Ruler, key: commands.Key) -> dict[str, Any]:
        """A new rule, or the next version of one."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            rule = risk.parse({**body.model_dump(exclude={"why"}), "name": name})
            risk.set_rule(conn, rule, person.name, now, body.why)
            return _rule(risk.rule_versions(conn, name)[0])

        return commands.run(engine, key, f"/risk/rules/{name}", body, do)


def _parameters(routes: APIRouter, connection: Read, engine: Engine) -> None:
    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806
    edit = [Depends(needs(may.SETTINGS_EDIT))]
    Editor = Annotated[Person, Depends(needs(may.SETTINGS_EDIT))]  # noqa: N806

    @routes.get("/parameters", tags=["parameters"], dependencies=edit, response_model=list[ParameterOut])
    def listing(conn: Conn) -> list[dict[str, Any]]:
        """All parameters as they stand."""
        return [_parameter(parameters.newest(conn, name)) for name in parameters.PARAMETERS]

    @routes.get("/parameters/{name}", tags=["parameters"], dependencies=edit, response_model=list[ParameterOut])
    def history(conn: Conn, name: Name) -> list[dict[str, Any]]:
        """All versions of a parameter, newest first; none: it is as delivered."""
        if name not in parameters.PARAMETERS:
            raise HTTPException(404, "没有这个参数 there is no such parameter")
        return [_parameter(version) for version in parameters.history(conn, name)]

    @routes.put("/parameters/{name}", tags=["parameters"], response_model=ParameterOut)
    def change(name: Name, body: ParameterBody, person: Editor, key: commands.Key) -> dict[str, Any]:
        """Another value from now on; 422 outside the bounds."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            return _parameter(parameters.change(conn, name, body.value, person.name, body.why, now))

        return commands.run(engine, key, f"/parameters/{name}", body, do)
