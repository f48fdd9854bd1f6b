"""Metering on a simulated board, end to end (D8, D17, D24, D25, D30): real firmware, link, ingest and books.

The person at the keypad types what the plant says really came out."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from pump.core import card_layout, codes, records
from pump.core.record_fields import body_dict
from station import forecourt, sales
from station.platform import database
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


def test_d30_a_sales_timeline_is_fetched_from_the_pump_and_sums_to_its_record(station: SmallStation) -> None:
    card = station.issue(load_fen=50_000)
    time.sleep(3)  # the pump erases room for timelines while idle
    station.world.do(acts.lift("p1"))
    station.world.do(acts.insert("p1", card))
    draw(station, 3)
    (end,) = until(lambda: bodies(station, records.END), 20, station)
    station.world.do(acts.remove("p1"))
    device = until(lambda: state_of(station).get("device"), 5, station)
    with database.write(station._engine) as conn:
        forecourt.ask_timeline(conn, device, end["sale_seq"], "王芳", int(time.time()))
    line = until(lambda: station.read(lambda conn: forecourt.timeline(conn, device, end["sale_seq"])), 20, station)
    until(
        lambda: (station.read(lambda conn: forecourt.timeline(conn, device, end["sale_seq"])) or line).is_ended,
        10,
        station,
    )
    line = station.read(lambda conn: forecourt.timeline(conn, device, end["sale_seq"])) or line
    assert line.is_whole
    assert (line.edges_a // 2, line.edges_b // 2) == (end["pulses_a"], end["pulses_b"])
    assert sum(len(page.samples) for page in line.pages) >= 60, "three litres take three seconds at least"


def test_d8_d24_prover_runs_at_the_keypad_change_the_factor_behind_the_seal(station: SmallStation) -> None:
    card = station.issue(kind=card_layout.KIND_TEST)
    world = station.world
    before = station.world.pumps["p1"].total_ul(0)

    def count(field: str) -> int:
        return len([measure for measure in bodies(station, records.TEST_MEASURE) if measure[field]])

    world.do(acts.insert("p1", card))
    until(lambda: any("检定" in line for line in pump(station)["lcd"]["lines"]), 10, station)
    world.do(acts.keys("p1", "2"))
    for run in (1, 2, 3):
        world.do(acts.lift("p1"))
        pressed(station, "#", lambda: pump(station)["permit"])
        true_ml = draw(station, 8)  # a count is 2.5 ml: with less the runs part by more than 0.10 %
        until(lambda run=run: count("volume_ml") == run, 20, station)
        typed = f"{true_ml * 998 // 1000}#"  # the meter gives 0.2 % too much
        world.do(acts.keys("p1", typed))
        until(lambda run=run: count("prover_ml") == run, 20, station)
    world.do(acts.keys("p1", "#"))
    refusals = until(lambda: bodies(station, records.REFUSAL), 15, station)
    assert refusals[-1]["code"] == codes.REFUSE_SEAL
    world.do(acts.seal("p1", True))
    world.do(acts.keys("p1", "#"))
    (event,) = until(lambda: bodies(station, records.CALIBRATION), 15, station)
    assert abs(event["error_ppm"] - 2_000) < 1_500 and event["new_ppm"] < 0 == event["old_ppm"]
    meter = station.read(lambda conn: sales.meters(conn)[0])
    assert (meter.factor_ppm, meter.events) == (event["new_ppm"], 1)
    drawn = sum(m["volume_ml"] for m in bodies(station, records.TEST_MEASURE))
    assert abs(drawn - (world.pumps["p1"].total_ul(0) - before) // 1000) <= 30
    world.do(acts.remove("p1"))
    world.do(acts.seal("p1", False))


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
