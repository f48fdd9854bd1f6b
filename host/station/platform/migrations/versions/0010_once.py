"""Commands that happened, with the answer that was given."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "commands_done",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("asked", sa.LargeBinary(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_commands_done")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_commands_done_at"), "commands_done", ["at"], unique=False)
