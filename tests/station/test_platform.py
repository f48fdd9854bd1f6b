"""Settings, secrets and the database: bad input is told clearly, secrets are never default (X1, X2, X5, O1 in part)."""

import json
import stat
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, text

import station.cards  # noqa: F401 - its tables belong to the schema
import station.fleets  # noqa: F401
import station.network  # noqa: F401
import station.payments  # noqa: F401
import station.risk  # noqa: F401
import station.staff  # noqa: F401
import station.tills  # noqa: F401
from station import setup
from station.platform import database, migrations
from station.platform.database import DatabaseError
from station.platform.secrets import Secrets, SecretsError
from station.platform.settings import Settings, SettingsError, load


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    return tmp_path


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"http_port": 0}, "http_port"),
        ({"http_port": "eighty"}, "http_port"),
        ({"station": "S 1"}, "station"),
        ({"http_host": "0.0.0.0"}, "staff_auth"),
        ({"broker_password": "changeme"}, "占位口令"),
        ({"database_url": "postgresql://pump:password@db/pump"}, "占位口令"),
        ({"pumps": []}, "pumps"),
        ({"pumps": [{"pump": "p1", "number": 1, "nozzles": [{"grade": 9}]}]}, "no price for grade"),
        ({"pumps": [{"pump": "p1", "number": 1, "nozzles": [{"grade": 1}] * 5}]}, "pumps.0.nozzles"),
        ({"pumps": [{"pump": p, "number": 1, "nozzles": [{"grade": 1}]} for p in ("a", "b")]}, "重复"),
        ({"tanks": [{"grade": 1, "capacity_ml": 5, "opening_ml": 6}]}, "期初库存"),
        ({"prices": {1: 0, 2: 1, 3: 1, 4: 1}}, "prices"),
        ({"log_level": "loud"}, "log_level"),
    ],
)
def test_impossible_settings_are_refused_by_name_in_both_languages(
    nowhere: Path, wrong: dict[str, object], told: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(**wrong)
    assert told in str(refused.value)
    assert "设置有误" in str(refused.value) and "settings are wrong" in str(refused.value)


def test_settings_come_from_the_environment_before_the_file(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("pumpside.toml").write_text('http_port = 9000\nstation = "s7"\nstation_no = 7\n')
    monkeypatch.setenv("PUMPSIDE_HTTP_PORT", "9001")
    monkeypatch.setenv("DATABASE_URL", "postgres://db/pump")
    settings = load()
    assert (settings.http_port, settings.station, settings.device_id(settings.pumps[0])) == (9001, "s7", 7 * 256 + 1)
    assert database.url_for(settings) == "postgresql+psycopg://db/pump"


def test_a_broken_settings_file_is_told_plainly(nowhere: Path) -> None:
    Path("pumpside.toml").write_text("http_port = = 1")
    with pytest.raises(SettingsError, match="cannot be read"):
        load()


def test_the_bench_may_use_placeholders_and_production_may_not(nowhere: Path) -> None:
    assert load(bench=True, broker_password="changeme").bench
    with pytest.raises(SettingsError):
        load(broker_password="changeme")


def test_secrets_are_random_private_and_stay(tmp_path: Path) -> None:
    first, other = Secrets.load(tmp_path / "a" / "secrets.json"), Secrets.load(tmp_path / "b" / "secrets.json")
    assert len({first.issuing, first.pump, first.credit, first.issuer, other.pump}) == 5
    assert stat.S_IMODE((tmp_path / "a" / "secrets.json").stat().st_mode) == 0o600
    device = first.device(257)
    again = Secrets.load(tmp_path / "a" / "secrets.json")
    assert again.device(257) == device and again.pump == first.pump
    assert again.device(258).journal != device.journal
    assert first.pump.hex() not in repr(first) and device.mqtt_password not in repr(device)


def test_processes_that_ask_for_a_device_at_once_get_the_same_secrets(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    loaded = [Secrets.load(path) for _ in range(4)]
    threads = [threading.Thread(target=one.device, args=(device,)) for one in loaded for device in (257, 258)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one.device(257).journal for one in loaded}) == 1
    assert sorted(json.loads(path.read_text())["devices"]) == ["257", "258"]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"pump": "00"}'])
def test_damaged_or_default_secrets_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load(path)
    path.write_text(content)
    with pytest.raises(SecretsError, match="damaged"):
        Secrets.load(path)


def test_a_key_of_zeros_is_no_secret(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load(path)
    data = json.loads(path.read_text())
    path.write_text(json.dumps({**data, "pump": "00" * 16}))
    with pytest.raises(SecretsError):
        Secrets.load(path)


def test_secrets_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    Secrets.load(path)
    path.chmod(0o644)
    with pytest.raises(SecretsError, match="chmod 600"):
        Secrets.load(path)


def test_the_migrations_make_exactly_the_tables_that_the_code_declares(engine: Engine) -> None:
    with engine.connect() as conn:
        assert compare_metadata(MigrationContext.configure(conn), database.metadata) == []


def test_preparing_again_keeps_everything(engine: Engine, settings: Settings) -> None:
    from station import forecourt, wetstock

    with database.write(engine) as conn:
        wetstock.deliver(conn, 1, 1_000_000, "D-1", 1)
        forecourt.set_tariff(conn, {1: 800}, 5, "boss", 5)
    again = setup.prepare(settings)
    with database.read(again) as conn:
        assert wetstock.tanks(conn)[0].stock_ml == settings.tanks[0].opening_ml + 1_000_000
        assert forecourt.tariffs(conn)[0].prices == {1: 800}
        assert [pump.pump for pump in forecourt.pumps(conn)] == ["p1", "p2", "p3", "p4"]
        assert [nozzle.grade for nozzle in forecourt.pumps(conn)[0].nozzles] == [1, 2, 3, 4]
    again.dispose()


def test_a_dropped_trigger_stops_the_start(engine: Engine, settings: Settings) -> None:
    """X5: the guard of the books is checked at every start."""
    with engine.begin() as conn:
        on = " ON transfers" if engine.dialect.name == "postgresql" else ""
        conn.execute(text(f"DROP TRIGGER transfers_no_update{on}"))
    with pytest.raises(DatabaseError, match="transfers_no_update"):
        migrations.verify_triggers(engine)
    with pytest.raises(DatabaseError):
        setup.prepare(settings)


def test_a_file_that_is_no_database_is_told_plainly(nowhere: Path) -> None:
    Path("var").mkdir()
    Path("var/station.db").write_text("not a database at all, just text " * 50)
    with pytest.raises(DatabaseError, match="cannot be opened"):
        setup.prepare(load(bench=True))


def test_other_databases_are_refused(nowhere: Path) -> None:
    with pytest.raises(DatabaseError, match="SQLite"):
        database.url_for(load(database_url="mysql://x/y"))
