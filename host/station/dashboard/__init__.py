"""The staff's pages (NiceGUI), served by the API's application. No rule lives here, only showing and asking."""

from station.dashboard.mounting import build, mount
from station.dashboard.office import Office

__all__ = ["Office", "build", "mount"]
