"""An index over the records that are not of a sale: they are few, and looked for by kind."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    rare = sa.text("kind > 7")
    op.create_index("ix_records_rare", "records", ["kind", "id"], sqlite_where=rare, postgresql_where=rare)
