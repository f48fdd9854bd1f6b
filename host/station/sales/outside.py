"""Fuel that went through a meter without being sold: alarmed leaks, and test measures that were returned to the tank.

Posted in litres as the records come in (intake), and the totalizers held to it: between any two records of a nozzle
they move by what was sold, tested and alarmed, and by nothing else (D18).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, select

from pump.core import records
from station import forecourt, ledger
from station.ledger import Finding
from station.sales import reasons, tables
from station.sales.chain import Proven, body_of
from station.sales.isolation import Oddity

MEASURES = (records.ALARM, records.TEST_MEASURE)


def post(conn: Connection, proven: list[Proven], pumps: Mapping[int, forecourt.Pump]) -> list[Oddity]:
    """Fuel alarmed outside any sale leaves the tank; fuel of a test measure leaves it and returns. Returns the odd."""
    entries, odd = [], []
    for record in proven:
        if record.kind not in MEASURES:
            continue
        nozzle, volume_ml, fits = moved(record.kind, record.body)
        if volume_ml == 0:
            continue
        grade = next((n.grade for n in pumps[record.device].nozzles if n.nozzle == nozzle), None)
        place = f"{record.device}/{record.seq}"
        if grade is None or not fits:
            reason = reasons.IMPOSSIBLE if grade else reasons.UNKNOWN_GRADE
            odd.append(Oddity(reason, place, record.raw, record.device, record.seq, f"nozzle {nozzle}"))
            continue
        tank = ledger.tank(grade)
        if record.kind == records.ALARM:
            line = ledger.Transfer(tank, ledger.alarm_fuel(grade), volume_ml, ledger.ML)
            entries.append(ledger.Entry(f"alarm:{record.id}", record.at, line))
        else:
            drawn = ledger.Transfer(tank, ledger.tested(grade), volume_ml, ledger.ML)
            back = ledger.Transfer(ledger.tested(grade), tank, volume_ml, ledger.ML)
            entries.append(ledger.Entry(f"test:{record.id}", record.at, drawn))
            entries.append(ledger.Entry(f"return:{record.id}", record.at, back))
    ledger.post_many(conn, entries)
    return odd


def moved(kind: int, body: tuple[Any, ...]) -> tuple[int, int, bool]:
    """(nozzle, volume_ml, whether its own totals agree)."""
    if kind == records.ALARM:
        return body[1], body[4], True
    volume_ml, start_ml, end_ml = body[2], body[3], body[4]
    return body[0], volume_ml, end_ml - start_ml == volume_ml


def totalizers(conn: Connection) -> Iterator[Finding]:
    """Every step of every totalizer that the records do not explain."""
    r = tables.records.c
    kinds = (records.BOOT, records.SHIFT, records.END, *MEASURES)
    query = select(r.id, r.kind, r.raw).where(r.kind.in_(kinds)).order_by(r.id)
    known: dict[tuple[int, int], int] = {}
    for row in conn.execute(query.execution_options(yield_per=1000)):
        device, seq = tables.split_id(row.id)
        for nozzle, before_ml, after_ml in _steps(row.kind, body_of(row.kind, bytes(row.raw))):
            last_ml = known.get((device, nozzle), before_ml)
            if before_ml != last_ml:
                place = f"{device}/{seq} 油枪 nozzle {nozzle + 1}"
                yield Finding(
                    "totalizers", f"{place} 累计读数从 {last_ml} 跳到 {before_ml} ml the totalizer jumped unexplained"
                )
            known[device, nozzle] = after_ml


def _steps(kind: int, body: tuple[Any, ...]) -> list[tuple[int, int, int]]:
    """(nozzle, totalizer before, after) as a record states them."""
    if not body:
        return []
    if kind in (records.BOOT, records.SHIFT):
        totals = body[4:8] if kind == records.BOOT else body[2:6]
        return [(nozzle, total_ml, total_ml) for nozzle, total_ml in enumerate(totals)]
    if kind == records.END:
        return [(body[4], body[13], body[14])]
    if kind == records.TEST_MEASURE:
        return [(body[0], body[4] - body[2], body[4])]
    _, nozzle, _, _, volume_ml, total_ml = body
    return [(nozzle, total_ml - volume_ml, total_ml)] if volume_ml else []
