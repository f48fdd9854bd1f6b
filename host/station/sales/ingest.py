"""From batches of raw records to books, stock and acknowledgements: any order, any repetition, the same result."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from station.platform.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Batch:
    """What came on one topic: `raw` is meant to be 1 to 8 records of 128 bytes, but may be anything."""

    station: str
    pump: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """Every record of `device` up to and with `seq` is committed (once the transaction is)."""

    station: str
    pump: str
    device: int
    seq: int


def ingest(conn: Connection, secrets: Secrets, batches: Sequence[Batch], now: int) -> list[Ack]:
    """Takes the batches into the database, in the caller's transaction; never raises for what the batches hold.

    Returns one acknowledgement per device heard of, to be sent after commit. now: Unix seconds.
    """
    raise NotImplementedError


