"""Payments, their refunds and the gateways' statements."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0014"
down_revision = "0013"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "payments",
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), server_default="", nullable=False),
        sa.Column("trade_no", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("paid_at", BIG, nullable=True),
        sa.Column("applied_at", BIG, nullable=True),
        sa.Column("waits", sa.Text(), server_default="", nullable=False),
        sa.Column("looked_at", BIG, server_default="0", nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_positive")),
        sa.CheckConstraint("state IN ('made', 'paid', 'closed', 'failed')", name=op.f("ck_payments_state")),
        sa.PrimaryKeyConstraint("order_no", name=op.f("pk_payments")),
        sqlite_strict=True,
    )
    op.create_index("ix_payments_paid_at", "payments", ["gateway", "paid_at"], unique=False)
    op.create_index(op.f("ix_payments_purpose"), "payments", ["purpose"], unique=False)
    op.create_index("ix_payments_state", "payments", ["state", "made_at"], unique=False)
    op.create_table(
        "payment_refunds",
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("trade_no", sa.Text(), server_default="", nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.Column("looked_at", BIG, server_default="0", nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payment_refunds_positive")),
        sa.CheckConstraint("state IN ('asked', 'done', 'failed')", name=op.f("ck_payment_refunds_state")),
        sa.PrimaryKeyConstraint("refund_no", name=op.f("pk_payment_refunds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_refunds_order_no"), "payment_refunds", ["order_no"], unique=False)
    op.create_index("ix_payment_refunds_state", "payment_refunds", ["state"], unique=False)
    op.create_table(
        "payment_events",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_events")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_events_order_no"), "payment_events", ["order_no"], unique=False)
    op.create_table(
        "payment_notices",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("gateway", "nonce", name=op.f("pk_payment_notices")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_notices_at"), "payment_notices", ["at"], unique=False)
    op.create_table(
        "payment_statements",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_statements")),
        sqlite_strict=True,
    )
    op.create_index("ix_payment_statements_day", "payment_statements", ["gateway", "day"], unique=False)
    op.create_table(
        "payment_statement_lines",
        sa.Column("statement", BIG, autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("trade_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("statement", "line", name=op.f("pk_payment_statement_lines")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_payment_statement_lines_order_no"), "payment_statement_lines", ["order_no"], unique=False)
    op.create_table(
        "payment_differences",
        sa.Column("statement", BIG, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("order_no", sa.Text(), nullable=False),
        sa.Column("refund_no", sa.Text(), nullable=False),
        sa.Column("ours_fen", BIG, nullable=False),
        sa.Column("theirs_fen", BIG, nullable=False),
        sa.PrimaryKeyConstraint("statement", "number", name=op.f("pk_payment_differences")),
        sqlite_strict=True,
    )
    for table in ("payment_events", "payment_statements", "payment_statement_lines", "payment_differences"):
        create_append_only(op.get_bind(), table)
