"""Tills: bills, tenders, refunds, invoices, drawers."""

import sqlalchemy as sa
from alembic import op

from station.platform.migrations import create_append_only

revision = "0015"
down_revision = "0014"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "invoice_subjects",
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("total_fen", BIG, nullable=False),
        sa.Column("invoiced_fen", BIG, server_default="0", nullable=False),
        sa.CheckConstraint("invoiced_fen BETWEEN 0 AND total_fen", name=op.f("ck_invoice_subjects_never_over")),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_invoice_subjects")),
        sqlite_strict=True,
    )
    op.create_table(
        "invoices",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("buyer", sa.Text(), nullable=False),
        sa.Column("tax_no", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("red_of", BIG, nullable=True),
        sa.Column("red_series", sa.Text(), nullable=True),
        sa.Column("instead_of", BIG, nullable=True),
        sa.Column("instead_series", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=False),
        sa.CheckConstraint("(amount_fen < 0) = (red_of IS NOT NULL)", name=op.f("ck_invoices_red")),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_invoices_amount")),
        sa.PrimaryKeyConstraint("series", "number", name=op.f("pk_invoices")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_invoices_at"), "invoices", ["at"], unique=False)
    op.create_table(
        "shop_goods",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("price_fen", BIG, nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.CheckConstraint("active IN (0, 1)", name=op.f("ck_shop_goods_active")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_shop_goods_price")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_shop_goods")),
        sqlite_strict=True,
    )
    op.create_table(
        "till_days",
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("closed_at", BIG, nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_till_days")),
        sqlite_strict=True,
    )
    op.create_table(
        "tills",
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("till", name=op.f("pk_tills")),
        sqlite_strict=True,
    )
    op.create_table(
        "invoice_parts",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("number", BIG, autoincrement=False, nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("red_fen", BIG, server_default="0", nullable=False),
        sa.CheckConstraint("red_fen = 0 OR red_fen BETWEEN 0 AND amount_fen", name=op.f("ck_invoice_parts_red")),
        sa.ForeignKeyConstraint(
            ["series", "number"], ["invoices.series", "invoices.number"], name=op.f("fk_invoice_parts_series_number")
        ),
        sa.ForeignKeyConstraint(["subject"], ["invoice_subjects.subject"], name=op.f("fk_invoice_parts_subject")),
        sa.PrimaryKeyConstraint("series", "number", "subject", name=op.f("pk_invoice_parts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_invoice_parts_subject"), "invoice_parts", ["subject"], unique=False)
    op.create_table(
        "till_shifts",
        sa.Column("shift", BIG, autoincrement=False, nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("cashier", sa.Text(), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("float_fen", BIG, nullable=False),
        sa.Column("closed_at", BIG, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("expected_fen", BIG, nullable=True),
        sa.Column("counted_fen", BIG, nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.Column("second", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("float_fen >= 0", name=op.f("ck_till_shifts_float")),
        sa.ForeignKeyConstraint(["till"], ["tills.till"], name=op.f("fk_till_shifts_till")),
        sa.PrimaryKeyConstraint("shift", name=op.f("pk_till_shifts")),
        sqlite_strict=True,
    )
    op.create_index(
        "ux_till_shifts_open",
        "till_shifts",
        ["till"],
        unique=True,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "till_bills",
        sa.Column("bill", BIG, autoincrement=False, nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("shift", BIG, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("total_fen", BIG, nullable=False),
        sa.Column("paid_at", BIG, nullable=True),
        sa.Column("pump", sa.Text(), nullable=True),
        sa.Column("released_at", BIG, nullable=True),
        sa.CheckConstraint("state IN ('open', 'paid', 'void')", name=op.f("ck_till_bills_state")),
        sa.ForeignKeyConstraint(["shift"], ["till_shifts.shift"], name=op.f("fk_till_bills_shift")),
        sa.ForeignKeyConstraint(["till"], ["tills.till"], name=op.f("fk_till_bills_till")),
        sa.PrimaryKeyConstraint("bill", name=op.f("pk_till_bills")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_till_bills_paid_at"), "till_bills", ["paid_at"], unique=False)
    op.create_index(op.f("ix_till_bills_shift"), "till_bills", ["shift"], unique=False)
    op.create_table(
        "till_lines",
        sa.Column("bill", BIG, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("device", BIG, nullable=True),
        sa.Column("seq", BIG, nullable=True),
        sa.Column("grade", sa.Integer(), nullable=True),
        sa.Column("account", BIG, nullable=True),
        sa.Column("quantity", BIG, nullable=False),
        sa.Column("price_fen", BIG, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("returned_fen", BIG, server_default="0", nullable=False),
        sa.Column("returned_pieces", BIG, server_default="0", nullable=False),
        sa.Column("live", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('fuel', 'goods')", name=op.f("ck_till_lines_kind")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_till_lines_amount")),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_till_lines_quantity")),
        sa.CheckConstraint("returned_fen BETWEEN 0 AND amount_fen", name=op.f("ck_till_lines_returned")),
        sa.CheckConstraint("returned_pieces BETWEEN 0 AND quantity", name=op.f("ck_till_lines_returned_pieces")),
        sa.ForeignKeyConstraint(["bill"], ["till_bills.bill"], name=op.f("fk_till_lines_bill")),
        sa.ForeignKeyConstraint(["code"], ["shop_goods.code"], name=op.f("fk_till_lines_code")),
        sa.PrimaryKeyConstraint("bill", "line", name=op.f("pk_till_lines")),
        sqlite_strict=True,
    )
    op.create_index(
        "ux_till_lines_sale",
        "till_lines",
        ["device", "seq"],
        unique=True,
        sqlite_where=sa.text("live = 1"),
        postgresql_where=sa.text("live = 1"),
    )
    op.create_table(
        "till_tenders",
        sa.Column("bill", BIG, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("handed_fen", BIG, nullable=False),
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=True),
        sa.Column("returned_fen", BIG, server_default="0", nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_till_tenders_amount")),
        sa.CheckConstraint("handed_fen >= amount_fen", name=op.f("ck_till_tenders_handed")),
        sa.CheckConstraint("returned_fen BETWEEN 0 AND amount_fen", name=op.f("ck_till_tenders_returned")),
        sa.ForeignKeyConstraint(["bill"], ["till_bills.bill"], name=op.f("fk_till_tenders_bill")),
        sa.PrimaryKeyConstraint("bill", "number", name=op.f("pk_till_tenders")),
        sqlite_strict=True,
    )
    op.create_table(
        "till_refunds",
        sa.Column("refund", BIG, autoincrement=False, nullable=False),
        sa.Column("bill", BIG, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.Column("pieces", BIG, nullable=False),
        sa.Column("till", sa.Text(), nullable=False),
        sa.Column("asked_at", BIG, nullable=False),
        sa.Column("asked_by", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", BIG, nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open', 'done', 'refused')", name=op.f("ck_till_refunds_state")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_till_refunds_amount")),
        sa.ForeignKeyConstraint(
            ["bill", "line"], ["till_lines.bill", "till_lines.line"], name=op.f("fk_till_refunds_bill_line")
        ),
        sa.ForeignKeyConstraint(["till"], ["tills.till"], name=op.f("fk_till_refunds_till")),
        sa.PrimaryKeyConstraint("refund", name=op.f("pk_till_refunds")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_till_refunds_bill"), "till_refunds", ["bill"], unique=False)
    op.create_index(op.f("ix_till_refunds_decided_at"), "till_refunds", ["decided_at"], unique=False)
    op.create_table(
        "till_refund_parts",
        sa.Column("refund", BIG, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("amount_fen", BIG, nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_till_refund_parts_amount")),
        sa.ForeignKeyConstraint(["refund"], ["till_refunds.refund"], name=op.f("fk_till_refund_parts_refund")),
        sa.PrimaryKeyConstraint("refund", "number", name=op.f("pk_till_refund_parts")),
        sqlite_strict=True,
    )
    for table in ("till_refund_parts", "invoices", "till_days"):
        create_append_only(op.get_bind(), table)
