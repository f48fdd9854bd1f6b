"""Two people for what is large (Y8): the second one proves on the spot who they are, and is not the first."""

from sqlalchemy import Connection

from station.platform import audit
from station.platform.sealing import Sealer
from station.staff import login
from station.staff.people import Person, StaffError


def needs_second(amount_fen: int, cap_fen: int) -> bool:
    """True above the cap; a cap of 0 means that every amount needs two people."""
    return amount_fen > cap_fen


def approve(
    conn: Connection,
    sealer: Sealer,
    by: str,
    approver: str,
    password: str,
    code: str,
    action: str,
    subject: str,
    now: int,
) -> Person | login.Denied:
    """The second person, or why not. action: what that person must hold (permissions). Failures count as at the door.

    Commit the transaction either way. Raises StaffError if first and second are the same person.
    """
    if approver.strip().lower() == by.strip().lower():
        raise StaffError("复核人不能是经办人本人 the second person cannot be the first")
    found = login.prove(conn, sealer, approver, password, code, now)
    if isinstance(found, login.Denied):
        return found
    if not found.may(action):
        return login.Denied("role")
    audit.record(conn, now, found.name, "approve", subject, {}, {"by": by, "action": action})
    return found
