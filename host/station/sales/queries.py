"""What the faces read. Rows are frozen dataclasses; money in fen, volumes in ml, times in Unix seconds."""

from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal_column, select, true

from pump.core import records
from station import forecourt
from station.sales import facts, tables


@dataclass(frozen=True, slots=True)
class SaleRow:
    """One sale. None: not known yet. state: `open` (reserved, not ended), `ended` (waits for settlement), `settled`,
    `void` (nothing happened), `started` (the reservation is not confirmed)."""

    device: int
    seq: int
    station: str
    pump: str
    state: str
    card_no: str | None
    counter: int | None
    nozzle: int | None
    grade: int | None
    price_fen_per_l: int | None
    plate: str | None
    started: int | None
    ended: int | None
    settled: int | None
    reserved_fen: int | None
    amount_fen: int | None
    volume_ml: int | None
    total_start_ml: int | None
    total_end_ml: int | None
    overrun_ml: int | None
    duration_s: int | None
    reason: int | None  # pump.core.codes.STOP_*
    recovered: bool  # ended after a power loss, from the last checkpoint
    returned_fen: int | None
    balance_fen: int | None  # on the card after the settlement
    how: int | None  # pump.core.records.HOW_*
    is_reserved: int = 0  # 1: the card is known to have given the money
    on_account: int | None = None  # 1: an account owes it, 0: the card pays
    account: int | None = None


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """Something odd: reason is a code (station.sales.reasons.REASONS), place the topic or `device/seq`."""

    id: int
    reason: str
    place: str
    device: int | None
    seq: int | None
    detail: str
    raw: bytes
    first_at: int
    last_at: int
    times: int
    decided_at: int | None
    decision: str | None


