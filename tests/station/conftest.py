"""Databases for the station's tests: SQLite and PostgreSQL, each migrated, each test with its own."""

import os
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.setup import prepare
from tests.databases import copied
from tests.station.world import T0
from tools import postgres

_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The server's URL; on a machine without PostgreSQL such tests are reported as not run, under CI they fail."""
    missing = postgres.why_missing()
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(prefix="pumpside-pg-") as directory, postgres.cluster(Path(directory)) as url:
        with _admin(url) as engine:
            engine.connect().execute(text("CREATE DATABASE migrated")).close()
        prepare(load(database_url=f"{url}/migrated", data_dir=Path(directory) / "d"), T0).dispose()
        yield url


def _admin(url: str) -> "_Admin":
    return _Admin(url)


class _Admin:
    """A connection that may create databases: PostgreSQL does that outside transactions only."""

    def __init__(self, url: str) -> None:
        driver = url.replace("postgresql://", "postgresql+psycopg://")
        self.engine = create_engine(f"{driver}/postgres", isolation_level="AUTOCOMMIT")

    def __enter__(self) -> Engine:
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def settings(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """Settings of a bench station with an empty, prepared database of the backend, which goes with the test."""
    for name in [name for name in os.environ if name.startswith("PUMPSIDE_") or name == "DATABASE_URL"]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    if backend == "sqlite":
        copied(tmp_path / "var")
        yield load(data_dir=tmp_path / "var", bench=True)
        return
    url = request.getfixturevalue("postgres_server")
    name = f"test{next(_numbers)}"
    with _admin(url) as engine, engine.connect() as conn:
        conn.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated"))
        yield load(data_dir=tmp_path / "var", bench=True, database_url=f"{url}/{name}")
        conn.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    made = prepare(settings, T0)
    yield made
    made.dispose()


@pytest.fixture
def secrets(settings: Settings) -> Secrets:
    return Secrets.load(settings.secrets_path)
