"""Which of the station's card lists each pump has taken, by the records that came in."""

from sqlalchemy import Connection, select, text

from pump.core import records
from station.sales import tables
from station.sales.chain import body_of

_RARE = text("kind > 7")  # the words of the index ix_records_rare


def list_versions(conn: Connection) -> dict[int, int]:
    """The newest list that each board wrote down (0: none), by device.

    Records come in their order: all that the board did before it took that list is in as well.
    """
    r = tables.records.c
    found = {}
    for device in conn.execute(select(tables.journals.c.device)).scalars():
        first, last = tables.record_id(device, 0), tables.record_id(device + 1, 0)
        mine = select(r.raw).where(_RARE, r.kind == records.LIST, r.id >= first, r.id < last)
        raw = conn.execute(mine.order_by(r.id.desc()).limit(1)).scalar()
        found[device] = int(body_of(records.LIST, bytes(raw))[1]) if raw is not None else 0
    return found
