"""Putting odd things into quarantine: whole, once each, with a reason; the same again only counts."""

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from pump.core import records
from station.platform.bulk import select_in
from station.sales import reasons
from station.sales.tables import SEQ_BITS, quarantine

_NAMES_SALE = frozenset((records.RESERVED, records.SETTLED, records.VOID))
RAW_LIMIT = 65_536  # no message of ours is longer; more is cut and the cut is told


@dataclass(frozen=True, slots=True)
class Oddity:
    """reason: station.sales.reasons; place: the topic or `device/seq`; raw: the bytes as they came."""

    reason: str
    place: str
    raw: bytes
    device: int | None = None
    seq: int | None = None
    detail: str = ""

    @property
    def digest(self) -> str:
        head = f"{self.reason}\0{self.place}\0{self.device}\0{self.seq}\0"
        return hashlib.sha256(head.encode() + self.raw).hexdigest()


def isolate(conn: Connection, oddities: list[Oddity], now: int) -> None:
    """Keeps the oddities. now: Unix seconds."""
    by_digest: dict[str, list[Oddity]] = {}
    for oddity in oddities:
        by_digest.setdefault(oddity.digest, []).append(oddity)
    known = {row.digest for row in select_in(conn, select(quarantine.c.digest), quarantine.c.digest, by_digest)}
    for digest, same in by_digest.items():
        one = same[0]
        if digest in known:
            counted = update(quarantine).where(quarantine.c.digest == digest)
            conn.execute(counted.values(times=quarantine.c.times + len(same), last_at=now))
            continue
        detail = one.detail
        if len(one.raw) > RAW_LIMIT:
            detail = f"{detail} (cut from {len(one.raw)} bytes)".strip()
        conn.execute(
            insert(quarantine).values(
                digest=digest,
                reason=one.reason,
                place=one.place[:200],
                device=one.device,
                seq=one.seq,
                detail=detail,
                raw=one.raw[:RAW_LIMIT],
                first_at=now,
                last_at=now,
                times=len(same),
            )
        )


def isolate_message(conn: Connection, topic: str, payload: bytes, why: str, now: int) -> None:
    """Keeps an MQTT message that is not what its topic carries."""
    isolate(conn, [Oddity(reasons.MALFORMED, topic, payload, detail=why[:200])], now)


def sale_id(kind: int, device: int, seq: int, body: tuple[Any, ...]) -> int | None:
    """The sale that a record speaks of; None for records of other kinds."""
    if kind == records.END:
        seq = body[0]
    elif kind in _NAMES_SALE:
        device, seq = body[:2]
    elif kind != records.START:
        return None
    return device << SEQ_BITS | seq


def kept_records(conn: Connection, reason: str, device: int, seq: int) -> list[bytes]:
    """The bytes kept under this reason for one sequence of a device."""
    q = quarantine.c
    query = select(q.raw).where(q.reason == reason, q.device == device, q.seq == seq).order_by(q.id)
    return [bytes(row.raw) for row in conn.execute(query)]


def records_with(conn: Connection, reason: str) -> list[int]:
    """The sales (ids) that records kept under this reason speak of."""
    q = quarantine.c
    raws = [bytes(row.raw) for row in conn.execute(select(q.raw).where(q.reason == reason))]
    found = []
    for raw in filter(records.is_whole, raws):
        kind, _, device, seq, _, _, _ = records.header(raw)
        identity = sale_id(kind, device, seq, records.body(raw) if kind in records.BODIES else ())
        if identity is not None:
            found.append(identity)
    return found
