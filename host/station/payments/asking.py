"""What we ask the gateways ourselves: codes, how payments and refunds stand, statements. No transaction is open
meanwhile, so that a gateway that hangs holds nobody up."""

import logging
import threading
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from typing import Self

from sqlalchemy import Engine

from station.payments import book, notices, refunds, statements
from station.payments.book import Payment
from station.payments.gateway import CLOSED, PAID, Gateway, GatewayError, RefundOrder, china_day, china_time
from station.platform import clock, database

EVERY_S = 2.0
STATEMENT_HOUR = 10  # of China's day: WeChat Pay has yesterday's statement from then on
GRACE_S = 60  # between the end of a code and our closing it: whoever pays in the last second is waited for

_log = logging.getLogger("pumpside.payments")


def present(engine: Engine, gateways: Mapping[str, Gateway], order_no: str, now: int) -> Payment:
    """The payment with its QR code, which the gateway is asked for if there is none yet. GatewayError."""
    with database.read(engine) as conn:
        found = book.known(conn, order_no)
    if found.code or found.state != "made":
        return found
    try:
        code = _of(gateways, found.gateway).create(found.order)
    except GatewayError as error:
        with database.write(engine) as conn:
            book.looked(conn, order_no, now)
            if error.final:
                book.give_up(conn, order_no, "failed", f"gateway:{found.gateway}", now, str(error))
        raise
    with database.write(engine) as conn:
        book.presented(conn, order_no, code, now)
        return book.known(conn, order_no)


def look(engine: Engine, gateways: Mapping[str, Gateway], order_no: str, now: int, call_off: bool = False) -> Payment:
    """Asks how a payment stands, and closes it when its time is over (call_off: now). GatewayError."""
    with database.write(engine) as conn:
        found = book.known(conn, order_no)
        book.looked(conn, order_no, now)
    if found.state == "paid":
        return found
    gateway = _of(gateways, found.gateway)
    outcome = gateway.query(order_no)
    over = call_off or now > found.until + GRACE_S
    if outcome.state not in (PAID, CLOSED) and over:
        gateway.close(order_no)
    with database.write(engine) as conn:
        if outcome.state == PAID:
            book.settle(conn, found.gateway, outcome, now)
        elif outcome.state == CLOSED or over:
            book.give_up(conn, order_no, "closed", f"gateway:{found.gateway}", now)
        return book.known(conn, order_no)


def send_refund(
    engine: Engine, gateways: Mapping[str, Gateway], name: str, refund: RefundOrder, sent: bool, now: int
) -> None:
    """Asks for a refund, or how one stands that was asked for before. GatewayError."""
    gateway = _of(gateways, name)
    with database.write(engine) as conn:
        refunds.looked(conn, refund.refund_no, now)
    outcome = gateway.query_refund(refund) if sent else None
    if outcome is None or outcome.state == "unknown":  # it never got there
        outcome = gateway.refund(refund)
    with database.write(engine) as conn:
        refunds.settle(conn, name, outcome, now)


def _of(gateways: Mapping[str, Gateway], name: str) -> Gateway:
    if name not in gateways:
        raise GatewayError(f"本站没有设置支付渠道 this station has no settings for the gateway {name}")
    return gateways[name]


class Watch:
    """A thread that asks for whatever is open: a callback that never comes costs seconds, not money."""

    def __init__(self, engine: Engine, gateways: Mapping[str, Gateway], now: Callable[[], int] = clock.now) -> None:
        self._engine, self._gateways, self._now = engine, gateways, now
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="payments", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.step()
            except Exception:  # noqa: BLE001 - the thread must outlive a locked database
                _log.exception("payments could not be looked after")

    def step(self) -> None:
        """One round over all that is open."""
        engine, gateways, now = self._engine, self._gateways, self._now()
        with database.read(engine) as conn:
            waiting = book.count(conn, state="waiting")
            payments, back = book.to_look_at(conn, now), refunds.to_send(conn, now)
            due = [name for name in gateways if _statement_due(now) and not statements.has(conn, name, _yesterday(now))]
        if waiting:
            with database.write(engine) as conn:
                book.apply_waiting(conn, now)
        for one in payments:
            if one.code or now > one.until:
                self._ask(one.order_no, partial(look, engine, gateways, one.order_no, now))
            else:
                self._ask(one.order_no, partial(present, engine, gateways, one.order_no, now))
        for name, refund, sent in back:
            self._ask(refund.refund_no, partial(send_refund, engine, gateways, name, refund, sent, now))
        for name in due:
            self._ask(name, partial(statements.fetch, engine, gateways[name], _yesterday(now), "station", now))
            with database.write(engine) as conn:
                notices.forget(conn, now)

    def _ask(self, what: str, do: Callable[[], object]) -> None:
        try:
            if not self._stop.is_set():
                do()
        except GatewayError as error:
            _log.warning("%s: %s", what, error)


def _statement_due(now: int) -> bool:
    return china_time(now).hour >= STATEMENT_HOUR


def _yesterday(now: int) -> str:
    return (china_day(now) - timedelta(days=1)).isoformat()
