"""The first schema."""

import importlib

from alembic import op

from station.platform.database import APPEND_ONLY, metadata
from station.platform.migrations import create_append_only

revision = "0001"
down_revision = None


def upgrade() -> None:
    for module in ("ledger", "sales", "wetstock", "forecourt", "cards"):
        importlib.import_module(f"station.{module}")
    metadata.create_all(op.get_bind())
    for table in sorted(APPEND_ONLY):
        create_append_only(op.get_bind(), table)
