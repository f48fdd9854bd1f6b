"""What the pages of the office work on: settings, secrets and database, in a thread of their own."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from nicegui.client import Client
from sqlalchemy import Connection, Engine

from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import LOCAL, Person

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
        """do(conn) in one writing transaction."""

        def work() -> T:
            with database.write(self.engine) as conn:
                return do(conn)

        return await asyncio.to_thread(work)


def person_of(client: Client) -> Person:
    """Who looks at the page: put there by the guard."""
    found: Person | None = getattr(client.request.state, "person", None)
    return found or LOCAL
