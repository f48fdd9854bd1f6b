"""Pumps, nozzles and the boards beside them, as registered from the settings."""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, insert, select, update

from station.platform.bulk import insert_rows
from station.platform.database import STRICT, BigInt, metadata
from station.platform.settings import PumpSettings

pumps_table = Table(
    "pumps",
    metadata,
    Column("device", BigInt, primary_key=True, autoincrement=False),
    Column("station", Text, nullable=False),
    Column("pump", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("state", Text),  # the last `state` payload, JSON
    Column("state_at", BigInt),
    **STRICT,
)

nozzles_table = Table(
    "nozzles",
    metadata,
    Column("device", BigInt, primary_key=True, autoincrement=False),
    Column("nozzle", Integer, primary_key=True, autoincrement=False),
    Column("grade", Integer, nullable=False),
    Column("pulses_per_l", Integer, nullable=False),
    **STRICT,
)


@dataclass(frozen=True, slots=True)
class Nozzle:
    nozzle: int
    grade: int
    pulses_per_l: int


@dataclass(frozen=True, slots=True)
class Pump:
    """A registered pump; state is its last `state` payload (docs/mqtt.md), {} before the first."""

    device: int
    station: str
    pump: str
    mode: str
    nozzles: tuple[Nozzle, ...]
    state: dict[str, Any]
    state_at: int | None


def station_of(device: int) -> int:
    """The number of the station that a board stands at."""
    return device >> 8


def register_pumps(conn: Connection, station: str, station_no: int, pumps: Sequence[PumpSettings]) -> None:
    """Brings the tables to the settings: new pumps are added, known ones take mode and nozzles, none is deleted."""
    known = {row.device for row in conn.execute(select(pumps_table.c.device))}
    for pump in pumps:
        device = station_no * 256 + pump.number
        named = {"station": station, "pump": pump.pump, "mode": pump.mode}
        if device in known:
            conn.execute(update(pumps_table).where(pumps_table.c.device == device).values(**named))
        else:
            conn.execute(insert(pumps_table).values(device=device, **named))
        conn.execute(delete(nozzles_table).where(nozzles_table.c.device == device))
        rows = [(device, number, nozzle.grade, nozzle.pulses_per_l) for number, nozzle in enumerate(pump.nozzles)]
        insert_rows(conn, nozzles_table, rows)


def pumps(conn: Connection) -> list[Pump]:
    """All pumps in the order of their device numbers."""
    nozzles: defaultdict[int, list[Nozzle]] = defaultdict(list)
    for row in conn.execute(select(nozzles_table).order_by(nozzles_table.c.device, nozzles_table.c.nozzle)):
        nozzles[row.device].append(Nozzle(row.nozzle, row.grade, row.pulses_per_l))
    return [
        Pump(
            row.device,
            row.station,
            row.pump,
            row.mode,
            tuple(nozzles[row.device]),
            json.loads(row.state) if row.state else {},
            row.state_at,
        )
        for row in conn.execute(select(pumps_table).order_by(pumps_table.c.device))
    ]


def pump_of_device(conn: Connection, device: int) -> Pump | None:
    """The pump a board belongs to."""
    return next((pump for pump in pumps(conn) if pump.device == device), None)


def pump_named(conn: Connection, station: str, name: str) -> Pump | None:
    """The pump of this name."""
    return next((pump for pump in pumps(conn) if (pump.station, pump.pump) == (station, name)), None)


def mark_state(conn: Connection, device: int, state: dict[str, Any], at: int) -> None:
    """Keeps a pump's last `state`."""
    text = json.dumps(state, ensure_ascii=False)
    conn.execute(update(pumps_table).where(pumps_table.c.device == device).values(state=text, state_at=at))
