"""Tables of the card desk: the cards issued here, the loads paid for, and what was done with each card."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

# card_no: 16 digits. uid: 14 hex digits, lower case. kind: pump.core.card_layout.KIND_*. grades: bit = grade number.
# state: issuing (being written, not yet good), active, blocked, void (never completed).
cards = Table(
    "cards",
    metadata,
    Column("card_no", Text, primary_key=True),
    Column("uid", Text, nullable=False, index=True),
    Column("kind", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("holder", Text, nullable=False, server_default=""),
    Column("document", Text, nullable=False, server_default=""),
    Column("plate", Text, nullable=False, server_default=""),
    Column("company", BigInt, nullable=False, server_default="0"),
    Column("grades", Integer, nullable=False),
    Column("expiry", BigInt, nullable=False),
    Column("upper_fen", BigInt, nullable=False),
    Column("key_version", Integer, nullable=False),
    Column("issued_at", BigInt, nullable=False),
    Column("block_reason", Text, nullable=False, server_default=""),
    CheckConstraint("state IN ('issuing', 'active', 'blocked', 'void')", name="state"),
    **STRICT,
)

# A load is money in the books first (state pending), then on the card (done), or given back (cancelled).
# load_id is random, 62 bits, and stands in the card's state file as its last load.
loads = Table(
    "card_loads",
    metadata,
    Column("load_id", BigInt, primary_key=True),
    Column("card_no", Text, nullable=False, index=True),
    Column("amount_fen", BigInt, CheckConstraint("amount_fen > 0", name="positive"), nullable=False),
    Column("drawer", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("paid_at", BigInt, nullable=False),
    Column("done_at", BigInt, nullable=True),
    CheckConstraint("state IN ('pending', 'done', 'cancelled')", name="state"),
    **STRICT,
)

# One open load per card: the card remembers the last load only.
Index(
    "ix_card_loads_open",
    loads.c.card_no,
    unique=True,
    sqlite_where=loads.c.state == "pending",
    postgresql_where=loads.c.state == "pending",
)

card_events = append_only(
    Table(
        "card_events",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=True),
        Column("card_no", Text, nullable=False, index=True),
        Column("at", BigInt, nullable=False),
        Column("event", Text, nullable=False),  # issued, blocked, unblocked, loaded, cancelled, settled, found
        Column("by", Text, nullable=False),
        Column("detail", Text, nullable=False, server_default=""),
        **STRICT,
    )
)
