"""What was read in the tanks beside what the books say (I1), on both databases."""

import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from station import ledger, wetstock
from station.platform import database, migrations
from station.platform.database import DatabaseError
from station.platform.secrets import Secrets
from tests.station.world import T0, PumpJournal, TestCard, issue, send
from tools.bench.gauge import Gauge
from tools.bench.state import TankState

OPENING_ML = 22_000_000


def first(engine: Engine) -> wetstock.TankRow:
    with database.read(engine) as conn:
        return wetstock.tanks(conn)[0]


def level(true_ml: int, grade: int = 1) -> TankState:
    return {"grade": grade, "true_ml": true_ml, "capacity_ml": 30_000_000}


def sell(engine: Engine, secrets: Secrets, volume_ml: int) -> None:
    """A sale of 92# with its card: the tank's book stock falls by its litres."""
    pump = PumpJournal(secrets.device(257).journal)
    pump.sale(TestCard(), volume_ml)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)


def test_a_tank_never_read_says_so_and_a_dip_stands_beside_the_books(engine: Engine) -> None:
    """I1: the reading is known with its time and difference; the book stock does not follow it."""
    before = first(engine)
    assert (before.gauge_ml, before.gauge_at, before.difference_ml, before.gauge_source) == (None, None, None, None)
    with database.write(engine) as conn:
        assert wetstock.record_gauge(conn, 1, OPENING_ML - 31_200, T0 + 60, "dip", "王芳")
    after = first(engine)
    assert (after.gauge_ml, after.gauge_at, after.difference_ml) == (OPENING_ML - 31_200, T0 + 60, -31_200)
    assert (after.gauge_source, after.stock_ml, after.state) == ("dip", OPENING_ML, "ok")
    with database.read(engine) as conn:
        assert [tank.gauge_ml for tank in wetstock.tanks(conn)][1:] == [None] * 3


def test_what_is_sold_after_a_reading_does_not_look_found(engine: Engine, secrets: Secrets) -> None:
    """I1: the difference is of the moment of the reading, not of now."""
    with database.write(engine) as conn:
        wetstock.record_gauge(conn, 1, OPENING_ML - 500, T0, "dip", "王芳")
    sell(engine, secrets, 10_000)
    row = first(engine)
    assert (row.stock_ml, row.gauge_ml, row.difference_ml) == (OPENING_ML - 10_000, OPENING_ML - 500, -500)


def test_the_newest_reading_counts_whenever_it_arrives_and_a_person_before_the_gauge(engine: Engine) -> None:
    with database.write(engine) as conn:
        wetstock.record_gauge(conn, 1, 5_000, T0 + 20, "gauge", "bench")
        wetstock.record_gauge(conn, 1, 9_000, T0 + 10, "gauge", "bench")
        wetstock.record_gauge(conn, 2, 7_000, T0 + 30, "gauge", "bench")
        assert wetstock.tanks(conn)[0].gauge_ml == 5_000
        wetstock.record_gauge(conn, 1, 4_000, T0 + 20, "dip", "王芳")
        assert (wetstock.tanks(conn)[0].gauge_ml, wetstock.tanks(conn)[0].gauge_source) == (4_000, "dip")


def test_a_reading_told_twice_is_written_once_and_one_that_contradicts_it_is_refused(engine: Engine) -> None:
    with database.write(engine) as conn:
        assert wetstock.record_gauge(conn, 1, 5_000, T0, "gauge", "bench")
        assert not wetstock.record_gauge(conn, 1, 5_000, T0, " gauge ", "bench")
        assert wetstock.record_gauge(conn, 1, 5_000, T0, "dip", "王芳"), "another source is another reading"
        with pytest.raises(ValueError, match="同一时刻.*another reading"):
            wetstock.record_gauge(conn, 1, 5_001, T0, "gauge", "bench")
        assert conn.execute(text("SELECT count(*) FROM gauge_readings")).scalar() == 2


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"tank": 9}, "没有该油品的油罐 no tank"),
        ({"volume_ml": -1}, "不小于零.*not below nought"),
        ({"volume_ml": 1.5}, "整毫升 .*whole millilitres"),
        ({"volume_ml": 30_000_001}, "超出罐容 .*capacity of 30000000 ml"),
        ({"source": " "}, "来源.*needs a source"),
        ({"source": "g" * 33}, "来源.*needs a source"),
        ({"by": ""}, "经办人.*name"),
    ],
)
def test_a_reading_that_cannot_be_is_refused_in_words(engine: Engine, changed: dict[str, Any], told: str) -> None:
    good: dict[str, Any] = {"tank": 1, "volume_ml": 5, "at": T0, "source": "dip", "by": "王芳"}
    with database.write(engine) as conn:
        with pytest.raises(ValueError, match=told):
            wetstock.record_gauge(conn, **{**good, **changed})
        assert wetstock.record_gauge(conn, **{**good, "volume_ml": 0}), "an empty tank reads nought"
        assert wetstock.record_gauge(conn, **{**good, "volume_ml": 30_000_000, "at": T0 + 1})


