"""Events in, findings out, all inside the caller's transaction.

observe() is called by the ingest with each batch and by the desk with each load and refund: one look-up and one write
of histories a batch, whatever its size.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta, timezone, tzinfo

from sqlalchemy import Connection, select

from station.platform.bulk import select_in, upsert_rows
from station.platform.database import upsert
from station.risk import engine, tables
from station.risk.engine import Finding, History
from station.risk.events import LOAD, REFUND, Event, Subject
from station.risk.known import places
from station.risk.rulebook import rules
from station.risk.rules import BLOCK, HOLD


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
    judge = engine.Judge(rules(conn), places(conn), zone or _local())
    histories = _load(conn, {subject for _, subject in wanted})
    found: list[Finding] = []
    for event, subject in sorted(wanted, key=lambda one: one[0].at):
        found += judge.judge(event, subject, histories[subject], known.get(event.card_no, _UNKNOWN))
    rows = [(subject, _dump(history)) for subject, history in sorted(histories.items())]
    upsert_rows(conn, tables.histories, rows)
    return _keep(conn, found, now)


def loaded(conn: Connection, card_no: str, amount_fen: int, by: str, ref: int, now: int) -> list[Finding]:
    """Tells the rules of a load at a desk; ref: the load's id."""
    return observe(conn, [Event(LOAD, now, card_no, amount_fen=amount_fen, staff=by, ref=ref)], {}, now)


def refunded(conn: Connection, card_no: str, amount_fen: int, by: str, ref: int, now: int) -> list[Finding]:
    """Tells the rules of a refund at a desk or a till; card_no "": no card had to do with it; ref: the refund's id."""
    return observe(conn, [Event(REFUND, now, card_no, amount_fen=amount_fen, staff=by, ref=ref)], {}, now)


_UNKNOWN = Subject()


def _load(conn: Connection, wanted: set[str]) -> dict[str, History]:
    t = tables.histories.c
    rows = select_in(conn, select(t.subject, t.history), t.subject, wanted)
    found = {subject: _parse(text) for subject, text in rows}
    return {subject: found.get(subject) or History() for subject in wanted}


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode  # dumps() would make one each time


def _dump(history: History) -> str:
    return _encode([history.events, history.held])


def _parse(text: str) -> History:
    events, held = json.loads(text)
    return History([Event(*event) for event in events], held)


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
