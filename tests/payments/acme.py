"""A third gateway, to show that one module is all it takes: it believes whoever says its word."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from station.payments.gateway import (
    DONE,
    PAID,
    NotGenuineError,
    Notice,
    Order,
    Outcome,
    RefundOrder,
    RefundOutcome,
    Reply,
    Statement,
    settings,
)


class Acme:
    name = "acme"
    title = ("艾可米支付", "Acme Pay")

    def __init__(self, directory: Path) -> None:
        self._word = str(settings(directory)["word"])

    def create(self, order: Order) -> str:
        return f"acme:{order.order_no}"

    def query(self, order_no: str) -> Outcome:
        return Outcome(order_no, "open")

    def close(self, order_no: str) -> None:
        pass

    def refund(self, refund: RefundOrder) -> RefundOutcome:
        return RefundOutcome(refund.refund_no, refund.order_no, DONE, "A1")

    def query_refund(self, refund: RefundOrder) -> RefundOutcome:
        return self.refund(refund)

    def notice(self, headers: Mapping[str, str], body: bytes, now: int) -> Notice:
        if headers.get("word") != self._word:
            raise NotGenuineError("wrong word")
        told = json.loads(body)
        return Notice(told["id"], Outcome(told["order"], PAID, told["id"], told["fen"], now))

    def reply(self, ok: bool) -> Reply:
        return Reply(200 if ok else 400, "ok" if ok else "no", "text/plain")

    def statement(self, day: date) -> Statement:
        return Statement(b"", ())


def connect(directory: Path) -> Acme:
    return Acme(directory)
