"""Events in, findings out, all inside the caller's transaction; and the review queue with its decisions.

observe() is called by the ingest with each batch and by the desk with each load and refund: one look-up and one write
of histories a batch, whatever its size.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from sqlalchemy import Connection, func, insert, select, update

from station.platform import audit
from station.platform.bulk import select_in, upsert_rows
from station.platform.database import upsert
from station.risk import engine, tables
from station.risk.engine import Finding, History
from station.risk.events import Event, Place, Subject
from station.risk.rules import BLOCK, DEFAULTS, HOLD, Rule, RuleError, parse, to_json


@dataclass(frozen=True, slots=True)
class Case:
    """A finding as it stands. state: told (an alert), open (waits for a person), cleared, confirmed."""

    id: int
    rule: str
    subject: str
    ref: int
    at: int
    found_at: int
    value: int
    over: int
    action: str
    state: str
    decided_at: int | None
    decided_by: str | None
    why: str | None


def observe(
    conn: Connection, events: Iterable[Event], known: Mapping[str, Subject], now: int, zone: tzinfo | None = None
) -> list[Finding]:
    """Judges events by the rules in force and writes down what they find. Repeating an event changes nothing.

    known: by card number; zone: the station's, the machine's own by default. Returns findings that are new, so that the
    caller can block at once where a rule says so.
    """
    wanted = [(event, subject) for event in events for subject in engine.subjects(event)]
    if not wanted:
        return []
    in_force, places = rules(conn), _places(conn)
    histories = _load(conn, {subject for _, subject in wanted})
    found: list[Finding] = []
    for event, subject in sorted(wanted, key=lambda one: one[0].at):
        card = known.get(event.card_no, _UNKNOWN)
        found += engine.judge(event, subject, histories[subject], in_force, card, places, zone or _local())
    rows = [(subject, _dump(history)) for subject, history in sorted(histories.items())]
    upsert_rows(conn, tables.histories, rows)
    return _keep(conn, found, now)


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
    row = {"version": version, "name": rule.name, "rule": json.dumps(to_json(checked)), "at": now, "by_whom": by}
    conn.execute(insert(tables.rules), row)
    audit.record(conn, now, by, "risk.rule", rule.name, to_json(old) if old else {}, to_json(checked), why)
    return version


def place(conn: Connection, station: str, where: Place) -> None:
    """Where a station stands: for the rule about impossible travel."""
    upsert_rows(conn, tables.places, [(station, where.latitude_e6, where.longitude_e6)])


def cases(conn: Connection, limit: int, offset: int = 0, *, state: str | None = None) -> list[Case]:
    """Findings, newest first; of one state if asked for."""
    query = select(tables.findings).order_by(tables.findings.c.id.desc()).limit(limit).offset(offset)
    if state is not None:
        query = query.where(tables.findings.c.state == state)
    return [Case(*row) for row in conn.execute(query)]


def case_count(conn: Connection, state: str | None = None) -> int:
    query = select(func.count()).select_from(tables.findings)
    if state is not None:
        query = query.where(tables.findings.c.state == state)
    return int(conn.execute(query).scalar_one())


def decide(conn: Connection, case_id: int, confirmed: bool, by: str, now: int, why: str) -> Case:
    """A person's decision on a finding: confirmed or cleared, with a reason. Raises ValueError."""
    t = tables.findings.c
    if not why.strip():
        raise ValueError("请写明理由 give a reason")
    row = conn.execute(select(tables.findings).where(t.id == case_id)).first()
    if row is None:
        raise ValueError(f"没有此条 no such finding: {case_id}")
    if row.decided_at is not None:
        raise ValueError(f"已由 {row.decided_by} 处理 was decided by {row.decided_by}")
    state = "confirmed" if confirmed else "cleared"
    values = {"state": state, "decided_at": now, "decided_by": by, "why": why.strip()}
    conn.execute(update(tables.findings).where(t.id == case_id).values(**values))
    audit.record(
        conn, now, by, "risk.decide", row.subject, {"state": row.state}, {"state": state, "case": case_id}, why
    )
    return Case(**{**asdict(Case(*row)), **values})


_UNKNOWN = Subject()


def _load(conn: Connection, wanted: set[str]) -> dict[str, History]:
    t = tables.histories.c
    rows = select_in(conn, select(t.subject, t.history), t.subject, wanted)
    found = {subject: _parse(text) for subject, text in rows}
    return {subject: found.get(subject) or History() for subject in wanted}


def _dump(history: History) -> str:
    return json.dumps([history.events, history.held], ensure_ascii=False, separators=(",", ":"))


def _parse(text: str) -> History:
    events, held = json.loads(text)
    return History([Event(*event) for event in events], held)


def _places(conn: Connection) -> dict[str, Place]:
    return {row.station: Place(row.latitude_e6, row.longitude_e6) for row in conn.execute(select(tables.places))}


def _keep(conn: Connection, found: list[Finding], now: int) -> list[Finding]:
    t = tables.findings.c
    if not found:
        return []
    keys = {(one.rule, one.subject, one.ref): one for one in found}
    known = select_in(conn, select(t.rule, t.subject, t.ref), t.subject, {one.subject for one in found})
    for key in [tuple(row) for row in known]:
        keys.pop(key, None)
    for one in keys.values():
        state = "open" if one.action in (HOLD, BLOCK) else "told"
        row = {**asdict(one), "found_at": now, "state": state}
        conn.execute(upsert(conn, tables.findings).values(**row).on_conflict_do_nothing())
    return list(keys.values())


def _local() -> tzinfo:
    offset = datetime.now().astimezone().utcoffset() or timedelta(0)
    return timezone(offset)
