"""Releases of the firmware and which pump is to take which."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "releases",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_releases")),
        sqlite_strict=True,
    )
    op.create_table(
        "update_orders",
        sa.Column("id", BIG, nullable=False),
        sa.Column("device", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_update_orders")),
        sqlite_strict=True,
    )
    create_append_only(op.get_bind(), "releases")
    create_append_only(op.get_bind(), "update_orders")
