"""The rules in force and the versions they went through; what a station starts with stands in rules.py."""

import json
from dataclasses import dataclass

from sqlalchemy import Connection, func, insert, select

from station.platform import audit
from station.risk import tables
from station.risk.rules import DEFAULTS, Rule, RuleError, parse, to_json


@dataclass(frozen=True, slots=True)
class RuleVersion:
    """A rule as it was set. version 0: what a station starts with, by nobody."""

    version: int
    rule: Rule
    at: int
    by: str
    why: str


def rules(conn: Connection) -> list[Rule]:
    """The newest version of every rule; what a station starts with until somebody sets another."""
    t = tables.rules.c
    newest = select(t.name, func.max(t.version).label("version")).group_by(t.name).subquery()
    rows = conn.execute(
        select(t.name, t.rule).join(newest, (t.name == newest.c.name) & (t.version == newest.c.version))
    )
    in_force = {rule.name: rule for rule in DEFAULTS}
    in_force |= {row.name: parse(json.loads(row.rule)) for row in rows}
    return [in_force[name] for name in sorted(in_force)]


def set_rule(conn: Connection, rule: Rule, by: str, now: int, why: str = "") -> int:
    """A new version of a rule (or a new rule). Returns the version. Raises RuleError."""
    checked = parse(to_json(rule))
    if not rule.name.isidentifier():
        raise RuleError(f"name 须为标识符 must be one word: {rule.name!r}")
    old = next((one for one in rules(conn) if one.name == rule.name), None)
    version = int(conn.execute(select(func.max(tables.rules.c.version))).scalar() or 0) + 1
    row = {
        "version": version,
        "name": rule.name,
        "rule": json.dumps(to_json(checked)),
        "at": now,
        "by_whom": by,
        "why": why,
    }
    conn.execute(insert(tables.rules), row)
    audit.record(conn, now, by, "risk.rule", rule.name, to_json(old) if old else {}, to_json(checked), why)
    return version


def rule_versions(conn: Connection, name: str) -> list[RuleVersion]:
    """All versions of a rule, newest first, down to what the station started with."""
    t = tables.rules.c
    rows = conn.execute(select(tables.rules).where(t.name == name).order_by(t.version.desc()))
    set_here = [RuleVersion(row.version, parse(json.loads(row.rule)), row.at, row.by_whom, row.why) for row in rows]
    return set_here + [RuleVersion(0, rule, 0, "", "") for rule in DEFAULTS if rule.name == name]
