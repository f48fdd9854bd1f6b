"""What the records say of the meters: factors and their history, prover readings, locks, totalizers (D8, D24, D25)."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, select, text

from pump.core import codes, metering, records, view
from pump.core.record_fields import body_dict
from station import forecourt
from station.sales import tables

FLAGGED_PPM = 3_000  # JJG 443-2023: +-0.30 %
LOCKING_PPM = 6_000
SPREAD_PPM = 1_000  # repeatability 0.10 %
_RARE = text("kind > 7")  # the words of the index ix_records_rare


@dataclass(frozen=True, slots=True)
class FactorChange:
    """One CALIBRATION: how is codes.FACTOR_*; error and repeatability are nought where none were measured."""

    device: int
    seq: int
    at: int
    pump: str
    nozzle: int
    events: int
    old_ppm: int
    new_ppm: int
    error_ppm: int
    repeatability_ppm: int
    card_no: str
    how: int


@dataclass(frozen=True, slots=True)
class Measure:
    """A test measure as drawn (prover_ml None), or what a prover said of it. volume_ml: indicated by the meter."""

    device: int
    seq: int
    at: int
    pump: str
    nozzle: int
    grade: int
    volume_ml: int
    run: int
    prover_ml: int | None
    error_ppm: int | None
    card_no: str

    @property
    def state(self) -> str:
        """`drawn`, `ok`, `flagged` beyond +-0.30 %, `locking` beyond +-0.6 %."""
        if self.error_ppm is None:
            return "drawn"
        if abs(self.error_ppm) > LOCKING_PPM:
            return "locking"
        return "flagged" if abs(self.error_ppm) > FLAGGED_PPM else "ok"


@dataclass(frozen=True, slots=True)
class MeterState:
    """One nozzle's meter as its pump last stated it."""

    device: int
    pump: str
    nozzle: int
    grade: int
    total_ml: int | None
    factor_ppm: int
    events: int
    locked: bool
    last: Measure | None  # the newest prover reading


@dataclass(frozen=True, slots=True)
class MeterEvent:
    """A line of the metrological event log: kind is `factor`, `lock`, `unlock`, `meter` (another board or meter) or
    `alarm`; the figures as in the record."""

    device: int
    seq: int
    at: int
    pump: str
    kind: str
    nozzle: int | None
    old: int
    new: int


def factor_history(conn: Connection, limit: int = 50) -> list[FactorChange]:
    """Changes of factors, newest first; restatements are none."""
    found = []
    for device, seq, at, pump, body in _bodies(conn, records.CALIBRATION, limit * 4):
        if body["how"] != codes.FACTOR_RESTATED:
            found.append(
                FactorChange(
                    device, seq, at, pump, body["nozzle"], body["event_count"], body["old_ppm"], body["new_ppm"],
                    body["error_ppm"], body["repeatability_ppm"], body["card_no"].hex(), body["how"],
                )
            )  # fmt: skip
    return found[:limit]


def measures(conn: Connection, limit: int = 50) -> list[Measure]:
    """Test measures and prover readings, newest first."""
    found = []
    for device, seq, at, pump, body in _bodies(conn, records.TEST_MEASURE, limit * 3):
        read = body["how"] == codes.TEST_PROVER
        volume_ml = body["total_end_ml"] - body["total_start_ml"]
        if read or volume_ml:
            found.append(
                Measure(
                    device, seq, at, pump, body["nozzle"], body["grade"], volume_ml, body["run"],
                    body["prover_ml"] if read else None, body["error_ppm"] if read else None, body["card_no"].hex(),
                )
            )  # fmt: skip
    return found[:limit]


def meters(conn: Connection) -> list[MeterState]:
    """Every nozzle of every pump, in their order."""
    factors: dict[tuple[int, int], tuple[int, int]] = {}
    for device, _, _, _, body in _bodies(conn, records.CALIBRATION, 1000):
        factors.setdefault((device, body["nozzle"]), (body["new_ppm"], body["event_count"]))
    last: dict[tuple[int, int], Measure] = {}
    for one in measures(conn, 500):
        if one.error_ppm is not None:
            last.setdefault((one.device, one.nozzle), one)
    out = []
    for pump in forecourt.pumps(conn):
        totals = _totals(conn, pump.device)
        locked = bool(int(pump.state.get("locked") or 0) & _LOCK_METER)
        for nozzle in pump.nozzles:
            key = pump.device, nozzle.nozzle
            factor_ppm, events = factors.get(key, (0, 0))
            out.append(
                MeterState(
                    pump.device, pump.pump, nozzle.nozzle, nozzle.grade, totals.get(nozzle.nozzle), factor_ppm, events,
                    locked, last.get(key),
                )
            )  # fmt: skip
    return out


def event_log(conn: Connection, limit: int = 50) -> list[MeterEvent]:
    """The metrological event log: factors, locks, strange meters and the meters' alarms, newest first."""
    found = [
        MeterEvent(c.device, c.seq, c.at, c.pump, "factor", c.nozzle, c.old_ppm, c.new_ppm)
        for c in factor_history(conn, limit)
    ]
    for device, seq, at, pump, body in _bodies(conn, records.SETTING, limit * 4):
        name, old, new = body["name"].rstrip(b"\0"), body["old"], body["new"]
        if name == b"meter_id" and old:
            found.append(MeterEvent(device, seq, at, pump, "meter", None, old, new))
        elif name == b"locked" and (old ^ new) & _LOCK_METER:
            found.append(MeterEvent(device, seq, at, pump, "lock" if new & _LOCK_METER else "unlock", None, old, new))
    for device, seq, at, pump, body in _bodies(conn, records.ALARM, limit * 4):
        if body["code"] in _ALARMS and body["raised"]:
            found.append(MeterEvent(device, seq, at, pump, "alarm", body["nozzle"], body["code"], body["value"]))
    return sorted(found, key=lambda event: (event.at, event.device, event.seq), reverse=True)[:limit]


