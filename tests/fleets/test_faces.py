"""Fleets over the API and at the command line (C11, C12, Y7): keys, errors told plainly, files."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from station import cards, fleets, tills
from station.api.app import create_app
from station.forecourt import LiveBoard
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.fleets.company import Pump, card, number_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(settings, board=LiveBoard(), dashboard=False)) as made:
        yield made


def post(client: TestClient, path: str, key: str, **body: Any) -> Any:
    answer = client.post(f"/api/v1/fleets{path}", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_a_company_from_opening_to_its_invoice_over_the_api(client: TestClient, engine: Engine) -> None:
    firm = post(client, "", "k1", name="顺达物流", terms={"limit_fen": 500_000, "offline_fen": 0})["account"]
    assert post(client, "", "k1", name="顺达物流", terms={"limit_fen": 500_000, "offline_fen": 0})["account"] == firm
    part = post(client, f"/{firm}/parts", "k2", name="运输部")["account"]
    post(client, f"/{firm}/top-up", "k3", amount_fen=10_000, source="gateway:icbc")
    assert post(client, f"/{part}/allocate", "k4", amount_fen=300_000)["own_fen"] == 300_000
    assert post(client, f"/{part}/allocate", "k4", amount_fen=300_000)["own_fen"] == 300_000
    assert post(client, f"/{part}/allocate", "k5", amount_fen=-50_000)["own_fen"] == 250_000
    reused = {"Idempotency-Key": "k4"}
    assert client.post(f"/api/v1/fleets/{part}/allocate", json={"amount_fen": 1}, headers=reused).status_code == 409
    with database.write(engine) as conn:
        uid = card(conn, 1, firm, "京A10001")
    vehicle = {"plate": "京A10001", "card_no": cards.shown(number_of(uid)), "tank_ml": 40_000}
    saved = post(client, f"/{part}/vehicles", "k6", **vehicle)
    assert (saved["unit"], saved["card_no"], saved["is_behind"]) == (part, number_of(uid), False)
    subject = f"/fleets/rules/vehicle:{saved['id']}"
    rules = {"rules": {"day_fills": 1}, "why": "合同"}
    assert client.put(f"/api/v1{subject}", json=rules, headers={"Idempotency-Key": "k7"}).json()["version"] == 1
    post(client, f"/{firm}/prices", "k8", grade=1, kind="discount", fen_per_l=10, why="协议")
    with database.write(engine) as conn:
        (agreed,) = fleets.agreements(conn, firm)
        pump = Pump(conn, Secrets.load(engine_dir(engine)))
        pump.fuel(uid, 50_000, agreed.since + 60)
        assert pump.ask(uid, agreed.since + 600).code
        fleets.make(conn, firm, agreed.since + 3600, "test", agreed.since + 3600)
    told = client.get(f"/api/v1/fleets/{firm}").json()
    assert told["owed_fen"] == 37_800 - 500 - 10_000 == sum(unit["owed_fen"] for unit in told["units"])
    (statement,) = client.get(f"/api/v1/fleets/{firm}/statements").json()
    assert statement["invoice_fen"] == 37_300
    lines = client.get(f"/api/v1/fleets/{firm}/statements/1").json()["lines"]
    assert sum(line["owed_fen"] for line in lines) == statement["closing_fen"]
    assert [line["plate"] for line in lines if line["kind"] == "delivery"] == ["京A10001"]
    assert post(client, f"/{firm}/statements/1/offer", "k9") == {"subject": f"statement:{firm}:1"}
    with database.read(engine) as conn:
        assert tills.left(conn, f"statement:{firm}:1") == 37_300
    file = client.get(f"/api/v1/fleets/{firm}/statements/1/csv")
    assert "京A10001" in file.text and file.headers["content-type"].startswith("text/csv")
    (odd,) = client.get(f"/api/v1/fleets/{firm}/exceptions").json()
    assert (odd["kind"], odd["value"], odd["expected"]) == ("above_tank", 50_000, 40_000)
    assert "超过油箱" in client.get(f"/api/v1/fleets/{firm}/exceptions.csv").text
    (refused,) = client.get(f"/api/v1/fleets/{firm}/refusals").json()
    assert refused["rule"] == "day_fills"
    assert client.get("/api/v1/fleets/99").status_code == 404
    assert client.get(f"/api/v1/fleets/{firm}/statements/7").status_code == 404
    poor = client.post(
        f"/api/v1/fleets/{part}/allocate", json={"amount_fen": 99_999_999}, headers={"Idempotency-Key": "x"}
    )
    assert poor.status_code == 422 and "最多可划拨" in poor.json()["detail"]


def engine_dir(engine: Engine) -> Path:
    return Path(str(engine.url.database)).parent / "secrets.json"


def test_fleets_at_the_command_line(tmp_path: Path) -> None:
    def told(*words: str, code: int = 0) -> str:
        env = {name: value for name, value in os.environ.items() if not name.startswith("PUMPSIDE_")}
        env |= {"PUMPSIDE_DATA_DIR": str(tmp_path / "var"), "PUMPSIDE_BENCH": "true", "LANG": "C.UTF-8"}
        run = subprocess.run(
            [sys.executable, "-m", "station", *words], cwd=ROOT / "host", env=env, capture_output=True, text=True
        )
        assert run.returncode == code, run.stdout + run.stderr
        return run.stdout + run.stderr

    told("init")
    assert "顺达物流" in told("fleet", "open", "顺达物流", "--limit", "0")
    assert "运输部" in told("fleet", "part", "1", "运输部")
    assert "自有 own 500.00" in told("fleet", "top-up", "1", "500", "--source", "gateway:icbc", "--key", "T1")
    assert "自有 own 500.00" in told("fleet", "top-up", "1", "500", "--source", "gateway:icbc", "--key", "T1")
    assert "最多可划拨 500.00" in told("fleet", "allocate", "2", "501", code=1)
    assert "自有 own 200.00" in told("fleet", "allocate", "2", "200")
    told("fleet", "vehicle", "2", "京A10001", "--tank", "60", "--norm", "9.5")
    told("fleet", "rules", "unit:2", "--month-yuan", "20000", "--hours", "6-22", "--why", "合同")
    told("fleet", "price", "1", "1", "discount", "0.20", "--why", "协议")
    shown = told("fleet", "show", "1")
    assert "京A10001" in shown and "含下级欠 owed with parts -500.00" in shown
    file = tmp_path / "one.csv"
    assert "期末 closing -500.00" in told("fleet", "statement", "1", "--csv", str(file))
    assert "付款" in file.read_text("utf-8")
    assert "没有异常" in told("fleet", "exceptions", "1")
    assert "没有被拒" in told("fleet", "refused", "1")
    assert "没有单位 9" in told("fleet", "show", "9", code=1)
