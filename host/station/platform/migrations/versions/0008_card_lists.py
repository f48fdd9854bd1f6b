"""Card lists as a base and small changes, instead of the whole blacklist with each version."""

import json

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    lists = op.create_table(
        "card_lists",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("base", BIG, nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_card_lists")),
        sqlite_strict=True,
    )
    op.create_table(
        "card_list_bases",
        sa.Column("version", BIG, autoincrement=False, nullable=False),
        sa.Column("made", BIG, nullable=False),
        sa.Column("black", sa.Text(), nullable=False),
        sa.Column("white", sa.Text(), nullable=False),
        sa.Column("black_pages", sa.Integer(), nullable=False),
        sa.Column("image", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_card_list_bases")),
        sqlite_strict=True,
    )
    old = sa.table("blacklists", sa.column("version"), sa.column("made"), sa.column("cards"))
    bind = op.get_bind()
    latest = bind.execute(sa.select(old).order_by(old.c.version.desc()).limit(1)).first()
    if latest:
        changes = json.dumps([json.loads(latest.cards), [], [], []])
        row = {"version": latest.version, "made": latest.made, "base": 0, "changes": changes}
        bind.execute(sa.insert(lists).values(row))
    create_append_only(bind, "card_lists")
    create_append_only(bind, "card_list_bases")
    op.drop_table("blacklists")
