"""The simulated forecourt: pumps, cards, desk reader, network and customers in one process, under one clock.

    with World(data_dir, broker=("127.0.0.1", 8883)) as world:
        world.do(acts.insert("p1", uid)); world.wait(lambda state: state["pumps"][0]["permit"])

Threads: the world's own (plants every 2 ms, acts, timers), one asyncio loop for the network, one for slow acts on
boards, one per reader and board. Whatever touches a rig runs on the world's thread; `do` and `state` may be called from
anywhere. The pumps are those provisioned in `<data_dir>/devices`.
"""

import asyncio
import heapq
import itertools
import json
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tools.bench.acts import Act
from tools.bench.brokerproc import BrokerProcess
from tools.bench.deeds import Deeds
from tools.bench.dispatch import resolve
from tools.bench.netproxy import NetProxy
from tools.bench.pn532_reader import Reader
from tools.bench.refusal import Refused
from tools.bench.rig import Rig
from tools.bench.state import State
from tools.bench.tanks import Tanks
from tools.bench.traffic import Traffic
from tools.bench.wallet import Wallet

STEP_S = 0.002
LONGEST_STEP_US = 5000
LOOK_EVERY, SAVE_EVERY = 20, 250  # steps between looks at the displays and between savings of tanks and totals
ACT_TIMEOUT_S = 30.0

T = TypeVar("T")
_log = logging.getLogger("pumpside.bench")


