"""A station for bench tests and measurements: broker and ingest are processes, the world of pumps is in this one.

    with SmallStation(directory, pumps=("p1",)) as station:
        card = station.issue(load_fen=50_000)
        station.world.do(acts.insert("p1", card)); station.world.pumps["p1"].board.arm_power_cut(3)

Everything is real but the hardware; no pages. Ports are free ones, data lies in `directory`.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

from sqlalchemy import Connection

from pump.core import card_layout
from station.cards.desk import Desk
from station.cards.issuing import ALL_GRADES, Order
from station.cards.reader import DeskReader
from station.first_start import prepare
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from tools.bench import acts
from tools.bench.world import World

T = TypeVar("T")
_READY_S = 40.0


class SmallStation:
    """Usable once entered. `world` and `settings` are public; TimeoutError if a process does not come up."""

    def __init__(self, directory: Path, pumps: tuple[str, ...] = ("p1",), heap: str = "50wK") -> None:
        http, broker, bench = _free_ports(3)
        self.directory = directory
        self.settings: Settings = load(
            data_dir=directory, http_port=http, broker_port=broker, bench_port=bench, bench=True
        )
        self._env = {
            **os.environ,
            "PUMPSIDE_DATA_DIR": str(directory),
            "PUMPSIDE_HTTP_PORT": str(http),
            "PUMPSIDE_BROKER_PORT": str(broker),
            "PUMPSIDE_BENCH_PORT": str(bench),
            "PUMPSIDE_BENCH": "true",
        }
        prepare(self.settings, lambda line: None)
        self.world = World(directory, (self.settings.broker_host, broker), only=pumps, heap=heap)
        self._engine = database.open_engine(database.url_for(self.settings))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        # The station's processes come first and are stopped whatever happens after.
        try:
            self.start("broker")
            self._wait_for_broker()
            self.start("ingest")
            self.world.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.world.close()
        for name in ("ingest", "broker"):
            self.stop(name)
        self._engine.dispose()

    def start(self, name: str) -> None:
        """Start `broker` or `ingest`."""
        (self.directory / "log").mkdir(exist_ok=True)
        with (self.directory / "log" / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-m", "station", name], env=self._env, stdout=log, stderr=log
            )

    def process(self, name: str) -> subprocess.Popen[bytes]:
        """The running `broker` or `ingest`, to be hung or killed. KeyError if it was stopped."""
        return self._processes[name]

    def stop(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def issue(self, load_fen: int = 0, grades: tuple[int, ...] = ALL_GRADES, **ordered: Any) -> str:
        """A new card, registered unless ordered otherwise, made at the desk reader as a person would; returns its UID.

        ordered: more of station.cards.Order, like kind, company, rules, pin.
        """
        uid = str(self.world.do(acts.new_card())["card"])
        desk = Desk(
            self._engine,
            Secrets.load(self.settings.secrets_path),
            self.settings.station_no,
            self.settings.issuer,
            by="bench",
        )
        order = Order(
            **{
                "kind": card_layout.KIND_REGISTERED,
                "holder": "台架",
                "document": f"DEMO-{uid}",
                "plate": "京A00000",
                "grades": grades,
                **ordered,
            }
        )
        self.world.do(acts.desk_put(uid))
        try:
            with DeskReader(self.world.desk_port) as reader:
                desk.issue(reader, order)
                if load_fen:
                    desk.load(reader, load_fen)
        finally:
            self.world.do(acts.desk_take())
        return uid

    def read(self, query: Callable[[Connection], T]) -> T:
        """A question to the books."""
        with database.read(self._engine) as conn:
            return query(conn)

    def write(self, act: Callable[[Connection], T]) -> T:
        """Something done at the station."""
        with database.write(self._engine) as conn:
            return act(conn)

    def logs(self) -> str:
        """Ends of the processes' logs and of the boards' consoles, for whoever reads a failed test."""
        texts = [f"--- {path.name}\n{path.read_text()[-2000:]}" for path in sorted(self.directory.glob("log/*.log"))]
        texts += [f"--- console {name}\n{rig.board.log()[-2000:]}" for name, rig in self.world.pumps.items()]
        return "\n".join(texts)

    def _wait_for_broker(self) -> None:
        deadline = time.monotonic() + _READY_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((self.settings.broker_host, self.settings.broker_port)) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"消息代理没有起来 · the broker did not come up\n{self.logs()}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]
    finally:
        for one in sockets:
            one.close()
