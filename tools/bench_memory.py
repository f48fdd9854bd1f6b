"""How much heap sales and a test measure with TLS take on the real firmware: `python -m tools.bench_memory`.

The board runs in `-X heapsize=50wK` (50 K words: 100 KB on a 64-bit machine, whose objects are twice the size of the
ESP32's). `gc.mem_alloc()` is sampled at every control tick, garbage not yet collected included; for each phase its peak
is shown and what is in use after a collection at its end, in KB of 1,024 bytes. mbedTLS allocates outside this heap, on
the chip as well; byte code runs in place from a ROMFS partition, also outside. A run before it keeps the byte code in
the heap, as an interpreter without ROMFS does.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from pump.core import card_layout, records
from station import cards, forecourt, sales
from station.cards import Rules, numbers
from tools import image
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.bench.state import PumpState
from tools.bench.wires import COLLECT, HEAP_LIVE, HEAP_PEAK, Wires

HEAP = "50wK"
_PUMP = "p1"
_PIN = "2468"
LISTED = 2000  # cards on the blacklist


def measure(
    directory: Path, heap: str = HEAP, in_place: bool = True, say: Callable[[str], None] = print
) -> dict[str, object]:
    """Runs two sales and a test measure; the line of figures. in_place False: byte code is loaded from the file system
    into the heap.

    TimeoutError names the phase that did not end; MemoryError if the board started again on the way.
    """
    with SmallStation(directory, pumps=(_PUMP,), heap=heap) as station:
        world, rig = station.world, station.world.pumps[_PUMP]
        if not in_place:
            rig.board.power_off()
            _move_code_to_files(rig.board.home)
            rig.board.power_on()
        peaks: dict[str, int] = {}
        lives: dict[str, int] = {}

        def phase(name: str, done: Callable[[], object], timeout_s: float = 30.0) -> None:
            deadline = time.monotonic() + timeout_s
            while not done():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name}: {_pump(station)}\n{station.logs()}")
                time.sleep(0.02)
            peaks[name] = rig.wires.get("I", HEAP_PEAK)
            lives[name] = _collected(rig.wires)
            rig.wires.put("I", HEAP_PEAK, 0)
            say(f"{name:<12} peak {peaks[name] / 1024:6.1f} KB  live {lives[name] / 1024:6.1f} KB")

        phase("boot", lambda: rig.wires.get("I", HEAP_PEAK))
        phase("link up", lambda: _records_arrived(station))
        boots = _pump(station)["boots"]
        card = station.issue(load_fen=30_000)
        world.do(acts.insert(_PUMP, card))
        _typed(station, "CA50#", lambda: _shows(station, "50.00"))
        world.do(acts.lift(_PUMP))
        phase("card", lambda: _pump(station)["permit"])
        world.do(acts.trigger(_PUMP, "full"))
        phase("fuelling", lambda: _pump(station)["nozzles"][0]["sale_ml"] > 1000 and not _pump(station)["permit"])
        world.do(acts.hang(_PUMP))
        phase("settle", lambda: station.world.wallet.states({})[0]["open_fen"] == 0)
        phase("upload", lambda: [r for r in station.read(sales.recent) if r.state == "settled"])
        world.do(acts.remove(_PUMP))
        # The most that one customer can ask for, right after a list of cards was fetched and a receipt was shown.
        vehicle, driver = _fleet_pair(station)
        publish_list(station)
        phase("list", lambda: has_list(station))
        phase("receipt", lambda: _pump(station)["lcd"]["picture"])
        phase("time", lambda: _knows_the_time(station), 60)  # without it limits of the day refuse
        world.do(acts.lift(_PUMP))
        fleet = _Customer(station, vehicle, driver)
        phase("fleet visit", fleet.is_authorised, 60)
        world.do(acts.trigger(_PUMP, "full"))
        phase("fleet sale", lambda: _pump(station)["nozzles"][0]["sale_ml"] > 3000)
        world.do(acts.trigger(_PUMP, "none"))
        world.do(acts.hang(_PUMP))
        phase("fleet end", lambda: len([r for r in station.read(sales.recent) if r.state == "settled"]) == 2)
        world.do(acts.remove(_PUMP))
        world.do(acts.insert(_PUMP, station.issue(kind=card_layout.KIND_TEST)))
        phase("test menu", lambda: _shows(station, "检定"))
        world.do(acts.keys(_PUMP, "1"))
        world.do(acts.lift(_PUMP))
        _typed(station, "#", lambda: _pump(station)["permit"])
        world.do(acts.trigger(_PUMP, "full"))
        phase("test draw", lambda: _pump(station)["nozzles"][0]["sale_ml"] > 500)
        world.do(acts.hang(_PUMP))
        phase("test end", lambda: station.read(sales.measures))
        if _pump(station)["boots"] != boots:
            raise MemoryError(f"the board started again\n{station.logs()}")
        return {
            "heap": heap,
            "peak_kb": round(max(peaks.values()) / 1024, 1),
            "fuelling_kb": round(max(lives["fuelling"], lives["fleet sale"]) / 1024, 1),
            "sale_completed": True,
        }


def _shows(station: SmallStation, words: str) -> bool:
    return words in "".join(_pump(station)["lcd"]["lines"])


def _typed(station: SmallStation, keys: str, done: Callable[[], object]) -> None:
    """Press, and again if the board was too busy with its card to see every key. TimeoutError."""
    for _ in range(5):
        station.world.do(acts.keys(_PUMP, keys))
        until = time.monotonic() + 3
        while time.monotonic() < until:
            if done():
                return
            time.sleep(0.05)
    raise TimeoutError(f"{keys}: {_pump(station)}\n{station.logs()}")


class _Customer:
    """Does what the display asks for: PIN, driver's card, kilometres."""

    def __init__(self, station: SmallStation, vehicle: str, driver: str) -> None:
        self._station, self._vehicle, self._driver = station, vehicle, driver
        self._put(vehicle)

    def _put(self, card: str) -> None:
        self._station.world.do(acts.insert(_PUMP, card))
        time.sleep(1)

    def is_authorised(self) -> bool:
        pump = _pump(self._station)
        words = "".join(pump["lcd"]["lines"])
        if pump["permit"]:
            return True
        if "驾驶员" in words or "车辆卡" in words:
            self._station.world.do(acts.remove(_PUMP))
            time.sleep(1)
            self._put(self._driver if "驾驶员" in words else self._vehicle)
        for asked, answer in (("密码", f"{_PIN}#"), ("里程", "12000#")):
            if asked in words:
                self._station.world.do(acts.keys(_PUMP, answer))
                time.sleep(len(answer) * 0.35)
        return False


