"""What accounts, and the cards of their vehicles, have bought: for rules, statements and reports on vehicles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, or_, select

from station.forecourt import pumps_table
from station.platform.bulk import select_in
from station.sales import tables
from station.sales.queries import joined_to_pumps


@dataclass(frozen=True, slots=True)
class Fill:
    """A sale with an end. account: who owes it, None if the card's purse paid. odometer_km 0: not asked for."""

    id: int
    station: str
    pump: str
    account: int | None
    card_no: str
    plate: str
    driver: str
    odometer_km: int
    started: int
    ended: int
    grade: int
    price_fen_per_l: int
    volume_ml: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Bought:
    """Sums over sales."""

    fen: int
    ml: int
    fills: int


def bought(conn: Connection, since: int, accounts: Sequence[int] = (), card_no: str = "") -> Bought:
    """What these accounts, or this card, bought since then, as far as the records are in."""
    s = tables.sales.c
    whose = s.card_no == card_no if card_no else s.account.in_(accounts)
    sums = func.sum(s.amount_fen), func.sum(s.volume_ml), func.count()
    fen, ml, fills = conn.execute(select(*sums).where(whose, s.ended >= since, s.volume_ml > 0)).one()
    return Bought(int(fen or 0), int(ml or 0), int(fills))


def fills(conn: Connection, accounts: Sequence[int], card_nos: Sequence[str], since: int, until: int) -> list[Fill]:
    """Their sales with since <= end < until, by time."""
    s = tables.sales.c
    whose: ColumnElement[bool] = or_(s.account.in_(accounts), s.card_no.in_(card_nos))
    query = _query().where(whose, s.ended >= since, s.ended < until, s.volume_ml > 0)
    return [_fill(row) for row in conn.execute(query.order_by(s.ended, s.id))]


def fills_by_id(conn: Connection, ids: Iterable[int]) -> dict[int, Fill]:
    """These sales, by their id."""
    return {row.id: _fill(row) for row in select_in(conn, _query(), tables.sales.c.id, ids)}


_OF_SALE = [field.name for field in fields(Fill) if field.name not in ("station", "pump")]


def _query() -> Select[tuple[object, ...]]:
    columns = (tables.sales.c[name] for name in _OF_SALE)
    return joined_to_pumps(select(*columns, pumps_table.c.station, pumps_table.c.pump))


def _fill(row: Row[tuple[object, ...]]) -> Fill:
    said = row._mapping
    known: dict[str, Any] = {name: said[name] for name in ("id", "account", "ended")}
    known |= {name: said[name] or "" for name in ("station", "pump", "card_no", "plate", "driver")}
    known |= {name: said[name] or 0 for name in ("odometer_km", "started", "grade", "price_fen_per_l")}
    return Fill(**known, volume_ml=said["volume_ml"] or 0, amount_fen=said["amount_fen"] or 0)
