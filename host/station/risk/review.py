"""The review queue: what the rules found, what waits for a person, what was decided and why (R2)."""

from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, Connection, and_, func, select, true, update

from station.platform import audit
from station.risk import tables
from station.risk.rules import BLOCK, HOLD


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


class HeldError(ValueError):
    """A finding holds the card or the person back until somebody has decided on it."""


def cases(
    conn: Connection, limit: int, offset: int = 0, *, state: str | None = None, rule: str = "", subject: str = ""
) -> list[Case]:
    """Findings, newest first; of one state, rule or subject if asked for."""
    query = select(tables.findings).where(_wanted(state, rule, subject)).order_by(tables.findings.c.id.desc())
    return [Case(*row) for row in conn.execute(query.limit(limit).offset(offset))]


def case_count(conn: Connection, state: str | None = None, *, rule: str = "", subject: str = "") -> int:
    """How many cases() has in all."""
    query = select(func.count()).select_from(tables.findings).where(_wanted(state, rule, subject))
    return int(conn.execute(query).scalar_one())


def case(conn: Connection, case_id: int) -> Case:
    """One finding. Raises ValueError."""
    row = conn.execute(select(tables.findings).where(tables.findings.c.id == case_id)).first()
    if row is None:
        raise ValueError(f"没有此条 no such finding: {case_id}")
    return Case(*row)


def held(conn: Connection, subject: str) -> Case | None:
    """The oldest finding that holds the subject (a card number or staff_subject()) until it is decided, if any."""
    t = tables.findings.c
    query = select(tables.findings).where(t.subject == subject, t.state == "open", t.action.in_((HOLD, BLOCK)))
    row = conn.execute(query.order_by(t.id).limit(1)).first()
    return Case(*row) if row else None


def blocking(conn: Connection) -> list[Case]:
    """Undecided findings whose rule wants the card blocked at once, oldest first."""
    t = tables.findings.c
    query = select(tables.findings).where(t.state == "open", t.action == BLOCK).order_by(t.id)
    return [Case(*row) for row in conn.execute(query)]


def refuse_held(conn: Connection, *subjects: str) -> None:
    """Call it before money goes to or from a card, with its number and who asks for it. Raises HeldError."""
    for subject in subjects:
        found = held(conn, subject)
        if found is not None:
            raise HeldError(f"风控待审核，第 {found.id} 号发现 waits for the review of finding no. {found.id}")


def staff_subject(name: str) -> str:
    """A member of staff as the rules know them."""
    return f"staff:{name}"


def decide(conn: Connection, case_id: int, confirmed: bool, by: str, now: int, why: str) -> Case:
    """A person's decision on a finding: confirmed or cleared, with a reason. Raises ValueError."""
    if not why.strip():
        raise ValueError("请写明理由 give a reason")
    old = case(conn, case_id)
    if old.decided_at is not None:
        raise ValueError(f"已由 {old.decided_by} 处理 was decided by {old.decided_by}")
    new = replace(old, state="confirmed" if confirmed else "cleared", decided_at=now, decided_by=by, why=why.strip())
    values = {"state": new.state, "decided_at": now, "decided_by": by, "why": new.why}
    conn.execute(update(tables.findings).where(tables.findings.c.id == case_id).values(**values))
    told = {"state": new.state, "case": case_id, "rule": old.rule}
    audit.record(conn, now, by, "risk.decide", old.subject, {"state": old.state}, told, why.strip())
    return new


def _wanted(state: str | None, rule: str, subject: str) -> ColumnElement[bool]:
    t = tables.findings.c
    chosen = [(t.state, state), (t.rule, rule), (t.subject, subject)]
    return and_(true(), *(column == value for column, value in chosen if value))
