"""A throw-away PostgreSQL cluster for tests and benches: own directory, own port on the loopback, gone afterwards."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from sqlalchemy import create_engine, text

BACKENDS = ("sqlite", "postgresql")
NewUrl = Callable[[], str]  # the URL of a new, empty database; "": SQLite in the data directory


def why_missing() -> str | None:
    """Why no cluster can be started here; None if one can."""
    if binaries() is None:
        return "PostgreSQL's initdb is not installed"
    if os.geteuid() == 0:
        try:
            pwd.getpwnam("postgres")
        except KeyError:
            return "root may not run PostgreSQL and there is no user postgres"
    return None


def binaries() -> Path | None:
    """The directory of initdb and pg_ctl."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return debian[-1].parent if debian else None


@contextmanager
def cluster(directory: Path, durable: bool = False) -> Iterator[str]:
    """Starts a cluster in `directory` and yields the URL of its server, without a database name.

    durable: commits reach the disk, as at a station; tests do without.
    """
    bin_dir = binaries()
    assert bin_dir is not None
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = directory / "data"
    data.mkdir(mode=0o700)
    prefix: list[str] = []
    if os.geteuid() == 0:
        user = pwd.getpwnam("postgres")
        os.chown(data, user.pw_uid, user.pw_gid)
        for parent in (directory, *directory.parents):
            if parent.stat().st_uid == 0 and parent.stat().st_mode & 0o001 == 0 and parent != Path("/"):
                parent.chmod(parent.stat().st_mode | 0o011)  # the server's user must get through to its data
        prefix = ["runuser", "-u", "postgres", "--"]
    initdb = [str(bin_dir / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*prefix, *initdb], check=True, capture_output=True, cwd="/")
    fsync = "on" if durable else "off"
    fsync = "on" if durable else "off"
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync={fsync}"
    control = [*prefix, str(bin_dir / "pg_ctl"), "-D", str(data), "-w", "-s"]
    subprocess.run(
        [*control, "-o", options, "-l", str(data / "log"), "start"], check=True, capture_output=True, cwd="/"
    )
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}"
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=True, capture_output=True, cwd="/")


@contextmanager
def databases(backend: str) -> Iterator[NewUrl]:
    """Makes new databases for a bench; a PostgreSQL server of its own lives as long as the block."""
    if backend == "sqlite":
        yield lambda: ""
        return
    missing = why_missing()
    if missing:
        raise SystemExit(missing)
    with tempfile.TemporaryDirectory(prefix="pumpside-pg-") as directory, cluster(Path(directory), True) as server:
        admin = create_engine(f"{server.replace('://', '+psycopg://')}/postgres", isolation_level="AUTOCOMMIT")
        numbers = count(1)

        def new_url() -> str:
            name = f"bench{next(numbers)}"
            with admin.connect() as conn:
                conn.execute(text(f"CREATE DATABASE {name}"))
            return f"{server}/{name}"

        yield new_url
        admin.dispose()
