"""The first schema."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
APPEND_ONLY = ("blacklists", "card_events", "records", "sale_decisions", "tariff_prices", "tariffs", "transfers")


def upgrade() -> None:
    op.create_table(
        "balances",
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("balance", BIG, nullable=False),
        sa.PrimaryKeyConstraint("account", "asset", name=op.f("pk_balances")),
        sqlite_strict=True,
    )
    op.create_table(
        "blacklists",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("cards", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_blacklists")),
        sqlite_strict=True,
    )
    op.create_table(
        "card_events",
        sa.Column("id", BIG, autoincrement=True, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_events")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_card_events_card_no"), "card_events", ["card_no"], unique=False)
    op.create_table(
        "card_loads",
        sa.Column("load_id", BIG, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("drawer", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("paid_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('pending', 'done', 'cancelled')", name=op.f("ck_card_loads_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_card_loads_positive")),
        sa.PrimaryKeyConstraint("load_id", name=op.f("pk_card_loads")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_card_loads_card_no"), "card_loads", ["card_no"], unique=False)
    op.create_index(
        "ix_card_loads_open",
        "card_loads",
        ["card_no"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "card_shadows",
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column("counter", BIG, nullable=False),
        sa.Column("reserved_count", BIG, nullable=False),
        sa.Column("settled_count", BIG, nullable=False),
        sa.Column("seen_rank", BIG, nullable=False),
        sa.Column("seen_fen", BIG, nullable=True),
        sa.Column("seen_at", BIG, nullable=True),
        sa.Column("opened", BIG, nullable=False),
        sa.Column("waiting_since", BIG, nullable=True),
        sa.PrimaryKeyConstraint("card_no", name=op.f("pk_card_shadows")),
        sqlite_strict=True,
    )
    op.create_index("ix_card_shadows_uid", "card_shadows", ["uid"], unique=False)
    op.create_table(
        "cards",
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), server_default="", nullable=False),
        sa.Column("document", sa.Text(), server_default="", nullable=False),
        sa.Column("plate", sa.Text(), server_default="", nullable=False),
        sa.Column("company", BIG, server_default="0", nullable=False),
        sa.Column("grades", sa.Integer(), nullable=False),
        sa.Column("expiry", BIG, nullable=False),
        sa.Column("upper_fen", BIG, nullable=False),
        sa.Column("key_version", sa.Integer(), nullable=False),
        sa.Column("issued_at", BIG, nullable=False),
        sa.Column("block_reason", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('issuing', 'active', 'blocked', 'void')", name=op.f("ck_cards_state")),
        sa.PrimaryKeyConstraint("card_no", name=op.f("pk_cards")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_cards_uid"), "cards", ["uid"], unique=False)
    op.create_table(
        "commands",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("device", BIG, nullable=False),
        sa.Column("boot", BIG, nullable=False),
        sa.Column("do", sa.Text(), nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("sent", BIG, nullable=True),
        sa.Column("done", BIG, nullable=True),
        sa.Column("ok", sa.Integer(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
        sqlite_strict=True,
    )
    op.create_table(
        "journals",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.Column("boot", BIG, nullable=False),
        sa.Column("clock_offset_s", BIG, nullable=True),
        sa.Column("updated", BIG, nullable=False),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_journals")),
        sqlite_strict=True,
    )
    op.create_table(
        "nozzles",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("nozzle", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("pulses_per_l", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("device", "nozzle", name=op.f("pk_nozzles")),
        sqlite_strict=True,
    )
    op.create_table(
        "pumps",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("pump", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=True),
        sa.Column("state_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("device", name=op.f("pk_pumps")),
        sqlite_strict=True,
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("device", BIG, nullable=True),
        sa.Column("seq", BIG, nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("first_at", BIG, nullable=False),
        sa.Column("last_at", BIG, nullable=False),
        sa.Column("times", BIG, nullable=False),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.CheckConstraint("times > 0", name=op.f("ck_quarantine_seen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint("digest", name=op.f("uq_quarantine_digest")),
        sqlite_strict=True,
    )
    op.create_table(
        "records",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("quality", sa.Integer(), nullable=False),
        sa.Column("received", BIG, nullable=False),
        sa.Column("trusted", sa.Integer(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_records")),
        sqlite_strict=True,
    )
    op.create_table(
        "sale_decisions",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sale", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("by_whom", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sale_decisions")),
        sqlite_strict=True,
    )
    op.create_table(
        "sales",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column("counter", BIG, nullable=True),
        sa.Column("nozzle", sa.Integer(), nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("price_fen_per_l", sa.Integer(), nullable=True),
        sa.Column("tariff", BIG, nullable=True),
        sa.Column("plate", sa.Text(), nullable=True),
        sa.Column("started", BIG, nullable=True),
        sa.Column("reserved_fen", BIG, nullable=True),
        sa.Column("is_reserved", sa.Integer(), nullable=False),
        sa.Column("reserved_balance_fen", BIG, nullable=True),
        sa.Column("ended", BIG, nullable=True),
        sa.Column("amount_fen", BIG, nullable=True),
        sa.Column("volume_ml", BIG, nullable=True),
        sa.Column("total_start_ml", BIG, nullable=True),
        sa.Column("total_end_ml", BIG, nullable=True),
        sa.Column("overrun_ml", BIG, nullable=True),
        sa.Column("duration_s", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Integer(), nullable=True),
        sa.Column("flags", sa.Integer(), nullable=True),
        sa.Column("settled", BIG, nullable=True),
        sa.Column("settled_by", BIG, nullable=True),
        sa.Column("returned_fen", BIG, nullable=True),
        sa.Column("balance_fen", BIG, nullable=True),
        sa.Column("how", sa.Integer(), nullable=True),
        sa.Column("voided", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales")),
        sqlite_strict=True,
    )
    op.create_index("ix_sales_card_counter", "sales", ["card_no", "counter"], unique=False)
    op.create_index("ix_sales_ended", "sales", ["ended"], unique=False)
    op.create_table(
        "sales_hourly",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", BIG, autoincrement=False, nullable=False),
        sa.Column("sales", BIG, nullable=False),
        sa.Column("volume_ml", BIG, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.PrimaryKeyConstraint("station", "grade", "hour", name=op.f("pk_sales_hourly")),
        sqlite_strict=True,
    )
    op.create_table(
        "tanks",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("capacity_ml", BIG, nullable=False),
        sa.Column("low_ml", BIG, nullable=False),
        sa.CheckConstraint("capacity_ml > 0", name=op.f("ck_tanks_capacity")),
        sa.PrimaryKeyConstraint("station", "grade", name=op.f("pk_tanks")),
        sqlite_strict=True,
    )
    op.create_table(
        "tariff_prices",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("grade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("fen_per_l", sa.Integer(), nullable=False),
        sa.CheckConstraint("fen_per_l > 0", name=op.f("ck_tariff_prices_positive")),
        sa.PrimaryKeyConstraint("version", "grade", name=op.f("pk_tariff_prices")),
        sqlite_strict=True,
    )
    op.create_table(
        "tariffs",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("effective", BIG, nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_tariffs")),
        sqlite_strict=True,
    )
    op.create_table(
        "transfers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("debit", sa.Text(), nullable=False),
        sa.Column("credit", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text(), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("memo", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("amount > 0", name=op.f("ck_transfers_positive")),
        sa.CheckConstraint("debit <> credit", name=op.f("ck_transfers_two_accounts")),
        sa.PrimaryKeyConstraint("key", "line", name=op.f("pk_transfers")),
        sqlite_strict=True,
    )
    op.create_table(
        "waiting_records",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("seq", BIG, autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("received", BIG, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "seq", "digest", name=op.f("pk_waiting_records")),
        sqlite_strict=True,
    )
    for table in APPEND_ONLY:
        create_append_only(op.get_bind(), table)
