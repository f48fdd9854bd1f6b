"""Each device's chain of records: what comes is put in order and proven by its mac before anything is made of it.

A record that does not continue the chain is kept in quarantine and never acknowledged: the pump keeps the genuine one
and sends it again, so a forgery frees nothing; only that one device's queue stands still, and its pump goes on selling
until its journal is full. Whole records ahead of a gap wait in a table of their own, where several candidates for one
sequence can lie until the chain decides. A person may admit a record that the chain cannot prove (decisions.admit).
"""

import hashlib
import hmac
import struct
from binascii import crc32
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select

from pump.core import records
from station.platform.bulk import select_in, upsert_rows
from station.sales import reasons, tables
from station.sales.isolation import Oddity
from station.sales.tables import SEQ_BITS

Mac = Callable[[bytes, bytes], bytes]

AHEAD_LIMIT = 20_480  # twice what a journal holds
FUTURE_S = 86_400  # a wall time further ahead than this is not believed


Header = tuple[int, int, int, int, int, int, int, bytes]  # as pump.core.records.header gives it, and the mac
Body = tuple[Any, ...]  # as pump.core.records.body gives it; () for an unknown kind


class Proven(NamedTuple):
    """A record in its place. at: resolved wall time, Unix seconds; trusted: its mac was checked."""

    id: int
    device: int
    seq: int
    kind: int
    quality: int
    at: int
    raw: bytes
    body: Body
    trusted: bool = True


_FRAME = struct.Struct(f"{records.HEADER}{records.BODY_SIZE}x{records.MAC_SIZE}sI")
_BODIES = {kind: struct.Struct(body) for kind, body in records.BODIES.items()}


def header_of(raw: bytes) -> Header | None:
    """The header of 128 bytes; None if they are not a whole record (version, CRC)."""
    version, kind, quality, _, device, seq, boot, uptime_s, wall_s, mac, crc = _FRAME.unpack(raw)
    if version != records.VERSION or crc != crc32(raw[: records.CRC_AT]):
        return None
    return kind, quality, device, seq, boot, uptime_s, wall_s, mac


def body_of(kind: int, raw: bytes) -> Body:
    """records.body with its formats compiled once."""
    opener = _BODIES.get(kind)
    return opener.unpack_from(raw, records.BODY_AT) if opener else ()


def mac_of(key: bytes) -> Mac:
    """(mac of the record before, record) -> its mac: records.mac with the key's two blocks hashed once."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded))
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def mac(previous_mac: bytes, record: bytes) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(previous_mac + record[: records.MAC_AT])
        outside.update(inside.digest())
        return outside.digest()[: records.MAC_SIZE]

    return mac


@dataclass(slots=True)
class Head:
    """How far a device's chain is proven, and its clock as last known in this boot."""

    device: int
    seq: int = 0
    mac: bytes = records.CHAIN_START
    boot: int = 0
    clock_offset_s: int | None = None


