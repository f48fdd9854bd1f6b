"""Why a rule of risk was set; checks of the books, and the seals of what is closed."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0019"
down_revision = "0018"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("risk_rules", sa.Column("why", sa.Text(), server_default="", nullable=False))
    op.create_table(
        "ledger_checks",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("transfers", BIG, nullable=False),
        sa.Column("audit_rows", BIG, nullable=False),
        sa.Column("audit_head", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_checks")),
        sqlite_strict=True,
    )
    create_append_only(op.get_bind(), "ledger_checks")
    op.create_table(
        "ledger_seals",
        sa.Column("day", BIG, autoincrement=False, nullable=False),
        sa.Column("transfers", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_ledger_seals")),
        sqlite_strict=True,
    )
    create_append_only(op.get_bind(), "ledger_seals")
