"""Tables of the tills. More given back than paid, or more invoiced than sold, the database itself refuses."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint, Index, Integer, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

tills = Table(
    "tills",
    metadata,
    Column("till", Text, primary_key=True),  # its drawer is the cash account of that name
    Column("title", Text, nullable=False),
    Column("made_at", BigInt, nullable=False),
    **STRICT,
)

shifts = Table(
    "till_shifts",
    metadata,
    Column("shift", BigInt, primary_key=True, autoincrement=False),
    Column("till", Text, ForeignKey("tills.till"), nullable=False),
    Column("cashier", Text, nullable=False),
    Column("opened_at", BigInt, nullable=False),
    Column("float_fen", BigInt, nullable=False),
    Column("closed_at", BigInt),
    Column("closed_by", Text),
    Column("expected_fen", BigInt),
    Column("counted_fen", BigInt),
    Column("why", Text, nullable=False, server_default=""),
    Column("second", Text, nullable=False, server_default=""),  # who signed for the difference
    CheckConstraint("float_fen >= 0", name="float"),
    **STRICT,
)
_OPEN = shifts.c.closed_at.is_(None)
Index("ux_till_shifts_open", shifts.c.till, unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN)

goods = Table(
    "shop_goods",
    metadata,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("price_fen", BigInt, nullable=False),
    Column("active", Integer, nullable=False),
    CheckConstraint("price_fen > 0", name="price"),
    CheckConstraint("active IN (0, 1)", name="active"),
    **STRICT,
)

bills = Table(
    "till_bills",
    metadata,
    Column("bill", BigInt, primary_key=True, autoincrement=False),
    Column("till", Text, ForeignKey("tills.till"), nullable=False),
    Column("shift", BigInt, ForeignKey("till_shifts.shift"), nullable=False, index=True),
    Column("made_at", BigInt, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("total_fen", BigInt, nullable=False),
    Column("paid_at", BigInt, index=True),
    Column("pump", Text),  # paid from the car standing there
    Column("released_at", BigInt),
    CheckConstraint("state IN ('open', 'paid', 'void')", name="state"),
    **STRICT,
)

lines = Table(
    "till_lines",
    metadata,
    Column("bill", BigInt, ForeignKey("till_bills.bill"), primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),  # the goods' name when they were sold, the pump's for fuel
    Column("code", Text, ForeignKey("shop_goods.code")),
    Column("device", BigInt),
    Column("seq", BigInt),
    Column("grade", Integer),
    Column("account", BigInt),  # that the pump booked the fuel on
    Column("quantity", BigInt, nullable=False),  # pieces or ml
    Column("price_fen", BigInt, nullable=False),  # of a piece or a litre
    Column("amount_fen", BigInt, nullable=False),
    Column("returned_fen", BigInt, nullable=False, server_default="0"),
    Column("returned_pieces", BigInt, nullable=False, server_default="0"),
    Column("live", Integer, nullable=False),  # 0 once the bill is void: its fuel may be billed again
    CheckConstraint("returned_fen BETWEEN 0 AND amount_fen", name="returned"),
    CheckConstraint("returned_pieces BETWEEN 0 AND quantity", name="returned_pieces"),
    CheckConstraint("kind IN ('fuel', 'goods')", name="kind"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("amount_fen > 0", name="amount"),
    **STRICT,
)
_LIVE = lines.c.live == 1
Index("ux_till_lines_sale", lines.c.device, lines.c.seq, unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)

tenders = Table(
    "till_tenders",
    metadata,
    Column("bill", BigInt, ForeignKey("till_bills.bill"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("amount_fen", BigInt, nullable=False),
    Column("handed_fen", BigInt, nullable=False),
    Column("ref", Text, nullable=False),
    Column("line", Integer),  # the line that the pump had settled; none: paid at the till
    Column("returned_fen", BigInt, nullable=False, server_default="0"),
    Column("at", BigInt, nullable=False),
    Column("by", Text, nullable=False),
    CheckConstraint("returned_fen BETWEEN 0 AND amount_fen", name="returned"),
    CheckConstraint("handed_fen >= amount_fen", name="handed"),
    CheckConstraint("amount_fen > 0", name="amount"),
    **STRICT,
)

refunds = Table(
    "till_refunds",
    metadata,
    Column("refund", BigInt, primary_key=True, autoincrement=False),
    Column("bill", BigInt, nullable=False, index=True),
    Column("line", Integer, nullable=False),
    Column("amount_fen", BigInt, nullable=False),
    Column("pieces", BigInt, nullable=False),
    Column("till", Text, ForeignKey("tills.till"), nullable=False),
    Column("asked_at", BigInt, nullable=False),
    Column("asked_by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_at", BigInt, index=True),
    Column("decided_by", Text),
    Column("decision", Text, nullable=False, server_default=""),
    ForeignKeyConstraint(["bill", "line"], ["till_lines.bill", "till_lines.line"]),
    CheckConstraint("amount_fen > 0", name="amount"),
    CheckConstraint("state IN ('open', 'done', 'refused')", name="state"),
    **STRICT,
)

refund_parts = append_only(
    Table(
        "till_refund_parts",
        metadata,
        Column("refund", BigInt, ForeignKey("till_refunds.refund"), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),  # of the bill's tender
        Column("amount_fen", BigInt, nullable=False),
        CheckConstraint("amount_fen > 0", name="amount"),
        **STRICT,
    )
)

# What may be invoiced: `bill:17`, or whatever another field offers under a name of its own.
invoice_subjects = Table(
    "invoice_subjects",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("total_fen", BigInt, nullable=False),
    Column("invoiced_fen", BigInt, nullable=False, server_default="0"),
    CheckConstraint("invoiced_fen BETWEEN 0 AND total_fen", name="never_over"),
    **STRICT,
)

invoices = append_only(
    Table(
        "invoices",
        metadata,
        Column("series", Text, primary_key=True),
        Column("number", BigInt, primary_key=True, autoincrement=False),
        Column("at", BigInt, nullable=False, index=True),
        Column("by", Text, nullable=False),
        Column("buyer", Text, nullable=False),
        Column("tax_no", Text, nullable=False),
        Column("amount_fen", BigInt, nullable=False),
        Column("red_of", BigInt),  # a red letter takes back (part of) that number of the series `red_series`
        Column("red_series", Text),
        Column("instead_of", BigInt),  # a new one for a lost one
        Column("instead_series", Text),
        Column("why", Text, nullable=False),
        CheckConstraint("(amount_fen < 0) = (red_of IS NOT NULL)", name="red"),
        CheckConstraint("amount_fen <> 0", name="amount"),
        **STRICT,
    )
)

invoice_parts = Table(
    "invoice_parts",
    metadata,
    Column("series", Text, primary_key=True),
    Column("number", BigInt, primary_key=True, autoincrement=False),
    Column("subject", Text, ForeignKey("invoice_subjects.subject"), primary_key=True, index=True),
    Column("amount_fen", BigInt, nullable=False),
    Column("red_fen", BigInt, nullable=False, server_default="0"),  # taken back by red letters
    CheckConstraint("red_fen = 0 OR red_fen BETWEEN 0 AND amount_fen", name="red"),
    ForeignKeyConstraint(["series", "number"], ["invoices.series", "invoices.number"]),
    **STRICT,
)

days = append_only(
    Table(
        "till_days",
        metadata,
        Column("day", Text, primary_key=True),  # local, ISO 8601
        Column("closed_at", BigInt, nullable=False),
        Column("closed_by", Text, nullable=False),
        Column("report", Text, nullable=False),  # JSON, as it was printed
        **STRICT,
    )
)