@dataclass(frozen=True, slots=True)
class HourRow:
    """Sales of one grade in one hour (hour: its start)."""

    station: str
    grade: int
    hour: int
    sales: int
    volume_ml: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A card refused at a pump; code is pump.core.codes.REFUSE_*."""

    device: int
    seq: int
    at: int
    pump: str
    card_no: str
    uid: str
    code: int
    nozzle: int
    grade: int
    balance_fen: int


@dataclass(frozen=True, slots=True)
class GapRow:
    """Records of a device that wait for a forerunner: first_missing is the sequence the station waits for."""

    device: int
    pump: str
    acked_seq: int
    first_missing: int
    waiting: int
    since: int


def recent(
    conn: Connection,
    limit: int = 50,
    *,
    offset: int = 0,
    pump: str | None = None,
    card_no: str | None = None,
    grade: int | None = None,
    since: int | None = None,
    until: int | None = None,
    stations: Collection[str] | None = None,
) -> list[SaleRow]:
    """Sales, newest first (by end, else start); since <= time < until. stations: only of these, None: of all."""
    chosen = _filtered(select(tables.sales, *_PUMP), pump, card_no, grade, since, until, stations)
    query = chosen.order_by(_WHEN.desc(), tables.sales.c.id.desc()).limit(limit).offset(offset)
    return [_sale_row(row) for row in conn.execute(query)]


def recent_count(
    conn: Connection,
    *,
    pump: str | None = None,
    card_no: str | None = None,
    grade: int | None = None,
    since: int | None = None,
    until: int | None = None,
    stations: Collection[str] | None = None,
) -> int:
    """How many sales recent() would page through."""
    query = _filtered(select(func.count()).select_from(tables.sales), pump, card_no, grade, since, until, stations)
    return int(conn.execute(query).scalar() or 0)


def sale(conn: Connection, device: int, seq: int) -> SaleRow | None:
    """One sale by its name."""
    query = joined_to_pumps(select(tables.sales, *_PUMP)).where(tables.sales.c.id == tables.record_id(device, seq))
    row = conn.execute(query).first()
    return _sale_row(row) if row else None


def hourly(conn: Connection, since: int, until: int, stations: Collection[str] | None = None) -> list[HourRow]:
    """The roll-up of hours with since <= hour < until, by hour then grade; of these stations, or of all."""
    h = tables.hours.c
    query = select(tables.hours).where(h.hour >= since, h.hour < until).order_by(h.hour, h.grade, h.station)
    if stations is not None:
        query = query.where(h.station.in_(stations))
    return [HourRow(*row) for row in conn.execute(query)]


def quarantine(
    conn: Connection, limit: int = 100, *, offset: int = 0, undecided_only: bool = False
) -> list[QuarantineRow]:
    """What is kept in quarantine, newest first."""
    query: Select[Any] = select(*(tables.quarantine.c[field.name] for field in fields(QuarantineRow)))
    if undecided_only:
        query = query.where(tables.quarantine.c.decided_at.is_(None))
    newest = query.order_by(tables.quarantine.c.id.desc()).limit(limit).offset(offset)
    return [QuarantineRow(*row) for row in conn.execute(newest).all()]


def quarantine_count(conn: Connection, *, undecided_only: bool = False) -> int:
    """How many rows quarantine() would page through."""
    query = select(func.count()).select_from(tables.quarantine)
    if undecided_only:
        query = query.where(tables.quarantine.c.decided_at.is_(None))
    return int(conn.execute(query).scalar() or 0)


def refusals(conn: Connection, limit: int = 50) -> list[RefusalRow]:
    """Refused cards, newest first."""
    r = tables.records.c
    names = {pump.device: pump.pump for pump in forecourt.pumps(conn)}
    query = select(r.id, r.at, r.raw).where(r.kind == records.REFUSAL).order_by(r.at.desc(), r.id.desc()).limit(limit)
    found = []
    for row in conn.execute(query):
        device, seq = tables.split_id(row.id)
        uid, card_no, code, nozzle, grade, _, balance_fen, _ = records.body(bytes(row.raw))
        pump = names.get(device, str(device))
        found.append(RefusalRow(device, seq, row.at, pump, card_no.hex(), uid.hex(), code, nozzle, grade, balance_fen))
    return found


def gaps(conn: Connection) -> list[GapRow]:
    """Devices whose records arrive with one missing before them."""
    w, j = tables.waiting.c, tables.journals.c
    acked = {row.device: row.seq for row in conn.execute(select(j.device, j.seq))}
    names = {pump.device: pump.pump for pump in forecourt.pumps(conn)}
    query = select(w.device, func.count(), func.min(w.received)).group_by(w.device).order_by(w.device)
    return [
        GapRow(device, names.get(device, str(device)), acked.get(device, 0), acked.get(device, 0) + 1, number, since)
        for device, number, since in conn.execute(query)
    ]


_WHEN = func.coalesce(tables.sales.c.ended, tables.sales.c.started, tables.sales.c.settled, tables.sales.c.voided, 0)
_DEVICE = tables.sales.c.id.op(">>")(literal_column(str(tables.SEQ_BITS)))  # a bound value would be a bigint there
_PUMP = (forecourt.pumps_table.c.station, forecourt.pumps_table.c.pump)
_SHARED = {field.name for field in fields(SaleRow)} & {column.name for column in tables.sales.columns}


def joined_to_pumps(query: Select[Any]) -> Select[Any]:
    """A query over sales, with the pumps' names at hand."""
    return query.outerjoin_from(tables.sales, forecourt.pumps_table, forecourt.pumps_table.c.device == _DEVICE)


def _filtered(
    query: Select[Any],
    pump: str | None,
    card_no: str | None,
    grade: int | None,
    since: int | None,
    until: int | None,
    stations: Collection[str] | None,
) -> Select[Any]:
    conditions = (
        (pump, forecourt.pumps_table.c.pump == pump),
        (card_no, tables.sales.c.card_no == card_no),
        (grade, tables.sales.c.grade == grade),
        (since, since <= _WHEN if since is not None else true()),
        (until, until > _WHEN if until is not None else true()),
        (stations, forecourt.pumps_table.c.station.in_(stations or ())),
    )
    query = joined_to_pumps(query)
    for value, condition in conditions:
        if value is not None:
            query = query.where(condition)
    return query


def _sale_row(row: Row[Any]) -> SaleRow:
    device, seq = tables.split_id(row.id)
    shared = {name: getattr(row, name) for name in _SHARED}
    recovered = bool((row.flags or 0) & records.FLAG_RECOVERED)
    return SaleRow(
        device=device,
        seq=seq,
        station=row.station or "",
        pump=row.pump or str(device),
        state=facts.state(row),
        recovered=recovered,
        **shared,
    )
