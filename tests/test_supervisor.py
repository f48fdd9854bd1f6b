"""The run command's promises: restarts what crashes, stops everything, and refuses a second run in clear words."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from station.platform.portcheck import PortTakenError, check_free, is_free
from station.supervisor import AlreadyRunningError, RunLock

# A stand-in for `python -m station <name>`: the supervisor under test is real, only what it starts is small.
STATION = """
import os, signal, sys, time
from pathlib import Path
here = Path(os.environ["HERE"])
with (here / "starts").open("a") as log:
    log.write(sys.argv[1] + "\\n")
if sys.argv[1] == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (here / "deaf").touch()
if sys.argv[1] == "crash" and (here / "starts").read_text().count("crash") < 3:
    sys.exit("crashed on purpose")
while True:
    time.sleep(0.05)
"""
RUN = """
import sys
from pathlib import Path
from station.supervisor import Service, Supervisor
here = Path(sys.argv[1])
names = sys.argv[2].split(",")
ready = (here / "deaf").exists if "stubborn" in names else (lambda: True)
services = [Service(name, [name], ready=ready, stop_timeout_s=0.5) for name in names]
sys.exit(Supervisor(services, here, lambda text: print(text, flush=True)).run(lambda: print("READY", flush=True)))
"""


def start(tmp_path: Path, names: str) -> "subprocess.Popen[str]":
    (tmp_path / "station").mkdir()
    (tmp_path / "station" / "__init__.py").write_text(
        f"import pathlib, sys\n__path__.append({str(Path(__file__).parent.parent / 'host' / 'station')!r})\n"
    )
    (tmp_path / "station" / "__main__.py").write_text(STATION)
    env = {**os.environ, "HERE": str(tmp_path), "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(RUN), str(tmp_path), names],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
        cwd=tmp_path,
    )


def wait_until(condition: Callable[[], object], timeout_s: float = 15.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen in time"
        time.sleep(0.02)


def pid_of(tmp_path: Path, name: str) -> int:
    return int((tmp_path / "run" / f"{name}.pid").read_text())


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_ctrl_c_stops_every_child_and_leaves_no_pid_file(tmp_path: Path) -> None:
    run = start(tmp_path, "broker,web")
    assert run.stdout is not None
    wait_until(lambda: "READY" in run.stdout.readline())  # type: ignore[union-attr]
    pids = [pid_of(tmp_path, name) for name in ("broker", "web")]
    run.send_signal(signal.SIGINT)
    assert run.wait(10) == 0
    assert not any(is_alive(pid) for pid in pids)
    assert list((tmp_path / "run").glob("*.pid")) == []


def test_a_crashing_child_is_started_again_with_longer_pauses_until_it_stays(tmp_path: Path) -> None:
    run = start(tmp_path, "crash")
    wait_until(lambda: (tmp_path / "starts").exists() and (tmp_path / "starts").read_text().count("crash") == 3)
    run.terminate()
    text, _ = run.communicate(timeout=10)
    assert "0.5 s" in text and "1.0 s" in text, text
    assert "crashed on purpose" in (tmp_path / "log" / "crash.log").read_text()


def test_a_killed_child_comes_back_and_its_pid_file_with_it(tmp_path: Path) -> None:
    run = start(tmp_path, "broker")
    wait_until(lambda: (tmp_path / "run" / "broker.pid").exists())
    first = pid_of(tmp_path, "broker")
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: (tmp_path / "run" / "broker.pid").exists() and pid_of(tmp_path, "broker") != first)
    run.terminate()
    assert run.wait(10) == 0


def test_a_frozen_and_a_deaf_child_do_not_survive_the_stop(tmp_path: Path) -> None:
    run = start(tmp_path, "stubborn,broker")
    wait_until(lambda: (tmp_path / "deaf").exists() and (tmp_path / "run" / "broker.pid").exists())
    pids = [pid_of(tmp_path, name) for name in ("stubborn", "broker")]
    os.kill(pids[1], signal.SIGSTOP)
    run.terminate()
    text, _ = run.communicate(timeout=10)
    assert "stubborn was ended by force" in text and "broker was ended by force" not in text
    assert not any(is_alive(pid) for pid in pids)


def test_children_of_a_supervisor_that_was_killed_hard_end_too(tmp_path: Path) -> None:
    run = start(tmp_path, "web")
    wait_until(lambda: (tmp_path / "run" / "web.pid").exists() and (tmp_path / "starts").exists())
    child = pid_of(tmp_path, "web")
    run.kill()
    run.wait(10)
    wait_until(lambda: not is_alive(child))


def test_a_second_run_is_refused_in_chinese_and_english_and_the_first_keeps_its_lock(tmp_path: Path) -> None:
    lock = tmp_path / "run.lock"
    with RunLock(lock):
        for _ in range(2):
            with pytest.raises(AlreadyRunningError) as refused, RunLock(lock):
                pass
            assert refused.value.pid == os.getpid()
            assert "已在运行" in str(refused.value) and "already runs" in str(refused.value)
    with RunLock(lock):
        pass


def test_a_lock_left_by_a_killed_station_does_not_lock_out_the_next(tmp_path: Path) -> None:
    (tmp_path / "run.lock").write_text("999999\n")
    with RunLock(tmp_path / "run.lock"):
        assert (tmp_path / "run.lock").read_text() == f"{os.getpid()}\n"


def test_a_taken_port_is_named_with_its_purpose_its_setting_and_its_holder() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(PortTakenError) as refused:
            check_free({"PUMPSIDE_WEB_PORT": ("dashboard", port)})
        text = str(refused.value)
        assert str(port) in text and "PUMPSIDE_WEB_PORT" in text and f"({os.getpid()})" in text and "占用" in text
    check_free({"PUMPSIDE_WEB_PORT": ("dashboard", port)})