@dataclass(slots=True)
class Link:
    """One device's chain during a batch: feed it records, take what is proven, then save it."""

    head: Head
    mac: Mac = field(repr=False)
    waiting: dict[int, list[bytes]]
    now: int
    proven: list[Proven] = field(default_factory=list)
    repeated: list[bytes] = field(default_factory=list)
    odd: list[Oddity] = field(default_factory=list)
    fresh_waiting: list[tuple[int, bytes]] = field(default_factory=list)
    stale_waiting: bool = False

    def take(self, raw: bytes, header: Header) -> None:
        """One whole record that names this device, and its header."""
        seq = header[3]
        if seq <= self.head.seq:
            self.repeated.append(raw)
        elif seq == self.head.seq + 1:
            if self._continues(raw, header):
                self._append(raw, header, True)
                if self.waiting:
                    self._take_waiting()
            else:
                self.odd.append(self._oddity(reasons.BAD_MAC, raw, seq))
        elif seq - self.head.seq > AHEAD_LIMIT:
            self.odd.append(self._oddity(reasons.TOO_FAR_AHEAD, raw, seq))
        elif raw not in self.waiting.setdefault(seq, []):
            self.waiting[seq].append(raw)
            self.fresh_waiting.append((seq, raw))

    def admit(self, raw: bytes) -> None:
        """Takes a whole record on a person's word: it becomes the head whatever its mac and sequence."""
        header = header_of(raw)
        assert header, "only whole records are kept as records"
        self._append(raw, header, False)
        self._take_waiting()

    def _take_waiting(self) -> None:
        while candidates := self.waiting.pop(self.head.seq + 1, None):
            self.stale_waiting = True
            seq = self.head.seq + 1
            for raw in candidates:
                header = header_of(raw)
                if header and self.head.seq < seq and self._continues(raw, header):
                    self._append(raw, header, True)
                else:
                    self.odd.append(self._oddity(reasons.BAD_MAC, raw, seq))

    def _continues(self, raw: bytes, header: Header) -> bool:
        return hmac.compare_digest(self.mac(self.head.mac, raw), header[7])

    def _append(self, raw: bytes, header: Header, trusted: bool) -> None:
        kind, quality, device, seq, boot, uptime_s, wall_s, mac = header
        head = self.head
        if boot != head.boot:
            head.boot, head.clock_offset_s = boot, None
        at = self.now
        if quality != records.TIME_UNKNOWN and 0 < wall_s <= self.now + FUTURE_S:
            at = wall_s
            head.clock_offset_s = wall_s - uptime_s
        elif head.clock_offset_s is not None:
            at = head.clock_offset_s + uptime_s
        head.seq, head.mac = seq, mac
        body = body_of(kind, raw)
        self.proven.append(Proven(device << SEQ_BITS | seq, device, seq, kind, quality, at, raw, body, trusted))

    def _oddity(self, reason: str, raw: bytes, seq: int) -> Oddity:
        return Oddity(reason, f"{self.head.device}/{seq}", raw, self.head.device, seq)


def open_links(conn: Connection, keys: dict[int, bytes], now: int) -> dict[int, Link]:
    """The chains of these devices as the database has them. keys: device -> journal key."""
    links = {device: Link(Head(device), mac_of(key), {}, now) for device, key in keys.items()}
    j = tables.journals.c
    for row in select_in(conn, select(j.device, j.seq, j.mac, j.boot, j.clock_offset_s), j.device, links):
        links[row.device].head = Head(row.device, row.seq, bytes(row.mac), row.boot, row.clock_offset_s)
    w = tables.waiting.c
    for row in select_in(conn, select(w.device, w.seq, w.raw).order_by(w.seq, w.digest), w.device, links):
        links[row.device].waiting.setdefault(row.seq, []).append(bytes(row.raw))
    return links


def save(conn: Connection, links: Iterable[Link]) -> list[Oddity]:
    """Writes heads and waiting records back; returns what is odd, repeats that differ from the kept record too."""
    heads, ahead, odd = [], [], []
    for link in links:
        head = link.head
        if link.proven:
            heads.append((head.device, head.seq, head.mac, head.boot, head.clock_offset_s, link.now))
        if link.stale_waiting:
            conn.execute(
                delete(tables.waiting).where(tables.waiting.c.device == head.device, tables.waiting.c.seq <= head.seq)
            )
        for seq, raw in link.fresh_waiting:
            if seq > head.seq:
                ahead.append((head.device, seq, hashlib.sha256(raw).hexdigest(), link.now, raw))
        odd += link.odd + _differing(conn, link)
    upsert_rows(conn, tables.journals, heads)
    upsert_rows(conn, tables.waiting, ahead, keep=True)
    return odd


def _differing(conn: Connection, link: Link) -> list[Oddity]:
    if not link.repeated:
        return []
    came = {tables.record_id(link.head.device, records.header(raw)[3]): raw for raw in link.repeated}
    kept = {proven.id: proven.raw for proven in link.proven}
    r = tables.records.c
    kept |= {row.id: bytes(row.raw) for row in select_in(conn, select(r.id, r.raw), r.id, came)}
    odd = []
    for raw in dict.fromkeys(link.repeated):
        seq = records.header(raw)[3]
        before = kept.get(tables.record_id(link.head.device, seq))
        if before is not None and before != raw:
            odd.append(Oddity(reasons.CONTRADICTION, f"{link.head.device}/{seq}", raw, link.head.device, seq))
    return odd
