"""What the commands share: settings and database, with errors told in one line instead of a traceback."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from sqlalchemy import Engine

from station.platform import database, migrations
from station.platform.database import DatabaseError
from station.platform.secrets import SecretsError
from station.platform.settings import Settings, SettingsError, load
from station.setup import prepare


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turns the errors a user can do something about into a message on standard error and exit code 1."""
    try:
        yield
    except (SettingsError, DatabaseError, SecretsError, ValueError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


@contextmanager
def opened() -> Iterator[tuple[Settings, Engine]]:
    """Settings and the prepared database of this station."""
    with told_plainly():
        settings = load()
        engine = prepare(settings)
        try:
            yield settings, engine
        finally:
            engine.dispose()


@contextmanager
def existing() -> Iterator[tuple[Settings, Engine]]:
    """Settings and the database as it stands, for commands that only look; one that is absent or old is told."""
    with told_plainly():
        settings = load()
        if not settings.database_url and not (settings.data_dir / "station.db").exists():
            raise DatabaseError(
                f"没有数据库，请先运行 init。No database in {settings.data_dir}: run `pumpside init` first."
            )
        engine = database.open_engine(database.url_for(settings))
        try:
            migrations.require_current(engine)
            yield settings, engine
        finally:
            engine.dispose()


def clock_of(at: int) -> str:
    """Unix seconds as local day and minute."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