_LOCK_METER = view.LOCK_METER
_ALARMS = (codes.ALARM_METER_LOCK, codes.ALARM_PULSER, codes.ALARM_OVERFLOW)


def _bodies(conn: Connection, kind: int, limit: int) -> list[tuple[int, int, int, str, dict[str, Any]]]:
    """(device, seq, at, pump, body by field) of the newest records of a kind."""
    r = tables.records.c
    names = {pump.device: pump.pump for pump in forecourt.pumps(conn)}
    query = select(r.id, r.at, r.raw).where(_RARE, r.kind == kind).order_by(r.at.desc(), r.id.desc()).limit(limit)
    found = []
    for row in conn.execute(query):
        device, seq = tables.split_id(row.id)
        found.append((device, seq, row.at, names.get(device, str(device)), body_dict(bytes(row.raw))))
    return found


def _totals(conn: Connection, device: int) -> dict[int, int]:
    """Totalizers by nozzle from the newest records of a device that state them."""
    r = tables.records.c
    first, last = tables.record_id(device, 0), tables.record_id(device + 1, 0)
    kinds = (records.END, records.TEST_MEASURE, records.ALARM, records.SHIFT, records.BOOT)
    query = select(r.kind, r.raw).where(r.id >= first, r.id < last, r.kind.in_(kinds)).order_by(r.id.desc())
    totals: dict[int, int] = {}
    for row in conn.execute(query.limit(500)):
        body = body_dict(bytes(row.raw))
        if row.kind in (records.SHIFT, records.BOOT):
            for nozzle in range(4):
                totals.setdefault(nozzle, body[f"total{nozzle}_ml"])
            break
        if row.kind != records.ALARM or body["volume_ml"]:
            totals.setdefault(body["nozzle"], body["total_ml" if row.kind == records.ALARM else "total_end_ml"])
    return totals


@dataclass(frozen=True, slots=True)
class EndPulses:
    """What a sale's END says of its pulses; volume_ml with the factor in force then."""

    pulses_a: int
    pulses_b: int
    volume_ml: int


_END_WITHIN = 400  # records between START and END of a sale, as the pump itself looks


def end_pulses(conn: Connection, device: int, sale_seq: int) -> EndPulses | None:
    """Pulses and litres of a sale or a test measure by its first record; None while its end has not come."""
    r = tables.records.c
    first = tables.record_id(device, sale_seq)
    kinds = (records.END, records.TEST_MEASURE)
    query = select(r.raw).where(r.id > first, r.id <= first + _END_WITHIN, r.kind.in_(kinds)).order_by(r.id).limit(1)
    row = conn.execute(query).first()
    if row is None:
        return None
    body = body_dict(bytes(row.raw))
    if body.get("sale_seq", sale_seq) != sale_seq:
        return None
    return EndPulses(body["pulses_a"], body["pulses_b"], body["volume_ml"])


@dataclass(frozen=True, slots=True)
class ProverState:
    """Where a test at a pump stands. step: `drawing`, `reading` (the prover), `next` (draw) or `done`; errors in ppm by
    run; the last three are known after three runs, new_ppm not if the meter does not repeat itself."""

    device: int
    pump: str
    nozzle: int
    at: int
    step: str
    run: int
    errors: tuple[int, ...]
    mean_ppm: int | None = None
    spread_ppm: int | None = None
    new_ppm: int | None = None


RUNS = 3


def provers(conn: Connection, now: int, within_s: int = 900) -> list[ProverState]:
    """Tests that are going on, or ended a while ago, by pump and nozzle."""
    series: dict[tuple[int, int], list[tuple[int, str, dict[str, Any]]]] = {}
    closed: set[tuple[int, int]] = set()
    for device, _, at, pump, body in _bodies(conn, records.TEST_MEASURE, 100):
        key = device, body["nozzle"]
        if at < now - within_s or key in closed:
            continue
        series.setdefault(key, []).append((at, pump, body))
        begins = not body["volume_ml"] and body["how"] == codes.TEST_RETURN
        if begins and body["run"] == 1:
            closed.add(key)
    factors = {(one.device, one.nozzle): one.factor_ppm for one in meters(conn)} if series else {}
    return [_prover(key, some, factors.get(key, 0)) for key, some in sorted(series.items())]


def _prover(key: tuple[int, int], newest_first: list[tuple[int, str, dict[str, Any]]], factor_ppm: int) -> ProverState:
    at, pump, last = newest_first[0]
    readings = [body for _, _, body in reversed(newest_first) if body["how"] == codes.TEST_PROVER]
    errors = tuple(body["error_ppm"] for body in readings)
    if last["how"] == codes.TEST_PROVER:
        step = "done" if last["run"] == RUNS else "next"
    else:
        step = "reading" if last["volume_ml"] else "drawing"
    state = ProverState(*key[:1], pump, key[1], at, step, last["run"], errors)
    if step != "done" or len(errors) != RUNS:
        return state
    mean, spread = metering.mean_ppm(errors), max(errors) - min(errors)
    new_ppm = metering.corrected_ppm(factor_ppm, mean) if spread <= SPREAD_PPM else None
    return replace(state, mean_ppm=mean, spread_ppm=spread, new_ppm=new_ppm)
