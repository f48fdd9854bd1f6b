"""Sales keep the card's kind, the driver and the odometer; vehicles' tanks are known to the risk rules."""

import struct

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
START, END = 2, 4
# Where a record of version 1 holds them: START kind, driver, odometer; END its START's sequence, kind.
_START, _END_SALE, _END_KIND = struct.Struct("<B4x8sI"), struct.Struct("<I"), 24 + 77
_START_AT, _END_AT = 24 + 62, 24


def upgrade() -> None:
    op.create_table(
        "risk_vehicles",
        sa.Column("plate", sa.Text(), nullable=False),
        sa.Column("tank_ml", BIG, nullable=False),
        sa.CheckConstraint("tank_ml > 0", name=op.f("ck_risk_vehicles_tank")),
        sa.PrimaryKeyConstraint("plate", name=op.f("pk_risk_vehicles")),
        sqlite_strict=True,
    )
    op.add_column("sales", sa.Column("card_kind", sa.Integer(), nullable=True))
    op.add_column("sales", sa.Column("driver", sa.Text(), nullable=True))
    op.add_column("sales", sa.Column("odometer_km", BIG, nullable=True))
    _fill(op.get_bind())


def _fill(conn: sa.Connection) -> None:
    """What the records always told and the sales did not keep."""
    after = -1
    while rows := conn.execute(_PART, {"after": after}).all():
        after = rows[-1].id
        starts = [_of_start(row.id, bytes(row.raw)) for row in rows if row.kind == START]
        ends = [_of_end(row.id, bytes(row.raw)) for row in rows if row.kind == END]
        if starts:
            conn.execute(_BY_START, starts)
        if ends:
            conn.execute(_BY_END, ends)


def _of_start(identity: int, raw: bytes) -> dict[str, object]:
    kind, driver, km = _START.unpack_from(raw, _START_AT)
    return {"sale": identity, "kind": kind, "driver": driver.hex() if any(driver) else "", "km": km}


def _of_end(identity: int, raw: bytes) -> dict[str, object]:
    (seq,) = _END_SALE.unpack_from(raw, _END_AT)
    return {"sale": identity >> 32 << 32 | seq, "kind": raw[_END_KIND]}


_PART = sa.text("SELECT id, kind, raw FROM records WHERE kind IN (2, 4) AND id > :after ORDER BY id LIMIT 5000")
_BY_START = sa.text("UPDATE sales SET card_kind = :kind, driver = :driver, odometer_km = :km WHERE id = :sale")
_BY_END = sa.text("UPDATE sales SET card_kind = :kind WHERE id = :sale AND card_kind IS NULL")
