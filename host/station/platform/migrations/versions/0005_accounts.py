"""Accounts, what of them is lent to pumps, and which sales an account pays."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("account", BIG, autoincrement=True, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("limit_fen", BIG, nullable=False),
        sa.Column("sale_fen", BIG, nullable=False),
        sa.Column("offline_fen", BIG, nullable=False),
        sa.Column("offline_count", sa.Integer(), nullable=False),
        sa.Column("offline_hours", sa.Integer(), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.CheckConstraint("state IN ('active', 'stopped')", name=op.f("ck_accounts_state")),
        sa.CheckConstraint("limit_fen >= 0", name=op.f("ck_accounts_limit")),
        sa.CheckConstraint("sale_fen > 0", name=op.f("ck_accounts_sale")),
        sa.CheckConstraint("offline_fen >= 0", name=op.f("ck_accounts_offline")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_accounts")),
        sqlite_strict=True,
    )
    op.create_table(
        "leases",
        sa.Column("lease", BIG, autoincrement=True, nullable=False),
        sa.Column("account", BIG, nullable=False),
        sa.Column("device", BIG, nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("expires", BIG, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("head", BIG, nullable=False),
        sa.Column("used_fen", BIG, server_default="0", nullable=False),
        sa.Column("started", sa.Integer(), server_default="0", nullable=False),
        sa.Column("ended", sa.Integer(), server_default="0", nullable=False),
        sa.Column("until_seq", BIG, nullable=True),
        sa.Column("closed_at", BIG, nullable=True),
        sa.Column("closed", sa.Text(), nullable=True),
        sa.CheckConstraint("how IN ('sale', 'offline')", name=op.f("ck_leases_how")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_leases_amount")),
        sa.PrimaryKeyConstraint("lease", name=op.f("pk_leases")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_leases_open",
        "leases",
        ["device", "account"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.add_column("card_shadows", sa.Column("on_account", sa.Integer(), server_default="0", nullable=False))
    op.add_column("sales", sa.Column("on_account", sa.Integer(), nullable=True))
    op.add_column("sales", sa.Column("lease", BIG, nullable=True))
    op.add_column("sales", sa.Column("account", BIG, nullable=True))
    # Every sale before this was paid by its card.
    op.execute("UPDATE sales SET on_account = 0, lease = 0")
