"""The staff over the API (X3, X4). Passwords and secrets of one-time codes pass through and are kept nowhere else:
these commands carry no idempotency key, because a key keeps a digest of what was asked; each may be asked again safely.
"""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, Field
from sqlalchemy import Connection, Engine

from station import staff
from station.api.guard import needs
from station.platform import clock, database
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Name = Annotated[str, Path(max_length=40)]
Role = Annotated[str, Field(max_length=20, examples=["cashier"])]
Password = Annotated[str, Field(min_length=1, max_length=200, examples=["a long sentence 42"])]


class PersonOut(BaseModel):
    """One of the staff; has_code: a second factor is set up."""

    name: Annotated[str, Field(examples=["wangfang"])]
    full_name: Annotated[str, Field(examples=["王芳"])]
    role: Role
    active: Annotated[bool, Field(examples=[True])]
    has_code: Annotated[bool, Field(examples=[False])]


class PersonBody(BaseModel):
    """Somebody new, with a first password."""

    name: Annotated[str, Field(min_length=1, max_length=40, examples=["wangfang"])]
    full_name: Annotated[str, Field(max_length=40, examples=["王芳"])] = ""
    role: Role
    password: Password


class RoleBody(BaseModel):
    """Another role."""

    role: Role


class ActiveBody(BaseModel):
    """Switched on or off."""

    active: Annotated[bool, Field(examples=[False])]


class PasswordBody(BaseModel):
    """A new password."""

    password: Password


class CodeOut(BaseModel):
    """The address for the person's phone (otpauth, RFC 6238), given out this once."""

    address: Annotated[str, Field(examples=["otpauth://totp/Pumpside:chen?secret=...&issuer=Pumpside"])]


def router(_: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database."""
    routes = APIRouter(prefix="/staff", tags=["staff"])
    Editor = Annotated[Person, Depends(needs(may.STAFF_EDIT))]  # noqa: N806 - a type

    def shown(conn: Connection, name: str) -> dict[str, Any]:
        found = staff.person(conn, name)
        assert found is not None  # every command before refuses who is not known
        return asdict(found)

    @routes.get("", dependencies=[Depends(needs(may.STAFF_EDIT))], response_model=list[PersonOut])
    def everyone() -> list[dict[str, Any]]:
        """All of the staff, by log-in name."""
        with database.read(engine) as conn:
            return [asdict(person) for person in staff.everyone(conn)]

    @routes.post("", response_model=PersonOut)
    def add(body: PersonBody, by: Editor) -> dict[str, Any]:
        """Somebody new; 422 if the name is taken or the password is one that everybody tries."""
        with database.write(engine) as conn:
            made = staff.add(conn, body.name, body.full_name, body.role, body.password, by.name, clock.now())
        return asdict(made)

    @routes.put("/{name}/role", response_model=PersonOut)
    def set_role(name: Name, body: RoleBody, by: Editor) -> dict[str, Any]:
        """Another role; the person's log-ins end, so that it counts at once."""
        with database.write(engine) as conn:
            staff.set_role(conn, name, body.role, by.name, clock.now())
            return shown(conn, name)

    @routes.put("/{name}/active", response_model=PersonOut)
    def set_active(name: Name, body: ActiveBody, by: Editor) -> dict[str, Any]:
        """Switched off, a person's log-ins end at once."""
        with database.write(engine) as conn:
            staff.set_active(conn, name, body.active, by.name, clock.now())
            return shown(conn, name)

    @routes.put("/{name}/password", response_model=PersonOut)
    def set_password(name: Name, body: PasswordBody, by: Editor) -> dict[str, Any]:
        """A new password; all log-ins end and a rest after failures is lifted."""
        with database.write(engine) as conn:
            staff.set_password(conn, name, body.password, by.name, clock.now())
            return shown(conn, name)

    @routes.post("/{name}/code", response_model=CodeOut)
    def set_up_code(name: Name, by: Editor) -> dict[str, Any]:
        """A fresh secret for one-time codes; the old one no longer counts."""
        sealer = Sealer(secrets.data_keys)
        with database.write(engine) as conn:
            return {"address": staff.set_up_code(conn, sealer, name, by.name, clock.now())}

    return routes
