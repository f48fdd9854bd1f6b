"""How much heap a whole sale with TLS takes on the real firmware: `python -m tools.bench_memory`.

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

from station import sales
from tools import image
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.bench.state import PumpState
from tools.bench.wires import COLLECT, HEAP_LIVE, HEAP_PEAK, Wires

HEAP = "50wK"
_PUMP = "p1"


def measure(
    directory: Path, heap: str = HEAP, in_place: bool = True, say: Callable[[str], None] = print
) -> dict[str, object]:
    """Runs one sale; the line of figures. in_place False: byte code is loaded from the file system into the heap.

    TimeoutError names the phase that did not end.
    """
    with SmallStation(directory, pumps=(_PUMP,), heap=heap) as station:
        world, rig = station.world, station.world.pumps[_PUMP]
        if not in_place:
            rig.board.power_off()
            _move_code_to_files(rig.board.home)
            rig.board.power_on()
        peaks: dict[str, int] = {}

        def phase(name: str, done: Callable[[], object], timeout_s: float = 30.0) -> None:
            deadline = time.monotonic() + timeout_s
            while not done():
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{name}\n{station.logs()}")
                time.sleep(0.02)
            peaks[name] = rig.wires.get("I", HEAP_PEAK)
            live = _collected(rig.wires)
            rig.wires.put("I", HEAP_PEAK, 0)
            say(f"{name:<12} peak {peaks[name] / 1024:6.1f} KB  live {live / 1024:6.1f} KB")

        phase("boot", lambda: rig.wires.get("I", HEAP_PEAK))
        phase("link up", lambda: _records_arrived(station))
        card = station.issue(load_fen=30_000)
        world.do(acts.insert(_PUMP, card))
        world.do(acts.keys(_PUMP, "A50#"))
        world.do(acts.lift(_PUMP))
        phase("card", lambda: _pump(station)["permit"])
        world.do(acts.trigger(_PUMP, "full"))
        phase("fuelling", lambda: _pump(station)["nozzles"][0]["sale_ml"] > 1000 and not _pump(station)["permit"])
        world.do(acts.hang(_PUMP))
        phase("settle", lambda: station.world.wallet.states({})[0]["open_fen"] == 0)
        phase("upload", lambda: [r for r in station.read(sales.recent) if r.state == "settled"])
        return {"heap": heap, "peak_kb": round(max(peaks.values()) / 1024, 1), "sale_completed": True}


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
        except TimeoutError as error:
            print(error, file=sys.stderr)
            print(json.dumps({"heap": HEAP, "sale_completed": False}))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
