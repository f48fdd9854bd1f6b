"""Reports on a company's vehicles: what they bought, and what in it wants a look."""

from dataclasses import dataclass

from sqlalchemy import Connection

from station import sales
from station.fleets import exceptions, rulebook, units, vehicles
from station.fleets.exceptions import Oddity
from station.fleets.vehicles import Vehicle

HISTORY_S = 180 * 86_400  # before the time asked for: what is usual for a vehicle


@dataclass(frozen=True, slots=True)
class Report:
    """An exception and the vehicle."""

    vehicle: Vehicle
    oddity: Oddity


def vehicle_exceptions(conn: Connection, company: int, since: int, until: int) -> list[Report]:
    """What is odd in the fills of the company's vehicles with since <= end < until, newest first."""
    listed = [one for one in vehicles.vehicles_of(conn, company) if one.card_no]
    by_card: dict[str, list[sales.Fill]] = {one.card_no or "": [] for one in listed}
    for fill in sales.fills(conn, (), list(by_card), since - HISTORY_S, until):
        by_card[fill.card_no].append(fill)
    found = []
    for vehicle in listed:
        hours = rulebook.hours_of(conn, vehicle)
        odd = exceptions.look(by_card[vehicle.card_no or ""], vehicle.tank_ml, vehicle.norm_ml_per_100km, hours)
        found += [Report(vehicle, one) for one in odd if one.fill.ended >= since]
    return sorted(found, key=lambda one: (-one.oddity.fill.ended, one.oddity.fill.id, one.oddity.kind))


def fills(conn: Connection, company: int, since: int, until: int) -> list[sales.Fill]:
    """What the company's accounts and its vehicles' cards bought, by time."""
    cards = [one.card_no for one in vehicles.vehicles_of(conn, company) if one.card_no]
    return sales.fills(conn, units.tree(conn, company), cards, since, until)
