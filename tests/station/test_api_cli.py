"""The API and the command line, over a database with a sale in it (C5, I1, D31, X1)."""

import csv
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from station import forecourt, sales
from station.api import create_app
from station.cli.main import PARTS
from station.platform import database, migrations
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.setup import prepare
from tests.station.world import T0, PumpJournal, TestCard, issue, send

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A station on SQLite with one sale, one refused forgery and p1 on the air."""
    directory = tmp_path_factory.mktemp("station")
    settings = load(data_dir=directory / "var", bench=True, database_url="")
    engine, secrets = prepare(settings, T0), Secrets.load(settings.secrets_path)
    pump, forger = PumpJournal(secrets.device(257).journal), PumpJournal(b"f" * 32)
    pump.sale(TestCard(), 10_000)
    forger.sale(TestCard(), 1)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, forger.written[0])
        send(conn, secrets, *pump.written)
        forecourt.mark_state(conn, 257, {"online": True, "boot": 1, "state": "idle"}, T0)
    engine.dispose()
    return settings


@pytest.fixture(scope="module")
def client(station: Settings) -> Iterator[TestClient]:
    board = forecourt.LiveBoard()
    board.heard_live("s1", "p1", {"s": "fuelling", "ml": 123}, 0.0)
    with TestClient(create_app(station, board=board, dashboard=False)) as client:
        yield client


def test_the_api_tells_the_same_as_the_fields(client: TestClient, station: Settings) -> None:
    get = lambda path: client.get(f"/api/v1{path}").json()  # noqa: E731
    assert get("/health")["ok"] is True
    (row,) = get("/sales")["rows"]
    assert (row["pump"], row["amount_fen"], row["volume_ml"], row["state"]) == ("p1", 7560, 10_000, "settled")
    assert get("/sales/257/1") == row
    assert get("/sales?pump=p2") == {"total": 0, "rows": []}
    assert get("/invariant")["holds"] is True
    assert [tank["stock_ml"] for tank in get("/tanks")][0] == 21_990_000
    assert get("/live")["p1"]["live"] == {"s": "fuelling", "ml": 123}
    assert get(f"/cards/{TestCard().number}/shadow")["state"] == "agrees"
    (odd,) = get("/quarantine")["rows"]
    assert odd["reason"] == "bad_mac" and len(bytes.fromhex(odd["raw"])) == 128
    assert len(get("/hourly?since=0")) == 1
    assert [pump["pump"] for pump in get("/pumps")] == ["p1", "p2", "p3", "p4"]
    assert get("/tariffs")[0]["prices"]["1"] == 756
    assert (get("/gaps"), get("/refusals")) == ([], [])
    metrics = client.get("/api/v1/metrics").text
    assert "pumpside_money_difference_fen 0.0" in metrics and 'pumpside_tank_stock_ml{grade="1"' in metrics


@pytest.mark.parametrize(
    "path",
    [
        "/sales?limit=0", "/sales?limit=9999", "/sales?offset=-1", "/sales?card_no=1%27%20OR%201=1",
        "/sales?since=99999999999999999999", "/sales?grade=abc", "/sales/99999999999999999999/1", "/sales/1/1",
        "/cards/%3Cscript%3E/shadow", "/nothing", "/quarantine?limit=x", "/hourly?since=-1",
    ],
)  # fmt: skip
def test_hostile_parameters_get_a_clear_refusal(client: TestClient, path: str) -> None:
    answer = client.get(f"/api/v1{path}")
    assert answer.status_code in (404, 422) and "detail" in answer.json()
    assert "Traceback" not in answer.text


def test_a_foreign_host_name_is_refused_and_pages_cannot_be_framed(client: TestClient) -> None:
    """X1: a page elsewhere must not reach the loopback service by a name of its own."""
    assert client.get("/api/v1/health", headers={"host": "evil.example"}).status_code == 400
    headers = client.get("/api/v1/health").headers
    assert headers["x-frame-options"] == "SAMEORIGIN" and headers["x-content-type-options"] == "nosniff"


def run(station: Settings, *words: str) -> "subprocess.CompletedProcess[str]":
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PUMPSIDE_", "DATABASE_"))}
    env = {**clean, "PUMPSIDE_DATA_DIR": str(station.data_dir), "COLUMNS": "120"}
    argv = [sys.executable, "-m", "station", *words]
    return subprocess.run(argv, env=env, cwd=station.data_dir, capture_output=True, text=True, timeout=120, check=False)


def test_the_command_line_lists_verifies_and_decides(station: Settings) -> None:
    """One story on the command line; every step leaves the database verified or says clearly what is wrong."""
    assert "10.000 L" in run(station, "sales").stdout
    (row,) = csv.DictReader(io.StringIO(run(station, "sales", "--csv").stdout))
    assert (row["volume_ml"], row["amount_fen"]) == ("10000", "7560")
    good = run(station, "verify")
    assert good.returncode == 0 and "everything checks" in good.stdout, good.stdout + good.stderr
    assert "bad_mac" in run(station, "sales", "quarantine").stdout
    assert run(station, "sales", "dismiss", "1", "--by", "王芳", "--why", "test").returncode == 0
    assert run(station, "sales", "quarantine").stdout == ""
    wrong = run(station, "sales", "admit", "257", "3", "--by", "a", "--why", "b")
    assert wrong.returncode == 1 and "in the chain already" in wrong.stderr and "Traceback" not in wrong.stderr
    assert run(station, "price", "set", "1=760", "--by", "王芳").returncode == 0
    assert "v2" in run(station, "price", "show").stdout
    engine = database.open_engine(database.url_for(station))
    with engine.begin() as conn:
        conn.execute(text("UPDATE balances SET balance = balance - 1 WHERE account LIKE 'purse:%'"))
    bad = run(station, "verify")
    assert bad.returncode == 1 and "purse:6200010000000017" in bad.stderr
    with engine.begin() as conn:
        conn.execute(text("UPDATE balances SET balance = balance + 1 WHERE account LIKE 'purse:%'"))
    with database.read(engine) as conn:
        assert sales.money_invariant(conn).holds
    engine.dispose()


def test_a_dip_by_hand_stands_beside_the_books_on_the_command_line_and_in_the_api(
    station: Settings, client: TestClient
) -> None:
    """I1: litres as a person writes them, to the millilitre; what cannot be is refused and leaves no reading."""
    keys = ("stock_ml", "gauge_ml", "gauge_at", "difference_ml", "gauge_source")
    tank = lambda: [client.get("/api/v1/tanks").json()[0][key] for key in keys]  # noqa: E731
    assert tank() == [21_990_000, None, None, None, None]
    assert "not read yet" in run(station, "tank", "list").stdout
    for words, told in (
        (["1", "30000.001"], "above the tank's capacity"), (["9", "5"], "no tank for grade 9"),
        (["1", "many"], "升数写法如 21974.5"), (["1", "0.0005"], "three decimals"), (["1", "NaN"], "write litres"),
        (["--", "1", "-3"], "not below nought"),
    ):  # fmt: skip
        refused = run(station, "tank", "dip", *words)
        assert refused.returncode == 1 and told in refused.stderr and "Traceback" not in refused.stderr, words
    assert tank()[1] is None
    before = int(time.time())
    written = run(station, "tank", "dip", "1", "21974.5", "--by", "王芳")
    assert written.returncode == 0 and "difference -15.500 L" in written.stdout, written.stderr
    stock_ml, gauge_ml, at, *rest = tank()
    assert (stock_ml, gauge_ml, rest) == (21_990_000, 21_974_500, [-15_500, "dip"])
    assert before <= at <= time.time()
    assert "dip 21974.500 L" in run(station, "tank", "list").stdout.splitlines()[0]
    assert run(station, "tank", "dip", "2", "0").returncode == 0
    told = run(station, "tank", "dip", "--help")
    assert told.returncode == 0 and "pumpside tank dip 1 21974.5" in told.stdout


def test_the_list_of_sales_has_a_heading_and_says_in_which_zone_its_times_are(
    station: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A station's people read their own clock, whoever reads it elsewhere sees which one it was."""
    monkeypatch.setenv("TZ", "CST-8")  # POSIX: eight hours east
    heading, line = run(station, "sales").stdout.splitlines()
    words = "时间 time 油机/枪 pump 油品 grade 油量 volume 金额 amount 卡号 card 状态 state"
    assert " ".join(heading.split()) == words
    ended = datetime.fromtimestamp(T0 + 21, UTC).astimezone(timezone(timedelta(hours=8)))  # its third record
    assert line.startswith(f"{ended:%Y-%m-%d %H:%M:%S}+08:00  p1/1 ")
    assert line.endswith("6200010000000017  已结算 settled") and "75.60 元" in line and "92#" in line
    places = [len(text[: text.index(word)].encode("gb18030")) for text, word in ((heading, "卡号"), (line, "6200"))]
    assert places[0] == places[1]  # two bytes for what takes two places: the columns stand under their headings


