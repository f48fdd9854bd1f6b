"""What gauges and dipsticks said of the tanks: a list that only grows. Volumes in ml, times in Unix seconds."""

from dataclasses import dataclass

from sqlalchemy import CheckConstraint, Column, Connection, Integer, Table, Text, insert, select

from station.platform.database import STRICT, BigInt, append_only, metadata

# The key is in the order in which the newest reading of a tank is looked up.
readings_table = append_only(
    Table(
        "gauge_readings",
        metadata,
        Column("station", Text, primary_key=True),
        Column("grade", Integer, primary_key=True, autoincrement=False),
        Column("at", BigInt, primary_key=True, autoincrement=False),
        Column("source", Text, primary_key=True),
        Column("volume_ml", BigInt, nullable=False),
        Column("book_ml", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        CheckConstraint("volume_ml >= 0", name="volume"),
        **STRICT,
    )
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading; book_ml is the book stock at the moment it was written down."""

    station: str
    grade: int
    at: int
    source: str  # `gauge` (level gauge), `dip` (a person with a dipstick)
    volume_ml: int
    book_ml: int
    by: str


def latest(conn: Connection, station: str, grade: int) -> Reading | None:
    """The newest reading of a tank, whatever its source; of two in one second the person's, who came to check."""
    r = readings_table.c
    mine = select(readings_table).where(r.station == station, r.grade == grade)
    found = conn.execute(mine.order_by(r.at.desc(), r.source).limit(1)).first()  # `dip` sorts before `gauge`
    return Reading(*found) if found else None


def keep(conn: Connection, reading: Reading) -> bool:
    """Writes a reading down, once by tank, source and time (False: it is there). Raises ValueError if another volume
    is there under the same three."""
    r = readings_table.c
    same = (r.station == reading.station, r.grade == reading.grade, r.at == reading.at, r.source == reading.source)
    before = conn.execute(select(r.volume_ml).where(*same)).scalar()
    if before is None:
        conn.execute(insert(readings_table).values([getattr(reading, column.name) for column in r]))
        return True
    if before != reading.volume_ml:
        raise ValueError(f"同一时刻已有不同读数 another reading of this tank has the same time: {before} ml")
    return False
