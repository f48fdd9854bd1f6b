"""The staff: who they are, what they may do, and how they log in."""

from station.staff.approval import approve, needs_second
from station.staff.login import LIFE_S, Denied, is_stale, log_in, log_out, prove, seen, who
from station.staff.people import (
    LOCAL,
    Person,
    StaffError,
    add,
    everyone,
    person,
    set_active,
    set_password,
    set_role,
    set_up_code,
)
from station.staff.permissions import ACTIONS, APPROVE, ROLES, SECOND_FACTOR, allows

__all__ = [
    "ACTIONS",
    "APPROVE",
    "LIFE_S",
    "LOCAL",
    "ROLES",
    "SECOND_FACTOR",
    "Denied",
    "Person",
    "StaffError",
    "add",
    "allows",
    "approve",
    "everyone",
    "is_stale",
    "log_in",
    "log_out",
    "needs_second",
    "person",
    "prove",
    "seen",
    "set_active",
    "set_password",
    "set_role",
    "set_up_code",
    "who",
]
