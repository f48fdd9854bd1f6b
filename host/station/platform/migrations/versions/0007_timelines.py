"""Pulse timelines fetched from the pumps."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "timeline_pages",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("sale_seq", BIG, autoincrement=False, nullable=False),
        sa.Column("page", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("received", BIG, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "sale_seq", "page", name=op.f("pk_timeline_pages")),
        sqlite_strict=True,
    )
