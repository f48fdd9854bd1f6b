"""Wet stock: a tank per grade, its book stock in the ledger (asset ml), falling with each sale, in its transaction;
beside it what a gauge or a dipstick last said."""

from station.wetstock.tanks import TankRow, deliver, open_tank, record_gauge, tanks

__all__ = ["TankRow", "deliver", "open_tank", "record_gauge", "tanks"]
