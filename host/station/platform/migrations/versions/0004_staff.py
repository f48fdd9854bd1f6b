"""People and their sessions."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("full_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("totp", sa.LargeBinary(), nullable=True),
        sa.Column("totp_step", BIG, server_default="0", nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("locked_until", BIG, server_default="0", nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.CheckConstraint("active IN (0, 1)", name=op.f("ck_staff_active")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_staff")),
        sqlite_strict=True,
    )
    op.create_table(
        "staff_sessions",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.ForeignKeyConstraint(["name"], ["staff.name"], name=op.f("fk_staff_sessions_name")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_sessions")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_staff_sessions_name"), "staff_sessions", ["name"], unique=False)
