"""Does the line to the station ever hold up the control tick? `python -m tools.bench_link [--rounds N]`.

The real firmware in its 100 KB heap fuels while its broker is killed, started again and stopped (SIGSTOP: the
connection stays, nothing is answered). What is measured is how much later than 10 ms the next control tick came, by the
board itself (wires.WORST_TICK_US), the worst of each phase. The undisturbed phase of the same sale is the comparison.
Figures are medians over the rounds. Where it is allowed to (root) the board's process runs ahead of all others, as a
board has its own processor; elsewhere any process of the machine may take it away for a moment, in idle as well.
"""

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from station import forecourt
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.bench.state import PumpState
from tools.bench.wires import WORST_TICK_US, Wires

PUMP = "p1"
PHASE_S = {"idle": 10.0, "killed": 10.0, "restarted": 10.0, "stopped": 15.0}  # stopped: until the silence is noticed
LIMIT_MS = 20.0


class Round:
    """Two sales: one in which the broker is killed and comes back, one in which it hangs."""

    def __init__(self, station: SmallStation, card: str) -> None:
        self._station, self._card = station, card
        self.worst_ms: dict[str, float] = {}

    def run(self) -> dict[str, float]:
        broker = self._station
        self._begin_sale()
        self._measure("idle")
        broker.process("broker").kill()
        self._measure("killed")
        broker.stop("broker")
        broker.start("broker")
        self._measure("restarted")
        self._end_sale()
        self._begin_sale()
        pid = broker.process("broker").pid
        os.kill(pid, signal.SIGSTOP)
        try:
            self._measure("stopped")
        finally:
            os.kill(pid, signal.SIGCONT)
        self._end_sale()
        return self.worst_ms

    def _measure(self, phase: str) -> None:
        wires = self._station.world.pumps[PUMP].wires
        before = self._pump()["nozzles"][0]["sale_ml"]
        clear_worst(wires)
        time.sleep(PHASE_S[phase])
        self.worst_ms[phase] = wires.get("I", WORST_TICK_US) / 1000
        if self._pump()["nozzles"][0]["sale_ml"] <= before:
            raise TimeoutError(f"{phase}: no fuel flowed\n{self._station.logs()}")
        print(f"{phase:<10}{self.worst_ms[phase]:8.1f} ms", flush=True)

    def _begin_sale(self) -> None:
        world = self._station.world
        now = int(time.time())
        self._wait("link", lambda: (self._station.read(forecourt.pumps)[0].state_at or 0) >= now)
        world.do(acts.insert(PUMP, self._card))
        world.do(acts.lift(PUMP))
        self._wait("card", lambda: self._pump()["permit"])
        world.do(acts.trigger(PUMP, "slow"))
        self._wait("flow", lambda: self._pump()["nozzles"][0]["sale_ml"] > 100)

    def _end_sale(self) -> None:
        world = self._station.world
        world.do(acts.trigger(PUMP, "none"))
        world.do(acts.hang(PUMP))
        self._wait("settled", lambda: world.wallet.states({})[0]["open_fen"] == 0)
        world.do(acts.remove(PUMP))

    def _pump(self) -> PumpState:
        return self._station.world.state()["pumps"][0]

    def _wait(self, what: str, done: Callable[[], object], timeout_s: float = 40.0) -> None:
        deadline = time.monotonic() + timeout_s
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(f"{what}\n{self._station.logs()}")
            time.sleep(0.02)


def measure(directory: Path, rounds: int, heap: str) -> dict[str, float]:
    """The line of figures. TimeoutError names what did not happen."""
    with SmallStation(directory, pumps=(PUMP,), heap=heap) as station:
        card = station.issue(load_fen=90_000)
        _prefer(station.world.pumps[PUMP].board.pid)
        found = [Round(station, card).run() for _ in range(rounds)]
    return {f"{phase}_worst_ms": round(statistics.median(one[phase] for one in found), 1) for phase in PHASE_S}


def clear_worst(wires: Wires) -> None:
    """Starts a new measurement. The board writes its half of the wires as a whole and may overwrite us: look again."""
    for _ in range(500):
        worst_us = wires.get("I", WORST_TICK_US)
        wires.put("I", WORST_TICK_US, 0)
        time.sleep(0.015)
        if wires.get("I", WORST_TICK_US) < worst_us:
            return
    raise TimeoutError("the board's worst tick cannot be cleared")


def _prefer(pid: int | None) -> None:
    try:
        os.sched_setscheduler(pid or 0, os.SCHED_FIFO, os.sched_param(1))
    except OSError as error:
        print(f"the board competes for the processor: {error}", file=sys.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--heap", default="50wK")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pumpside-link-") as scratch:
        try:
            figures = measure(Path(scratch), asked.rounds, asked.heap)
        except TimeoutError as error:
            print(error, file=sys.stderr)
            return 1
    print(json.dumps(figures))
    return 0 if max(figures.values()) <= figures["idle_worst_ms"] + LIMIT_MS else 1


if __name__ == "__main__":
    sys.exit(main())
