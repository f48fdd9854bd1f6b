"""The sealed records of a sale, each held against the chain it stands in (D27): what a receipt is checked by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from pump.core import records
from pump.core.visit import END_WITHIN
from station.platform.secrets import Secrets
from station.sales import isolation, tables
from station.sales.chain import body_of, mac_of


@dataclass(frozen=True, slots=True)
class Sealed:
    """A record as its pump wrote it. holds: its mac follows from the device's key and the record before it; None: the
    one before is not there, or a person admitted this one."""

    device: int
    seq: int
    kind: int
    at: int
    raw: bytes
    mac: bytes
    holds: bool | None


def sealed(conn: Connection, secrets: Secrets, device: int, seq: int) -> Sealed | None:
    """One record of a device by its sequence; None if the station does not have it."""
    r = tables.records.c
    identity = tables.record_id(device, seq)
    wanted = (identity - 1, identity) if seq > 1 else (identity,)
    rows = {row.id: row for row in conn.execute(select(tables.records).where(r.id.in_(wanted)))}
    row = rows.get(identity)
    if row is None:
        return None
    raw = bytes(row.raw)
    mac = raw[records.MAC_AT : records.CRC_AT]
    before: bytes | None = records.CHAIN_START
    if seq > 1:
        before = bytes(rows[identity - 1].raw)[records.MAC_AT : records.CRC_AT] if identity - 1 in rows else None
    holds = None
    if before is not None and row.trusted:
        holds = mac_of(secrets.device(device).journal)(before, raw) == mac
    return Sealed(device, seq, row.kind, row.at, raw, mac, holds)


def sealed_sale(conn: Connection, secrets: Secrets, device: int, seq: int) -> list[Sealed]:
    """START, RESERVED, END ... of a sale as its own pump wrote them, in their order; empty if it is not known."""
    r = tables.records.c
    first = tables.record_id(device, seq)
    kinds = (records.START, records.RESERVED, records.END, records.SETTLED, records.VOID)
    query = select(r.id, r.kind, r.raw).where(r.id >= first, r.id <= first + END_WITHIN, r.kind.in_(kinds))
    found = []
    for row in conn.execute(query.order_by(r.id)).all():
        its_device, its_seq = tables.split_id(row.id)
        if isolation.sale_id(row.kind, its_device, its_seq, body_of(row.kind, bytes(row.raw))) == first:
            record = sealed(conn, secrets, its_device, its_seq)
            if record:
                found.append(record)
    return found


def raw_records(conn: Connection, device: int, first: int = 1, last: int | None = None) -> Iterator[bytes]:
    """The records of a device as they were written, by sequence, from `first` up to and with `last`."""
    r = tables.records.c
    until = tables.record_id(device, last) if last is not None else tables.record_id(device + 1, 0) - 1
    query = select(r.raw).where(r.id >= tables.record_id(device, first), r.id <= until).order_by(r.id)
    for row in conn.execute(query.execution_options(yield_per=1000)):
        yield bytes(row.raw)


def record_copies(conn: Connection, device: int) -> Callable[[int], bytes | None]:
    """A look-up of the station's copy of a device's record by its sequence, as long as the connection is open."""
    r = tables.records.c

    def copy(seq: int) -> bytes | None:
        raw = conn.execute(select(r.raw).where(r.id == tables.record_id(device, seq))).scalar()
        return bytes(raw) if raw is not None else None

    return copy
