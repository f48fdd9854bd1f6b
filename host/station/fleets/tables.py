"""Tables of the fleets: companies and their parts, vehicles, drivers, rules, prices, refusals and statements."""

from sqlalchemy import CheckConstraint, Column, Integer, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

# A unit is an account that belongs to a tree: a company has no parent; a part (department, or one vehicle's allotment)
# has one. Its name, state, credit line and money are the account's (station.accounts).
units = Table(
    "fleet_units",
    metadata,
    Column("account", BigInt, primary_key=True, autoincrement=False),
    Column("parent", BigInt, nullable=True, index=True),
    Column("tax_no", Text, nullable=False, server_default=""),
    Column("contact", Text, nullable=False, server_default=""),
    Column("due_days", Integer, CheckConstraint("due_days >= 0", name="due"), nullable=False),
    CheckConstraint("parent <> account", name="tree"),
    **STRICT,
)

# unit: the account that pays for it. tank_ml, norm_ml_per_100km, grade: 0 if not known or any.
vehicles = Table(
    "fleet_vehicles",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("unit", BigInt, nullable=False, index=True),
    Column("plate", Text, nullable=False, unique=True),
    Column("tank_ml", BigInt, nullable=False),
    Column("grade", Integer, nullable=False),
    Column("norm_ml_per_100km", BigInt, nullable=False),
    Column("card_no", Text, nullable=True, unique=True),
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('active', 'gone')", name="state"),
    **STRICT,
)

drivers = Table(
    "fleet_drivers",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("unit", BigInt, nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("card_no", Text, nullable=True, unique=True),
    **STRICT,
)

# subject: `unit:3` or `vehicle:7`. rules: JSON (fleets/rules.py).
rules = append_only(
    Table(
        "fleet_rules",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("rules", Text, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        Column("why", Text, nullable=False),
        **STRICT,
    )
)

# since <= start of a sale < until (0: open). kind: discount (fen off each litre) or fixed (fen per litre).
prices = append_only(
    Table(
        "fleet_prices",
        metadata,
        Column("company", BigInt, primary_key=True, autoincrement=False),
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("grade", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("fen_per_l", Integer, nullable=False),
        Column("since", BigInt, nullable=False),
        Column("until", BigInt, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        Column("why", Text, nullable=False),
        CheckConstraint("kind IN ('discount', 'fixed')", name="kind"),
        CheckConstraint("fen_per_l >= 0", name="price"),
        **STRICT,
    )
)

# What the station declined, and by which rule: the pump's own record of it (REFUSAL) comes later, or never.
refusals = append_only(
    Table(
        "fleet_refusals",
        metadata,
        Column("device", BigInt, primary_key=True, autoincrement=False),
        Column("question", Text, primary_key=True),
        Column("at", BigInt, nullable=False, index=True),
        Column("account", BigInt, nullable=False),
        Column("card_no", Text, nullable=False),
        Column("plate", Text, nullable=False),
        Column("code", Integer, nullable=False),  # pump.core.codes.REFUSE_*
        Column("rule", Text, nullable=False),  # the rule's name in fleets/rules.py, or a word of authorising.py
        Column("allowed", BigInt, nullable=False),
        Column("used", BigInt, nullable=False),
        **STRICT,
    )
)

# Money in fen, above nought what the company owes. Each posting on the company's accounts is on one statement at most.
statements = append_only(
    Table(
        "fleet_statements",
        metadata,
        Column("company", BigInt, primary_key=True, autoincrement=False),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("since", BigInt, nullable=False),
        Column("until", BigInt, nullable=False),
        Column("due_at", BigInt, nullable=False),
        Column("made_at", BigInt, nullable=False),
        Column("by", Text, nullable=False),
        Column("opening_fen", BigInt, nullable=False),
        Column("delivered_fen", BigInt, nullable=False),
        Column("rebate_fen", BigInt, nullable=False),
        Column("loaded_fen", BigInt, nullable=False),
        Column("paid_fen", BigInt, nullable=False),
        Column("other_fen", BigInt, nullable=False),
        Column("closing_fen", BigInt, nullable=False),
        Column("volume_ml", BigInt, nullable=False),
        CheckConstraint(
            "closing_fen = opening_fen + delivered_fen - rebate_fen + loaded_fen - paid_fen + other_fen", name="adds_up"
        ),
        **STRICT,
    )
)

statement_lines = append_only(
    Table(
        "fleet_statement_lines",
        metadata,
        Column("key", Text, primary_key=True),  # of the posting
        Column("company", BigInt, nullable=False),
        Column("number", Integer, nullable=False),
        Column("unit", BigInt, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("kind", Text, nullable=False),
        Column("owed_fen", BigInt, nullable=False),  # above nought what is owed more by it
        Column("rebate_fen", BigInt, nullable=False),  # of a delivery: its share of the statement's rebate
        Column("memo", Text, nullable=False),
        CheckConstraint("kind IN ('delivery', 'rebate', 'load', 'payment', 'other')", name="kind"),
        **STRICT,
    )
)
