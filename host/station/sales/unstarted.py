"""Sales that records speak of although nobody ever began them: a settlement that names a number under which its pump
wrote something else. Provable only once that number is in, whichever of the two comes first; until then it waits."""

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, and_, select

from pump.core import records
from station.platform.bulk import select_in
from station.sales import reasons, tables
from station.sales.chain import Proven
from station.sales.isolation import Oddity


def unstarted(conn: Connection, proven: Sequence[Proven], spoken_of: Collection[int]) -> list[Oddity]:
    """What these records, and the sales (ids) they speak of, prove. Nothing is posted for such a sale (facts.stage)."""
    s, r = tables.sales.c, tables.records.c
    ids = {record.id for record in proven if record.kind != records.START}
    ids.update(spoken_of)
    begun_by = and_(r.id == s.id, r.kind != records.START)
    query = select(s.id, r.kind).join(tables.records, begun_by).where(s.grade.is_(None))
    odd = []
    for row in select_in(conn, query, s.id, ids):
        device, seq = tables.split_id(row.id)
        odd.append(Oddity(reasons.BAD_SETTLEMENT, f"{device}/{seq}", b"", device, seq, f"kind {row.kind}"))
    return odd
