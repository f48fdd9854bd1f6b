"""The routes. Money in fen, volumes in ml, times in Unix seconds, all whole numbers; lists are paged."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import Connection, Engine, text

from station import forecourt, sales, wetstock
from station.api.guard import needs, stations_seen
from station.api.metrics import metrics_text
from station.platform import clock, database
from station.platform.settings import Settings
from station.staff import permissions as may

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
Time = Annotated[int | None, Query(ge=0, lt=1 << 40)]
CardNo = Annotated[str | None, Query(pattern="^[0-9]{16}$")]
PumpName = Annotated[str | None, Query(max_length=16)]
Grade = Annotated[int | None, Query(ge=0, le=255)]

Scope = Annotated[frozenset[str] | None, Depends(stations_seen)]


def router(settings: Settings, engine: Engine, live: forecourt.LiveBoard) -> APIRouter:
    """All routes over this database and live board."""
    routes = APIRouter()

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    @routes.get("/health")
    def health(conn: Conn) -> dict[str, Any]:
        """200 while the database answers; `pumps_online` of `pumps` are heard."""
        conn.execute(text("SELECT 1"))
        heard = live.snapshot()
        online = sum(pump.online for pump in heard.values())
        return {"ok": True, "station": settings.station, "pumps": len(settings.pumps), "pumps_online": online}

    @routes.get("/pumps", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def pumps(conn: Conn, scope: Scope) -> list[dict[str, Any]]:
        """Registered pumps with their nozzles and last reported state."""
        return [asdict(pump) for pump in forecourt.pumps(conn) if scope is None or pump.station in scope]

    @routes.get("/live", dependencies=[Depends(needs(may.VIEW))])
    def live_now() -> dict[str, dict[str, Any]]:
        """What every pump shows right now, by pump name."""
        return {name: asdict(pump) for name, pump in live.snapshot().items()}

    @routes.get("/sales", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def sales_page(
        conn: Conn,
        scope: Scope,
        limit: Limit = 50,
        offset: Offset = 0,
        pump: PumpName = None,
        card_no: CardNo = None,
        grade: Grade = None,
        since: Time = None,
        until: Time = None,
    ) -> dict[str, Any]:
        """Sales, newest first; since <= time < until."""
        chosen: dict[str, Any] = {"pump": pump, "card_no": card_no, "grade": grade, "since": since, "until": until}
        chosen["stations"] = scope
        rows = sales.recent(conn, limit, offset=offset, **chosen)
        return {"total": sales.recent_count(conn, **chosen), "rows": [asdict(row) for row in rows]}

    @routes.get("/sales/{device}/{seq}", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def one_sale(conn: Conn, scope: Scope, device: int, seq: int) -> dict[str, Any]:
        """One sale by the name of its START record."""
        found = sales.sale(conn, device, seq) if 0 <= device < 1 << 31 and 0 <= seq < 1 << 32 else None
        if found is None or (scope is not None and found.station not in scope):
            raise HTTPException(404, "没有该交易 no such sale")
        return asdict(found)

    @routes.get("/hourly", dependencies=[Depends(needs(may.VIEW, scoped=True))])
    def hourly(conn: Conn, scope: Scope, since: Time = None, until: Time = None) -> list[dict[str, Any]]:
        """The hourly roll-up; the last 24 hours if nothing else is asked for."""
        end = until if until is not None else clock.now() + 1
        begin = since if since is not None else end - clock.DAY_S
        return [asdict(row) for row in sales.hourly(conn, begin, end, scope)]

    @routes.get("/tanks", dependencies=[Depends(needs(may.VIEW))])
    def tanks(conn: Conn) -> list[dict[str, Any]]:
        """Tanks with their book stock, the newest gauge reading and its difference from the books at that moment."""
        return [asdict(tank) for tank in wetstock.tanks(conn)]

    @routes.get("/invariant", dependencies=[Depends(needs(may.BOOKS_VIEW))])
    def invariant(conn: Conn) -> dict[str, Any]:
        """Card + station + in flight = constant: the parts and whether it holds."""
        found = sales.money_invariant(conn)
        return {**asdict(found), "holds": found.holds}

    @routes.get("/cards/{card_no}/shadow", dependencies=[Depends(needs(may.CARD_VIEW))])
    def card_shadow(conn: Conn, card_no: str) -> dict[str, Any]:
        """What the records and the books say of one card's purse."""
        found = sales.shadow(conn, card_no)
        if found is None:
            raise HTTPException(404, "没有该卡 no such card")
        return asdict(found)

    @routes.get("/quarantine", dependencies=[Depends(needs(may.DECIDE))])
    def quarantine(conn: Conn, limit: Limit = 100, offset: Offset = 0, undecided: bool = False) -> dict[str, Any]:
        """What was odd, with its bytes in hex."""
        rows = sales.quarantine(conn, limit, offset=offset, undecided_only=undecided)
        total = sales.quarantine_count(conn, undecided_only=undecided)
        return {"total": total, "rows": [{**asdict(row), "raw": row.raw.hex()} for row in rows]}

    @routes.get("/gaps", dependencies=[Depends(needs(may.DECIDE))])
    def gaps(conn: Conn) -> list[dict[str, Any]]:
        """Pumps whose records arrive with one missing before them."""
        return [asdict(gap) for gap in sales.gaps(conn)]

    @routes.get("/refusals", dependencies=[Depends(needs(may.CARD_VIEW))])
    def refusals(conn: Conn, limit: Limit = 50) -> list[dict[str, Any]]:
        """Refused cards, newest first."""
        return [asdict(row) for row in sales.refusals(conn, limit)]

    @routes.get("/tariffs", dependencies=[Depends(needs(may.VIEW))])
    def tariffs(conn: Conn) -> list[dict[str, Any]]:
        """Tariff versions, newest first."""
        return [asdict(tariff) for tariff in forecourt.tariffs(conn)]

    @routes.get("/metrics", response_class=Response, dependencies=[Depends(needs(may.VIEW))])
    def metrics(conn: Conn) -> Response:
        """For Prometheus."""
        return Response(metrics_text(conn, live), media_type=CONTENT_TYPE_LATEST)

    return routes
