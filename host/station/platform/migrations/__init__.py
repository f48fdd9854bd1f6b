"""Bringing a database's schema up to date at start-up, by Alembic, and making sure its triggers stand."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from station.platform import audit, once, parameters  # noqa: F401 - their tables belong to every database
from station.platform.database import APPEND_ONLY, DatabaseError, write

HERE = Path(__file__).parent


def migrate(engine: Engine, to: str = "head") -> None:
    """Runs the missing migrations in one writer's transaction; `to`: a revision, as an older program had it. Raises
    DatabaseError."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    try:
        with write(engine) as conn:
            config.attributes["connection"] = conn
            command.upgrade(config, to)
    except Exception as error:
        name = type(error).__name__
        raise DatabaseError(
            f"数据库无法打开或升级 The database cannot be opened or upgraded ({name}): {error}"
        ) from error


def require_current(engine: Engine) -> None:
    """Raises DatabaseError if the schema is not this program's: for who uses a database without bringing it up to
    date."""
    wanted = ScriptDirectory(str(HERE)).get_current_head()
    with engine.connect() as conn:
        found = MigrationContext.configure(conn).get_current_revision()
    if found != wanted:
        raise DatabaseError(
            f"数据库版本为 {found}，程序需要 {wanted}，请先运行 pumpside init。 "
            f"The database has schema {found}, this program needs {wanted}: run `pumpside init` first."
        )


def trigger_names(table: str) -> tuple[str, str]:
    """Names of the two triggers that keep a table append-only."""
    return f"{table}_no_update", f"{table}_no_delete"


def create_append_only(conn: Connection, table: str) -> None:
    """Makes the triggers of one table; for migrations."""
    no_update, no_delete = trigger_names(table)
    if conn.dialect.name == "sqlite":
        for name, act in ((no_update, "UPDATE"), (no_delete, "DELETE")):
            refuse = f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            conn.execute(text(f"CREATE TRIGGER {name} BEFORE {act} ON {table} {refuse}"))
        return
    conn.execute(
        text(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
        )
    )
    for name, act in ((no_update, "UPDATE"), (no_delete, "DELETE OR TRUNCATE")):
        conn.execute(
            text(f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()")
        )


def verify_triggers(engine: Engine) -> None:
    """Raises DatabaseError if a trigger of an append-only table is gone or switched off."""
    with engine.connect() as conn:
        if conn.dialect.name == "sqlite":
            query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        else:
            query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
        present = {row[0] for row in conn.execute(text(query))}
    missing = sorted(name for table in APPEND_ONLY for name in trigger_names(table) if name not in present)
    if missing:
        raise DatabaseError(
            f"数据库缺少防篡改触发器 The database lacks the triggers that guard its books: {', '.join(missing)}"
        )
