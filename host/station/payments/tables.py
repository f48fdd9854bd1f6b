"""Tables of payments: what was asked for, what came of it, what went back, and the gateways' statements."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

# order_no is ours, trade_no the gateway's. purpose: kind:which. code: what the QR code says; waits: why the money that
# came in is not where it belongs yet; looked_at: when the gateway was last asked.
payments = Table(
    "payments",
    metadata,
    Column("order_no", Text, primary_key=True),
    Column("purpose", Text, nullable=False, index=True),
    Column("amount_fen", BigInt, CheckConstraint("amount_fen > 0", name="positive"), nullable=False),
    Column("gateway", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("code", Text, nullable=False, server_default=""),
    Column("trade_no", Text, nullable=False, server_default=""),
    Column("by", Text, nullable=False),
    Column("made_at", BigInt, nullable=False),
    Column("until", BigInt, nullable=False),
    Column("paid_at", BigInt, nullable=True),
    Column("applied_at", BigInt, nullable=True),
    Column("waits", Text, nullable=False, server_default=""),
    Column("looked_at", BigInt, nullable=False, server_default="0"),
    CheckConstraint("state IN ('made', 'paid', 'closed', 'failed')", name="state"),
    Index("ix_payments_state", "state", "made_at"),
    Index("ix_payments_paid_at", "gateway", "paid_at"),
    **STRICT,
)

refunds = Table(
    "payment_refunds",
    metadata,
    Column("refund_no", Text, primary_key=True),
    Column("order_no", Text, nullable=False, index=True),
    Column("amount_fen", BigInt, CheckConstraint("amount_fen > 0", name="positive"), nullable=False),
    Column("state", Text, nullable=False),
    Column("trade_no", Text, nullable=False, server_default=""),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("asked_at", BigInt, nullable=False),
    Column("done_at", BigInt, nullable=True),
    Column("looked_at", BigInt, nullable=False, server_default="0"),
    CheckConstraint("state IN ('asked', 'done', 'failed')", name="state"),
    Index("ix_payment_refunds_state", "state"),
    **STRICT,
)

events = append_only(
    Table(
        "payment_events",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=True),
        Column("order_no", Text, nullable=False, index=True),
        Column("at", BigInt, nullable=False),
        Column("event", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("detail", Text, nullable=False, server_default=""),
        **STRICT,
    )
)

# Callbacks that were acted upon, until they are too old to be believed anyway.
notices = Table(
    "payment_notices",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("nonce", Text, primary_key=True),
    Column("at", BigInt, nullable=False, index=True),
    **STRICT,
)

# A gateway's statement of a day as it was fetched, its lines, and where it and our payments disagree.
statements = append_only(
    Table(
        "payment_statements",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=False),
        Column("gateway", Text, nullable=False),
        Column("day", Text, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        Column("sha256", LargeBinary, nullable=False),
        Column("raw", LargeBinary, nullable=False),
        Column("matched", Integer, nullable=False),
        Index("ix_payment_statements_day", "gateway", "day"),
        **STRICT,
    )
)

lines = append_only(
    Table(
        "payment_statement_lines",
        metadata,
        Column("statement", BigInt, primary_key=True, autoincrement=False),
        Column("line", Integer, primary_key=True, autoincrement=False),
        Column("kind", Text, nullable=False),
        Column("order_no", Text, nullable=False, index=True),
        Column("refund_no", Text, nullable=False),
        Column("trade_no", Text, nullable=False),
        Column("amount_fen", BigInt, nullable=False),
        Column("at", BigInt, nullable=False),
        **STRICT,
    )
)

differences = append_only(
    Table(
        "payment_differences",
        metadata,
        Column("statement", BigInt, primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("kind", Text, nullable=False),
        Column("order_no", Text, nullable=False),
        Column("refund_no", Text, nullable=False),
        Column("ours_fen", BigInt, nullable=False),
        Column("theirs_fen", BigInt, nullable=False),
        **STRICT,
    )
)
