"""Rules as they stand: versions that say who changed what and why, and what has been used of them."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from station import accounts, cards, sales
from station.fleets import units, vehicles
from station.fleets.rules import Rules, Used, carried, from_json, held_ml, moment, to_json
from station.fleets.tables import rules as table
from station.fleets.vehicles import Vehicle
from station.platform import audit


@dataclass(frozen=True, slots=True)
class Version:
    """Rules of a subject (`unit:3`, `vehicle:7`) and since when they hold."""

    subject: str
    version: int
    rules: Rules
    at: int
    by: str
    why: str


def of_unit(account: int) -> str:
    """The name of a company or a part of one as a subject of rules."""
    return f"unit:{account}"


def of_vehicle(identity: int) -> str:
    """The name of a vehicle as a subject of rules."""
    return f"vehicle:{identity}"


def rules(conn: Connection, subject: str) -> Rules:
    """What holds for the subject now; no rules if nobody set any."""
    found = conn.execute(select(table.c.rules).where(table.c.subject == subject).order_by(table.c.version.desc()))
    newest = found.first()
    return from_json(newest.rules) if newest else Rules()


def set_rules(conn: Connection, subject: str, new: Rules, by: str, why: str, now: int) -> Version:
    """Other rules from the next question on. RulesError, cards.RulesError for what a vehicle's card cannot carry,
    FleetError for a subject that is none."""
    new.check()
    kind, _, number = subject.partition(":")
    if not number.isdigit() or kind not in ("unit", "vehicle"):
        raise units.FleetError("规则须属于单位或车辆 rules belong to a unit or a vehicle")
    if kind == "unit":
        units.unit(conn, int(number))
    else:
        vehicles.vehicle(conn, int(number))
        carried([new]).check()  # a vehicle's own sums of the day go onto its card
    if not why.strip():
        raise units.FleetError("须写明原因 say why")
    old = versions(conn, subject)
    made = Version(subject, (old[0].version if old else 0) + 1, new, now, by, why.strip())
    row = {"subject": subject, "version": made.version, "at": now, "by": by, "why": made.why}
    conn.execute(insert(table).values(rules=json.dumps(to_json(new)), **row))
    audit.record(conn, now, by, "fleet.rules", subject, to_json(old[0].rules) if old else {}, to_json(new), made.why)
    return made


def versions(conn: Connection, subject: str) -> list[Version]:
    """All versions of a subject's rules, newest first."""
    rows = conn.execute(select(table).where(table.c.subject == subject).order_by(table.c.version.desc()))
    return [Version(r.subject, r.version, from_json(r.rules), r.at, r.by, r.why) for r in rows]


def subjects_of(conn: Connection, account: int, vehicle: Vehicle | None) -> list[str]:
    """Whose rules a sale must pass: the vehicle's, then the paying unit's and those of all above it."""
    own = [of_vehicle(vehicle.id)] if vehicle else []
    return own + [of_unit(number) for number in units.line_of(conn, account)]


def used(conn: Connection, subject: str, card_no: str, price_fen_per_l: int, now: int) -> Used:
    """What the subject has used of its sums. card_no: the vehicle's, at whose card a vehicle's sums are kept.

    What is lent and not known to be used counts as used: pumps may be selling on it.
    """
    day, month, _ = moment(now)
    kind, _, number = subject.partition(":")
    if kind == "unit":
        below = units.tree(conn, int(number))
        today, all_month = sales.bought(conn, day, below), sales.bought(conn, month, below)
        lent = accounts.lent_fen(conn)
        out_fen = sum(lent.get(account, 0) for account in below)
    else:
        today, all_month = sales.bought(conn, day, card_no=card_no), sales.bought(conn, month, card_no=card_no)
        out_fen = sum(accounts.lent_fen(conn, card_no=card_no).values())
    out_ml = held_ml(out_fen, price_fen_per_l)
    fills = today.fills + (kind == "vehicle" and out_fen > 0)
    return Used(today.fen + out_fen, today.ml + out_ml, fills, all_month.fen + out_fen, all_month.ml + out_ml)


def to_carry(conn: Connection, vehicle: Vehicle) -> cards.Rules:
    """What the vehicle's card should demand by itself. RulesError."""
    return carried(rules(conn, subject) for subject in subjects_of(conn, vehicle.unit, vehicle))


def is_behind(conn: Connection, vehicle: Vehicle) -> bool:
    """True if the vehicle's card was not written since its rules last changed."""
    if not vehicle.card_no:
        return False
    subjects = subjects_of(conn, vehicle.unit, vehicle)
    changed = conn.execute(select(func.max(table.c.at)).where(table.c.subject.in_(subjects))).scalar()
    written = max((e.at for e in cards.events(conn, vehicle.card_no) if e.event == "rules"), default=0)
    return changed is not None and written < changed


def hours_of(conn: Connection, vehicle: Vehicle) -> tuple[int, ...]:
    """The hours at which the vehicle may fuel; empty: at any."""
    named = [set(rules(conn, one).hours) for one in subjects_of(conn, vehicle.unit, vehicle)]
    some = [one for one in named if one]
    return tuple(sorted(set.intersection(*some))) if some else ()
