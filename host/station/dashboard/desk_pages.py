"""The pages of the card desk, over one set of readers."""

from station.dashboard import desk_issue, desk_limits, desk_money, desk_query, desk_reports
from station.dashboard.desk import Desks
from station.dashboard.frame import Frame
from station.dashboard.office import Office


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""
    desks = Desks.of(office)
    for part in (desk_query, desk_money, desk_issue, desk_limits, desk_reports):
        part.register(frame, desks)
