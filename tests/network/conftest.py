"""Head office on SQLite and on PostgreSQL, stations on SQLite."""

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from station.platform import database
from station.platform.secrets import Secrets
from tests.network.towns import Office, Town, founded, town_settings, towns
from tests.station.conftest import postgres_server  # noqa: F401 - a fixture

_numbers = count(1)
Three = tuple[Office, Town, Town]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Databases as they are before anything happened."""
    return founded(tmp_path_factory.mktemp("towns"))


@pytest.fixture(params=["sqlite", "postgresql"])
def three(request: pytest.FixtureRequest, made: Path, tmp_path: Path) -> Iterator[Three]:
    """(head office, s1, s2)."""
    directory = tmp_path / "towns"
    shutil.copytree(made, directory)
    settings = town_settings(directory, 9)
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        name = f"towns{next(_numbers)}"
        driver = server.replace("postgresql://", "postgresql+psycopg://")
        admin = create_engine(f"{driver}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as conn:
            conn.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated"))
        admin.dispose()
        settings = settings.model_copy(update={"database_url": f"{server}/{name}"})
    head: Engine = database.open_engine(database.url_for(settings))
    with towns(head, Secrets.load(settings.secrets_path), directory) as found:
        yield found
    head.dispose()
