"""A whole station in a directory of its own: `pumpside run --bench` as a process on free ports, and hands to use it."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import httpx
from sqlalchemy import Connection

from station.platform import database
from station.platform.settings import Settings, load
from tools.bench.acts import Act
from tools.bench.client import BenchClient, BenchError
from tools.bench.state import CardState, PumpState

T = TypeVar("T")
READY_TIMEOUT_S = 90.0


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def until(look: Callable[[], T], timeout_s: float = 30.0, what: str = "") -> T:
    """The first true value that `look` returns; AssertionError after the time-out."""
    deadline = time.monotonic() + timeout_s
    while not (value := look()):
        assert time.monotonic() < deadline, f"did not happen in {timeout_s} s: {what}"
        time.sleep(0.05)
    return value


class StationRun:
    """with StationRun(directory) as station: station.do(acts.lift("p1")); station.pump("p1")["permit"]"""

    def __init__(self, data_dir: Path) -> None:
        http, broker, bench, portal = free_ports(4)
        self.data_dir = data_dir
        self.env = {
            **os.environ,
            "PUMPSIDE_DATA_DIR": str(data_dir),
            "PUMPSIDE_HTTP_PORT": str(http),
            "PUMPSIDE_BROKER_PORT": str(broker),
            "PUMPSIDE_BENCH_PORT": str(bench),
            "PUMPSIDE_PORTAL_PORT": str(portal),
            "PYTHONUNBUFFERED": "1",
        }
        self.url = f"http://127.0.0.1:{http}"
        self.settings: Settings = load(
            data_dir=data_dir, http_port=http, broker_port=broker, bench_port=bench, portal_port=portal, bench=True
        )
        self.bench = BenchClient(f"http://127.0.0.1:{bench}", timeout_s=30)
        self.output: list[str] = []
        self._engine = database.open_engine(database.url_for(self.settings))

    # -- the process

    def start(self) -> None:
        """Returns when pages and bench answer and the first cards are issued."""
        self.output.clear()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "station", "run", "--bench"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=self.env, start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._read, args=(self.process,), daemon=True).start()
        until(self._is_up, READY_TIMEOUT_S, "the station is up")
        try:
            until(self.is_ready, READY_TIMEOUT_S, "the bench is ready")
        except AssertionError as late:
            consoles = "\n".join(f"--- {name}\n{self.console(name)}" for name in ("p1", "p2", "p3", "p4"))
            raise AssertionError(f"{late}\n{self.bench.state()}\n{consoles}\n{self.logs()}") from None

    def _read(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        self.output.extend(process.stdout)

    def _is_up(self) -> bool:
        assert self.process.poll() is None, self.text() + self.logs()
        return "dashboard:" in self.text()

    def is_ready(self) -> bool:
        """All boards show something and the first cards are issued."""
        try:
            return self.bench.state()["ready"]
        except BenchError:
            return False

    def text(self) -> str:
        return "".join(list(self.output))

    def logs(self) -> str:
        """The ends of the processes' logs, for the reader of a failed test."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-3000:]}"
            for path in sorted((self.data_dir / "log").glob("*.log"))
        )

    def stop(self) -> int:
        """Ctrl-C; returns the exit code."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            if self.process.poll() is None:
                self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.stop()
        self.bench.close()
        self._engine.dispose()

    def command(self, *words: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """`pumpside <words>` on this station."""
        done = subprocess.run(
            [sys.executable, "-m", "station", *words], capture_output=True, text=True, env=self.env, timeout=60
        )
        assert not check or done.returncode == 0, f"pumpside {' '.join(words)}\n{done.stdout}{done.stderr}"
        return done

    # -- the forecourt

    def do(self, act: Act) -> dict[str, Any]:
        return self.bench.do(act)

    def pump(self, name: str) -> PumpState:
        return next(pump for pump in self.bench.state()["pumps"] if pump["pump"] == name)

    def card(self, uid: str) -> CardState:
        return next(card for card in self.bench.state()["cards"] if card["card"] == uid)

    def until_pump(self, name: str, condition: Callable[[PumpState], object], timeout_s: float = 30.0) -> PumpState:
        def look() -> PumpState | None:
            pump = self.pump(name)
            return pump if condition(pump) else None

        try:
            found = until(look, timeout_s, f"{name}")
        except AssertionError:
            lines = self.pump(name)["lcd"]["lines"]
            raise AssertionError(f"{name} shows {lines}; {self.console(name)}\n{self.logs()}") from None
        assert found is not None
        return found

    def console(self, name: str) -> str:
        return httpx.get(f"{self.bench.url}/pumps/{name}/console", trust_env=False).text[-3000:]

    # -- the books

    def read(self, query: Callable[[Connection], T]) -> T:
        with database.read(self._engine) as conn:
            return query(conn)