class World(Deeds):
    """Builds everything without power; `start` (or `with`) brings it to life and gives every board power."""

    def __init__(
        self, data_dir: Path, broker: tuple[str, int], *, seed: int = 1, only: tuple[str, ...] = (), heap: str = "50wK"
    ) -> None:
        self.data_dir, self.seed = data_dir, seed
        self.home = data_dir / "bench"
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)  # boards' flash and cards hold keys
        self.wallet = Wallet(self.home / "cards")
        self.broker = BrokerProcess(data_dir / "run" / "broker.pid", broker)
        self.tanks = Tanks(self.home / "tanks.json")
        self.traffic = Traffic(self, seed)
        self.setting_up = {"boards"}  # what keeps the bench from being ready; the service adds its first cards
        self.last_error = ""
        self.desk_card: str | None = None
        self.pumps: dict[str, Rig] = {}
        self._only, self._heap = only, heap
        self._broker_address = broker
        self._began = time.monotonic()
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._slipped_us = 0
        self.closing = threading.Event()
        self.desk_port = str(self.home / "desk" / "reader")
        self._background = ThreadPoolExecutor(1, "bench-boards")
        self._loop = asyncio.new_event_loop()
        self._network = threading.Thread(target=self._loop.run_forever, name="bench-network", daemon=True)
        self._thread = threading.Thread(target=self._run, name="bench-world", daemon=True)

    # -- life

    def start(self) -> None:
        self._network.start()
        (self.home / "desk").mkdir(exist_ok=True)
        self.desk = Reader(Path(self.desk_port))
        self.desk.start()
        for number, directory in enumerate(sorted((self.data_dir / "devices").iterdir())):
            identity_file = directory / "identity.json"
            if identity_file.exists() and (not self._only or directory.name in self._only):
                self.pumps[directory.name] = self._make_rig(directory, number)
        self.tanks.save()
        self._thread.start()
        for rig in self.pumps.values():
            self.call(rig.power_on)

    def _make_rig(self, directory: Path, number: int) -> Rig:
        proxy = NetProxy(self._broker_address)
        asyncio.run_coroutine_threadsafe(proxy.start(), self._loop).result(10)
        identity = json.loads((directory / "identity.json").read_text())
        return Rig(
            directory.name,
            self.home / directory.name,
            identity,
            (directory / "ca.der").read_bytes(),
            proxy,
            seed=self.seed * 1000 + number,
            later=self.later,
            background=self.background,
            heap=self._heap,
        )

    def close(self) -> None:
        """Boards lose their power as they stand; cards, totals and tanks are kept."""
        self.traffic.stop()
        self.closing.set()
        if self._thread.is_alive():
            self._thread.join(10)
        self._background.shutdown(wait=True, cancel_futures=True)
        for rig in self.pumps.values():
            rig.close()
        self.desk.stop()
        self.wallet.save_all()
        self.tanks.save()
        for rig in self.pumps.values():
            asyncio.run_coroutine_threadsafe(rig.proxy.stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._network.join(10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    # -- the world's thread

    def _run(self) -> None:
        due = self._last = time.monotonic()
        plant_us = 0
        for step in itertools.count(1):
            if self.closing.is_set():
                return
            self._due()
            plant_us += self._elapsed_us()
            for rig in self.pumps.values():
                rig.step(plant_us)
            if step % LOOK_EVERY == 0:
                self._guard(self._look)
            if step % SAVE_EVERY == 0:
                self._guard(self._save)
            # The next step is due a fixed time after this one was due; steps missed in a stall are not made up for.
            due = max(due + STEP_S, time.monotonic() + STEP_S / 4)
            time.sleep(max(0.0, due - time.monotonic()))

    def _look(self) -> None:
        for rig in self.pumps.values():
            rig.look()
        self.tanks.draw(self.pumps.values())
        if all(rig.lcd.on for rig in self.pumps.values()):
            self.setting_up.discard("boards")
        self.wallet.save_changed()

    def _save(self) -> None:
        for rig in self.pumps.values():
            rig.save()

    def _elapsed_us(self) -> int:
        """Microseconds for the plants since the last step.

        When this machine stalls us, fuel stands still for that time: real pulses never come in bursts, and a burst
        between the board's looks at channel A and channel B would be a pulser fault to it.
        """
        now = time.monotonic()
        elapsed_us, self._last = int((now - self._last) * 1e6), now
        taken_us = min(elapsed_us, LONGEST_STEP_US)
        self._slipped_us += elapsed_us - taken_us
        return taken_us

    def _due(self) -> None:
        while not self._jobs.empty():
            self._guard(self._jobs.get())
        while self._timers and self._timers[0][0] <= time.monotonic():
            self._guard(heapq.heappop(self._timers)[2])

    def _guard(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001 - a failed timer or a full disk must not stop the world
            _log.exception("bench")
            self.last_error = f"{type(error).__name__}: {error}"

    def later(self, delay_ms: int, job: Callable[[], None]) -> None:
        """On the world's thread only."""
        heapq.heappush(self._timers, (time.monotonic() + delay_ms / 1000, next(self._order), job))

    def background(self, job: Callable[[], None]) -> None:
        """Runs a slow job (starting a board) off the world's thread, one after the other."""
        self._background.submit(self._guard, job)

    def call(self, job: Callable[[], T]) -> T:
        """Runs a job on the world's thread and returns what it returns or raises."""
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it belongs to the caller
                future.set_exception(error)

        self._jobs.put(run)
        return future.result(ACT_TIMEOUT_S)

    # -- for everyone

    def do(self, act: Act) -> dict[str, Any]:
        """Does an act and returns when it is done (keys: when the last one is released). Refused: it cannot be done."""
        method, places, body = resolve(act)
        if self.closing.is_set() or not self._thread.is_alive():
            raise Refused(503, "模拟台还没有运行", "the bench is not running yet")
        answer: dict[str, Any] = self.call(lambda: getattr(self, method)(*places, **body)) or {}
        time.sleep(answer.pop("wait_ms", 0) / 1000)
        return answer

    def state(self) -> State:
        running = self._thread.is_alive()
        pumps = self.call(lambda: [rig.state() for rig in self.pumps.values()]) if running else []
        return {
            "ready": running and not self.setting_up,
            "uptime_ms": int((time.monotonic() - self._began) * 1000),
            "slipped_ms": self._slipped_us // 1000,
            "broker": self.broker.state(),
            "traffic": self.traffic.state(),
            "pumps": pumps,
            "cards": self.wallet.states(self.where()),
            "desk": self.desk_card,
            "desk_port": self.desk_port,
            "tanks": self.tanks.states(),
            "last_error": self.last_error,
        }

    def console(self, pump: str) -> str:
        """The last the board printed. Refused for an unknown pump."""
        return self._rig(pump).board.log()

    def wait(self, condition: Callable[[State], object], timeout_s: float = 20.0) -> State:
        """The first state for which the condition holds. TimeoutError shows displays and boards' last words."""
        deadline = time.monotonic() + timeout_s
        while True:
            state = self.state()
            if condition(state):
                return state
            if time.monotonic() > deadline:
                shown = {pump["pump"]: pump["lcd"]["lines"] for pump in state["pumps"]}
                logs = {name: rig.board.log()[-1500:] for name, rig in self.pumps.items()}
                raise TimeoutError(f"did not happen in {timeout_s} s; displays {shown}; consoles {logs}")
            time.sleep(0.03)
