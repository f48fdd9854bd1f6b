"""D6, D19, D22, D26: whatever comes down the line, signed or not: nothing crashes, nothing opens, nothing is paid.

Signed absurdities are the harder half: the station's own key, and content that no station would send.
"""

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pump import downlink
from pump.core import records, signed
from pump.core import settings as pump_settings
from pump.core.settings import TABLE
from tests.core.rigs import PRICES, Bench
from tests.fuzz.seeds import TIMES
from tools.sim import cards

KEY = bytes(range(32))
BASE = "pumpside/v1/s1/p1/"
LEAVES = ("ack", "command", "answer", "tariff", "settings", "lists", "update")
EXAMPLES = settings(
    max_examples=80 * TIMES,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


class Clock:
    quality = 2

    def __init__(self) -> None:
        self.told: list[int] = []

    def set(self, now_s: int) -> None:
        self.told.append(now_s)


class Line:
    """What downlink.heard needs of the link (pump/link.py), with a real controller behind it."""

    def __init__(self) -> None:
        self.bench = Bench("tap", (1,))
        self.card = self.bench.card(50_000)
        self.controller = self.bench.controller
        self.journal = self.controller.journal
        self.base, self.key, self.device, self.boot = BASE, KEY, 257, self.controller.boot_id
        self.clock = Clock()
        self.time_id = self.part_id = ""
        self.rejected = self.unkept = 0
        self.missed = False
        self.results: list[Any] = []
        self.done: list[Any] = []

    def hear(self, leaf: str, payload: bytes) -> None:
        downlink.heard(self, (BASE + leaf).encode(), memoryview(bytearray(payload)))

    def says(self, leaf: str, message: Any) -> None:
        text = json.dumps(message)
        self.hear(leaf, signed.sign(KEY, BASE + leaf, text))


numbers = st.one_of(
    st.integers(-3, 3), st.sampled_from([257, 1 << 16, 1 << 30, (1 << 31) - 1, 1 << 32, 1 << 63, 1 << 90, -(1 << 40)])
)
scalars = st.one_of(
    st.none(), st.booleans(), numbers, st.floats(allow_nan=False), st.text(max_size=8), st.just("6200010000000017")
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
NAMES = [line.split()[0] for line in TABLE.split("\n")]
LIKELY: dict[str, dict[str, Any]] = {
    "ack": {"device": 257, "seq": 2},
    "command": {"id": "a1", "do": "stop", "boot": 1},
    "answer": {"id": "00", "sale": [257, 1], "amount_fen": 5, "volume_ml": 5, "grade": 1, "price": 1, "reason": 1},
    "tariff": {"version": 2, "effective": 0, "prices": {"1": 756}, "next": []},
    "settings": {"version": 1, "values": {"no_flow_s": 60}},
    "lists": {
        "version": 1, "made": 0, "base": [0, 0, 0, ""], "count": [0, 0], "black": [["6200010000000017"], []],
        "white": [[], []],
    },
    "update": {"version": 1, "software": "00" * 8, "files": [], "signature": "00"},
}  # fmt: skip


@st.composite
def absurd(draw: st.DrawFn) -> tuple[str, Any]:
    """A leaf, and a message for it in which some fields are what nobody would send."""
    leaf = draw(st.sampled_from(LEAVES))
    if draw(st.integers(0, 9)) == 0:
        return leaf, draw(values)
    message = dict(LIKELY[leaf])
    for name in draw(st.lists(st.sampled_from(sorted(message)), min_size=1, max_size=3)):
        what = draw(st.integers(0, 3))
        if what == 0:
            message.pop(name, None)
        elif leaf == "settings" and name == "values":
            message[name] = draw(
                st.dictionaries(st.sampled_from([*NAMES, "version", "x", ""]), numbers | scalars, max_size=4)
            )
        elif leaf == "tariff" and name == "prices":
            message[name] = draw(
                st.dictionaries(st.sampled_from(["1", "2", "x", "", "-1", "_"]), numbers | scalars, max_size=3)
            )
        elif leaf == "command" and name == "do":
            message[name] = draw(
                st.sampled_from(["lock", "unlock", "stop", "trace:1", "trace:x", "trace:-1", ""]) | st.text(max_size=9)
            )
        else:
            message[name] = draw(values)
    return leaf, message


def sound(line: Line) -> None:
    """The pump is up, dark, within its ranges, and has paid nobody."""
    controller = line.controller
    line.bench.wait(0.5)
    assert line.bench.dark()
    assert cards.held_fen(line.card) == 50_000
    for row in TABLE.split("\n"):
        name, _, least, greatest = row.split()
        assert int(least) <= getattr(controller.settings, name) <= int(greatest)
    assert all(type(fen) is int and 1 <= fen <= 99_999 for fen in controller.prices.values())
    assert 0 <= controller.journal.acked < controller.journal.head
    assert len(line.results) <= downlink.COMMANDS_KEPT
    assert isinstance(controller.live(), dict)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is kept is kept in a directory of its own."""
    monkeypatch.chdir(tmp_path)


@EXAMPLES
@given(told=st.lists(absurd(), min_size=1, max_size=5))
def test_d6_signed_absurdities_change_nothing_that_matters(told: list[tuple[str, Any]]) -> None:
    line = Line()
    for leaf, message in told:
        line.says(leaf, message)
    sound(line)
    line.controller.command("unlock")
    line.controller.set_settings(line.controller.settings.version + 1, {"white_only": 0, "list_old_stop": 0})
    line.bench.wait(1)
    if line.controller.prices.get(1) == PRICES[1] and not line.controller.lists[0]:
        line.bench.authorise(line.card)
        line.bench.fuel(1)
        line.bench.hang()
        line.bench.settle(line.card)
        (end,) = line.bench.of(records.END)
        assert cards.held_fen(line.card) == 50_000 - end["amount_fen"]


@EXAMPLES
@given(
    leaf=st.sampled_from([*LEAVES, "live", "", "x/y"]),
    data=st.binary(max_size=200),
    at=st.integers(0, 1 << 16),
    flip=st.integers(1, 255),
)
def test_d6_bytes_without_a_good_signature_change_nothing_at_all(leaf: str, data: bytes, at: int, flip: int) -> None:
    line = Line()
    before = line.journal.head, dict(line.controller.prices), line.controller.settings.version, line.journal.acked
    genuine = bytearray(signed.sign(KEY, BASE + leaf, json.dumps(LIKELY.get(leaf, {}))))
    genuine[at % len(genuine)] ^= flip
    for payload in (data, bytes(genuine), data + b"\n" + b"0" * 64):
        line.hear(leaf, payload)
    assert line.rejected == 3
    after = line.journal.head, dict(line.controller.prices), line.controller.settings.version, line.journal.acked
    assert after == before
    sound(line)


def test_d20_absurd_answers_while_a_card_waits_settle_nothing() -> None:
    """The pump has asked about an unfinished card: any answer but a good one leaves the card as it is."""
    rng = random.Random(20)
    line = Line()
    line.bench.authorise(line.card)
    line.bench.fuel(2)
    line.bench.hang()
    held = cards.held_fen(line.card)
    other = Bench("tap", (1,), device=258)
    for round_no in range(40 * TIMES):
        other.controller.link_online = True
        other.pump.put(line.card)

        def answered() -> bool:
            question = other.controller.take_ask()
            if question and question["ask"] == "unfinished":
                good: dict[str, Any] = {"id": question["id"], "sale": question["sale"], "amount_fen": 1, "volume_ml": 1,
                                        "grade": 1, "price": 1, "reason": 1}  # fmt: skip
                name = rng.choice(sorted(good))
                good[name] = rng.choice([None, [], {}, "1", -1, 1 << 31, 1 << 70, 1.5, [257], [257, 1, 1], True])
                other.controller.answer(good)
            return False

        other.wait(5, answered)
        other.pump.take()
        other.wait(1)
        assert cards.open_sale(line.card) is not None, f"round {round_no}"
        assert cards.held_fen(line.card) == held and other.dark()


def test_the_likely_messages_are_taken_as_they_are() -> None:
    """Guards the tests above: what is spoiled there is good before."""
    for leaf in ("ack", "command", "tariff", "settings", "lists"):
        line = Line()
        line.says(leaf, LIKELY[leaf])
        assert line.rejected == 0, leaf
    assert pump_settings.refuse({"no_flow_s": 45}) == ""
