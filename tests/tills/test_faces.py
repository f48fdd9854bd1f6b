"""Y3, Y4, Y6, Y8, Y9: the tills over the API and at the command line."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from typer.testing import CliRunner

from station import staff, tills
from station.api import create_app
from station.cli.till import app
from station.forecourt import LiveBoard
from station.platform import clock, database
from station.platform.settings import Settings

PASSWORD = "correct horse"
pytestmark = pytest.mark.parametrize("backend", ["sqlite"])


@pytest.fixture
def api(settings: Settings, engine: Engine) -> Iterator[TestClient]:
    with TestClient(create_app(settings, board=LiveBoard(), dashboard=False)) as client:
        yield client


class Client:
    """Commands with a key of their own each."""

    def __init__(self, api: TestClient) -> None:
        self.api, self.key = api, 0

    def post(self, path: str, body: dict[str, object], key: str = "", method: str = "POST") -> dict[str, object]:
        self.key += 1
        headers = {"Idempotency-Key": key or f"k{self.key}"}
        answer = self.api.request(method, f"/api/v1{path}", json=body, headers=headers)
        return {"status": answer.status_code, **answer.json()}


def _stocked(api: TestClient) -> Client:
    client = Client(api)
    assert client.post("/safe", {"amount_fen": 100_000, "why": "备用金"})["fen"] == 100_000
    client.post("/tills", {"till": "t1"})
    assert client.post("/tills/t1/shifts", {"float_fen": 20_000})["shift"] == 1
    client.post("/goods/6901", {"name": "机油", "price_fen": 60_000}, method="PUT")
    assert client.post("/goods/6901/received", {"pieces": 10})["stock"] == 10
    return client


def test_y3_y9_a_bill_over_the_api_is_made_once_whatever_the_line_does(api: TestClient) -> None:
    client = _stocked(api)
    body = {"till": "t1", "lines": [{"code": "6901"}], "payments": [{"kind": "cash", "handed_fen": 70_000}]}
    first = client.post("/bills", body, key="till-1/1")
    assert (first["status"], first["state"], first["change_fen"]) == (200, "paid", 10_000)
    assert client.post("/bills", body, key="till-1/1") == first
    assert client.post("/bills", {**body, "till": "t2"}, key="till-1/1")["status"] == 409
    short = client.post("/bills", {**body, "payments": [{"kind": "cash", "handed_fen": 1}]})
    assert short["status"] == 422 and "还差" in str(short["detail"])
    assert client.post("/bills", {"till": "t1", "lines": [{}]})["status"] == 422
    assert len(api.get("/api/v1/bills").json()) == 1
    assert api.get("/api/v1/bills/99").status_code == 422
    assert api.get("/api/v1/bills/at-hand").json() == []


def test_y4_y6_y8_a_refund_above_the_cap_and_an_invoice_over_the_api(api: TestClient, engine: Engine) -> None:
    client = _stocked(api)
    with database.write(engine) as conn:
        staff.add(conn, "li", "", "leader", PASSWORD, "setup", clock.now())
    paid = [{"kind": "cash", "handed_fen": 120_000}]
    client.post("/bills", {"till": "t1", "lines": [{"code": "6901", "pieces": 2}], "payments": paid})
    asked = client.post("/bills/1/refunds", {"line": 1, "amount_fen": 60_000, "pieces": 1, "till": "t1", "why": "漏液"})
    assert (asked["state"], asked["late"]) == ("open", False)
    wrong = {"approve": True, "second": {"name": "li", "password": "guessed"}}
    assert client.post("/refunds/1/decision", wrong)["status"] == 422
    right = {"approve": True, "second": {"name": "li", "password": PASSWORD}}
    done = client.post("/refunds/1/decision", right, key="decide-1")
    assert (done["state"], done["decided_by"], done["parts"]) == ("done", "li", [[1, 60_000]])
    assert client.post("/refunds/1/decision", right, key="decide-1") == done
    assert client.post("/invoices", {"buyer": "某人", "amounts": {"bill:1": 60_001}})["status"] == 422
    made = client.post("/invoices", {"buyer": "某人", "amounts": {"bill:1": 60_000}})
    series = made["series"]
    assert client.post(f"/invoices/{series}/1/reissue", {"why": "遗失"})["number"] == 3
    assert client.post(f"/invoices/{series}/3/red", {"why": "退货"})["amount_fen"] == -60_000
    assert [one["number"] for one in api.get("/api/v1/invoices").json()] == [4, 3, 2, 1]
    off = {"counted_fen": 1, "why": "x"}
    assert client.post("/till-shifts/1/close", off)["status"] == 422
    closed = client.post("/till-shifts/1/close", {"counted_fen": 80_100, "why": ""})
    assert (closed["expected_fen"], closed["counted_fen"]) == (80_000, 80_100)
    today = tills.day_of(clock.now())
    assert api.get(f"/api/v1/days/{today}").json()["report"]["bills_fen"] == 120_000
    assert client.post(f"/days/{today}/close", {})["status"] == 422


def test_y9_a_day_at_the_command_line(settings: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("PUMPSIDE_BENCH", "true")

    def run(*words: str, code: int = 0) -> str:
        done = CliRunner().invoke(app, [*words])
        assert done.exit_code == code, done.output
        return done.output

    run("add", "t1")
    run("safe", "1000", "--why", "备用金")
    run("open", "t1", "--float", "200", "--by", "wang")
    run("goods", "put", "6901", "矿泉水", "2.00")
    run("goods", "receive", "6901", "24")
    sold = run("sell", "t1", "6901*3", "--pay", "bank_card:5:000123", "--pay", "cash:10")
    assert "合计 total 6.00  找零 change 9.00" in sold
    assert sold == run("bill", "1")
    assert "已退 given back 2.00" in run("refund", "1", "1", "2", "--till", "t1", "--pieces", "1", "--why", "漏液")
    assert "发票 invoice" in run("invoice", "1", "--buyer", "某人") and "22" in run("goods", "list")
    assert "差 off by -2.00" in run("close", "t1", "198")
    told = run("day", tills.day_of(clock.now()))
    assert "cash  1  收 taken 1.00  退 back 1.00" in told and "bank_card" in told
    assert "没有这个收银台" in run("close", "t9", "1", code=1)
    assert "例 Example" in run("refund", "--help")
