"""Companies, vehicles, drivers, rules, prices, statements; leases name their card; postings of accounts found fast."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0016"
down_revision = "0015"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BOOKS = ("fleet_rules", "fleet_prices", "fleet_refusals", "fleet_statements", "fleet_statement_lines")


def upgrade() -> None:
    op.add_column("leases", sa.Column("card_no", sa.Text(), server_default="", nullable=False))
    _index("ix_sales_account", "sales", ["account", "ended"], "account IS NOT NULL")
    for side in ("debit", "credit"):
        _index(f"ix_transfers_receivable_{side}", "transfers", [side, "at"], f"substr({side}, 1, 11) = 'receivable:'")
    _tables()
    for table in BOOKS:
        create_append_only(op.get_bind(), table)


def _index(name: str, table: str, columns: list[str], where: str) -> None:
    only = sa.text(where)
    op.create_index(name, table, columns, unique=False, sqlite_where=only, postgresql_where=only)


def _tables() -> None:
    op.create_table(
        "fleet_units",
        sa.Column("account", BIG, autoincrement=False, nullable=False),
        sa.Column("parent", BIG, nullable=True),
        sa.Column("tax_no", sa.Text(), server_default="", nullable=False),
        sa.Column("contact", sa.Text(), server_default="", nullable=False),
        sa.Column("due_days", sa.Integer(), nullable=False),
        sa.CheckConstraint("parent <> account", name=op.f("ck_fleet_units_tree")),
        sa.PrimaryKeyConstraint("account", name=op.f("pk_fleet_units")),
        sqlite_strict=True,
    )
    op.create_index("ix_fleet_units_parent", "fleet_units", ["parent"], unique=False)
    op.create_table(
        "fleet_vehicles",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("unit", BIG, nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("tank_ml", BIG, nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("norm_ml_per_100km", BIG, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("state IN ('active', 'gone')", name=op.f("ck_fleet_vehicles_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_vehicles")),
        sa.UniqueConstraint("card_no", name=op.f("uq_fleet_vehicles_card_no")),
        sa.UniqueConstraint("plate", name=op.f("uq_fleet_vehicles_plate")),
        sqlite_strict=True,
    )
    op.create_index("ix_fleet_vehicles_unit", "fleet_vehicles", ["unit"], unique=False)
    op.create_table(
        "fleet_drivers",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("unit", BIG, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("card_no", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fleet_drivers")),
        sa.UniqueConstraint("card_no", name=op.f("uq_fleet_drivers_card_no")),
        sqlite_strict=True,
    )
    op.create_index("ix_fleet_drivers_unit", "fleet_drivers", ["unit"], unique=False)
    op.create_table(
        "fleet_rules",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "version", name=op.f("pk_fleet_rules")),
        sqlite_strict=True,
    )
    op.create_table(
        "fleet_prices",
        sa.Column("company", BIG, autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("fen_per_l", sa.Integer(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("fen_per_l >= 0", name=op.f("ck_fleet_prices_price")),
        sa.CheckConstraint("kind IN ('discount', 'fixed')", name=op.f("ck_fleet_prices_kind")),
        sa.PrimaryKeyConstraint("company", "version", name=op.f("pk_fleet_prices")),
        sqlite_strict=True,
    )
    op.create_table(
        "fleet_refusals",
        sa.Column("device", BIG, autoincrement=False, nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("account", BIG, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("allowed", BIG, nullable=False),
        sa.Column("used", BIG, nullable=False),
        sa.PrimaryKeyConstraint("device", "question", name=op.f("pk_fleet_refusals")),
        sqlite_strict=True,
    )
    op.create_index("ix_fleet_refusals_at", "fleet_refusals", ["at"], unique=False)
    op.create_table(
        "fleet_statements",
        sa.Column("company", BIG, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("opening_fen", BIG, nullable=False),
        sa.Column("delivered_fen", BIG, nullable=False),
        sa.Column("rebate_fen", BIG, nullable=False),
        sa.Column("loaded_fen", BIG, nullable=False),
        sa.Column("paid_fen", BIG, nullable=False),
        sa.Column("other_fen", BIG, nullable=False),
        sa.Column("closing_fen", BIG, nullable=False),
        sa.Column("volume_ml", BIG, nullable=False),
        sa.CheckConstraint(
            "closing_fen = opening_fen + delivered_fen - rebate_fen + loaded_fen - paid_fen + other_fen",
            name=op.f("ck_fleet_statements_adds_up"),
        ),
        sa.PrimaryKeyConstraint("company", "number", name=op.f("pk_fleet_statements")),
        sqlite_strict=True,
    )
    op.create_table(
        "fleet_statement_lines",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("company", BIG, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("unit", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owed_fen", BIG, nullable=False),
        sa.Column("rebate_fen", BIG, nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('delivery', 'rebate', 'load', 'payment', 'other')",
            name=op.f("ck_fleet_statement_lines_kind"),
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_fleet_statement_lines")),
        sqlite_strict=True,
    )
