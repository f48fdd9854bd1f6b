"""Tables of the sales field. The id of a record or sale is device * 2**32 + seq: unique by construction."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text

from station.platform.database import STRICT, BigInt, append_only, metadata

SEQ_BITS = 32


def record_id(device: int, seq: int) -> int:
    """The database's name of a record, and of the sale that begins with it."""
    return device << SEQ_BITS | seq


def split_id(identity: int) -> tuple[int, int]:
    """(device, seq) of a record id."""
    return identity >> SEQ_BITS, identity & 0xFFFFFFFF


# Every record whose place in its device's chain is proven, as the pump wrote it.
records = append_only(
    Table(
        "records",
        metadata,
        Column("id", BigInt, primary_key=True, autoincrement=False),
        Column("kind", Integer, nullable=False),
        Column("at", BigInt, nullable=False),  # resolved wall time, Unix seconds
        Column("quality", Integer, nullable=False),  # of the wall time, as the record says
        Column("received", BigInt, nullable=False),
        Column("trusted", Integer, nullable=False),  # 1: mac proven; 0: admitted by a person's decision
        Column("raw", LargeBinary, nullable=False),
        **STRICT,
    )
)

# What is not of a sale is rare and looked for by kind: shifts, test measures, alarms. Ask with the literal `kind > 7`.
Index(
    "ix_records_rare",
    records.c.kind,
    records.c.id,
    sqlite_where=records.c.kind > 7,
    postgresql_where=records.c.kind > 7,
)

# The head of each device's chain: everything up to and with `seq` is in `records`.
journals = Table(
    "journals",
    metadata,
    Column("device", BigInt, primary_key=True, autoincrement=False),
    Column("seq", BigInt, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("boot", BigInt, nullable=False),
    Column("clock_offset_s", BigInt),  # wall time less uptime in this boot, once a record knew it
    Column("updated", BigInt, nullable=False),
    **STRICT,
)

# Whole records that came before their forerunners: several candidates for one seq may wait, the chain decides.
waiting = Table(
    "waiting_records",
    metadata,
    Column("device", BigInt, primary_key=True, autoincrement=False),
    Column("seq", BigInt, primary_key=True, autoincrement=False),
    Column("digest", Text, primary_key=True),
    Column("received", BigInt, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    **STRICT,
)

# One row per sale: what the records known so far say about it. NULL: not known yet.
sales = Table(
    "sales",
    metadata,
    Column("id", BigInt, primary_key=True, autoincrement=False),
    Column("card_no", Text),
    Column("uid", Text),
    Column("counter", BigInt),
    Column("nozzle", Integer),
    Column("grade", Integer),
    Column("price_fen_per_l", Integer),
    Column("tariff", BigInt),
    Column("plate", Text),
    Column("started", BigInt),
    Column("reserved_fen", BigInt),
    Column("is_reserved", Integer, nullable=False),  # 1: the card is known to have given the money
    Column("reserved_balance_fen", BigInt),  # on the card right after the reservation
    Column("ended", BigInt),
    Column("amount_fen", BigInt),
    Column("volume_ml", BigInt),
    Column("total_start_ml", BigInt),
    Column("total_end_ml", BigInt),
    Column("overrun_ml", BigInt),
    Column("duration_s", Integer),
    Column("reason", Integer),
    Column("flags", Integer),
    Column("settled", BigInt),
    Column("settled_by", BigInt),  # the device that reported it
    Column("returned_fen", BigInt),
    Column("balance_fen", BigInt),  # on the card after the settlement
    Column("how", Integer),
    Column("voided", BigInt),
    Column("on_account", Integer),  # 1: an account owes it (station.accounts), 0: the card pays
    Column("lease", BigInt),
    Column("account", BigInt),  # of the lease; 0: the lease is not known here
    Column("card_kind", Integer),  # pump.core.card_layout.KIND_*
    Column("driver", Text),  # number of the driver's card, "": none was asked for
    Column("odometer_km", BigInt),  # as the customer keyed it in, 0: not asked for
    Index("ix_sales_ended", "ended"),
    Index("ix_sales_card_counter", "card_no", "counter"),
    **STRICT,
)

# What accounts bought is a small part of all, and asked for by account.
Index(
    "ix_sales_account",
    sales.c.account,
    sales.c.ended,
    sqlite_where=sales.c.account.is_not(None),
    postgresql_where=sales.c.account.is_not(None),
)

hours = Table(
    "sales_hourly",
    metadata,
    Column("station", Text, primary_key=True),
    Column("grade", Integer, primary_key=True, autoincrement=False),
    Column("hour", BigInt, primary_key=True, autoincrement=False),
    Column("sales", BigInt, nullable=False),
    Column("volume_ml", BigInt, nullable=False),
    Column("amount_fen", BigInt, nullable=False),
    **STRICT,
)

# What the records and the desk saw of a card, beside what the books make of it.
shadows = Table(
    "card_shadows",
    metadata,
    Column("card_no", Text, primary_key=True),
    Column("uid", Text),
    Column("counter", BigInt, nullable=False),  # highest purse counter seen
    Column("reserved_count", BigInt, nullable=False),  # sales known to have taken money from the card
    Column("settled_count", BigInt, nullable=False),
    Column("seen_rank", BigInt, nullable=False),  # orders sightings: counter * 4 + (1 reserved, 2 settled, 3 desk)
    Column("seen_fen", BigInt),  # the card's purse at the latest sighting
    Column("seen_at", BigInt),
    Column("opened", BigInt, nullable=False),
    Column("waiting_since", BigInt),
    Column("on_account", Integer, nullable=False, server_default="0"),  # 1: holds no money, an account pays
    Column("abroad", BigInt, nullable=False, server_default="0"),  # of the counted sales: told by head office
    Column("guest", BigInt, nullable=False, server_default="0"),  # 1: another station's books hold its purse
    Index("ix_card_shadows_uid", "uid"),
    **STRICT,
)

# One row where several stations belong together: up to when head office has heard all others.
others = Table(
    "others_heard",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("upto", BigInt, nullable=False),
    **STRICT,
)

# Everything odd, kept whole and shown. The same oddity again only raises `times`.
quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("digest", Text, nullable=False, unique=True),  # of reason, place and content
    Column("reason", Text, nullable=False),
    Column("place", Text, nullable=False),  # the topic, or `device/seq`
    Column("device", BigInt),
    Column("seq", BigInt),
    Column("detail", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("first_at", BigInt, nullable=False),
    Column("last_at", BigInt, nullable=False),
    Column("times", BigInt, nullable=False),
    Column("decided_at", BigInt),
    Column("decision", Text),
    CheckConstraint("times > 0", name="seen"),
    **STRICT,
)

# What people decided where no record can come any more; as binding as a record.
decisions = append_only(
    Table(
        "sale_decisions",
        metadata,
        Column("id", Integer, primary_key=True, autoincrement=True),
        Column("sale", BigInt, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("what", Text, nullable=False),
        Column("content", Text, nullable=False),  # JSON
        Column("by_whom", Text, nullable=False),
        Column("why", Text, nullable=False),
        **STRICT,
    )
)
