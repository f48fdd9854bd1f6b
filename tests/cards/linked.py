"""Pumps in one process on the station's real books: the simulation's pump asks, the station's own code answers.

Between them lies a wire that loses, delays and repeats what the test tells it to.
"""

import json
import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine

from pump.core import records
from station import forecourt, sales
from station.mqtt import questions
from station.mqtt.messages import parse_ask
from station.platform import database
from station.platform.secrets import Secrets
from tests.core.rigs import PRICES, Bench
from tests.link.test_contract import check
from tools.sim.pump import WALL_START_S, Pump


class LinkedBench(Bench):
    """A pump with the station's own keys for it. `online`: the line is up; `wire`: sees each question and its answer
    and says what becomes of them: "" for carried, "ask" or "answer" for lost."""

    def __init__(self, engine: Engine, secrets: Secrets, name: str = "p1", mode: str = "slot", seed: int = 7) -> None:
        self.engine, self.secrets, self.name = engine, secrets, name
        with database.read(engine) as conn:
            self.known = forecourt.pump_named(conn, "s1", name)
        assert self.known is not None
        self.online = False
        self.uploads = True
        self.asked: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = []
        self.wire: Callable[[dict[str, Any]], str] = lambda question: ""
        self.rng = random.Random(seed)
        keys = secrets.device(self.known.device)
        identity = {
            "device": self.known.device,
            "issuer": 1,
            "mode": mode,
            "nozzles": [{"grade": n.grade, "pulses_per_l": 100} for n in self.known.nozzles],
            "keys": {"journal": keys.journal.hex(), "pump": secrets.pump.hex(), "issuer": secrets.issuer.hex()},
        }
        self.pump = Pump(identity, self.rng, journal_sectors=16)
        self.pump.power_on()
        self.controller.set_tariff(1, 0, PRICES)
        self.wait(2)
        self.online = True

    @property
    def now(self) -> int:
        """Unix seconds by the pump's clock, which is right."""
        return int(WALL_START_S + self.pump.now_us // 1_000_000)

    def wait(self, seconds: float, until: Callable[[], bool] | None = None) -> bool:
        """As Bench.wait, with the station at the other end of the line."""

        def look() -> bool:
            self.carry()
            return until() if until else False

        held = super().wait(seconds, look)
        return held if until else True

    def carry(self) -> None:
        """One look of the link: a question goes up and its answer comes down; records go up and are acknowledged."""
        controller = self.pump.controller
        if controller is None:
            return
        controller.link_online = self.online
        if not self.online:
            return
        question = controller.take_ask()
        if question:
            check("ask", question)  # both sides are held to docs/asyncapi.yaml
            self.asked.append(question)
            lost = self.wire(question)
            if lost != "ask":
                answer = self.answer(question)
                check("answer", answer)
                self.answers.append(answer)
                if lost != "answer":
                    controller.answer(answer)
        if self.uploads:
            self.upload()

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What the station says, as it comes off the wire."""
        ask = parse_ask(json.dumps(question).encode())
        assert self.known is not None
        with database.write(self.engine) as conn:
            asked = questions.Question(conn, self.secrets, self.known, ask.id, ask.message, self.now)
            content, _ = questions.answer(asked, ask.ask)
        answer: dict[str, Any] = json.loads(json.dumps({"id": ask.id, **content}))
        return answer

    def upload(self) -> None:
        """All records that are out reach the station, and its acknowledgement the pump."""
        journal, buf = self.controller.journal, bytearray(records.SIZE)
        raw = b""
        for seq in range(journal.acked + 1, min(journal.head, journal.acked + 60)):
            if journal.read(seq, buf):
                raw += bytes(buf)
        if raw:
            with database.write(self.engine) as conn:
                acks = sales.ingest(conn, self.secrets, [sales.Batch("s1", self.name, raw)], self.now)
            journal.ack(acks[0].seq)