def _fleet_pair(station: SmallStation) -> tuple[str, str]:
    """A vehicle's card with every rule there is, and money waiting to be loaded on it; its driver's card."""
    rules = Rules(day_fen=50_000, day_fills=5, odometer_km=800, needs_driver=True)
    vehicle = station.issue(30_000, company=7, rules=rules, pin=_PIN)
    driver = station.issue(kind=card_layout.KIND_DRIVER, company=7)
    number = next(c["card_no"] for c in station.world.wallet.states({}) if c["card"] == vehicle)
    assert number is not None
    station.write(lambda conn: cards.top_up(conn, number, 10_000, "wechat", int(time.time())))
    return vehicle, driver


def publish_list(station: SmallStation) -> None:
    """A blacklist that has to be fetched in parts."""
    others = [numbers.make(100, serial) for serial in range(1, LISTED + 1)]
    station.write(lambda conn: forecourt.set_blacklist(conn, others, int(time.time())))


def _knows_the_time(station: SmallStation) -> bool:
    return any(p.state.get("quality") == records.TIME_SYNCED for p in station.read(forecourt.pumps))


def has_list(station: SmallStation) -> bool:
    """The pump has told so in its journal, and the record was committed."""
    found = text("SELECT count(*) FROM records WHERE kind = :kind")
    return station.read(lambda conn: bool(conn.execute(found, {"kind": records.LIST}).scalar()))


def _collected(wires: Wires) -> int:
    """Bytes in use after a collection of garbage at one of the next ticks; 0 if none came within a second."""
    wires.put("I", HEAP_LIVE, 0)
    wires.put("I", COLLECT, 1)
    until = time.monotonic() + 1
    while not (live := wires.get("I", HEAP_LIVE)) and time.monotonic() < until:
        time.sleep(0.005)
    wires.put("I", COLLECT, 0)
    return live


def _move_code_to_files(home: Path) -> None:
    """As `make flash` does it for an interpreter without ROMFS."""
    (home / "romfs.bin").unlink()
    (home / "flash/lib").mkdir(exist_ok=True)
    for name, data in image.cached().modules().items():
        (home / "flash/lib" / name).write_bytes(data)


def _records_arrived(station: SmallStation) -> bool:
    """The BOOT record went up over TLS and was committed."""
    return station.read(lambda conn: bool(conn.execute(text("SELECT count(*) FROM records")).scalar()))


def _pump(station: SmallStation) -> PumpState:
    return station.world.state()["pumps"][0]


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="pumpside-memory-") as scratch:
        try:
            print("byte code in the heap, heap of 100wK:")
            in_heap = measure(Path(scratch) / "in_heap", "100wK", in_place=False)
            print(f"peak with byte code in the heap: {in_heap['peak_kb']} KB\n\nbyte code in place, heap of {HEAP}:")
            print(json.dumps(measure(Path(scratch) / "in_place")))
        except (TimeoutError, MemoryError) as error:
            print(error, file=sys.stderr)
            print(json.dumps({"heap": HEAP, "sale_completed": False}))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
