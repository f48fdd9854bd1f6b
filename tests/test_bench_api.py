"""The bench's API: every act reaches the world with checked values, and nonsense gets a sentence in two languages."""

import inspect
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.api import create_app
from tools.bench.client import AsyncBenchClient, BenchError
from tools.bench.deeds import Deeds
from tools.bench.dispatch import ROUTES, resolve
from tools.bench.refusal import Refused
from tools.bench.state import State

EXAMPLES = [
    acts.insert("p1", "04112233445566"),
    acts.tap("p3", "6200010000000017", 500),
    acts.remove("p1"),
    acts.tear("p1", 3),
    acts.keys("p1", "A200#"),
    acts.lift("p1", 2),
    acts.hang("p1"),
    acts.trigger("p1", "slow", 1),
    acts.pulser("p2", "stuck_a"),
    acts.power("p1", True),
    acts.power("p1", False),
    acts.network("p1", "frozen"),
    acts.estop("p1", True),
    acts.tamper("p1", False),
    acts.seal("p1", True),
    acts.leak("p1", 50, 1),
    acts.desk_put("04112233445566"),
    acts.desk_take(),
    acts.new_card(),
    acts.broker("stop"),
    acts.broker("start"),
    acts.broker("kill"),
    acts.traffic(True, 2.0),
    acts.traffic(False),
]


class Notebook:
    """Stands where the world stands: writes down what arrives; the checks before it are the real ones."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, list[str | int], dict[str, Any]]] = []

    def do(self, act: Act) -> dict[str, Any]:
        self.seen.append(resolve(act))
        if act.path == "/desk/take":
            raise Refused(409, "发卡台上没有卡", "there is no card on the desk reader")
        return {"card": "04"} if act.path == "/cards" else {}

    def state(self) -> State:
        raise Refused(503, "还没有运行", "not running yet")

    def console(self, pump: str) -> str:
        return f"boot of {pump}"


@pytest.fixture
def world() -> Notebook:
    return Notebook()


@pytest.fixture
async def http(world: Notebook) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(world))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8090") as client:
        yield client


def test_every_path_is_reached_by_an_act_and_every_act_by_a_deed_with_fitting_parameters() -> None:
    reached = set()
    for act in EXAMPLES:
        method, places, body = resolve(act)
        reached.add(method)
        inspect.signature(getattr(Deeds, method)).bind(None, *places, **body)
    assert reached == {method for method, _ in ROUTES.values()}


@pytest.mark.parametrize("act", [act for act in EXAMPLES if act.path != "/desk/take"], ids=lambda act: act.path)
async def test_an_act_posted_arrives_whole(act: Act, http: httpx.AsyncClient, world: Notebook) -> None:
    answer = await http.post(act.path, json=dict(act.body))
    assert answer.status_code == 200 and answer.json()["ok"] is True
    assert world.seen == [resolve(act)]


async def test_the_client_shows_a_refusal_in_both_languages(http: httpx.AsyncClient) -> None:
    bench = AsyncBenchClient()
    bench._http = http
    with pytest.raises(BenchError) as refused:
        await bench.do(acts.desk_take())
    assert (refused.value.status, refused.value.zh) == (409, "发卡台上没有卡")
    with pytest.raises(BenchError) as refused:
        await bench.state()
    assert refused.value.status == 503


async def test_the_board_s_last_words_can_be_read(http: httpx.AsyncClient) -> None:
    assert (await http.get("/pumps/p2/console")).text == "boot of p2"


async def test_a_bench_that_does_not_run_is_named() -> None:
    async with AsyncBenchClient("http://127.0.0.1:1") as bench:
        with pytest.raises(BenchError) as refused:
            await bench.do(acts.new_card())
    assert refused.value.status == 0 and "pumpside run" in refused.value.en


@pytest.mark.parametrize(
    ("path", "body", "status", "word"),
    [
        ("/pumps/p1/fly", "{}", 404, "fly"),
        ("/pumps/p1/keys", '{"keys": "7E"}', 422, "'E'"),
        ("/pumps/p1/keys", '{"keys": ""}', 422, "keys"),
        ("/pumps/p1/keys", '{"keys": "11111111111111111"}', 422, "16"),
        ("/pumps/p1/keys", '{"keys": 7}', 422, "str"),
        ("/pumps/p1/nozzle/0/trigger", '{"squeeze": "hard"}', 422, "slow"),
        ("/pumps/p1/card/tap", '{"card": "04", "hold_ms": 999999}', 422, "60000"),
        ("/pumps/p1/card/tap", '{"card": "04", "hold_ms": true}', 422, "int"),
        ("/pumps/p1/card/insert", "{}", 422, "card"),
        ("/pumps/p1/card/insert", '{"card": "04", "as": "root"}', 422, "as"),
        ("/traffic/on", '{"speed": 1e9}', 422, "5"),
        ("/traffic/on", '{"speed": NaN}', 422, "5"),
        ("/pumps/p1/power/off", "[1]", 400, "object"),
        ("/pumps/p1/power/off", "{", 400, "JSON"),
        ("/pumps/p1/power/off", json.dumps({"x": "y" * 20_000}), 413, "long"),
    ],
)
async def test_nonsense_is_refused_in_words_and_nothing_happens(
    path: str, body: str, status: int, word: str, http: httpx.AsyncClient, world: Notebook
) -> None:
    answer = await http.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    error = answer.json()["error"]
    assert word in error["en"] and any("\u4e00" <= char <= "\u9fff" for char in error["zh"])
    assert world.seen == []


async def test_a_foreign_page_can_do_nothing_here(http: httpx.AsyncClient, world: Notebook) -> None:
    """X1: a form of another site cannot send JSON, and a rebound name is not ours."""
    form = await http.post("/pumps/p1/power/off", data={"x": "y"})
    rebound = await http.post("/pumps/p1/power/off", json={}, headers={"host": "evil.example"})
    assert (form.status_code, rebound.status_code) == (415, 400)
    assert world.seen == []


@given(st.text(max_size=60), st.dictionaries(st.text(max_size=8), st.none() | st.integers() | st.text(max_size=5)))
def test_any_path_and_body_either_resolves_or_is_refused(path: str, body: dict[str, object]) -> None:
    for candidate in (path, f"/pumps/{path}/keys", f"/pumps/p1/nozzle/{path}/lift"):
        try:
            method, places, _ = resolve(Act(candidate, body))
        except Refused as why:
            assert why.status in (404, 422)
        else:
            assert hasattr(Deeds, method) and all(isinstance(place, str | int) for place in places)
