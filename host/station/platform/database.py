"""The database: SQLite in WAL mode by default, PostgreSQL by DATABASE_URL. SQLAlchemy Core, synchronous.

Writers take turns on both: `write()` begins IMMEDIATE on SQLite and takes one advisory lock on PostgreSQL, so a
transaction that read a balance may rely on it. Readers never wait. Times are Unix seconds, money fen, volumes ml.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import BigInteger, Connection, Engine, Integer, MetaData, Table, create_engine, event, text
from sqlalchemy.dialects import postgresql, sqlite

from station.platform.settings import Settings

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigInt = BigInteger().with_variant(Integer(), "sqlite")  # 64 bits on both; INTEGER is what a STRICT table accepts
STRICT: dict[str, Any] = {"sqlite_strict": True}  # give it to every Table: Table("x", metadata, ..., **STRICT)

APPEND_ONLY: set[str] = set()  # tables guarded by triggers against UPDATE and DELETE
WRITER_LOCK = 0x70756D70  # the advisory lock of writers on PostgreSQL


class DatabaseError(Exception):
    """The database cannot be used as it stands; the message (Chinese, then English) says why."""


def append_only(table: Table) -> Table:
    """Declares that rows of `table` never change nor go; migrations make the triggers, start-up checks them."""
    APPEND_ONLY.add(table.name)
    return table


def url_for(settings: Settings) -> str:
    """The SQLAlchemy URL: settings.database_url (postgres:// as well) or SQLite `station.db` in the data directory."""
    url = settings.database_url
    if not url:
        return f"sqlite:///{settings.data_dir / 'station.db'}"
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    if not url.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise DatabaseError("只支持 SQLite 与 PostgreSQL。 DATABASE_URL must be sqlite:/// or postgresql://")
    return url


def open_engine(url: str) -> Engine:
    """An engine with this product's connection settings; makes no table (see migrations.migrate)."""
    if url.startswith("sqlite"):
        engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)
        return engine
    return create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=5)


def open_database(settings: Settings) -> Engine:
    """The engine of these settings, its schema up to date and its triggers verified. Raises DatabaseError."""
    from station.platform import migrations

    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = open_engine(url_for(settings))
    migrations.migrate(engine)
    migrations.verify_triggers(engine)
    return engine


@contextmanager
def read(engine: Engine) -> Iterator[Connection]:
    """A connection with one consistent view; nothing is committed."""
    with engine.connect() as conn:
        yield conn


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """As read(), and all queries see one moment on PostgreSQL too: for what sets one table against another."""
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"
    with engine.connect().execution_options(isolation_level=level) as conn:
        yield conn


@contextmanager
def write(engine: Engine) -> Iterator[Connection]:
    """A transaction for a writer; commits at the end, rolls back on an exception."""
    with engine.connect().execution_options(pumpside_write=True) as conn, conn.begin():
        if conn.dialect.name == "postgresql":
            conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": WRITER_LOCK})
        yield conn


def upsert(conn: Connection, table: Table) -> Any:
    """The dialect's INSERT for `table`, with on_conflict_do_nothing / on_conflict_do_update and `.excluded`."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def _sqlite_connect(dbapi_connection: Any, _record: object) -> None:
    dbapi_connection.isolation_level = None  # we begin ourselves: the module would begin late and deferred
    cursor = dbapi_connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",  # an acknowledged record is gone from the pump: a commit must reach the disk
        "foreign_keys=ON",
        "recursive_triggers=ON",  # else INSERT OR REPLACE walks past the append-only triggers
        "cache_size=-32000",
        "temp_store=MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(conn: Connection) -> None:
    writer = conn.get_execution_options().get("pumpside_write")
    conn.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")


__all__ = [
    "APPEND_ONLY",
    "STRICT",
    "BigInt",
    "Connection",
    "DatabaseError",
    "Engine",
    "append_only",
    "metadata",
    "open_database",
    "open_engine",
    "read",
    "snapshot",
    "upsert",
    "url_for",
    "write",
]
