"""Tables of risk: rules by version, recent histories, places and tanks, findings and what became of them."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, UniqueConstraint

from station.platform.database import STRICT, BigInt, append_only, metadata

rules = append_only(
    Table(
        "risk_rules",
        metadata,
        Column("version", BigInt, primary_key=True, autoincrement=False),
        Column("name", Text, primary_key=True),
        Column("rule", Text, nullable=False),
        Column("at", BigInt, nullable=False),
        Column("by_whom", Text, nullable=False),
        Column("why", Text, nullable=False, server_default=""),
        **STRICT,
    )
)

histories = Table(
    "risk_histories",
    metadata,
    Column("subject", Text, primary_key=True),
    Column("history", Text, nullable=False),
    **STRICT,
)

places = Table(
    "station_places",
    metadata,
    Column("station", Text, primary_key=True),
    Column("latitude_e6", BigInt, nullable=False),
    Column("longitude_e6", BigInt, nullable=False),
    **STRICT,
)

# Tanks of vehicles, by plate: for the rule about more fuel than goes in.
vehicles = Table(
    "risk_vehicles",
    metadata,
    Column("plate", Text, primary_key=True),
    Column("tank_ml", BigInt, CheckConstraint("tank_ml > 0", name="tank"), nullable=False),
    **STRICT,
)

findings = Table(
    "risk_findings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("rule", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("ref", BigInt, nullable=False),
    Column("at", BigInt, nullable=False),
    Column("found_at", BigInt, nullable=False),
    Column("value", BigInt, nullable=False),
    Column("over", BigInt, nullable=False),
    Column("action", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_at", BigInt, nullable=True),
    Column("decided_by", Text, nullable=True),
    Column("why", Text, nullable=True),
    CheckConstraint("state IN ('told', 'open', 'cleared', 'confirmed')", name="state"),
    UniqueConstraint("rule", "subject", "ref"),
    Index("ix_risk_findings_state", "state", "at"),
    **STRICT,
)
