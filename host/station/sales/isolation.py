"""Putting odd things into quarantine: whole, once each, with a reason; the same again only counts."""

import hashlib
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from station.platform.bulk import select_in
from station.sales import reasons
from station.sales.tables import quarantine

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
