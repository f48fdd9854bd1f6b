"""Pumps that only sell on account: the real controller's journal, leases, recovery and sales, without plant and card.

Each sale is what a visit makes of it (core/visit.py): authorise, START, RESERVED, fuel, END, SETTLED. The line to the
station loses what the test tells it to.
"""

import json
import random
from typing import Any

from sqlalchemy import Connection

from pump.core import account, card_layout, codes, limits, records, sale, visit
from pump.core.checkpoint import Checkpoint
from pump.core.config import Config
from pump.core.controller import Controller
from pump.core.journal import Journal
from station import cards, forecourt, sales
from station.cards import issuing
from station.mqtt import questions
from station.mqtt.messages import parse_ask
from station.platform.secrets import Secrets
from tools.sim.flash import RamFlash

PRICE = 756


class LeasePump:
    """`journal` lives in flash that outlasts restarts. world_s: the true time, kept by the test."""

    def __init__(self, conn: Connection, secrets: Secrets, name: str, card: tuple[bytes, str], account_no: int) -> None:
        pump = forecourt.pump_named(conn, "s1", name)
        assert pump is not None
        self.conn, self.secrets, self.name, self.known = conn, secrets, name, pump
        self.account_no = account_no
        self.uid, self.card_no = card
        self.rng = random.Random(name)
        keys = secrets.device(pump.device)
        self.config = Config(
            {
                "device": pump.device,
                "issuer": 1,
                "mode": "tap",
                "nozzles": [{"grade": n.grade, "pulses_per_l": 100} for n in pump.nozzles],
                "keys": {"journal": keys.journal.hex(), "pump": "22" * 16, "issuer": "44" * 16},
            }
        )
        self.flash, self.small = RamFlash(16), RamFlash(3)
        self.sold_fen = 0
        self.counter = 0
        self.asked: list[dict[str, Any]] = []
        self.start(0, records.TIME_UNKNOWN)

    def start(self, now_s: int, quality: int) -> None:
        """Power comes (back): what is not in flash is gone."""
        journal = Journal(self.flash, self.config.device, self.config.journal_key)
        self.controller = Controller(self.config, journal, Checkpoint(self.small), self.rng.randbytes)
        self.controller.start(0, now_s, quality, codes.CAUSE_POWER, b"lease---")
        self.controller.prices = {n.grade: PRICE for n in self.known.nozzles}

    @property
    def may_fen(self) -> int:
        """What it could still sell by itself, were it never to hear of the station again."""
        c = self.controller
        return sum(left_fen for _, _, left_fen, left, expires in c.leases if left > 0 and expires > c.now_s)

    def sell(self, part: int, lost: str = "", cut: bool = False) -> str:
        """A customer of the account fuels `part` percent of what he may. cut: the power goes while fuel flows.

        lost: `ask` or `answer` on the line; `late`: the station hears the question when the pump has given up.
        """
        c = self.controller
        card = limits.Card(self.uid)
        card.kind, card.company, card.grades = card_layout.KIND_ACCOUNT, self.account_no, 0xFFFF
        card.card_no, card.counter = bytes.fromhex(self.card_no), self.counter
        late: list[dict[str, Any]] = []
        talk = account.authorise(c, visit.ask, card)
        try:
            while True:
                next(talk)
                c.uptime_ms += 50
                question = c.take_ask()
                if question:
                    self.asked.append(question)
                    if lost == "late":
                        late.append(question)
                    elif lost != "ask":
                        answer = self.answer(question)
                        if lost != "answer":
                            c.answer(answer)
        except StopIteration as end:
            refused = end.value
        for question in late:
            self.answer(question)
        if refused:
            c.refuse(card, refused, 0)
            return "refused"
        c.inputs.lifted, c.delivery.armed = 1, True
        new = sale.begin(c, card)
        self.counter += 1
        card.counter, card.balance_fen = new.counter, card.balance_fen - new.reserved_fen
        sale.reserved(c, new, card)
        volume_ml = new.limit_ml * part // 100
        if cut:
            c.checkpoint.exact(volume_ml)
            self.start(c.now_s, records.TIME_ESTIMATED)
        else:
            c.meters[0].total_ml += volume_ml
            sale.end(c, new, 0, volume_ml, 0, 0, 60)
            c.delivery.sale = None
        end = self._last_end()
        assert (end[0], end[21]) == (new.seq, new.lease)
        self.sold_fen += end[11]
        self._settled(end)
        return "sold"

    def journalled_fen(self) -> int:
        """What all its END records say was sold."""
        c, fen = self.controller, 0
        for seq in range(1, c.journal.head):
            if c.journal.read(seq, c.buffer) and c.buffer[1] == records.END:
                fen += records.body(c.buffer)[11]
        return fen

    def _last_end(self) -> tuple[Any, ...]:
        c = self.controller
        for seq in range(c.journal.head - 1, 0, -1):
            if c.journal.read(seq, c.buffer) and c.buffer[1] == records.END:
                body: tuple[Any, ...] = records.body(c.buffer)
                return body
        raise AssertionError("no END")

    def _settled(self, end: tuple[Any, ...]) -> None:
        device, seq, counter, reserved_fen, amount_fen = self.config.device, end[0], end[3], end[10], end[11]
        rest = reserved_fen - amount_fen
        body = (device, seq, self.uid, counter, reserved_fen, amount_fen, rest, 0, records.HOW_SALE)
        self.controller.append(records.SETTLED, body)
        sale.forget(self.controller, seq)

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        """What the station says to it, as it comes off the wire."""
        ask = parse_ask(json.dumps(question).encode())
        asked = questions.Question(self.conn, self.secrets, self.known, ask.id, ask.message, self.world_s)
        content, _ = questions.answer(asked, ask.ask)
        answer: dict[str, Any] = json.loads(json.dumps({"id": ask.id, **content}))
        return answer

    world_s = 0

    def upload(self, most: int) -> None:
        """Up to `most` records reach the station, and its acknowledgement the pump."""
        journal, buf, raw = self.controller.journal, bytearray(records.SIZE), b""
        for seq in range(journal.acked + 1, min(journal.head, journal.acked + 1 + most)):
            assert journal.read(seq, buf)
            raw += bytes(buf)
        if raw:
            batch = sales.Batch("s1", self.name, raw)
            (ack,) = sales.ingest(self.conn, self.secrets, [batch], self.world_s)
            journal.ack(ack.seq)


def enter_card(conn: Connection, uid: bytes, account_no: int, now: int) -> str:
    """A card of the account in the books, without a chip; its number."""
    order = cards.Order(card_layout.KIND_ACCOUNT, "物流公司", "91110", company=account_no)
    card_no = issuing.begin(conn, uid, order, 1, now)
    issuing.complete(conn, card_no, "test", now)
    sales.open_shadow(conn, card_no, uid.hex(), now, on_account=True)
    return card_no
