"""What people decide where records are missing or cannot be proven. Kept for ever, with names and reasons."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pump.core import records
from station import forecourt
from station.platform.secrets import Secrets
from station.sales import chain, isolation, reasons, tables
from station.sales.facts import Facts
from station.sales.intake import Merge, settle


def decide(conn: Connection, identity: int, what: str, content: dict[str, Any], by: str, why: str, at: int) -> None:
    """Facts of a sale that no record will bring; merged and posted like a record's."""
    _note(conn, identity, what, content, by, why, at)
    merge = Merge(conn, {pump.device: pump for pump in forecourt.pumps(conn)}, at)
    merge.load([identity])
    sale = merge.sales.setdefault(identity, Facts(identity))
    for name, value in content.items():
        setattr(sale, name, value)
    merge.touched[identity] = None
    merge.save()
    isolation.isolate(conn, merge.odd, at)


def decided(conn: Connection) -> Iterator[tuple[int, dict[str, Any]]]:
    """(sale id, facts) of all decisions about sales, in their order."""
    d = tables.decisions.c
    for row in conn.execute(select(d.sale, d.content).where(d.what != "admit").order_by(d.id)).all():
        yield row.sale, json.loads(row.content)


def admit(conn: Connection, secrets: Secrets, device: int, seq: int, by: str, why: str, at: int) -> int:
    """Takes a kept record into its device's chain on a person's word: after a gap that will not close, or with a mac
    that does not fit (a board whose key was lost). What follows is proven against it again.

    Returns the sequence now acknowledged. Raises ValueError if there is not exactly one such record.
    """
    if not by.strip() or not why.strip():
        raise ValueError("须写明姓名与原因 a name and a reason are needed")
    if forecourt.pump_of_device(conn, device) is None:
        raise ValueError(f"未知设备 unknown device {device}")
    link = chain.open_links(conn, {device: secrets.device(device).journal}, at)[device]
    if seq <= link.head.seq:
        raise ValueError(f"记录 {seq} 已入链 record {seq} is in the chain already")
    kept = [*link.waiting.pop(seq, [])]
    if seq == link.head.seq + 1:
        kept += [raw for raw in isolation.kept_records(conn, reasons.BAD_MAC, device, seq) if records.is_whole(raw)]
    if len(kept) != 1:
        raise ValueError(
            f"符合条件的记录有 {len(kept)} 条，须恰好一条 {len(kept)} such records are kept, not exactly one"
        )
    link.stale_waiting = True
    link.admit(kept[0])
    q = tables.quarantine.c
    settled = update(tables.quarantine).where(q.device == device, q.seq == seq, q.decided_at.is_(None))
    conn.execute(settled.values(decided_at=at, decision=f"admit: {by}: {why}"))
    _note(conn, tables.record_id(device, seq), "admit", {}, by, why, at)
    odd = settle(conn, [link], {pump.device: pump for pump in forecourt.pumps(conn)}, at)
    isolation.isolate(conn, odd, at)
    return link.head.seq


def dismiss(conn: Connection, quarantine_id: int, by: str, why: str, at: int) -> None:
    """Marks a row of the quarantine as looked at. Raises ValueError if there is none that waits for it."""
    if not by.strip() or not why.strip():
        raise ValueError("须写明姓名与原因 a name and a reason are needed")
    q = tables.quarantine.c
    marked = update(tables.quarantine).where(q.id == quarantine_id, q.decided_at.is_(None))
    if conn.execute(marked.values(decided_at=at, decision=f"{by}: {why}")).rowcount != 1:
        raise ValueError(f"隔离区没有待处理的 {quarantine_id} nothing undecided under {quarantine_id}")


def _note(conn: Connection, identity: int, what: str, content: dict[str, Any], by: str, why: str, at: int) -> None:
    decision = {"sale": identity, "at": at, "what": what, "content": json.dumps(content), "by_whom": by, "why": why}
    conn.execute(insert(tables.decisions).values(decision))
