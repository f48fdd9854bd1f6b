"""C6, Y1: callbacks, copies, forgeries, queries and refunds in any order and number book each thing exactly once."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station import ledger, payments
from station.payments import book
from station.platform import clock, database
from tests.payments.conftest import FACES, Shop
from tests.payments.test_refunds import HELD, held
from tools.bench.gateway import callbacks

__all__ = ["held"]

ACTS = ("told", "told", "copy", "stale", "amount", "query", "watch", "give_up", "refund", "told_refund", "early")


@pytest.mark.parametrize("face", FACES)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=8))
def test_y1_any_course_of_events_books_what_was_paid_and_given_back_once(
    shop: Shop, face: str, acts: list[str]
) -> None:
    order = shop.order(face, 900, "held:9")
    trade = shop.pays(order)
    keys = shop.bench.keys
    first = callbacks.of_payment(keys, trade, clock.now())
    paid = gone = False
    asked: list[Any] = []
    for act in acts:
        if act in ("told", "copy"):
            sent = first if act == "copy" else callbacks.of_payment(keys, trade, clock.now())
            assert shop.told(face, sent).body != "failure"
            paid = True
        elif act in ("stale", "amount"):
            (sent,) = callbacks.in_mood(keys, trade, act, clock.now())  # type: ignore[arg-type]
            shop.told(face, sent)
            paid = paid and True
        elif act == "query":
            payments.look(shop.engine, shop.gateways, order.order_no, clock.now())
            paid = True
        elif act == "watch":
            with database.read(shop.engine) as conn:
                due = {one.order_no for one in book.to_look_at(conn, clock.now() + 10)}
            if order.order_no in due:
                payments.look(shop.engine, shop.gateways, order.order_no, clock.now() + 10)
                paid = True
        elif act == "give_up":
            with database.write(shop.engine) as conn:
                book.give_up(conn, order.order_no, "closed", "test", clock.now())
        elif act == "refund" and paid and not asked:
            with database.write(shop.engine) as conn:
                asked.append(payments.refund(conn, order.order_no, 300, HELD, "chen", "x", clock.now()))
        elif act in ("told_refund", "early") and asked:
            made, _ = shop.bench.trades.refund(trade, asked[0].refund_no, 300, clock.now(), at_once=True)
            assert shop.told(face, callbacks.of_refund(keys, trade, made, clock.now())).status == 200
            gone = gone or face == "wechat"  # Alipay's notice of a refund is one of the trade: the query books it
            paid = True
    with database.read(shop.engine) as conn:
        came = [line.amount for _, line in ledger.posted_by_prefix(conn, [f"payment:{order.order_no}"])]
        placed = [line.amount for _, line in ledger.posted_by_prefix(conn, [f"held:{order.order_no}"])]
        back = [
            line.amount for one in asked for _, line in ledger.posted_by_prefix(conn, [f"refunded:{one.refund_no}"])
        ]
        stands = ledger.balance(conn, ledger.paid_in(order.order_no))
        events = [event.event for event in payments.events(conn, order.order_no)]
    assert came == placed == ([900] if paid else [])
    assert back == ([300] if gone else [])
    assert stands == (300 if asked and not gone else 0)
    assert events.count("paid") == (1 if paid else 0)
    assert shop.read(order.order_no).state == ("paid" if paid else "closed" if "give_up" in acts else "made")
