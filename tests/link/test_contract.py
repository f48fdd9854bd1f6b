"""docs/asyncapi.yaml is the contract: firmware and station are held to it by what they really send."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from jsonschema import Draft202012Validator

from pump.core import records
from station import forecourt, setup
from station.mqtt.outbound import Outbound
from station.mqtt.work import Message, work
from station.platform import database, topics
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.link.line import Line
from tests.link.linked_pump import Station, linked_pump
from tools.release import release

ROOT = Path(__file__).resolve().parents[2]
CONTRACT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text("utf-8"))
SIGNED = {"ack", "tariff", "settings", "lists", "update", "command", "answer"}


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """What a local $ref points at; anything else is itself."""
    while "$ref" in part:
        path = part["$ref"].removeprefix("#/").split("/")
        part = CONTRACT
        for name in path:
            part = part[name]
    return part


def message_of(leaf: str) -> dict[str, Any]:
    """The message that the contract puts on a topic."""
    for channel in CONTRACT["channels"].values():
        if channel["address"] == topics.topic("{station}", "{pump}", leaf):
            (message,) = channel["messages"].values()
            return resolve(message)
    raise KeyError(leaf)


def check(leaf: str, content: Any) -> None:
    """Raises ValidationError unless the content is what the contract says."""
    Draft202012Validator(resolve(message_of(leaf)["payload"])).validate(content)


def test_the_contract_has_every_topic_and_no_other() -> None:
    addresses = {channel["address"] for channel in CONTRACT["channels"].values()}
    assert addresses == {topics.topic("{station}", "{pump}", leaf) for leaf in topics.UP + topics.DOWN}
    assert {leaf for leaf in topics.UP + topics.DOWN if message_of(leaf).get("x-signed")} == SIGNED


def test_the_contract_holds_together() -> None:
    def references(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            if "$ref" in part:
                yield part
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    assert all(resolve(part) for part in references(CONTRACT))
    for schema in CONTRACT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    used = {operation["channel"]["$ref"].split("/")[-1] for operation in CONTRACT["operations"].values()}
    assert used == set(CONTRACT["channels"])


def test_every_example_in_the_page_for_people_is_true() -> None:
    page = (ROOT / "docs" / "mqtt.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z/]+)` \|.*\|$", page, re.MULTILINE)
    assert set(rows) == set(topics.UP + topics.DOWN)
    for leaf in rows:
        (row,) = re.findall(rf"^\| `{leaf}` \|.*\|$", page, re.MULTILINE)
        examples = re.findall(r"`(\{.*?\})`", row)
        assert examples or leaf in ("journal", "trace")
        for example in examples:
            check(leaf, json.loads(example))


@pytest.mark.parametrize(
    ("leaf", "content"),
    [
        ("ack", {"seq": "1", "device": 257}),
        ("ack", {"seq": 1}),
        ("command", {"id": "12ab34cd", "do": "lock"}),
        ("tariff", {"version": 1, "effective": 0, "prices": {"1": 7.56}}),
        (
            "lists",
            {
                "version": 1,
                "made": 0,
                "count": [1, 0],
                "base": [0, 0, 0, ""],
                "black": [["6200"], []],
                "white": [[], []],
            },
        ),
        ("state", {"v": 1, "online": True}),
        ("live", {"s": "flying", "ml": 0, "fen": 0, "link": 1}),
    ],
)
def test_the_contract_refuses_what_is_wrong(leaf: str, content: Any) -> None:
    assert not Draft202012Validator(resolve(message_of(leaf)["payload"])).is_valid(content)


def test_what_the_firmware_sends_is_what_the_contract_says(embedded: Line, tmp_path: Path) -> None:
    station = Station(embedded)
    station.client.hush()
    with linked_pump(embedded, tmp_path / "p1") as pump:
        pump.wait(lambda now: now["up"])
        station.say("tariff", {"version": 1, "effective": 0, "prices": {"1": 756, "2": 806, "3": 906, "4": 722}})
        pump.order("lift")
        pump.order("ask 12ab34cd")
        pump.order("records 3")
        pump.order("upload 3")
        boot = station.state()["boot"]
        station.say("command", {"id": "00000001", "boot": boot, "do": "lock"})
        station.say("command", {"id": "00000002", "boot": boot, "do": "dance"})
        seen: dict[str, list[bytes]] = {leaf: [] for leaf in topics.UP}
        while not (all(seen.values()) and len(seen["ask"]) >= 2 and len(seen["done"]) >= 2 and len(seen["trace"]) >= 3):
            message = station.client.next(15)
            seen[message.topic.rsplit("/", 1)[1]].append(bytes(message.payload))
        pump.close()
        seen["state"].append(station.hear("state"))
        while json.loads(seen["state"][-1])["online"]:  # the will of the pump that is gone now
            seen["state"].append(station.hear("state"))
    embedded.close()
    for leaf in ("state", "live", "ask", "done"):
        for payload in seen[leaf]:
            check(leaf, json.loads(payload))
    assert seen["trace"] == [bytes((n,)) * 1024 for n in range(3)]
    schema = resolve(message_of("journal")["payload"])
    for batch in seen["journal"]:
        assert schema["minLength"] <= len(batch) <= schema["maxLength"] and len(batch) % records.SIZE == 0
        assert all(records.is_whole(batch[at : at + records.SIZE]) for at in range(0, len(batch), records.SIZE))


def test_what_the_station_sends_is_what_the_contract_says(site: Settings, tmp_path: Path) -> None:
    settings = site.model_copy(update={"database_url": f"sqlite:///{tmp_path}/station.db"})
    engine = setup.prepare(settings)
    secrets = Secrets.load(site.secrets_path)
    pump = settings.pumps[0]
    device = settings.device_id(pump)
    now = 1_790_000_000
    where = f"pumpside/v1/{settings.station}/{pump.pump}/"
    boot = records.build(
        secrets.device(device).journal, records.CHAIN_START, records.BOOT, device, 1, 1, 5, now, 2,
        (1, bytes(8), 0, 0, 0, 0, 0, 0),
    )  # fmt: skip
    state = {"v": 1, "online": True, "device": device, "boot": 1, "state": "idle", "time": now, "tariff": 1}
    ask = {"id": "12ab34cd", "ask": "unfinished", "uid": "04" * 7, "sale": [device, 5], "counter": 9}
    heard = [
        Message(where + "journal", boot),
        Message(where + "ask", json.dumps({"id": "12ab34cd", "ask": "time"}).encode()),
        Message(where + "ask", json.dumps(ask).encode()),
        Message(where + "state", json.dumps(state).encode()),
    ]
    sent = [(reply.leaf, reply.message) for reply in work(engine, secrets, heard, now)]
    with database.write(engine) as conn:
        forecourt.set_blacklist(conn, ["6200010000000017", "6200010000000025"], now)
        forecourt.set_tariff(conn, settings.prices, now + 3600, "test", now)
        forecourt.give_command(conn, device, "lock", "test", now)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        made = release(key, {"boot.py": b"", "main.py": b""}, {"app.mpy": b"x"}, 7)
        forecourt.order_update(
            conn, device, forecourt.add_release(conn, made, key.public_key(), "t", now).version, "t", now
        )
        outbound = Outbound().due(conn, now)
    sent += [(sending.reply.leaf, sending.reply.message) for sending in outbound]
    engine.dispose()
    assert {leaf for leaf, _ in sent} == {"ack", "answer", "tariff", "lists", "update", "command"}
    for leaf, content in sent:
        check(leaf, json.loads(json.dumps(content)))
