"""A station's keys and pumps in a temporary directory, and both brokers on free ports, for the tests of the line."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.broker import mosquitto
from station.forecourt.provision import BrokerAddress, Nozzle, provision
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from tests.link.line import Line
from tools.ports import free_port


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a station with secrets, certificates and the provisioned pumps s1/p1 and s1/p2."""
    settings = load(data_dir=tmp_path_factory.mktemp("site"), bench=True, broker_port=free_port())
    secrets = Secrets.load(settings.secrets_path)
    for pump in settings.pumps[:2]:
        provision(
            settings.station,
            pump.pump,
            device=settings.device_id(pump),
            data_dir=settings.data_dir,
            secrets=secrets,
            broker=BrokerAddress("127.0.0.1", settings.broker_port),
            nozzles=tuple(Nozzle(n.grade, n.pulses_per_l) for n in pump.nozzles),
        )
    return settings


@pytest.fixture(scope="session")
def embedded(site: Settings) -> Iterator[Line]:
    """The embedded broker as its own process, as `pumpside broker` runs it."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(running_embedded(site))
        yield Line(site, site.broker_port, site.broker_port)


@pytest.fixture(scope="session")
def real_mosquitto(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Debian's Mosquitto with the files that `pumpside broker-config mosquitto` writes."""
    if shutil.which("mosquitto") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("Mosquitto is missing")
        pytest.skip("没有 Mosquitto · Mosquitto is not installed")
    moved = site.model_copy(update={"broker_port": free_port()})
    station_port = free_port()
    directory = tmp_path_factory.mktemp("mosquitto")
    config = mosquitto.write(moved, directory, user="root" if os.geteuid() == 0 else "", station_port=station_port)
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(["mosquitto", "-c", str(config)], stderr=log, stdout=log)
    try:
        wait_for(lambda: listening(moved.broker_port) and listening(station_port), (directory / "log").read_text)
        yield Line(site, moved.broker_port, station_port)
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["embedded", "real_mosquitto"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """Each broker in turn; clients made with line.client() are closed at the end."""
    made: Line = request.getfixturevalue(request.param)
    yield made
    made.close()


@contextlib.contextmanager
def running_embedded(settings: Settings, data_dir: Path | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """`settings`' embedded broker in a process of its own, listening when the context is entered."""
    env = os.environ | {
        "PUMPSIDE_DATA_DIR": str(data_dir or settings.data_dir),
        "PUMPSIDE_BROKER_PORT": str(settings.broker_port),
        "PUMPSIDE_BENCH": "true",
    }
    code = "from station.broker.run import run; from station.platform.settings import load; run(load())"
    process = subprocess.Popen([sys.executable, "-c", code], env=env)
    try:
        wait_for(lambda: listening(settings.broker_port) or process.poll() is not None, lambda: "broker")
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(15)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition: Callable[[], object], what: Callable[[], str] = str, timeout_s: float = 15.0) -> None:
    """Waits until the condition holds; AssertionError with what() if it never does."""
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"waited {timeout_s} s: {what()}"
        time.sleep(0.02)
