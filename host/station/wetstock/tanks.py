"""Tanks and their book stock. Volumes in ml."""

from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, Text

from station.platform.database import STRICT, BigInt, metadata

tanks_table = Table(
    "tanks",
    metadata,
    Column("station", Text, primary_key=True),
    Column("grade", Integer, primary_key=True, autoincrement=False),
    Column("capacity_ml", BigInt, nullable=False),
    Column("low_ml", BigInt, nullable=False),
    CheckConstraint("capacity_ml > 0", name="capacity"),
    **STRICT,
)


@dataclass(frozen=True, slots=True)
class TankRow:
    """state: `ok`, `low` (at or below low_ml), `empty`, or `unexplained` (book stock below nought or above capacity)."""

    station: str
    grade: int
    capacity_ml: int
    stock_ml: int
    low_ml: int
    state: str


def open_tank(conn: Connection, station: str, grade: int, capacity_ml: int, opening_ml: int, low_ml: int, at: int) -> None:
    """Registers a tank with its opening stock; a tank that is there keeps its stock and takes the new marks."""
    raise NotImplementedError


def deliver(conn: Connection, grade: int, volume_ml: int, reference: str, at: int) -> bool:
    """Books a delivery, once per reference (False: booked before). Raises ValueError if it is not above nought or would
    not fit into the tank."""
    raise NotImplementedError


def tanks(conn: Connection) -> list[TankRow]:
    """All tanks with their book stock, by station and grade."""
    raise NotImplementedError
