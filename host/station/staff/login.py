"""Logging in: password, second factor where the role wants one, then a random token whose digest is the session.

Guessing is slowed per person: after five failures the name rests for 15 minutes. A one-time code counts once (RFC 6238,
section 5.2). Tokens live 12 hours, or 2 hours without use.
"""

import hashlib
import secrets
from dataclasses import dataclass

import pyotp
from sqlalchemy import Connection, delete, insert, select, update

from station.platform import audit
from station.platform.sealing import Sealer
from station.staff import people, permissions, tables
from station.staff.people import Person

MOST_FAILURES = 5
REST_S = 15 * 60
LIFE_S = 12 * 3600
IDLE_S = 2 * 3600
_STEP_S = 30
_SEEN_EVERY_S = 60  # how often a session's use is written down


@dataclass(frozen=True, slots=True)
class Denied:
    """Not let in. why: password, resting, code (a second factor is wanted or wrong), setup (none is set up yet), role
    (known, but may not)."""

    why: str


def prove(conn: Connection, sealer: Sealer, name: str, password: str, code: str, now: int) -> Person | Denied:
    """Who it is, by password and second factor, or why not. Counts failures: commit the transaction either way."""
    t = tables.people.c
    row = conn.execute(select(tables.people).where(t.name == name.strip().lower())).first()
    good = people.matches(password, row.password if row else people.nobody_hash())
    if row is None or not row.active:
        return Denied("password")
    if row.locked_until > now:
        return Denied("resting")
    if not good:
        return _failed(conn, row.name, row.failures + 1, "password", now)
    step = 0
    if row.totp is not None:
        secret = sealer.open(row.totp, f"totp:{row.name}").decode()
        step = _matching_step(secret, code, row.totp_step, now)
        if not step:
            return _failed(conn, row.name, row.failures + 1, "code", now) if code else Denied("code")
    elif row.role in permissions.SECOND_FACTOR:
        return Denied("setup")
    conn.execute(update(tables.people).where(t.name == row.name).values(failures=0, totp_step=step or row.totp_step))
    return Person(row.name, row.full_name, row.role, True, row.totp is not None)


def log_in(
    conn: Connection, sealer: Sealer, name: str, password: str, code: str, now: int
) -> tuple[str, Person] | Denied:
    """(token, person), or why not. Commit the transaction either way."""
    person = prove(conn, sealer, name, password, code, now)
    if isinstance(person, Denied):
        return person
    token = secrets.token_urlsafe(32)
    session = {"digest": _digest(token), "name": person.name, "made_at": now, "seen_at": now, "expires": now + LIFE_S}
    conn.execute(delete(tables.sessions).where(tables.sessions.c.expires <= now))
    conn.execute(insert(tables.sessions), session)
    audit.record(conn, now, person.name, "staff.login", person.name)
    return token, person


def who(conn: Connection, token: str, now: int) -> Person | None:
    """Whose session the token opens, None: nobody's (any more)."""
    s, p = tables.sessions.c, tables.people.c
    query = (
        select(p.name, p.full_name, p.role, p.totp.is_not(None))
        .join(tables.sessions, s.name == p.name)
        .where(s.digest == _digest(token), s.expires > now, s.seen_at > now - IDLE_S, p.active == 1)
    )
    row = conn.execute(query).first()
    return Person(row[0], row[1], row[2], True, bool(row[3])) if row else None


def is_stale(conn: Connection, token: str, now: int) -> bool:
    """True if the session's use should be written down again."""
    s = tables.sessions.c
    at = conn.execute(select(s.seen_at).where(s.digest == _digest(token))).scalar()
    return at is not None and at < now - _SEEN_EVERY_S


def seen(conn: Connection, token: str, now: int) -> None:
    """Keep a session in use alive."""
    s = tables.sessions.c
    conn.execute(update(tables.sessions).where(s.digest == _digest(token)).values(seen_at=now))


def log_out(conn: Connection, token: str) -> None:
    conn.execute(delete(tables.sessions).where(tables.sessions.c.digest == _digest(token)))


def _failed(conn: Connection, name: str, failures: int, why: str, now: int) -> Denied:
    rest = failures >= MOST_FAILURES
    values = {"failures": 0 if rest else failures, "locked_until": now + REST_S if rest else 0}
    conn.execute(update(tables.people).where(tables.people.c.name == name).values(**values))
    if rest:
        audit.record(conn, now, name, "staff.resting", name, {}, {"failures": failures}, "too many failures")
    return Denied(why)


def _matching_step(secret: str, code: str, used_step: int, now: int) -> int:
    """The time step the code belongs to, one back or ahead allowed, later than the last used; 0: none."""
    generator = pyotp.TOTP(secret)
    for step in (now // _STEP_S, now // _STEP_S - 1, now // _STEP_S + 1):
        if step > used_step and secrets.compare_digest(generator.at(step * _STEP_S), code.strip()):
            return step
    return 0


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
