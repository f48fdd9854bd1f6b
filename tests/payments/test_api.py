"""Y1, C6 over the API: a till asks, a customer pays, the gateway's callback comes over the network."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from station.api.app import create_app
from station.forecourt import LiveBoard
from station.platform import database
from station.platform.settings import load
from station.setup import prepare
from tests.payments.conftest import issue, serving
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.keys import equip
from tools.ports import free_port

CARD = "6200000200000013"
PATIENCE_S = 30


@pytest.fixture(scope="module")
def till(bench: tuple[Gateway, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a station's API that is served over a socket, where the gateway's callbacks arrive too."""
    home = tmp_path_factory.mktemp("api")
    settings = load(data_dir=home, bench=True, database_url=f"sqlite:///{home}/station.db")
    engine = prepare(settings)
    with database.write(engine) as conn:
        issue(conn, CARD)
    gateway, url = bench
    port = free_port()
    equip(home / "payments", gateway.keys, url, f"http://127.0.0.1:{port}")
    app = create_app(settings, board=LiveBoard(), dashboard=False)
    with serving(app, port) as address, httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        yield client
    engine.dispose()


def _asks(till: httpx.Client, gateway: str, fen: int = 1_000, key: str = "") -> Any:
    body = {"gateway": gateway, "purpose": f"load:{CARD}", "amount_fen": fen}
    answer = till.post("/api/v1/payments", json=body, headers={"Idempotency-Key": key or f"{gateway}-{time.time_ns()}"})
    assert answer.status_code == 201, answer.text
    return answer.json()


def _until(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("gateway", ["wechat", "alipay"])
@pytest.mark.parametrize("mood", ["twice", "never"])
def test_c6_the_till_asks_the_customer_pays_and_the_payment_is_seen_as_paid(
    till: httpx.Client, bench: tuple[Gateway, str], gateway: str, mood: str
) -> None:
    asked = _asks(till, gateway)
    paid = httpx.post(f"{bench[1]}/pay", data={"code": asked["code"], "mood": mood}, trust_env=False)
    assert "已支付" in paid.text
    path = f"/api/v1/payments/{asked['order_no']}"
    _until(lambda: till.get(path).json()["payment"]["state"] == "paid")
    told = till.get(path).json()
    assert [e["event"] for e in told["events"]].count("paid") == 1
    found = till.get("/api/v1/payments", params={"search": asked["order_no"]}).json()
    assert (found["total"], found["rows"][0]["trade_no"]) == (1, told["payment"]["trade_no"])


def test_y9_the_same_request_again_is_the_same_payment(till: httpx.Client) -> None:
    first, again = (_asks(till, "wechat", 2_000, "till-1/9") for _ in range(2))
    assert first == again


def test_y1_forged_long_and_stray_callbacks_are_refused_without_a_session(till: httpx.Client) -> None:
    assert till.post("/pay/notify/wechat", content=b"{}").status_code == 401
    assert till.post("/pay/notify/alipay", content=b"a=b").text == "failure"
    assert till.post("/pay/notify/nobody", content=b"{}").status_code == 404
    assert till.post("/pay/notify/wechat", content=b"x" * 70_000).status_code == 413
    assert till.get("/pay/notify/wechat").status_code == 405


def test_y6_a_payment_that_found_no_place_goes_back_with_a_reason(
    till: httpx.Client, bench: tuple[Gateway, str]
) -> None:
    """The card has a load waiting from the stories before, so this money stays at its payment."""
    asked = _asks(till, "wechat", 3_000)
    bench[0].customer_pays(asked["code"].rpartition("=")[2])
    path = f"/api/v1/payments/{asked['order_no']}"
    _until(lambda: till.get(path).json()["payment"]["state"] == "paid")
    assert "待写卡" in till.get(path).json()["payment"]["waits"]
    body = {"amount_fen": 3_000, "why": "顾客改主意"}
    keyed = {"Idempotency-Key": asked["order_no"]}
    for _ in range(2):
        assert till.post(f"{path}/refunds", json=body, headers=keyed).status_code == 201
    _until(lambda: till.get(path).json()["refunds"][0]["state"] == "done")
    assert len(till.get(path).json()["refunds"]) == 1
    assert till.post(f"{path}/refunds", json=body, headers={"Idempotency-Key": "more"}).status_code == 422


def test_y8_a_refund_above_the_cap_needs_a_second_person(till: httpx.Client) -> None:
    body = {"amount_fen": 60_000, "why": "x"}
    asked = _asks(till, "wechat", 60_000)
    path = f"/api/v1/payments/{asked['order_no']}/refunds"
    answer = till.post(path, json=body, headers={"Idempotency-Key": "cap"})
    assert answer.status_code == 422 and "第二人" in answer.text


def test_y1_the_api_names_the_gateways_and_refuses_what_is_not_one(till: httpx.Client) -> None:
    assert [one["gateway"] for one in till.get("/api/v1/gateways").json()] == ["alipay", "wechat"]
    body = {"gateway": "nobody", "purpose": f"load:{CARD}", "amount_fen": 1}
    assert till.post("/api/v1/payments", json=body, headers={"Idempotency-Key": "n"}).status_code == 422
    assert till.get("/api/v1/payments/P0").status_code == 404
    assert till.post("/api/v1/payments/P0/look").status_code == 422
