"""Units of several stations, stations that report to head office, cards used away from home."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0017"
down_revision = "0016"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "units",
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('region', 'city', 'area', 'station')", name=op.f("ck_units_kind")),
        sa.PrimaryKeyConstraint("unit", name=op.f("pk_units")),
        sqlite_strict=True,
    )
    op.create_table(
        "unit_scopes",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("person", name=op.f("pk_unit_scopes")),
        sqlite_strict=True,
    )
    op.create_table(
        "network_members",
        sa.Column("station", sa.Text(), nullable=False),
        sa.Column("station_no", sa.Integer(), nullable=False),
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("joined_at", BIG, nullable=False),
        sa.Column("heard_at", BIG, nullable=True),
        sa.Column("whole_at", BIG, server_default="0", nullable=False),
        sa.Column("event", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("station", name=op.f("pk_network_members")),
        sa.UniqueConstraint("station_no", name=op.f("uq_network_members_station_no")),
        sqlite_strict=True,
    )
    op.create_table(
        "network_moves",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("home", sa.Integer(), nullable=False),
        sa.Column("ref", BIG, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("counter", BIG, nullable=False),
        sa.Column("balance_fen", BIG, nullable=True),
        sa.Column("at", BIG, nullable=False),
        sa.CheckConstraint("place <> home", name=op.f("ck_network_moves_two_stations")),
        sa.CheckConstraint("amount_fen >= 0", name=op.f("ck_network_moves_amount")),
        sa.CheckConstraint("kind IN ('sale', 'load')", name=op.f("ck_network_moves_kind")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_network_moves")),
        sa.UniqueConstraint("kind", "place", "ref", name=op.f("uq_network_moves_kind_place_ref")),
        sqlite_strict=True,
    )
    op.create_index("ix_network_moves_home", "network_moves", ["home", "number"], unique=False)
    op.create_index("ix_network_moves_place", "network_moves", ["place", "number"], unique=False)
    op.create_table(
        "network_card_news",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("station_no", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_network_card_news")),
        sqlite_strict=True,
    )
    op.create_table(
        "network_cursors",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_network_cursors")),
        sqlite_strict=True,
    )
    op.create_table(
        "others_heard",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("upto", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_others_heard")),
        sqlite_strict=True,
    )
    for name in ("abroad", "guest"):
        op.add_column("card_shadows", sa.Column(name, BIG, server_default="0", nullable=False))
    for table in ("network_moves", "network_card_news"):
        create_append_only(op.get_bind(), table)
