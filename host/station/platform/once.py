"""Commands that may come twice and must happen once: a key, what was asked, and the answer that was given.

A till that got no answer asks again with the same key and gets the same answer; a key with another request is refused,
because somebody is wrong about what happened (IETF draft, The Idempotency-Key HTTP Header Field).
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Column, Connection, LargeBinary, Table, Text, delete, insert, select

from station.platform.database import STRICT, BigInt, metadata

LONGEST_KEY = 80

commands = Table(
    "commands_done",
    metadata,
    Column("key", Text, primary_key=True),
    Column("asked", LargeBinary, nullable=False),  # SHA-256 of the request
    Column("answer", Text, nullable=False),
    Column("at", BigInt, nullable=False, index=True),
    **STRICT,
)


class ConflictError(ValueError):
    """The key was used for something else."""


def run(
    conn: Connection, key: str, asked: Mapping[str, Any], now: int, do: Callable[[], Mapping[str, Any]]
) -> dict[str, Any]:
    """do()'s answer (a JSON object), the stored one if this was asked before with this key.

    Call it in a writing transaction: what do() changes and the answer are kept together or not at all; an exception of
    do() keeps nothing, so that it may be tried again. Raises ConflictError, and ValueError for an impossible key.
    """
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise ValueError(f"幂等键须为 1 至 {LONGEST_KEY} 个可见字符 a key has 1 to {LONGEST_KEY} visible characters")
    digest = hashlib.sha256(_canonical(asked).encode()).digest()
    known = conn.execute(select(commands.c.asked, commands.c.answer).where(commands.c.key == key)).first()
    if known is not None:
        if bytes(known.asked) != digest:
            raise ConflictError(f"幂等键已用于其他请求 the key was used for another request: {key}")
        return dict(json.loads(known.answer))
    answer = dict(do())
    conn.execute(insert(commands), {"key": key, "asked": digest, "answer": _canonical(answer), "at": now})
    return answer


def seen(conn: Connection, key: str) -> bool:
    """Whether something was done with this key."""
    return conn.execute(select(commands.c.key).where(commands.c.key == key)).first() is not None


def forget(conn: Connection, before: int) -> int:
    """Drops what was done before that time; the books' own keys go on keeping money from moving twice."""
    return conn.execute(delete(commands).where(commands.c.at < before)).rowcount


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
