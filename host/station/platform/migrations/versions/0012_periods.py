"""Closed periods of the books, and when a late posting counts."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0012"
down_revision = "0011"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("transfers", sa.Column("booked", BIG, nullable=True))
    op.create_table(
        "ledger_periods",
        sa.Column("until", BIG, autoincrement=False, nullable=False),
        sa.Column("closed_at", BIG, nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("until", name=op.f("pk_ledger_periods")),
        sqlite_strict=True,
    )
    create_append_only(op.get_bind(), "ledger_periods")
