"""Tanks and their book stock. Volumes in ml."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Row, Table, Text, select

from station import ledger
from station.platform.bulk import upsert_rows
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
    """state: `ok`, `low` (at or below low_ml), `empty`, or `unexplained` (stock below nought or above capacity)."""

    station: str
    grade: int
    capacity_ml: int
    stock_ml: int
    low_ml: int
    state: str


def open_tank(
    conn: Connection, station: str, grade: int, capacity_ml: int, opening_ml: int, low_ml: int, at: int
) -> None:
    """Registers a tank with its opening stock; a tank that is there keeps its stock and takes the new marks."""
    upsert_rows(conn, tanks_table, [(station, grade, capacity_ml, low_ml)])
    key = f"opening:{station}:{grade}"
    if opening_ml and not ledger.posted(conn, key):
        line = ledger.Transfer(ledger.delivery(grade), ledger.tank(grade), opening_ml, ledger.ML)
        ledger.post(conn, key, at, [line], "opening stock")


def deliver(conn: Connection, grade: int, volume_ml: int, reference: str, at: int) -> bool:
    """Books a delivery, once per reference (False: booked before). Raises ValueError if it is not above nought or would
    not fit into the tank."""
    if volume_ml <= 0 or not reference.strip():
        raise ValueError("进油量须大于零且有单号 a delivery needs a volume above nought and a reference")
    key = f"delivery:{reference.strip()}"
    found = next((tank for tank in tanks(conn) if tank.grade == grade), None)
    if found is None:
        raise ValueError(f"没有该油品的油罐 no tank for grade {grade}")
    if not ledger.posted(conn, key) and found.stock_ml + volume_ml > found.capacity_ml:
        raise ValueError(f"进油超出罐容 the delivery does not fit: ullage {found.capacity_ml - found.stock_ml} ml")
    line = ledger.Transfer(ledger.delivery(grade), ledger.tank(grade), volume_ml, ledger.ML)
    return ledger.post(conn, key, at, [line], "delivery")


def tanks(conn: Connection) -> list[TankRow]:
    """All tanks with their book stock, by station and grade."""
    stock_ml = ledger.balances(conn, "tank:", ledger.ML)
    rows = conn.execute(select(tanks_table).order_by(tanks_table.c.station, tanks_table.c.grade))
    return [_row(row, stock_ml.get(ledger.tank(row.grade), 0)) for row in rows]


def _row(row: Row[Any], stock_ml: int) -> TankRow:
    if stock_ml < 0 or stock_ml > row.capacity_ml:
        state = "unexplained"
    elif stock_ml == 0:
        state = "empty"
    else:
        state = "low" if stock_ml <= row.low_ml else "ok"
    return TankRow(row.station, row.grade, row.capacity_ml, stock_ml, row.low_ml, state)
