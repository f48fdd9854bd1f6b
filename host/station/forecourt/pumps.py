"""Pumps, nozzles and the boards beside them, as registered from the settings."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text

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


def register_pumps(conn: Connection, station: str, station_no: int, pumps: Sequence[PumpSettings]) -> None:
    """Brings the tables to the settings: new pumps are added, known ones take their mode and nozzles; none is deleted."""
    raise NotImplementedError


def pumps(conn: Connection) -> list[Pump]:
    """All pumps in the order of their device numbers."""
    raise NotImplementedError


def pump_of_device(conn: Connection, device: int) -> Pump | None:
    """The pump a board belongs to."""
    raise NotImplementedError


def mark_state(conn: Connection, device: int, state: dict[str, Any], at: int) -> None:
    """Keeps a pump's last `state`."""
    raise NotImplementedError
