"""Tables of the accounts field: who buys on account, and what of each account is lent to which pump."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text

from station.platform.database import STRICT, BigInt, metadata

# account: the number that stands on its cards as their company. Money in fen. limit_fen: the credit line (0: prepaid).
# sale_fen: one fill at most. offline_*: what each pump is lent ahead: so much, for so many fills, for so long.
accounts = Table(
    "accounts",
    metadata,
    Column("account", BigInt, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("limit_fen", BigInt, CheckConstraint("limit_fen >= 0", name="limit"), nullable=False),
    Column("sale_fen", BigInt, CheckConstraint("sale_fen > 0", name="sale"), nullable=False),
    Column("offline_fen", BigInt, CheckConstraint("offline_fen >= 0", name="offline"), nullable=False),
    Column("offline_count", Integer, nullable=False),
    Column("offline_hours", Integer, nullable=False),
    Column("opened_at", BigInt, nullable=False),
    CheckConstraint("state IN ('active', 'stopped')", name="state"),
    **STRICT,
)

# A lease counts against its account from the moment it is offered until the device's own journal, complete up to a
# record after which it cannot be used any more, is in the books.
# how: sale (for the sale in hand) or offline. used_fen, started, ended: sums over the sales made under it, as known.
# question, head: the pump's question that it answers, and the sequence number its next record was to have then.
# until_seq: a START under it, if there is one, is not newer than that record of the device. closed: why, NULL: open.
# card_no: of the card that asked ("": not known).
leases = Table(
    "leases",
    metadata,
    Column("lease", BigInt, primary_key=True, autoincrement=True),
    Column("account", BigInt, nullable=False),
    Column("device", BigInt, nullable=False),
    Column("how", Text, nullable=False),
    Column("amount_fen", BigInt, nullable=False),
    Column("count", Integer, nullable=False),
    Column("made", BigInt, nullable=False),
    Column("expires", BigInt, nullable=False),
    Column("question", Text, nullable=False),
    Column("head", BigInt, nullable=False),
    Column("used_fen", BigInt, nullable=False, server_default="0"),
    Column("started", Integer, nullable=False, server_default="0"),
    Column("ended", Integer, nullable=False, server_default="0"),
    Column("until_seq", BigInt),
    Column("closed_at", BigInt),
    Column("closed", Text),
    Column("card_no", Text, nullable=False, server_default=""),
    CheckConstraint("how IN ('sale', 'offline')", name="how"),
    CheckConstraint("amount_fen > 0", name="amount"),
    **STRICT,
)
Index(
    "ix_leases_open",
    leases.c.device,
    leases.c.account,
    sqlite_where=leases.c.closed_at.is_(None),
    postgresql_where=leases.c.closed_at.is_(None),
)
