"""Fleets: companies with departments, vehicles and drivers, what they may buy, at which price, and what they owe.

What the faces may use is named here. Money is fen, volumes are ml, times Unix seconds.
"""

from station import payments
from station.fleets import paying
from station.fleets import tables as tables
from station.fleets.authorising import EXHAUSTED, REFUSED, STOPPED, Refusal, Word, authorise, refusals_of
from station.fleets.exceptions import Oddity
from station.fleets.loads import load_card
from station.fleets.prices import DISCOUNT, FIXED, Agreement, agree, agreements, in_force, rebate_fen
from station.fleets.reports import Report, fills, vehicle_exceptions
from station.fleets.rulebook import Version, is_behind, of_unit, of_vehicle, rules, set_rules, to_carry, versions
from station.fleets.rules import Rules, RulesError, to_json
from station.fleets.statements import Line, Statement, lines, make, newest, overdue_fen, statement, unpaid_fen
from station.fleets.statements import listing as statements
from station.fleets.units import (
    FleetError,
    Unit,
    add_part,
    allocate,
    companies,
    describe,
    enrol,
    line_of,
    open_company,
    owed_fen,
    recall,
    top_up,
    tree,
    unit,
)
from station.fleets.vehicles import (
    ACTIVE,
    GONE,
    Driver,
    Vehicle,
    drivers_of,
    save,
    save_driver,
    vehicle,
    vehicle_of,
    vehicles_of,
)

payments.register(paying.PURPOSE, paying.apply, paying.check)

__all__ = [
    "ACTIVE", "DISCOUNT", "EXHAUSTED", "FIXED", "GONE", "REFUSED", "STOPPED", "Agreement", "Driver", "FleetError",
    "Line", "Oddity", "Refusal", "Report", "Rules", "RulesError", "Statement", "Unit", "Vehicle", "Version", "Word",
    "add_part", "agree", "agreements", "allocate", "authorise", "companies", "describe", "drivers_of", "enrol",
    "fills", "in_force", "is_behind", "line_of", "lines", "load_card", "make", "newest", "of_unit", "of_vehicle",
    "open_company", "overdue_fen", "owed_fen", "rebate_fen", "recall", "refusals_of", "rules", "save", "save_driver",
    "set_rules", "statement", "statements", "to_carry", "to_json", "top_up", "tree", "unit", "unpaid_fen", "vehicle",
    "vehicle_exceptions", "vehicle_of", "vehicles_of", "versions",
]  # fmt: skip
