"""O7, N3: who sees what at head office, over the API; a station that proves itself by its token."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from station import network, staff
from station.api.app import create_app
from station.forecourt import LiveBoard
from station.network.units import UnitError
from station.platform import clock, database
from station.platform.sealing import Sealer
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.network.towns import heal, town_settings, towns
from tests.station.world import T0

PASSWORD = "correct horse battery"
TREE = (
    network.Unit("zj", network.REGION, None, "浙江"),
    network.Unit("hz", network.CITY, "zj", "杭州"),
    network.Unit("nb", network.CITY, "zj", "宁波"),
    network.Unit("s1", network.STATION, "hz", "西湖站"),
    network.Unit("s2", network.STATION, "nb", "江北站"),
)


@pytest.fixture(scope="module")
def head(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Settings, TestClient]]:
    """Head office with log-in: sales of s1 and s2, cards used away from home, a cashier who sees Hangzhou only."""
    directory = tmp_path_factory.mktemp("head") / "towns"
    shutil.copytree(made, directory)
    settings = town_settings(directory, 9).model_copy(update={"staff_auth": True})
    engine, secrets = database.open_engine(database.url_for(settings)), Secrets.load(settings.secrets_path)
    with database.write(engine) as conn:
        for unit in TREE:
            network.add(conn, unit, "admin", T0)
        staff.add(conn, "chen", "陈", "cashier", PASSWORD, "setup", clock.now())
        network.assign(conn, "chen", "hz", "admin", T0)
    with towns(engine, secrets, directory) as (_, a, b):
        card = a.issue(50_000)
        heal(a, b)
        a.sell(card, 5_000)
        b.sell(card, 6_000)
        heal(a, b)
    with TestClient(create_app(settings, board=LiveBoard(), dashboard=False), follow_redirects=False) as client:
        yield engine, settings, client
    engine.dispose()


@pytest.fixture(scope="module")
def chen(head: tuple[Engine, Settings, TestClient]) -> dict[str, str]:
    engine, settings, _ = head
    sealer = Sealer(Secrets.load(settings.secrets_path).data_keys)
    with database.write(engine) as conn:
        found = staff.log_in(conn, sealer, "chen", PASSWORD, "", clock.now())
    assert isinstance(found, tuple)
    return {"Authorization": f"Bearer {found[0]}"}


def test_o7_who_sees_one_city_sees_nothing_of_another_on_any_list(
    head: tuple[Engine, Settings, TestClient], chen: dict[str, str]
) -> None:
    """Every route is asked, so that a new one cannot forget it."""
    _, _, client = head
    told = {}
    for route, operations in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        if "get" not in operations:
            continue
        path = re.sub(r"{[^}]*}", "1", route)
        answer = client.get(path, headers=chen)
        if answer.status_code == 200:
            told[route] = answer.text
        for foreign in ('"s2"', "江北", "宁波", '"device":513'):
            assert foreign not in answer.text, path
    assert {"/api/v1/sales", "/api/v1/pumps", "/api/v1/hourly", "/api/v1/network/units"} <= set(told)
    sales = client.get("/api/v1/sales", headers=chen).json()
    assert (sales["total"], [row["station"] for row in sales["rows"]]) == (1, ["s1"])
    assert [unit["unit"] for unit in client.get("/api/v1/network/units", headers=chen).json()] == ["zj", "hz", "s1"]
    assert client.get("/api/v1/sales/513/1", headers=chen).status_code == 404
    assert client.get("/api/v1/network/clearing", headers=chen).status_code == 403


def test_o7_pages_that_know_nothing_of_units_are_closed_to_who_sees_a_part(
    head: tuple[Engine, Settings, TestClient], chen: dict[str, str]
) -> None:
    _, _, client = head
    for path in ("/sales", "/cards", "/till", "/desk", "/books"):
        assert client.get(path, headers=chen).status_code == 403, path
    home = client.get("/", headers=chen)
    assert (home.status_code, home.headers["location"]) == (303, "/network")


def test_n3_a_station_proves_itself_by_its_token(head: tuple[Engine, Settings, TestClient]) -> None:
    engine, _, client = head
    with database.write(engine) as conn:
        token = network.join(conn, "s2", 2, "admin", T0)  # a new token: the old one is worth nothing now
    for bad in ("", "Bearer ", "Bearer wrong", token):
        assert client.post("/api/v1/network/exchange", json={}, headers={"Authorization": bad}).status_code == 401
    answer = client.post("/api/v1/network/exchange", json={}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert list(answer.json()["heads"]) == ["513"]
    broken = client.post(
        "/api/v1/network/exchange", json={"records": {"p1": "!"}}, headers={"Authorization": f"Bearer {token}"}
    )
    assert broken.status_code == 422


def test_o7_a_unit_stands_under_a_higher_one(head: tuple[Engine, Settings, TestClient]) -> None:
    engine, _, _ = head
    for unit in (
        network.Unit("hz", network.CITY, "zj", "again"),
        network.Unit("x", network.REGION, "hz", "upside down"),
        network.Unit("x", network.CITY, "nowhere", "lost"),
        network.Unit("x", "planet", None, "too high"),
    ):
        with database.write(engine) as conn, pytest.raises(UnitError):
            network.add(conn, unit, "admin", T0)
