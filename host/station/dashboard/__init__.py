"""The staff's pages (NiceGUI), served by the same application as the API; no rule lives here, only showing and asking."""

from station.dashboard.mounting import build, mount

__all__ = ["build", "mount"]
