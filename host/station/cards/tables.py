"""Tables of the card desk: cards and who holds them, loads, refunds, and what was done with each card."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

# card_no: 16 digits. uid: 14 hex digits, lower case. kind: pump.core.card_layout.KIND_*. grades: bit = grade number.
# state: issuing (being written, not yet good), active, blocked, void (never completed), replaced and closed: for ever.
# customer: card_customers, "" for nobody; document: empty, kept sealed there. purchase: cards bought at once share it.
# replaces: the card that this one was made for. listed: the version of the pumps' lists that has named the card last.
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
    Column("customer", Text, nullable=False, server_default=""),
    Column("purchase", Text, nullable=False, server_default=""),
    Column("replaces", Text, nullable=False, server_default=""),
    Column("listed", BigInt, nullable=False, server_default="0"),
    CheckConstraint("state IN ('issuing', 'active', 'blocked', 'void', 'replaced', 'closed')", name="state"),
    **STRICT,
)

# Who holds cards. customer: a keyed digest of the document's number, so that one person is one row and the number
# itself stands here only sealed (platform/sealing.py). consent_at: the person agreed to its being kept.
customers = Table(
    "card_customers",
    metadata,
    Column("customer", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("phone", LargeBinary, nullable=True),
    Column("checked_by", Text, nullable=False),
    Column("consent_at", BigInt, nullable=False),
    **STRICT,
)

# A load is money in the books first (state pending), then on the card (done), or given back (cancelled).
# load_id is random, 62 bits, and stands in the card's state file as its last load. amount_fen: what the card gets,
# bonus_fen of it given by the house.
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
    Column("bonus_fen", BigInt, nullable=False, server_default="0"),
    Column("by", Text, nullable=False, server_default=""),
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

# Money that leaves a card at the desk: asked for first (pending), then taken off the card (done), or not (cancelled).
# refund_id stands in the card's state file as its last load, as a load's does. amount_fen goes to the customer,
# bonus_fen back to the house; sources: JSON, [[where the money came from, fen], ...], together amount_fen.
refunds = Table(
    "card_refunds",
    metadata,
    Column("refund_id", BigInt, primary_key=True, autoincrement=False),
    Column("card_no", Text, nullable=False, index=True),
    Column("amount_fen", BigInt, nullable=False),
    Column("bonus_fen", BigInt, nullable=False),
    Column("closes", Integer, nullable=False),
    Column("drawer", Text, nullable=False),
    Column("sources", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("second", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("asked_at", BigInt, nullable=False),
    Column("done_at", BigInt, nullable=True),
    CheckConstraint("amount_fen >= 0 AND bonus_fen >= 0", name="whole"),
    CheckConstraint("state IN ('pending', 'done', 'cancelled')", name="state"),
    **STRICT,
)

Index(
    "ix_card_refunds_open",
    refunds.c.card_no,
    unique=True,
    sqlite_where=refunds.c.state == "pending",
    postgresql_where=refunds.c.state == "pending",
)

card_events = append_only(
    Table(
        "card_events",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=True),
        Column("card_no", Text, nullable=False, index=True),
        Column("at", BigInt, nullable=False),
        Column("event", Text, nullable=False),  # issued, blocked, unblocked, loaded ... (texts/desk.py)
        Column("by", Text, nullable=False),
        Column("detail", Text, nullable=False, server_default=""),
        **STRICT,
    )
)
