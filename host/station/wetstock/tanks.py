"""Tanks: their book stock, and beside it what was last read in them. Volumes in ml."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Row, Table, Text, select

from station import ledger
from station.platform.bulk import upsert_rows
from station.platform.database import STRICT, BigInt, metadata
from station.wetstock.readings import Reading, keep, latest

SOURCE_LENGTH = 32  # characters

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
    """state: `ok`, `low` (at or below low_ml), `empty`, or `unexplained` (stock below nought or above capacity).

    The last four are of the newest reading, None before the first one; difference_ml is the reading less what the
    books said at that moment, so that fuel sold since does not look lost.
    """

    station: str
    grade: int
    capacity_ml: int
    stock_ml: int
    low_ml: int
    state: str
    gauge_ml: int | None = None
    gauge_at: int | None = None
    difference_ml: int | None = None
    gauge_source: str | None = None  # `gauge` or `dip`


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
    found = _tank(conn, grade)
    if not ledger.posted(conn, key) and found.stock_ml + volume_ml > found.capacity_ml:
        raise ValueError(f"进油超出罐容 the delivery does not fit: ullage {found.capacity_ml - found.stock_ml} ml")
    line = ledger.Transfer(ledger.delivery(grade), ledger.tank(grade), volume_ml, ledger.ML)
    return ledger.post(conn, key, at, [line], "delivery")


def record_gauge(conn: Connection, tank: int, volume_ml: int, at: int, source: str, by: str) -> bool:
    """Writes down what was read in the tank of grade `tank`, once by tank, source and time (False: it is there).

    The books stay as they are. conn: a writer's, so that the book stock beside the reading is of the same moment.
    Raises ValueError for an unknown tank, a volume that cannot be in it, no source or name, or another volume of the
    same tank, source and second.
    """
    found = _tank(conn, tank)
    if type(volume_ml) is not int or volume_ml < 0:
        raise ValueError(f"读数应为不小于零的整毫升 a reading is whole millilitres, not below nought: {volume_ml}")
    if volume_ml > found.capacity_ml:
        raise ValueError(f"读数超出罐容 the reading is above the tank's capacity of {found.capacity_ml} ml")
    source, by = source.strip(), by.strip()
    if not source or len(source) > SOURCE_LENGTH or not by:
        raise ValueError("读数须有来源和经办人 a reading needs a source and the name of who took it")
    return keep(conn, Reading(found.station, tank, at, source, volume_ml, found.stock_ml, by))


def _tank(conn: Connection, grade: int) -> TankRow:
    found = next((tank for tank in tanks(conn) if tank.grade == grade), None)
    if found is None:
        raise ValueError(f"没有该油品的油罐 no tank for grade {grade}")
    return found


def tanks(conn: Connection) -> list[TankRow]:
    """All tanks with their book stock and newest reading, by station and grade."""
    stock_ml = ledger.balances(conn, "tank:", ledger.ML)
    rows = conn.execute(select(tanks_table).order_by(tanks_table.c.station, tanks_table.c.grade)).all()
    return [_row(row, stock_ml.get(ledger.tank(row.grade), 0), latest(conn, row.station, row.grade)) for row in rows]


def _row(row: Row[Any], stock_ml: int, read: Reading | None) -> TankRow:
    if stock_ml < 0 or stock_ml > row.capacity_ml:
        state = "unexplained"
    elif stock_ml == 0:
        state = "empty"
    else:
        state = "low" if stock_ml <= row.low_ml else "ok"
    by_books = (row.station, row.grade, row.capacity_ml, stock_ml, row.low_ml, state)
    if read is None:
        return TankRow(*by_books)
    return TankRow(*by_books, read.volume_ml, read.at, read.volume_ml - read.book_ml, read.source)
