"""Jobs of the card desk: customers, replacements, refunds, bonus and person of a load, new states of a card."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATES = "state IN ('issuing', 'active', 'blocked', 'void', 'replaced', 'closed')"


def upgrade() -> None:
    _cards()
    op.add_column("card_loads", sa.Column("bonus_fen", BIG, nullable=False, server_default="0"))
    op.add_column("card_loads", sa.Column("by", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "card_customers",
        sa.Column("customer", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("checked_by", sa.Text(), nullable=False),
        sa.Column("consent_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("customer", name=op.f("pk_card_customers")),
        sqlite_strict=True,
    )
    op.create_table(
        "card_refunds",
        sa.Column("refund_id", BIG, nullable=False, autoincrement=False),
        sa.Column("card_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("bonus_fen", BIG, nullable=False),
        sa.Column("closes", sa.Integer(), nullable=False),
        sa.Column("drawer", sa.Text(), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("second", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("done_at", BIG, nullable=True),
        sa.CheckConstraint("amount_fen >= 0 AND bonus_fen >= 0", name=op.f("ck_card_refunds_whole")),
        sa.CheckConstraint("state IN ('pending', 'done', 'cancelled')", name=op.f("ck_card_refunds_state")),
        sa.PrimaryKeyConstraint("refund_id", name=op.f("pk_card_refunds")),
        sqlite_strict=True,
    )
    op.create_index("ix_card_refunds_card_no", "card_refunds", ["card_no"], unique=False)
    op.create_index(
        "ix_card_refunds_open",
        "card_refunds",
        ["card_no"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )


def _cards() -> None:
    """SQLite cannot change a check: the table is made anew there (it has no triggers that could be lost)."""
    fresh = (
        sa.Column("customer", sa.Text(), nullable=False, server_default=""),
        sa.Column("purchase", sa.Text(), nullable=False, server_default=""),
        sa.Column("replaces", sa.Text(), nullable=False, server_default=""),
        sa.Column("listed", BIG, nullable=False, server_default="0"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f("ck_cards_state"), "cards", type_="check")
        op.create_check_constraint(op.f("ck_cards_state"), "cards", STATES)
        for column in fresh:
            op.add_column("cards", column)
    else:
        op.drop_index("ix_cards_uid", "cards")
        op.rename_table("cards", "cards_before")
        old = _old_columns()
        made = op.create_table(
            "cards",
            *old,
            *fresh,
            sa.CheckConstraint(STATES, name=op.f("ck_cards_state")),
            sa.PrimaryKeyConstraint("card_no", name=op.f("pk_cards")),
            sqlite_strict=True,
        )
        names = [column.name for column in old]
        before = sa.table("cards_before", *(sa.column(name) for name in names))
        op.execute(sa.insert(made).from_select(names, sa.select(before)))
        op.drop_table("cards_before")
        op.create_index("ix_cards_uid", "cards", ["uid"], unique=False)


def _old_columns() -> list[sa.Column[object]]:
    def text(name: str, **more: object) -> sa.Column[object]:
        return sa.Column(name, sa.Text(), nullable=False, **more)  # type: ignore[arg-type]

    def whole(name: str, kind: object, **more: object) -> sa.Column[object]:
        return sa.Column(name, kind, nullable=False, **more)  # type: ignore[arg-type]

    return [
        text("card_no"),
        text("uid"),
        whole("kind", sa.Integer()),
        text("state"),
        text("holder", server_default=""),
        text("document", server_default=""),
        text("plate", server_default=""),
        whole("company", BIG, server_default="0"),
        whole("grades", sa.Integer()),
        whole("expiry", BIG),
        whole("upper_fen", BIG),
        whole("key_version", sa.Integer()),
        whole("issued_at", BIG),
        text("block_reason", server_default=""),
    ]
