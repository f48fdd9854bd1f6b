"""How long does a pump take from power to its first control tick? `python -m tools.bench_boot [--times N]`.

The real firmware in its 100 KB heap, a journal that has gone once round its ring, a blacklist in flash. Measured
from the start of the interpreter's process to the first time that the control tick feeds the watchdog, which is after
recovery; the median of some starts.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tools import bench_memory
from tools.bench import old_journal
from tools.bench import wires as w
from tools.bench.board import FLASH_FILES
from tools.bench.rig import Rig
from tools.bench.small_station import SmallStation

RECORDS = 10_000
LIMIT_MS = 3000


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.bench_boot", description="开机到第一个控制周期的毫秒数 · Milliseconds from power to tick."
    )
    parser.add_argument("--times", type=int, default=5, help="开机次数 · starts, e.g. 5")
    times = max(1, parser.parse_args(arguments).times)
    with tempfile.TemporaryDirectory(prefix="pumpside-boot-") as scratch, SmallStation(Path(scratch)) as station:
        rig = station.world.pumps["p1"]
        bench_memory.publish_list(station)
        _wait(lambda: bench_memory.has_list(station))
        time.sleep(2)  # the list's last parts are on their way into flash
        rig.board.power_off()
        home = rig.board.home
        identity = json.loads((home / "flash/identity.json").read_text())
        old_journal.fill(home / "journal.bin", identity, RECORDS, FLASH_FILES["journal.bin"], acked=True)
        taken = [_boot_ms(rig) for _ in range(times)]
    for ms in taken:
        print(f"{ms:.0f} ms")
    boot_ms = round(statistics.median(taken))
    print(json.dumps({"records": RECORDS, "blacklist": bench_memory.LISTED, "boot_ms": boot_ms}))
    return 0 if boot_ms <= LIMIT_MS else 1


def _boot_ms(rig: Rig) -> float:
    rig.board.power_off()
    began = time.perf_counter()
    rig.board.power_on()
    _wait(lambda: rig.wires.get("I", w.WDT_FED) > 1)  # once when the dog is let loose, then by the tick
    taken = (time.perf_counter() - began) * 1000
    time.sleep(0.5)
    return taken


def _wait(look: Callable[[], object], timeout_s: float = 60.0) -> None:
    end = time.monotonic() + timeout_s
    while not look():
        if time.monotonic() > end:
            raise TimeoutError("the board does not start")
        time.sleep(0.002)


if __name__ == "__main__":
    sys.exit(main())