@pytest.mark.parametrize("command", sorted({"sales", "verify", "init", "ingest", "web", "price", "pump", "tank"}))
def test_every_command_of_the_station_explains_itself_with_an_example(station: Settings, command: str) -> None:
    def helped(words: list[str]) -> str:
        told = run(station, *words, "--help")
        assert told.returncode == 0, told.stderr
        return told.stdout

    group = {"price": "show", "pump": "list", "tank": "list"}.get(command)
    assert "Example" in helped([command, group] if group else [command])


def test_the_door_lists_every_part_without_loading_any(station: Settings) -> None:
    assert set(PARTS) >= {"run", "bench", "card", "broker", "provision", "verify", "sales"}
    assert "全库核对" in run(station, "--help").stdout


def test_commands_without_a_database_say_what_to_do(tmp_path: Path) -> None:
    told = run(load(data_dir=tmp_path, bench=True), "sales")
    assert told.returncode == 1 and "pumpside init" in told.stderr
    assert told.stdout == ""


def test_a_database_of_an_older_program_is_told_and_init_brings_it_up_to_date(tmp_path: Path) -> None:
    """After an upgrade nothing has run yet that migrates: a command says so instead of failing somewhere inside."""
    settings = load(data_dir=tmp_path / "var", bench=True, database_url="")
    settings.data_dir.mkdir()
    engine = database.open_engine(database.url_for(settings))
    migrations.migrate(engine, "0001")
    engine.dispose()
    told = run(settings, "tank", "list")
    assert told.returncode == 1 and "schema 0001" in told.stderr and "pumpside init" in told.stderr
    assert "Traceback" not in told.stderr
    assert run(settings, "init").returncode == 0
    assert "not read yet" in run(settings, "tank", "list").stdout
