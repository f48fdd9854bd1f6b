"""Fleets over the API and at the command line (C11, C12, Y7): keys, errors told plainly, files."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from typer.testing import CliRunner

from station import cards, fleets, tills
from station.api.app import create_app
from station.cli import fleet as cli
from station.forecourt import LiveBoard
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.fleets.company import Pump, card, number_of


@pytest.fixture
def client(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(settings, board=LiveBoard(), dashboard=False)) as made:
        yield made


def post(client: TestClient, path: str, key: str, **body: Any) -> Any:
    answer = client.post(f"/api/v1/fleets{path}", json=body, headers={"Idempotency-Key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_a_company_from_opening_to_its_invoice_over_the_api(
    client: TestClient, engine: Engine, secrets: Secrets
) -> None:
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
        pump = Pump(conn, secrets)
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
    assert "超过油箱" in client.get(f"/api/v1/fleets/{firm}/exceptions/csv").text
    (refused,) = client.get(f"/api/v1/fleets/{firm}/refusals").json()
    assert refused["rule"] == "day_fills"
    assert client.get("/api/v1/fleets/99").status_code == 404
    assert client.get(f"/api/v1/fleets/{firm}/statements/7").status_code == 404
    poor = client.post(
        f"/api/v1/fleets/{part}/allocate", json={"amount_fen": 99_999_999}, headers={"Idempotency-Key": "x"}
    )
    assert poor.status_code == 422 and "最多可划拨" in poor.json()["detail"]


@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_fleets_at_the_command_line(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("PUMPSIDE_BENCH", "true")

    def told(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == code, done.output
        return done.output

    assert "顺达物流" in told("open", "顺达物流", "--limit", "0")
    assert "运输部" in told("part", "1", "运输部")
    for _ in range(2):  # the bank tells it twice
        assert "自有 own 500.00" in told("top-up", "1", "500", "--source", "gateway:icbc", "--key", "T1")
    assert "最多可划拨 500.00" in told("allocate", "2", "501", code=1)
    assert "自有 own 200.00" in told("allocate", "2", "200")
    told("vehicle", "2", "京A10001", "--tank", "60", "--norm", "9.5")
    told("rules", "unit:2", "--month-yuan", "20000", "--hours", "6-22", "--why", "合同")
    told("price", "1", "1", "discount", "0.20", "--why", "协议")
    shown = told("show", "1")
    assert "京A10001" in shown and "含下级欠 owed with parts -500.00" in shown
    with database.write(engine) as conn:  # the account was opened in this very second
        now = fleets.unit(conn, 1).money.opened_at + 3600
        fleets.make(conn, 1, now, "test", now)
    file = settings.data_dir / "one.csv"
    assert "期末 closing -500.00" in told("statement", "1", "--number", "1", "--csv", str(file))
    assert "付款" in file.read_text("utf-8")
    assert "没有异常" in told("exceptions", "1")
    assert "没有被拒" in told("refused", "1")
    assert "没有单位 9" in told("show", "9", code=1)
