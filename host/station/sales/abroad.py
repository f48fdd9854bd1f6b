"""What a station tells head office of its pumps, and what becomes of cards that are used away from home.

A device's records go out in the order of their chain, so head office proves them as the station did.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select

from pump.core import records
from station.platform.bulk import select_in
from station.sales import isolation, tables
from station.sales.chain import body_of

# A settlement that was never reported is known from the card's next sale (shadowing): sales so many counters back may
# become settled by a record that does not name them.
_COUNTERS_BACK = 16
_KINDS = (records.START, records.RESERVED, records.END, records.SETTLED, records.VOID)


@dataclass(frozen=True, slots=True)
class Finished:
    """A settled sale of a card's purse. balance_fen: on the card after it, None if nobody saw that."""

    device: int
    seq: int
    card_no: str
    counter: int
    amount_fen: int
    balance_fen: int | None
    at: int


def sale_name(device: int, seq: int) -> int:
    """A sale's name as one number."""
    return tables.record_id(device, seq)


def heads(conn: Connection) -> dict[int, int]:
    """The last sequence of each device's chain."""
    j = tables.journals.c
    return {row.device: row.seq for row in conn.execute(select(j.device, j.seq))}


def records_after(conn: Connection, device: int, seq: int, limit: int) -> list[bytes]:
    """A device's proven records after `seq`, in order, as it wrote them."""
    r = tables.records.c
    first, last = tables.record_id(device, seq + 1), tables.record_id(device + 1, 0)
    query = select(r.raw).where(r.id >= first, r.id < last).order_by(r.id).limit(limit)
    return [bytes(raw) for raw in conn.execute(query).scalars()]


def finished(conn: Connection, ranges: Mapping[int, tuple[int, int]]) -> list[Finished]:
    """The settled purse sales that these records may have finished. ranges: device -> (after, up to) a sequence.

    Some may have been finished before: who counts them keeps each sale's name.
    """
    spoken: set[int] = set()
    r = tables.records.c
    for device, (after, upto) in ranges.items():
        first, last = tables.record_id(device, after + 1), tables.record_id(device, upto)
        query = select(r.id, r.kind, r.raw).where(r.id >= first, r.id <= last, r.kind.in_(_KINDS))
        for row in conn.execute(query):
            identity = isolation.sale_id(row.kind, *tables.split_id(row.id), body_of(row.kind, bytes(row.raw)))
            if identity is not None:
                spoken.add(identity)
    s = tables.sales.c
    lowest: dict[str, int] = {}
    for row in select_in(conn, select(s.card_no, s.counter).where(s.card_no.is_not(None)), s.id, spoken):
        lowest[row.card_no] = min(row.counter, lowest.get(row.card_no, row.counter))
    columns = (s.id, s.card_no, s.counter, s.amount_fen, s.balance_fen, s.settled)
    settled: Select[Any] = select(*columns).where(s.settled.is_not(None), s.on_account == 0, s.amount_fen.is_not(None))
    return [
        Finished(*tables.split_id(row.id), row.card_no, row.counter, row.amount_fen, row.balance_fen, row.settled)
        for row in select_in(conn, settled.order_by(s.id), s.card_no, lowest)
        if row.counter >= lowest[row.card_no] - _COUNTERS_BACK
    ]
