"""What the pages of the office work on: settings, secrets and database, in a thread of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from nicegui import context
from nicegui.client import Client
from sqlalchemy import Connection, Engine

from station import staff
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import LOCAL, Person, permissions

T = TypeVar("T")


@dataclass(frozen=True)
class Office:
    """Handed to each page's register()."""

    settings: Settings
    secrets: Secrets
    engine: Engine

    async def read(self, do: Callable[[Connection], T]) -> T:
        """do(conn) over one consistent view."""

        def work() -> T:
            with database.read(self.engine) as conn:
                return do(conn)

        return await asyncio.to_thread(work)

    async def write(self, do: Callable[[Connection], T]) -> T:
        """do(conn) in one writing transaction, if the viewer is still logged in: a page may stand open for days.

        Raises ValueError if not.
        """
        client = context.client

        def work() -> T:
            with database.write(self.engine) as conn:
                require_log_in(conn, client)
                return do(conn)

        return await asyncio.to_thread(work)


def scope_of(client: Client) -> frozenset[str] | None:
    """The stations that the viewer sees; None: all."""
    found: frozenset[str] | None = getattr(client.request.state, "scope", None)
    return found


def require_log_in(conn: Connection, client: Client) -> None:
    """Raises ValueError if the session under which the page was opened has ended since."""
    if person_of(client).role == permissions.LOCAL_ROLE:
        return
    token, now = client.request.state.session, clock.now()  # put there by the guard
    if staff.who(conn, token, now) is None:
        raise ValueError("登录已失效，请重新登录 your log-in has ended: log in again")
    staff.seen(conn, token, now)


def person_of(client: Client) -> Person:
    """Who looks at the page: put there by the guard."""
    found: Person | None = getattr(client.request.state, "person", None)
    return found or LOCAL
