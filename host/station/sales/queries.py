"""What the faces read. Rows are frozen dataclasses; money in fen, volumes in ml, times in Unix seconds."""

from dataclasses import dataclass

from sqlalchemy import Connection


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
) -> list[SaleRow]:
    """Sales, newest first (by end, else start); since <= time < until."""
    raise NotImplementedError


def recent_count(
    conn: Connection,
    *,
    pump: str | None = None,
    card_no: str | None = None,
    grade: int | None = None,
    since: int | None = None,
    until: int | None = None,
) -> int:
    """How many sales recent() would page through."""
    raise NotImplementedError


def sale(conn: Connection, device: int, seq: int) -> SaleRow | None:
    """One sale by its name."""
    raise NotImplementedError


def hourly(conn: Connection, since: int, until: int) -> list[HourRow]:
    """The roll-up of hours with since <= hour < until, by hour then grade."""
    raise NotImplementedError


def quarantine(conn: Connection, limit: int = 100, *, offset: int = 0, undecided_only: bool = False) -> list[QuarantineRow]:
    """What is kept in quarantine, newest first."""
    raise NotImplementedError


def quarantine_count(conn: Connection, *, undecided_only: bool = False) -> int:
    """How many rows quarantine() would page through."""
    raise NotImplementedError


def refusals(conn: Connection, limit: int = 50) -> list[RefusalRow]:
    """Refused cards, newest first."""
    raise NotImplementedError


def gaps(conn: Connection) -> list[GapRow]:
    """Devices whose records arrive with one missing before them."""
    raise NotImplementedError


def pump_total_ml(conn: Connection, device: int, nozzle: int) -> int:
    """The sum of a nozzle's sold, tested and alarmed volumes, as the totalizer should have moved."""
    raise NotImplementedError
