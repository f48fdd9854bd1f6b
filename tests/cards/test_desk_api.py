"""The card desk over the API, with an emulated reader (C1-C9, Y8)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from station.api import create_app
from station.forecourt import LiveBoard
from station.platform.settings import load
from station.setup import prepare
from tests.cards.conftest import seeded
from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_reader import Reader

ANNA = {"holder": "张三", "document": "110101199001011234", "checked": True}


def blank(number: int) -> DesfireCard:
    return DesfireCard.blank(b"\x04" + number.to_bytes(6, "big"), seeded(number))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Reader]]:
    directory: Path = tmp_path_factory.mktemp("desk")
    settings = load(data_dir=directory, bench=True)
    prepare(settings).dispose()
    app = create_app(settings, board=LiveBoard(), dashboard=False)
    with Reader(directory / "bench" / "desk" / "reader", realistic=False) as reader, TestClient(app) as client:
        yield client, reader


def test_a_day_at_the_desk_over_the_api(desk: tuple[TestClient, Reader]) -> None:
    client, reader = desk

    def at(job: str, body: dict[str, Any], key: str = "") -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return client.post(f"/api/v1/readers/desk/{job}?wait_s=0", json=body, headers=headers)

    assert client.get("/api/v1/readers").json() == ["desk"]
    assert at("show", {}).status_code == 503, "no card"
    assert client.post("/api/v1/readers/nowhere/show", json={}).status_code == 404
    reader.put(blank(1))
    refused = at("issue", ANNA | {"checked": False})
    assert refused.status_code == 422 and "同意" in refused.json()["detail"]
    made = at("issue", ANNA).json()
    number = made["card_no"]
    assert (made["balance_fen"], made["card"]["state"], made["shadow"]["state"]) == (0, "active", "agrees")
    assert "document" not in made["card"], "who reads cards does not read documents"

    assert at("load", {"amount_fen": 1_000}).status_code == 422, "a key is wanted"
    for _ in range(2):
        loaded = at("load", {"amount_fen": 20_000}, "k1").json()
        assert loaded["balance_fen"] == 20_000
    assert at("load", {"amount_fen": 20_001}, "k1").status_code == 409
    above = at("load", {"amount_fen": 200_001}, "k2")
    assert above.status_code == 422 and "复核" in above.json()["detail"]
    paid = at("refund", {"amount_fen": 5_000, "why": "多充"}, "k3").json()
    assert (paid["refunded_fen"], paid["pay_to"], paid["balance_fen"]) == (5_000, [["desk", 5_000]], 15_000)
    assert at("limits", {"day_fen": 50_000}).status_code == 200 and at("pin", {"pin": "4711"}).status_code == 200
    assert at("pin", {"pin": "47"}).status_code == 422

    history = client.get(f"/api/v1/cards/{number}/history").json()
    assert history["agrees"] and [line["change_fen"] for line in history["lines"]] == [-5_000, 20_000]
    blocked = client.post(f"/api/v1/cards/{number}/block", json={"reason": "lost"}, headers={"Idempotency-Key": "b"})
    assert blocked.json()["state"] == "blocked"
    assert client.get(f"/api/v1/cards/{number}").json()["waits_for"] == []
    reader.take()
    reader.put(blank(2))
    new = at("replace", {"old_card_no": number}).json()
    assert new["balance_fen"] == 15_000 and new["card"]["replaces"] == number
    found = client.post(f"/api/v1/cards/{number}/unblock", json={}, headers={"Idempotency-Key": "u"})
    assert found.status_code == 422

    listed = client.get("/api/v1/cards", params={"search": "张三"}).json()
    assert listed["total"] == 2 and {row["state"] for row in listed["rows"]} == {"active", "replaced"}
    statistics = client.get("/api/v1/cards/statistics").json()
    assert statistics["disagreeing"] == [] and all(kind["reconciles"] for kind in statistics["kinds"])
    prepaid = client.get("/api/v1/cards/float", params={"days": 2}).json()
    assert prepaid["held_fen"] == prepaid["by_card_fen"] == prepaid["days"][0]["closing_fen"] == 15_000
    assert client.get("/api/v1/cards/incentives").json() == []
    events = client.get(f"/api/v1/cards/{number}/events").json()
    assert [event["event"] for event in events][-2:] == ["blocked", "replaced"]
    assert client.get("/api/v1/cards/6200000100009990").status_code == 404
