"""`pumpside bench ...`: every command becomes the act it names, and a refusal becomes a sentence and an exit code."""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from typer.testing import CliRunner

from station.cli.bench import app
from tests.station_run import free_ports
from tests.test_bench_api import Notebook
from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.api import create_app
from tools.bench.dispatch import resolve


@pytest.fixture(scope="module")
def world() -> Iterator[Notebook]:
    """The real API on a port of its own; only the world behind it writes down instead of doing."""
    world = Notebook()
    (port,) = free_ports(1)
    server = uvicorn.Server(uvicorn.Config(create_app(world), port=port, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PUMPSIDE_BENCH_PORT", str(port))
        yield world
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("words", "act"),
    [
        (["insert", "p1", "6200010000000017"], acts.insert("p1", "6200010000000017")),
        (["tap", "p3", "6200010000000017", "--hold-ms", "700"], acts.tap("p3", "6200010000000017", 700)),
        (["remove", "p1"], acts.remove("p1")),
        (["lift", "p1", "--nozzle", "2"], acts.lift("p1", 2)),
        (["hang", "p1", "-n", "1"], acts.hang("p1", 1)),
        (["trigger", "p1", "slow"], acts.trigger("p1", "slow")),
        (["key", "p1", "A200#"], acts.keys("p1", "A200#")),
        (["power", "p1", "off"], acts.power("p1", False)),
        (["network", "p2", "frozen"], acts.network("p2", "frozen")),
        (["pulser", "p2", "stuck_b", "-n", "1"], acts.pulser("p2", "stuck_b", 1)),
        (["estop", "p1", "on"], acts.estop("p1", True)),
        (["broker", "stop"], acts.broker("stop")),
        (["desk", "04112233445566"], acts.desk_put("04112233445566")),
        (["traffic", "on", "--speed", "2"], acts.traffic(True, 2.0)),
        (["traffic", "off"], acts.traffic(False)),
        (["new-card"], acts.new_card()),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_command_is_its_act(words: list[str], act: Act, world: Notebook) -> None:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert world.seen[-1] == resolve(act)


def test_what_the_bench_refuses_is_said_and_fails(world: Notebook) -> None:
    done = CliRunner().invoke(app, ["desk", "-"])
    assert done.exit_code == 1 and "发卡台上没有卡 · there is no card" in done.output


def test_a_word_that_is_no_choice_is_refused_before_anything_is_sent(world: Notebook) -> None:
    before = len(world.seen)
    assert CliRunner().invoke(app, ["trigger", "p1", "hard"]).exit_code == 2
    assert len(world.seen) == before


def test_every_command_explains_itself_with_an_example() -> None:
    for command in app.registered_commands:
        name = command.name or command.callback.__name__  # type: ignore[union-attr]
        text = CliRunner().invoke(app, [name, "--help"]).output
        assert f"pumpside bench {name}" in text, name


def test_a_bench_that_does_not_run_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSIDE_BENCH_PORT", "1")
    done = CliRunner().invoke(app, ["state"])
    assert done.exit_code == 1 and "没有应答" in done.output
