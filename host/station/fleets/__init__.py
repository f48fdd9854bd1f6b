"""Fleets: companies with their departments, vehicles and drivers, what these may buy, at which price, and what they owe.

What the faces may use is named here. Money is fen, volumes are ml, times Unix seconds.
"""

from station.fleets import tables as tables
