"""Tables of several stations: the tree of units, who sees which part, the stations that report here, and what moved
between them. A station that reports keeps its place in the talk in `network_cursors`.
"""

from sqlalchemy import CheckConstraint, Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from station.platform.database import STRICT, BigInt, append_only, metadata

units = Table(
    "units",
    metadata,
    Column("unit", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("parent", Text, nullable=True),
    Column("name", Text, nullable=False),
    CheckConstraint("kind IN ('region', 'city', 'area', 'station')", name="kind"),
    **STRICT,
)

scopes = Table(
    "unit_scopes",
    metadata,
    Column("person", Text, primary_key=True),
    Column("unit", Text, nullable=False),
    **STRICT,
)

# station: as its pumps are registered; station_no: in card and device numbers. token: SHA-256 of what proves it.
# whole_at: when it last had nothing more to tell.
members = Table(
    "network_members",
    metadata,
    Column("station", Text, primary_key=True),
    Column("station_no", Integer, nullable=False, unique=True),
    Column("token", LargeBinary, nullable=False),
    Column("joined_at", BigInt, nullable=False),
    Column("heard_at", BigInt, nullable=True),
    Column("whole_at", BigInt, nullable=False, server_default="0"),
    Column("event", BigInt, nullable=False, server_default="0"),  # its last event of a card that is taken here
    **STRICT,
)

# One row per use of a card away from home: a sale (its home owes the place) or a load (the place owes its home).
moves = append_only(
    Table(
        "network_moves",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("kind", Text, nullable=False),
        Column("place", Integer, nullable=False),  # station numbers
        Column("home", Integer, nullable=False),
        Column("ref", BigInt, nullable=False),  # of a sale: device * 2**32 + seq; of a load: the place's event
        Column("card_no", Text, nullable=False),
        Column("amount_fen", BigInt, nullable=False),
        Column("counter", BigInt, nullable=False),
        Column("balance_fen", BigInt, nullable=True),
        Column("at", BigInt, nullable=False),
        CheckConstraint("place <> home", name="two_stations"),
        CheckConstraint("amount_fen >= 0", name="amount"),
        CheckConstraint("kind IN ('sale', 'load')", name="kind"),
        UniqueConstraint("kind", "place", "ref"),
        Index("ix_network_moves_home", "home", "number"),
        Index("ix_network_moves_place", "place", "number"),
        **STRICT,
    )
)

# Every change of a card, for the stations that did not make it.
card_news = append_only(
    Table(
        "network_card_news",
        metadata,
        Column("number", Integer, primary_key=True, autoincrement=True),
        Column("card_no", Text, nullable=False),
        Column("station_no", Integer, nullable=False),  # who told it
        **STRICT,
    )
)

cursors = Table(
    "network_cursors",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInt, nullable=False),
    **STRICT,
)
