"""Companies, their departments, vehicles, drivers, rules and prices."""

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Nothing yet."""
