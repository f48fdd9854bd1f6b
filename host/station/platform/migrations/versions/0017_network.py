"""Units of several stations, clearing between them, and what was sent to head office."""

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Nothing yet."""
