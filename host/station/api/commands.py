"""Commands over the API that move something: each carries a key, so that a client that got no answer may ask again.

The key comes in the Idempotency-Key header (IETF draft, The Idempotency-Key HTTP Header Field): the same key and body
get the same answer, the same key with another body is refused with 409, what cannot be is refused with 422 and why.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Header, HTTPException
from pydantic import BaseModel
from sqlalchemy import Connection, Engine

from station.platform import clock, database, once

Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=once.LONGEST_KEY,
        pattern="^[!-~]+$",
        description="同一键与同一内容得到同一答复 · same key and body, same answer",
    ),
]


class Nothing(BaseModel):
    """The body of a command that its path says in full."""


def run(
    engine: Engine,
    key: str,
    path: str,
    body: BaseModel,
    do: Callable[[Connection, int], Mapping[str, Any]],
) -> dict[str, Any]:
    """do(conn, now)'s answer, in one transaction with its key. path: the route with its subject, /cards/62../load."""
    now = clock.now()
    try:
        with database.write(engine) as conn:
            asked = {"path": path, "body": body.model_dump(mode="json")}
            return once.run(conn, key, asked, now, lambda: do(conn, now))
    except once.ConflictError as error:
        raise HTTPException(409, str(error)) from None
