"""The staff: who they are, what they may do, and how they log in."""

from station.staff.login import LIFE_S, Denied, is_stale, log_in, log_out, seen, who
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
from station.staff.permissions import ACTIONS, ROLES, SECOND_FACTOR, allows

__all__ = [
    "ACTIONS",
    "LIFE_S",
    "LOCAL",
    "ROLES",
    "SECOND_FACTOR",
    "Denied",
    "Person",
    "StaffError",
    "add",
    "allows",
    "everyone",
    "is_stale",
    "log_in",
    "log_out",
    "person",
    "seen",
    "set_active",
    "set_password",
    "set_role",
    "set_up_code",
    "who",
]
