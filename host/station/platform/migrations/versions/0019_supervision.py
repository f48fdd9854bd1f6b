"""Rules of risk in the station, nightly checks of the books."""

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Nothing yet."""
