"""Staff, PIN and fleet cards at the real firmware in a board's heap, through broker and books (D21, D23)."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from pump.core import card_layout, codes, records
from pump.core.record_fields import body_dict
from station import forecourt, sales
from station.cards import Rules
from tools.bench import acts
from tools.bench.rig import Rig
from tools.bench.small_station import SmallStation
from tools.bench.state import CardState, PumpState

pytestmark = pytest.mark.timeout(240)
T = TypeVar("T")
FLEET = 7


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStation]:
    with SmallStation(tmp_path_factory.mktemp("station")) as station:
        until(station, lambda: prices_are_in(station) and knows_the_time(station), 60)
        yield station


def until(station: SmallStation, look: Callable[[], T | None], timeout_s: float = 30) -> T:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(station.logs())


def rig(station: SmallStation) -> Rig:
    return station.world.pumps["p1"]


def pump(station: SmallStation) -> PumpState:
    return station.world.state()["pumps"][0]


def seen(station: SmallStation, card: str) -> CardState:
    return next(one for one in station.world.state()["cards"] if one["card"] == card)


def told(station: SmallStation, kind: int) -> list[dict[str, object]]:
    """Bodies of this kind in the board's flash, whether the station has them or not."""
    data = (rig(station).board.home / "journal.bin").read_bytes()[: 32 * 8 * records.SIZE]
    slots = (data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE))
    return [body_dict(slot) for slot in slots if records.is_whole(slot) and slot[1] == kind]


def prices_are_in(station: SmallStation) -> bool:
    return bool(told(station, records.PRICE))


def knows_the_time(station: SmallStation) -> bool:
    """A card with limits of the day is not taken before."""
    return any(p.state.get("quality") == records.TIME_SYNCED for p in station.read(forecourt.pumps))


def keys(station: SmallStation, text: str) -> None:
    station.world.do(acts.keys("p1", text))
    time.sleep(len(text) * 0.35)


def visit(station: SmallStation, card: str) -> None:
    """The card in the slot for a while, then out again."""
    station.world.do(acts.insert("p1", card))
    time.sleep(1.5)
    station.world.do(acts.remove("p1"))
    time.sleep(0.8)


def fuel(station: SmallStation, card: str, volume_ml: int) -> None:
    """The pump runs: squeeze, hang up, wait for the settlement."""
    world = station.world
    until(station, lambda: pump(station)["permit"], 10)
    world.do(acts.trigger("p1", "full"))
    until(station, lambda: pump(station)["nozzles"][0]["sale_ml"] > volume_ml or not pump(station)["permit"], 60)
    world.do(acts.trigger("p1", "none"))
    world.do(acts.hang("p1"))
    until(station, lambda: seen(station, card)["open_fen"] == 0, 20)
    time.sleep(0.5)
    world.do(acts.remove("p1"))
    time.sleep(0.8)


def test_d21_d23_a_shift_with_a_pin_card_and_a_fleet_pair_on_the_real_firmware(station: SmallStation) -> None:
    world = station.world
    clerk = station.issue(kind=card_layout.KIND_STAFF, holder="孙丽")
    customer = station.issue(60_000, rules=Rules(day_fen=5_000), pin="0420")
    vehicle = station.issue(60_000, company=FLEET, rules=Rules(needs_driver=True, odometer_km=800))
    driver = station.issue(kind=card_layout.KIND_DRIVER, company=FLEET, holder="赵师傅")

    visit(station, clerk)
    assert [s["event"] for s in told(station, records.SHIFT)] == [codes.SHIFT_ON]

    # PIN, a wrong one first; the day's money is the sale's limit.
    world.do(acts.lift("p1"))
    world.do(acts.insert("p1", customer))
    time.sleep(1.5)
    keys(station, "0240#")
    until(station, lambda: told(station, records.REFUSAL), 10)
    assert told(station, records.REFUSAL)[0]["code"] == codes.REFUSE_PIN
    assert not pump(station)["permit"]
    keys(station, "0420#")
    fuel(station, customer, 99_000)
    end = told(station, records.END)[0]
    assert end["reason"] == codes.STOP_CARD_LIMIT
    assert 4_900 < int(str(end["amount_fen"])) <= 5_000

    # Vehicle, driver, vehicle again, kilometres.
    world.do(acts.lift("p1"))
    visit(station, vehicle)
    visit(station, driver)
    world.do(acts.insert("p1", vehicle))
    time.sleep(1.5)
    assert not pump(station)["permit"]
    keys(station, "120500#")
    fuel(station, vehicle, 3_000)
    start = told(station, records.START)[-1]
    assert start["odometer_km"] == 120_500
    assert bytes(start["driver_no"]).hex() == seen(station, driver)["card_no"]  # type: ignore[call-overload]

    time.sleep(5)  # the clerk's card came a moment ago, in the pump's eyes
    visit(station, clerk)
    sold_ml = sum(int(str(e["volume_ml"])) for e in told(station, records.END))

    def closed() -> sales.Period | None:
        periods = station.read(sales.periods)
        return periods[0] if periods and periods[0].ended is not None else None

    shift = until(station, closed)
    assert shift.agrees, shift
    assert (shift.number, shift.sales, shift.sold_ml) == (1, 2, sold_ml)
    assert shift.nozzles[0].measured_ml == sold_ml
    assert shift.card_no == seen(station, clerk)["card_no"]
