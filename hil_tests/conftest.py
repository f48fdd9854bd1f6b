"""Which pump the tests drive: a simulated one, or with --port (or PORT in the environment) a real one.

--rig-port (or RIG_PORT) is the rig's serial port; `simulated` puts the rig's firmware on the simulated pump's wires.
"""

import contextlib
import os
from collections.abc import Iterator

import pytest

from hil_tests.driver import Driver
from tools.bench import acts


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--port", default=os.environ.get("PORT"), help="serial port of a real board")
    parser.addoption("--rig-port", default=os.environ.get("RIG_PORT"), help="serial port of the rig, or `simulated`")


@pytest.fixture(scope="session")
def driver(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    port, pump = request.config.getoption("--port"), os.environ.get("PUMP") or "p1"
    rig_port = request.config.getoption("--rig-port")
    made: Driver
    if port:
        from hil_tests.real import RealDriver

        made = RealDriver(port, pump, rig_port, os.environ.get("DESK"))
    else:
        from hil_tests.simulated import SimulatedDriver

        made = SimulatedDriver(tmp_path_factory.mktemp("hil"), pump, rig_port == "simulated")
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pump(driver: Driver) -> Iterator[Driver]:
    """The pump at rest, before and after."""
    driver.until(lambda: driver.online() and driver.live().get("s") == "idle", 60, "the pump is online and at rest")
    driver.until(lambda: driver.state().get("tariff"), 30, "the pump has its prices")
    yield driver
    if not driver.online():  # what a failed test has left must not fail the next one
        with contextlib.suppress(Exception):
            driver.restart()
    if driver.live().get("s") != "idle":
        for act in (acts.hang(driver.pump), acts.remove(driver.pump)):
            with contextlib.suppress(Exception):
                driver.do(act)
    if driver.state().get("locked"):
        driver.do(acts.pulser(driver.pump, "ok"))
