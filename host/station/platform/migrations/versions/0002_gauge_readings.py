"""What gauges and dipsticks said of the tanks."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "gauge_readings",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", BIG, autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("volume_ml", BIG, nullable=False),
        sa.Column("book_ml", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("volume_ml >= 0", name=op.f("ck_gauge_readings_volume")),
        sa.PrimaryKeyConstraint("station", "grade", "at", "source", name=op.f("pk_gauge_readings")),
        sqlite_strict=True,
    )
    create_append_only(op.get_bind(), "gauge_readings")
