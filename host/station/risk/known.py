"""What the rules know beforehand: where stations stand, and what the tanks of vehicles hold."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from station.platform.bulk import select_in, upsert_rows
from station.risk import tables
from station.risk.events import Place


def place(conn: Connection, station: str, where: Place) -> None:
    """Where a station stands: for the rule about impossible travel."""
    upsert_rows(conn, tables.places, [(station, where.latitude_e6, where.longitude_e6)])


def places(conn: Connection) -> dict[str, Place]:
    """By station, of those that are known."""
    return {row.station: Place(row.latitude_e6, row.longitude_e6) for row in conn.execute(select(tables.places))}


def vehicle(conn: Connection, plate: str, tank_ml: int) -> None:
    """The tank of a vehicle, for the rule about more fuel than goes in; 0: it is not known any more."""
    conn.execute(delete(tables.vehicles).where(tables.vehicles.c.plate == plate))
    if tank_ml:
        conn.execute(insert(tables.vehicles), {"plate": plate, "tank_ml": tank_ml})


def tanks(conn: Connection, plates: Collection[str]) -> dict[str, int]:
    """ml by plate, of those that are known."""
    v = tables.vehicles.c
    return {row.plate: row.tank_ml for row in select_in(conn, select(v.plate, v.tank_ml), v.plate, plates)}
