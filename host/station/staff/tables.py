"""Tables of people and their sessions."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Integer, LargeBinary, Table, Text

from station.platform.database import STRICT, BigInt, metadata

people = Table(
    "staff",
    metadata,
    Column("name", Text, primary_key=True),  # what is typed to log in
    Column("full_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),  # Argon2id, PHC string
    Column("totp", LargeBinary, nullable=True),  # sealed secret of the one-time codes, none: not set up
    Column("totp_step", BigInt, nullable=False, server_default="0"),  # last time step used: a code counts once
    Column("active", Integer, CheckConstraint("active IN (0, 1)", name="active"), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("locked_until", BigInt, nullable=False, server_default="0"),
    Column("made_at", BigInt, nullable=False),
    **STRICT,
)

sessions = Table(
    "staff_sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),  # SHA-256 of the token: a copy of the table opens no door
    Column("name", Text, ForeignKey("staff.name"), nullable=False, index=True),
    Column("made_at", BigInt, nullable=False),
    Column("seen_at", BigInt, nullable=False),
    Column("expires", BigInt, nullable=False),
    **STRICT,
)
