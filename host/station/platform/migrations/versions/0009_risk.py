"""Risk: rules, histories, places, findings."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "risk_rules",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "name", name=op.f("pk_risk_rules")),
        sqlite_strict=True,
    )
    op.create_table(
        "risk_histories",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("history", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_risk_histories")),
        sqlite_strict=True,
    )
    op.create_table(
        "station_places",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("latitude_e6", BIG, nullable=False),
        sa.Column("longitude_e6", BIG, nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_station_places")),
        sqlite_strict=True,
    )
    op.create_table(
        "risk_findings",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("ref", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("found_at", BIG, nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.Column("over", BIG, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('told', 'open', 'cleared', 'confirmed')", name=op.f("ck_risk_findings_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_risk_findings")),
        sa.UniqueConstraint("rule", "subject", "ref", name=op.f("uq_risk_findings_rule_subject_ref")),
        sqlite_strict=True,
    )
    op.create_index("ix_risk_findings_state", "risk_findings", ["state", "at"], unique=False)
    create_append_only(op.get_bind(), "risk_rules")
