"""Staff: made, changed and switched off by an administrator; every change is in the audit. Passwords are Argon2id."""

from dataclasses import dataclass

import pyotp
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, delete, insert, select, update

from station.platform import audit
from station.platform.sealing import Sealer
from station.platform.settings import looks_placeholder
from station.staff import permissions, tables

LEAST_PASSWORD = 10
_hashes = PasswordHash((Argon2Hasher(),))


class StaffError(ValueError):
    """What was asked cannot be; the message (Chinese, then English) says why."""


@dataclass(frozen=True, slots=True)
class Person:
    """One of the staff; has_code: a second factor is set up."""

    name: str
    full_name: str
    role: str
    active: bool
    has_code: bool

    def may(self, action: str) -> bool:
        return self.active and permissions.allows(self.role, action)


LOCAL = Person("local", "本机 local", permissions.LOCAL_ROLE, True, False)  # nobody was asked who they are


def add(conn: Connection, name: str, full_name: str, role: str, password: str, by: str, now: int) -> Person:
    """A new member of staff. Raises StaffError."""
    name = name.strip().lower()
    if not name or not name.isascii() or not name.replace(".", "").replace("-", "").isalnum():
        raise StaffError("登录名只能用字母、数字、点和横线 a log-in name is made of letters, digits, dots and dashes")
    if person(conn, name) is not None:
        raise StaffError(f"登录名已存在 the log-in name is taken: {name}")
    _check_role(role)
    row = {"name": name, "full_name": full_name.strip() or name, "role": role, "password": _hashed(password, name)}
    conn.execute(insert(tables.people), row | {"active": 1, "made_at": now})
    audit.record(conn, now, by, "staff.add", name, {}, {"role": role, "full_name": row["full_name"]})
    return Person(name, row["full_name"], role, True, False)


def person(conn: Connection, name: str) -> Person | None:
    """Who logs in by that name."""
    t = tables.people.c
    query = select(t.name, t.full_name, t.role, t.active, t.totp.is_not(None)).where(t.name == name.strip().lower())
    row = conn.execute(query).first()
    return Person(row[0], row[1], row[2], bool(row[3]), bool(row[4])) if row else None


def everyone(conn: Connection) -> list[Person]:
    """All of them, by name."""
    t = tables.people.c
    rows = conn.execute(select(t.name, t.full_name, t.role, t.active, t.totp.is_not(None)).order_by(t.name))
    return [Person(row[0], row[1], row[2], bool(row[3]), bool(row[4])) for row in rows]


def set_role(conn: Connection, name: str, role: str, by: str, now: int) -> None:
    """Another role; open sessions end, so that it counts at once."""
    old = _known(conn, name)
    _check_role(role)
    if old.name == by:
        raise StaffError("不能修改自己的角色 nobody changes their own role")
    _change(conn, old.name, {"role": role})
    end_sessions(conn, old.name)
    audit.record(conn, now, by, "staff.role", old.name, {"role": old.role}, {"role": role})


def set_active(conn: Connection, name: str, active: bool, by: str, now: int) -> None:
    """Switched off, a person's sessions end at once."""
    old = _known(conn, name)
    if old.name == by and not active:
        raise StaffError("不能停用自己 nobody switches themselves off")
    _change(conn, old.name, {"active": int(active)})
    if not active:
        end_sessions(conn, old.name)
    audit.record(conn, now, by, "staff.active", old.name, {"active": old.active}, {"active": active})


def set_password(conn: Connection, name: str, password: str, by: str, now: int) -> None:
    """A new password; all sessions end and a lock after failures is lifted."""
    old = _known(conn, name)
    _change(conn, old.name, {"password": _hashed(password, old.name), "failures": 0, "locked_until": 0})
    end_sessions(conn, old.name)
    audit.record(conn, now, by, "staff.password", old.name)


def set_up_code(conn: Connection, sealer: Sealer, name: str, by: str, now: int) -> str:
    """A fresh secret for one-time codes (RFC 6238); returns the otpauth address for the person's phone, shown once."""
    old = _known(conn, name)
    secret = pyotp.random_base32()
    _change(conn, old.name, {"totp": sealer.seal(secret.encode(), f"totp:{old.name}"), "totp_step": 0})
    audit.record(conn, now, by, "staff.code", old.name)
    return pyotp.TOTP(secret).provisioning_uri(name=old.name, issuer_name="Pumpside")


def end_sessions(conn: Connection, name: str) -> None:
    conn.execute(delete(tables.sessions).where(tables.sessions.c.name == name))


def matches(password: str, hashed: str) -> bool:
    """Whether the password is the one of that hash."""
    return _hashes.verify(password, hashed)


def nobody_hash() -> str:
    """A hash to check against when there is no such person, so that time does not tell who exists."""
    global _nobody
    _nobody = _nobody or _hashes.hash("nobody at all")
    return _nobody


_nobody = ""


def _hashed(password: str, name: str) -> str:
    simple = looks_placeholder(password) or len(set(password)) < 5 or password.isdigit() or name in password.lower()
    if len(password) < LEAST_PASSWORD or simple:
        raise StaffError(
            f"密码至少 {LEAST_PASSWORD} 位，不能全是数字、含登录名或是常见口令 "
            f"a password has at least {LEAST_PASSWORD} characters, not only digits, not the log-in name, "
            "and is none that everybody uses"
        )
    return _hashes.hash(password)


def _known(conn: Connection, name: str) -> Person:
    found = person(conn, name)
    if found is None:
        raise StaffError(f"没有此人 no such person: {name}")
    return found


def _check_role(role: str) -> None:
    if role not in permissions.ROLES:
        raise StaffError(f"没有此角色 no such role: {role} ({', '.join(permissions.ROLES)})")


def _change(conn: Connection, name: str, values: dict[str, object]) -> None:
    conn.execute(update(tables.people).where(tables.people.c.name == name).values(**values))
