"""Several stations over the API: what stations tell head office, the tree of units, clearing between stations."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, HTTPException, Query
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine

from station import network
from station.api.guard import needs, stations_seen
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import permissions as may

EXCHANGE = "/network/exchange"
Time = Annotated[int, Query(ge=0, lt=1 << 40)]
Scope = Annotated[frozenset[str] | None, Depends(stations_seen)]


class UnitBody(BaseModel):
    """A unit of the tree."""

    unit: Annotated[str, Field(min_length=1, max_length=16, pattern="^[A-Za-z0-9_-]+$", examples=["hz"])]
    kind: Annotated[str, Field(pattern="^(region|city|area|station)$", examples=["city"])]
    parent: Annotated[str | None, Field(max_length=16, examples=["zj"])] = None
    name: Annotated[str, Field(max_length=40, examples=["杭州"])] = ""


def router(_: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(tags=["network"])

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    @routes.post(EXCHANGE, response_model=network.Answer)
    def exchange(
        report: network.Report,
        authorization: Annotated[str, Header(description="Bearer 与总部给本站的令牌 · the station's token")] = "",
    ) -> network.Answer:
        """A station's report, and what it has not heard. The token that head office gave out is the credential."""
        now = clock.now()
        with database.write(engine) as conn:
            station = network.who(conn, authorization.partition("Bearer ")[2])
            if station is None:
                raise HTTPException(401, "令牌不符 the token is not known here", headers={"WWW-Authenticate": "Bearer"})
            return network.take(conn, secrets, station, report, now)

    @routes.get("/network/units", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def units(conn: Conn, scope: Scope) -> list[dict[str, Any]]:
        """The tree of units, each after its parent; of those who see a part only that."""
        found = network.tree(conn)
        seen = network.with_parents(found, scope)
        return [asdict(unit) for unit in found if unit.unit in seen]

    @routes.post("/network/units", status_code=201)
    def add_unit(body: UnitBody, person: Annotated[Any, Depends(needs(may.STAFF_EDIT))]) -> dict[str, Any]:
        """Puts a unit into the tree."""
        unit = network.Unit(body.unit, body.kind, body.parent, body.name)
        with database.write(engine) as conn:
            network.add(conn, unit, person.name, clock.now())
        return asdict(unit)

    @routes.get("/network/stations", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def stations(conn: Conn, scope: Scope) -> list[dict[str, Any]]:
        """The stations that report here and when each was heard."""
        found = network.members(conn)
        return [asdict(member) for member in found if scope is None or member.station in scope]

    @routes.get("/network/clearing", dependencies=[Depends(needs(may.BOOKS_VIEW))])
    def clearing(conn: Conn, since: Time = 0, until: Time = (1 << 40) - 1) -> dict[str, Any]:
        """Who owed whom for since <= time < until, and each station's net; the nets add up to nought."""
        found = network.statement(conn, since, until)
        rows = [{**asdict(one), "amount_fen": one.amount_fen} for one in found]
        return {"rows": rows, "net_fen": network.net(found)}

    return routes
