"""C12: odometers that go back or leap, consumption off the norm or off the vehicle's habit, tanks, hours."""

import pytest
from sqlalchemy import Engine

from station import fleets
from station.fleets import exceptions
from station.platform import database
from station.platform.secrets import Secrets
from station.sales import Fill
from tests.fleets.company import Pump, card, company, number_of
from tests.station.world import T0

NOON = T0 - T0 % 86_400 + 28 * 3600  # 12:00 in China
DAY = 86_400


def fill(day: int, km: int, litres: int = 40, hour: int = 12) -> Fill:
    at = NOON + day * DAY + (hour - 12) * 3600
    return Fill(day, "s1", "p1", 1, "", "", "", km, at, at + 60, 1, 756, litres * 1000, litres * 756)


def kinds(*fills: Fill, tank: int = 60, norm: int = 10, hours: tuple[int, ...] = ()) -> list[tuple[str, int, int, int]]:
    found = exceptions.look(fills, tank * 1000, norm * 1000, hours)
    return [(one.kind, one.fill.id, one.value, one.expected) for one in found]


def test_c12_a_quiet_vehicle_says_nothing() -> None:
    assert kinds(*(fill(day, 10_000 + day * 400) for day in range(20)), hours=(12,)) == []


def test_c12_an_odometer_goes_back_or_leaps() -> None:
    assert kinds(fill(0, 10_000), fill(1, 9_000), fill(2, 10_800)) == [("odometer_back", 1, 9_000, 10_000)]
    assert kinds(fill(0, 10_000), fill(1, 100_400)) == [("odometer_jump", 1, 90_400, 3_000)]


def test_c12_more_than_the_norm_allows() -> None:
    # 52 L over 400 km is 13.0 L/100 km, just what a norm of 10 bears; 53 L is too much.
    assert kinds(fill(0, 10_000), fill(1, 10_400, 52)) == []
    assert kinds(fill(0, 10_000), fill(1, 10_400, 53)) == [("above_norm", 1, 13_250, 10_000)]
    # Two fills between two readings count together; a few kilometres say nothing.
    assert kinds(fill(0, 10_000), fill(1, 0, 30), fill(2, 10_400, 30)) == [("above_norm", 2, 15_000, 10_000)]
    assert kinds(fill(0, 10_000), fill(1, 10_020, 40)) == []


def test_c12_a_vehicle_is_held_against_its_own_habit() -> None:
    habit = [fill(day, 10_000 + day * 400, 40 + day % 2) for day in range(10)]
    assert kinds(*habit, fill(10, 14_000, 20), norm=0) == [("unusual", 10, 5_000, 10_250)]
    assert kinds(*habit[:5], fill(5, 12_000, 20), norm=0) == []  # too young for habits


def test_c12_more_than_the_tank_holds_and_at_night() -> None:
    assert kinds(fill(0, 0, 61), fill(1, 0, 20, hour=3), hours=(11, 12, 13)) == [
        ("above_tank", 0, 61_000, 60_000),
        ("off_hours", 1, 3, 3),
    ]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_c12_the_company_reads_what_its_vehicles_did(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid = card(conn, 1, firm, "京A10001")
        wanted = fleets.Vehicle(0, firm, "京A10001", 60_000, 1, 10_000, number_of(uid))
        fleets.save(conn, wanted, "test", T0)
        pump = Pump(conn, secrets)
        pump.fuel(uid, 40_000, NOON, km=10_000)
        pump.fuel(uid, 70_000, NOON + DAY, km=9_500)
        told = fleets.vehicle_exceptions(conn, firm, NOON, NOON + 2 * DAY)
        assert [(one.vehicle.plate, one.oddity.kind) for one in told] == [
            ("京A10001", "above_tank"),
            ("京A10001", "odometer_back"),
        ]
        assert fleets.vehicle_exceptions(conn, firm, NOON + 2 * DAY, NOON + 9 * DAY) == []
        assert [one.odometer_km for one in fleets.fills(conn, firm, NOON, NOON + 2 * DAY)] == [10_000, 9_500]
