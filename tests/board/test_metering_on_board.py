"""Metering on a simulated board, end to end (D16, D17, D25), as only a bench sees it: by the plant's own litres, the
files in flash and a control loop that hangs. What any board can show stands in hil_tests/test_metering.py."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from pump.core import codes, records
from pump.core.record_fields import body_dict
from station import forecourt
from station.sales import tables
from tools import image, romfs
from tools.bench import acts, wires
from tools.bench.small_station import SmallStation

pytestmark = pytest.mark.timeout(240)
T = TypeVar("T")


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStation]:
    with SmallStation(tmp_path_factory.mktemp("metering"), pumps=("p1",)) as small:
        until(lambda: state_of(small).get("online"), 40, small)
        yield small


def state_of(station: SmallStation) -> dict[str, Any]:
    found = station.read(lambda conn: forecourt.pump_named(conn, station.settings.station, "p1"))
    return found.state if found else {}


def until(look: Callable[[], T], timeout_s: float, station: SmallStation) -> T:
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        assert time.monotonic() < deadline, f"{station.world.state()['pumps']}\n{station.logs()}"
        time.sleep(0.1)
    return value


def bodies(station: SmallStation, kind: int) -> list[dict[str, Any]]:
    """Records of a kind in the station's database, oldest first."""
    query = tables.records.select().where(tables.records.c.kind == kind).order_by(tables.records.c.id)
    rows = station.read(lambda conn: conn.execute(query).all())
    return [{"seq": row.id & 0xFFFFFFFF} | body_dict(bytes(row.raw)) for row in rows]


def pump(station: SmallStation) -> Any:
    return station.world.state()["pumps"][0]


def draw(station: SmallStation, litres: float) -> int:
    """Squeeze until so much has come out, let go, hang up; the true millilitres."""
    world = station.world
    until(lambda: pump(station)["permit"], 15, station)
    world.do(acts.trigger("p1", "full"))
    until(lambda: pump(station)["nozzles"][0]["sale_ml"] >= litres * 1000, 40, station)
    world.do(acts.hang("p1"))
    until(lambda: not pump(station)["permit"] and not pump(station)["nozzles"][0]["flow_ml_s"], 10, station)
    return int(pump(station)["nozzles"][0]["sale_ml"])


def pressed(station: SmallStation, keys: str, done: Callable[[], object]) -> None:
    """Press, and again if the board was too busy to see what went before."""
    for _ in range(5):
        station.world.do(acts.keys("p1", keys))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            if done():
                return
            time.sleep(0.1)
    until(done, 1, station)


def test_d17_a_leak_at_the_plant_is_an_alarm_with_its_litres(station: SmallStation) -> None:
    before = station.world.pumps["p1"].total_ul(0)
    station.world.do(acts.leak("p1", 200))
    until(lambda: codes.ALARM_LEAK in state_of(station).get("alarms", ()), 10, station)
    station.world.do(acts.leak("p1", 0))
    time.sleep(0.5)
    leaked_ml = (station.world.pumps["p1"].total_ul(0) - before) // 1000

    def told() -> int:
        return sum(a["volume_ml"] for a in bodies(station, records.ALARM) if a["code"] == codes.ALARM_LEAK)

    until(lambda: abs(told() - leaked_ml) <= 10, 20, station)


def test_d25_the_id_on_the_display_is_the_hash_of_the_files_on_the_board(station: SmallStation) -> None:
    home = station.world.pumps["p1"].board.home
    partition = (home / "romfs.bin").read_bytes()
    files = {name: (home / "flash" / name).read_bytes() for name in ("boot.py", "main.py")}
    files |= romfs.read(partition[: romfs.size(partition)])
    for told in ("software", "release"):  # what the slot says of itself
        files.pop(told)
    hashed = image.software_id(files)
    assert state_of(station)["sw"] == hashed
    pressed(station, "D", lambda: hashed in "".join(pump(station)["lcd"]["lines"]).replace(" ", ""))
    station.world.do(acts.keys("p1", "D" * 6))


def test_d16_the_counter_itself_shuts_the_valves_while_the_loop_hangs(station: SmallStation) -> None:
    """1.2 litres before the limit the control tick begins a loop without end. The watchdog bites after three seconds,
    two litres later. The counter's threshold needs no tick; what remains is the big valve's own closing time."""
    world, rig = station.world, station.world.pumps["p1"]
    card = station.issue(load_fen=50_000)
    world.do(acts.insert("p1", card))
    time.sleep(1)
    world.do(acts.keys("p1", "B3#"))
    world.do(acts.lift("p1"))
    until(lambda: pump(station)["permit"], 15, station)
    world.do(acts.trigger("p1", "full"))
    until(lambda: pump(station)["nozzles"][0]["sale_ml"] >= 1_800, 20, station)
    boots = pump(station)["boots"]
    rig.wires.put("I", wires.FAULT, wires.TICK_HANGS)
    shut = until(
        lambda: (
            pump(station)["nozzles"][0]["sale_ml"] > 2_900
            and not pump(station)["nozzles"][0]["big_valve"]
            and pump(station)
        ),
        20,
        station,
    )
    assert shut["boots"] == boots, "shut by the counter, before the watchdog"
    assert shut["permit"], "the hung loop has not touched its outputs"
    until(lambda: pump(station)["boots"] > boots, 15, station)
    rig.wires.put("I", wires.FAULT, 0)
    assert pump(station)["nozzles"][0]["sale_ml"] <= 3_150
    world.do(acts.hang("p1"))
    ends = until(lambda: [e for e in bodies(station, records.END) if e["card_no"].hex() and e["flags"]], 30, station)
    assert (ends[-1]["reason"], ends[-1]["volume_ml"]) == (codes.STOP_POWER, 1_500), (
        "the last checkpoint of the hung loop"
    )
    world.do(acts.remove("p1"))
