"""Wet stock: a tank per grade, its book stock in the ledger (asset ml), falling with each sale, in its transaction."""

from station.wetstock.tanks import TankRow, deliver, open_tank, tanks

__all__ = ["TankRow", "deliver", "open_tank", "tanks"]