@pytest.mark.parametrize("change", ["UPDATE gauge_readings SET volume_ml = 1", "DELETE FROM gauge_readings"])
def test_nobody_betters_a_reading_afterwards_and_a_start_without_its_guard_is_refused(
    engine: Engine, change: str
) -> None:
    """X5."""
    with database.write(engine) as conn:
        wetstock.record_gauge(conn, 1, 5_000, T0, "dip", "王芳")
    with pytest.raises(DBAPIError, match="gauge_readings is append-only"), engine.begin() as conn:
        conn.execute(text(change))
    guard = "gauge_readings_no_update" if change.startswith("UPDATE") else "gauge_readings_no_delete"
    with engine.begin() as conn:
        on = " ON gauge_readings" if engine.dialect.name == "postgresql" else ""
        conn.execute(text(f"DROP TRIGGER {guard}{on}"))
    with pytest.raises(DatabaseError, match=guard):
        migrations.verify_triggers(engine)


def test_a_station_of_the_first_schema_gets_its_readings_and_keeps_its_stock(engine: Engine, tmp_path: Path) -> None:
    """A database as the first program left it: brought up to date it has the tables and the guards, and its books."""
    if engine.dialect.name == "sqlite":
        engine = database.open_engine(f"sqlite:///{tmp_path / 'old.db'}")
    else:
        with engine.begin() as conn:
            conn.execute(text("DROP SCHEMA public CASCADE"))
            conn.execute(text("CREATE SCHEMA public"))
    migrations.migrate(engine, "0001")
    with database.write(engine) as conn:
        conn.execute(text("INSERT INTO tanks VALUES ('s1', 1, 30000000, 3000000)"))
        conn.execute(
            text(
                "INSERT INTO transfers (key, line, at, debit, credit, asset, amount) "
                "VALUES ('delivery:D-1', 0, 1, 'delivery:1', 'tank:1', 'ml', 1000000)"
            )
        )
        conn.execute(text("INSERT INTO balances VALUES ('delivery:1', 'ml', -1000000), ('tank:1', 'ml', 1000000)"))
    with pytest.raises(DatabaseError, match="gauge_readings_no_delete"):
        migrations.verify_triggers(engine)
    migrations.migrate(engine)
    migrations.verify_triggers(engine)
    assert (first(engine).stock_ml, first(engine).gauge_ml) == (1_000_000, None)
    with database.read(engine) as conn:
        assert ledger.verify(conn) == []
    engine.dispose()


def test_the_benchs_gauge_writes_when_fuel_or_books_moved_and_is_silent_otherwise(
    engine: Engine, secrets: Secrets
) -> None:
    """I1: fuel leaves the tank before the sale is booked; after both the difference is nought again."""
    gauge = Gauge(engine)
    assert gauge.read([level(OPENING_ML), level(5, grade=9)], T0) == 1  # the station has no tank for grade 9
    assert gauge.read([level(OPENING_ML)], T0 + 10) == 0
    assert first(engine).gauge_at == T0
    assert gauge.read([level(OPENING_ML - 10_000)], T0 + 20) == 1
    assert first(engine).difference_ml == -10_000
    sell(engine, secrets, 10_000)
    assert gauge.read([level(OPENING_ML - 10_000)], T0 + 30) == 1
    assert (first(engine).difference_ml, first(engine).gauge_at) == (0, T0 + 30)
    assert gauge.read([level(-5)], T0 + 40) == 1
    assert first(engine).gauge_ml == 0, "a probe ends at the bottom"


def test_the_benchs_gauge_waits_its_turn_and_loses_nothing(engine: Engine) -> None:
    """A writer in the way holds the gauge up; its reading comes when the way is free."""
    gauge, told = Gauge(engine), threading.Event()

    def read() -> None:
        gauge.read([level(OPENING_ML - 7)], T0)
        told.set()

    with database.write(engine) as conn:
        thread = threading.Thread(target=read)
        thread.start()
        assert not told.wait(0.3)
        wetstock.deliver(conn, 1, 1_000, "D-1", T0)
    thread.join(20)
    assert told.is_set()
    assert first(engine).difference_ml == -7 - 1_000, "against the books as they were when it was its turn"
