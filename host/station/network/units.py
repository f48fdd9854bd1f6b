"""The tree of units, region over city over area over station, and which part of it a person sees (O7)."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select

from station.network import tables
from station.platform import audit
from station.platform.bulk import upsert_rows

REGION, CITY, AREA, STATION = "region", "city", "area", "station"
KINDS = (REGION, CITY, AREA, STATION)  # from the top down


class UnitError(ValueError):
    """No such place in the tree; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Unit:
    """unit: its short name; a station's is the one its pumps are registered under. parent: None at the top."""

    unit: str
    kind: str
    parent: str | None
    name: str


def tree(conn: Connection) -> list[Unit]:
    """All units, each after its parent."""
    t = tables.units.c
    rows = [Unit(*row) for row in conn.execute(select(t.unit, t.kind, t.parent, t.name).order_by(t.unit))]
    below: dict[str | None, list[Unit]] = {}
    for unit in rows:
        below.setdefault(unit.parent, []).append(unit)

    def walk(parent: str | None) -> list[Unit]:
        return [found for unit in below.get(parent, []) for found in (unit, *walk(unit.unit))]

    return walk(None)


def add(conn: Connection, unit: Unit, by: str, now: int) -> None:
    """Puts a unit into the tree, under a unit of a higher kind. Raises UnitError."""
    known = {found.unit: found for found in tree(conn)}
    if not unit.unit.strip() or unit.unit in known:
        raise UnitError(f"单位代号为空或已存在 the unit's name is empty or taken: {unit.unit}")
    if unit.kind not in KINDS:
        raise UnitError(f"级别须为 {'、'.join(KINDS)} 之一 the kind must be one of them")
    if unit.parent is not None:
        above = known.get(unit.parent)
        if above is None:
            raise UnitError(f"没有上级单位 there is no unit {unit.parent}")
        if KINDS.index(above.kind) >= KINDS.index(unit.kind):
            raise UnitError("上级单位的级别须更高 the unit above must be of a higher kind")
    row = {"unit": unit.unit, "kind": unit.kind, "parent": unit.parent, "name": unit.name.strip() or unit.unit}
    conn.execute(insert(tables.units), row)
    audit.record(conn, now, by, "unit.add", unit.unit, {}, row)


def assign(conn: Connection, person: str, unit: str | None, by: str, now: int) -> None:
    """From now on this person sees that unit and what is below it; None: everything. Raises UnitError."""
    if unit is not None and unit not in {found.unit for found in tree(conn)}:
        raise UnitError(f"没有这个单位 there is no unit {unit}")
    t = tables.scopes
    old = conn.execute(select(t.c.unit).where(t.c.person == person)).scalar()
    if unit is None:
        conn.execute(delete(t).where(t.c.person == person))
    else:
        upsert_rows(conn, t, [(person, unit)])
    audit.record(conn, now, by, "staff.scope", person, {"unit": old}, {"unit": unit})


def scope_of(conn: Connection, person: str) -> frozenset[str] | None:
    """The stations this person sees; None: all, because no unit was assigned."""
    t = tables.scopes.c
    top = conn.execute(select(t.unit).where(t.person == person)).scalar()
    return None if top is None else stations_below(conn, top)


def with_parents(found: Iterable[Unit], scope: frozenset[str] | None) -> frozenset[str]:
    """The units that someone sees who sees these stations: them and what they are in; all of them for None."""
    units = {unit.unit: unit for unit in found}
    if scope is None:
        return frozenset(units)
    seen = set()
    for station in scope:
        unit = units.get(station)
        while unit is not None:
            seen.add(unit.unit)
            unit = units.get(unit.parent) if unit.parent else None
    return frozenset(seen)


def stations_below(conn: Connection, top: str) -> frozenset[str]:
    """The stations of a unit."""
    inside: set[str] = {top}
    found = []
    for unit in tree(conn):  # parents come first
        if unit.unit == top or unit.parent in inside:
            inside.add(unit.unit)
            found += [unit.unit] if unit.kind == STATION else []
    return frozenset(found)
