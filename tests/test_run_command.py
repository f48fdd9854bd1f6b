"""What `pumpside run` starts for which settings, and how it refuses what cannot work, before anything is started."""

import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from station.cli.run import app, ports, services
from station.platform.settings import load
from station.supervisor import RunLock
from tests.station_run import free_ports


def names(**settings: object) -> list[str]:
    return [service.name for service in services(load(**settings))]


def test_the_forecourt_is_simulated_only_where_asked_for() -> None:
    assert names(bench=True) == ["broker", "ingest", "web", "portal", "bench"]
    assert names(bench=False) == ["broker", "ingest", "web", "portal"]


def test_a_broker_on_another_machine_is_not_started_nor_its_port_asked_for() -> None:
    assert names(broker_host="10.1.2.3", broker_password="x7-long-enough") == ["ingest", "web", "portal"]
    assert "PUMPSIDE_BROKER_PORT" not in ports(load(broker_host="10.1.2.3", broker_password="x7-long-enough"))


def invoke(monkeypatch: pytest.MonkeyPatch, data_dir: Path, **env: str) -> tuple[int, str]:
    http, broker, bench, portal = free_ports(4)
    values = {
        "PUMPSIDE_DATA_DIR": str(data_dir),
        "PUMPSIDE_HTTP_PORT": str(http),
        "PUMPSIDE_BROKER_PORT": str(broker),
        "PUMPSIDE_BENCH_PORT": str(bench),
        "PUMPSIDE_PORTAL_PORT": str(portal),
        **env,
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["--bench"])
    return done.exit_code, done.output


def test_a_taken_port_is_said_before_anything_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, text = invoke(monkeypatch, tmp_path / "var", PUMPSIDE_HTTP_PORT=str(taken.getsockname()[1]))
    assert code == 1 and "PUMPSIDE_HTTP_PORT" in text and "看板" in text
    assert not (tmp_path / "var" / "secrets.json").exists()


def test_a_second_run_on_the_same_directory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RunLock(tmp_path / "run.lock"):
        code, text = invoke(monkeypatch, tmp_path)
    assert code == 1 and "已在运行" in text and "already runs" in text


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("PUMPSIDE_HTTP_PORT", "99999", "http_port"),
        ("PUMPSIDE_HTTP_HOST", "0.0.0.0", "staff_auth"),
        ("PUMPSIDE_PRICES", '{"1": -5}', "prices"),
        ("PUMPSIDE_PUMPS", "[]", "pumps"),
    ],
)
def test_impossible_settings_are_named_and_nothing_is_started(
    name: str, value: str, word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, text = invoke(monkeypatch, tmp_path, **{name: value})
    assert code == 1 and word in text and "设置有误" in text
    assert list(tmp_path.iterdir()) == []


def test_damaged_secrets_stop_the_start_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.json").write_text("{")
    (tmp_path / "secrets.json").chmod(0o600)
    code, text = invoke(monkeypatch, tmp_path)
    assert code == 1 and "密钥文件已损坏" in text
    assert (tmp_path / "secrets.json").read_text() == "{"
