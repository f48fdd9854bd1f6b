"""Shifts and closed days as the pumps' totalizers measured them, held to the sales in between, to the millilitre (D23).

A pump writes a SHIFT record when somebody comes on or goes off duty and when a manager closes its day; no sale runs at
that moment, so every sale of the pump lies wholly between two of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, literal_column, select

from pump.core import codes, records
from station import forecourt
from station.sales import outside, tables
from station.sales.chain import body_of

SHIFT, DAY = "shift", "day"
_BEGINS = {SHIFT: (codes.SHIFT_ON,), DAY: (codes.SHIFT_DAY,)}
_ENDS = {SHIFT: (codes.SHIFT_OFF,), DAY: (codes.SHIFT_DAY,)}


@dataclass(frozen=True, slots=True)
class NozzleSum:
    """One nozzle in a period. end_ml and unexplained_ml are None while it lasts.

    measured_ml = end_ml - start_ml by the totalizer; outside_ml: test measures and alarmed fuel.
    """

    nozzle: int
    grade: int | None
    start_ml: int
    end_ml: int | None
    sales: int
    sold_ml: int
    sold_fen: int
    outside_ml: int

    @property
    def measured_ml(self) -> int | None:
        return None if self.end_ml is None else self.end_ml - self.start_ml

    @property
    def unexplained_ml(self) -> int | None:
        """What the totalizer says beyond the records: 0, or somebody should look."""
        return None if self.measured_ml is None else self.measured_ml - self.sold_ml - self.outside_ml


@dataclass(frozen=True, slots=True)
class Period:
    """A shift or a day of one pump. number: the shift's (0 for days); card_no: of the person on duty; ended: None while
    it lasts. told_ml, told_fen, told_sales: what the pump itself counted for the shift."""

    kind: str
    device: int
    pump: str
    number: int
    card_no: str
    begun: int
    ended: int | None
    nozzles: tuple[NozzleSum, ...]
    told_sales: int | None
    told_ml: int | None
    told_fen: int | None

    @property
    def sold_ml(self) -> int:
        return sum(n.sold_ml for n in self.nozzles)

    @property
    def sold_fen(self) -> int:
        return sum(n.sold_fen for n in self.nozzles)

    @property
    def sales(self) -> int:
        return sum(n.sales for n in self.nozzles)

    @property
    def agrees(self) -> bool | None:
        """Totalizers, sales and the pump's own count say the same; None while it lasts."""
        if self.ended is None:
            return None
        told = self.kind == DAY or (self.told_sales, self.told_ml, self.told_fen) == (
            self.sales,
            self.sold_ml,
            self.sold_fen,
        )
        return told and all(n.unexplained_ml == 0 for n in self.nozzles)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A SHIFT record."""

    id: int
    at: int
    event: int
    totals: tuple[int, ...]
    card_no: str
    shift: int
    told: tuple[int, int, int]


def periods(conn: Connection, kind: str = SHIFT, limit: int = 50, pump: str | None = None) -> list[Period]:
    """The latest shifts (kind SHIFT) or closed days (DAY) of all pumps or one, newest first."""
    found = []
    for one in forecourt.pumps(conn):
        if pump in (None, one.pump):
            for begin, end in _pairs(_marks(conn, one.device), kind)[-limit:]:
                found.append(_period(conn, kind, one, begin, end))
    return sorted(found, key=lambda p: (p.begun, p.device), reverse=True)[:limit]


def on_duty(conn: Connection) -> dict[str, str]:
    """pump -> card number of the person on duty there, as far as the records tell."""
    duty = {}
    for one in forecourt.pumps(conn):
        last = next((m for m in reversed(_marks(conn, one.device)) if m.event != codes.SHIFT_DAY), None)
        if last is not None and last.event == codes.SHIFT_ON:
            duty[one.pump] = last.card_no
    return duty


def _marks(conn: Connection, device: int) -> list[_Mark]:
    r = tables.records.c
    mine = r.id.between(tables.record_id(device, 0), tables.record_id(device, 0xFFFFFFFF))
    # Written out, because only then may the partial index of the rare kinds serve.
    rare = r.kind > literal_column("7")
    query = select(r.id, r.at, r.raw).where(rare, r.kind == literal_column(str(records.SHIFT)), mine).order_by(r.id)
    marks = []
    for row in conn.execute(query):
        body = body_of(records.SHIFT, bytes(row.raw))
        if body and body[1] != codes.SHIFT_RESTATED:
            marks.append(_Mark(row.id, row.at, body[1], body[2:6], body[6].hex(), body[7], body[8:11]))
    return marks


def _pairs(marks: Iterable[_Mark], kind: str) -> list[tuple[_Mark, _Mark | None]]:
    """(begin, end) of each period; the last may have no end."""
    pairs: list[tuple[_Mark, _Mark | None]] = []
    begin: _Mark | None = None
    for mark in marks:
        if begin is not None and mark.event in _ENDS[kind]:
            pairs.append((begin, mark))
            begin = None
        if mark.event in _BEGINS[kind]:
            begin = mark
    return [*pairs, (begin, None)] if begin is not None else pairs


def _period(conn: Connection, kind: str, pump: forecourt.Pump, begin: _Mark, end: _Mark | None) -> Period:
    last_id = end.id if end is not None else tables.record_id(pump.device, 0xFFFFFFFF)
    sold = _sold(conn, begin.id, last_id)
    beside = _outside(conn, begin.id, last_id)
    sums = []
    for nozzle in pump.nozzles:
        n = nozzle.nozzle
        end_ml = end.totals[n] if end is not None else None
        sums.append(
            NozzleSum(n, nozzle.grade, begin.totals[n], end_ml, *sold.get(n, (0, 0, 0)), outside_ml=beside.get(n, 0))
        )
    told: Sequence[int | None] = end.told if end is not None and kind == SHIFT else (None, None, None)
    number, card_no = (begin.shift, begin.card_no) if kind == SHIFT else (0, "")
    ended = end.at if end is not None else None
    return Period(kind, pump.device, pump.pump, number, card_no, begin.at, ended, tuple(sums), *told)


def _sold(conn: Connection, after: int, before: int) -> dict[int, tuple[int, int, int]]:
    """nozzle -> (sales with fuel, ml, fen) of the sales begun between two records of one device."""
    s = tables.sales.c
    query = (
        select(s.nozzle, func.count(), func.sum(s.volume_ml), func.sum(s.amount_fen))
        .where(s.id > after, s.id < before, s.volume_ml > 0)
        .group_by(s.nozzle)
    )
    return {nozzle: (int(count), int(ml), int(fen)) for nozzle, count, ml, fen in conn.execute(query)}


def _outside(conn: Connection, after: int, before: int) -> dict[int, int]:
    """nozzle -> ml of test measures and of alarmed fuel between two records of one device."""
    r = tables.records.c
    kinds = r.kind.in_([literal_column(str(kind)) for kind in outside.MEASURES])
    query = select(r.kind, r.raw).where(r.kind > literal_column("7"), kinds, r.id > after, r.id < before)
    sums: dict[int, int] = {}
    for row in conn.execute(query):
        body = body_of(row.kind, bytes(row.raw))
        if body:
            nozzle, volume_ml, _ = outside.moved(row.kind, body)
            sums[nozzle] = sums.get(nozzle, 0) + volume_ml
    return sums
