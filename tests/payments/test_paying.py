"""Y1, C6: a customer pays by telephone; whatever the callbacks do, the money is booked once and reaches its card."""

import threading

import pytest

from station import cards, ledger, payments
from station.platform import clock, database
from tests.payments.conftest import FACES, Shop
from tools.bench.gateway import callbacks
from tools.bench.gateway.callbacks import in_mood, of_payment


@pytest.mark.parametrize("face", FACES)
def test_c6_a_top_up_by_phone_becomes_the_cards_pending_load(shop: Shop, face: str) -> None:
    order = shop.order(face)
    assert order.state == "made"
    assert order.code.startswith({"wechat": "weixin://wxpay/bizpayurl?pr=", "alipay": "https://qr.alipay.com/"}[face])
    trade = shop.pays(order)
    reply = shop.told(face, of_payment(shop.bench.keys, trade, clock.now()))
    assert reply.status == 200 and reply.body != "failure"
    paid = shop.read(order.order_no)
    assert (paid.state, paid.trade_no, paid.paid_at) == ("paid", trade.trade_no, trade.paid_at)
    assert paid.applied_at is not None
    assert shop.books(face, order.order_no) == (20_000, 0, 20_000)
    with database.read(shop.engine) as conn:
        load = cards.waiting(conn, shop.card)
        assert load is not None and load.amount_fen == 20_000
        assert not list(ledger.verify(conn))
        assert [e.event for e in payments.events(conn, order.order_no)] == ["made", "presented", "paid", "applied"]


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("mood", ["once", "twice", "copied"])
def test_c6_a_retried_or_copied_callback_credits_once(shop: Shop, face: str, mood: callbacks.Mood) -> None:
    order = shop.order(face)
    trade = shop.pays(order)
    for sent in in_mood(shop.bench.keys, trade, mood, clock.now()):
        assert shop.told(face, sent).status == 200
    assert shop.books(face, order.order_no) == (20_000, 0, 20_000)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("mood", ["stale", "forged", "amount"])
def test_y1_what_is_old_forged_or_of_another_amount_books_nothing(shop: Shop, face: str, mood: callbacks.Mood) -> None:
    """wechatpayv3 alone lets a callback of yesterday pass: its freshness is checked here."""
    order = shop.order(face)
    trade = shop.pays(order)
    for sent in in_mood(shop.bench.keys, trade, mood, clock.now()):
        reply = shop.told(face, sent)
        assert (reply.status, reply.body) != (200, "success") and "SUCCESS" not in reply.body
    assert shop.read(order.order_no).state == "made"
    assert shop.books(face, order.order_no) == (0, 0, 0)
    if mood == "amount":
        with database.read(shop.engine) as conn:
            assert [e.event for e in payments.events(conn, order.order_no)][-1] == "differs"


@pytest.mark.parametrize("face", FACES)
def test_y1_a_changed_byte_anywhere_in_a_callback_is_refused(shop: Shop, face: str) -> None:
    order = shop.order(face)
    trade = shop.pays(order)
    headers, body = of_payment(shop.bench.keys, trade, clock.now())
    for place in range(0, len(body), max(1, len(body) // 12)):
        changed = body[:place] + bytes([body[place] ^ 1]) + body[place + 1 :]
        reply = shop.told(face, (headers, changed))
        assert reply.body == "failure" or reply.status == 401, changed[place - 3 : place + 3]
    assert shop.read(order.order_no).state == "made"
    for name in [name for name in headers if name.startswith("Wechatpay-")]:
        for value in ("", "0", "x" * 600, "-1", "٣"):
            assert shop.told(face, ({**headers, name: value}, body)).status == 401, (name, value)
    for junk in (b"", b"{}", b"sign=", b"\xff\xfe", b"a=b&sign=AAAA&sign_type=RSA", b"[]"):
        assert shop.told(face, (headers, junk)).body != "success"
    assert shop.told(face, (headers, body)).status == 200


@pytest.mark.parametrize("face", FACES)
def test_y1_a_callback_that_never_comes_is_found_by_asking(shop: Shop, face: str) -> None:
    order = shop.order(face)
    shop.pays(order)
    payments.Watch(shop.engine, shop.gateways, lambda: clock.now() + 10).step()
    assert shop.read(order.order_no).state == "paid"
    assert shop.books(face, order.order_no) == (20_000, 0, 20_000)


@pytest.mark.parametrize("face", FACES)
def test_y1_a_code_that_nobody_pays_is_closed_at_the_gateway_and_cannot_be_paid_later(shop: Shop, face: str) -> None:
    order = shop.order(face)
    payments.Watch(shop.engine, shop.gateways, lambda: order.until + 120).step()
    assert shop.read(order.order_no).state == "closed"
    with pytest.raises(Exception, match="已关闭"):
        shop.pays(order)


@pytest.mark.parametrize("face", FACES)
def test_y1_a_payment_that_we_gave_up_and_that_was_paid_after_all_is_paid(shop: Shop, face: str) -> None:
    order = shop.order(face)
    trade = shop.pays(order)
    with database.write(shop.engine) as conn:
        payments.book.give_up(conn, order.order_no, "closed", "test", clock.now())
    assert shop.told(face, of_payment(shop.bench.keys, trade, clock.now())).status == 200
    assert shop.read(order.order_no).state == "paid"
    assert shop.books(face, order.order_no) == (20_000, 0, 20_000)


def test_c6_a_second_paid_top_up_waits_for_the_first_and_is_not_lost(shop: Shop) -> None:
    first, second = shop.order("wechat", 10_000), shop.order("alipay", 5_000)
    for order in (first, second):
        assert shop.told(order.gateway, of_payment(shop.bench.keys, shop.pays(order), clock.now())).status == 200
    waits = shop.read(second.order_no)
    assert waits.state == "paid" and waits.applied_at is None and "待写卡" in waits.waits
    assert shop.books("alipay", second.order_no) == (5_000, 5_000, 10_000)
    watch = payments.Watch(shop.engine, shop.gateways)
    watch.step()
    assert shop.read(second.order_no).applied_at is None
    with database.write(shop.engine) as conn:
        load = cards.waiting(conn, shop.card)
        assert load is not None
        cards.loading.done(conn, load, "p1", clock.now())
    watch.step()
    assert shop.read(second.order_no).applied_at is not None
    assert shop.books("alipay", second.order_no) == (5_000, 0, 5_000)


@pytest.mark.parametrize("fen", [0, -1, 10_000_001])
def test_y1_an_impossible_amount_is_refused_before_anything_is_asked(shop: Shop, fen: int) -> None:
    with pytest.raises(ValueError, match="amount"):
        shop.order("wechat", fen)


def test_c6_a_card_that_may_not_hold_so_much_gets_no_code(shop: Shop) -> None:
    with pytest.raises(ValueError, match="限额"):
        shop.order("wechat", 500_001)
    with pytest.raises(ValueError, match="purpose"):
        shop.order("wechat", purpose="nothing:1")


def test_y1_ten_callbacks_and_queries_at_once_book_once(shop: Shop) -> None:
    order = shop.order("wechat")
    trade = shop.pays(order)
    sent = [of_payment(shop.bench.keys, trade, clock.now()) for _ in range(6)]
    acts = [lambda one=one: shop.told("wechat", one) for one in sent]
    acts += [lambda: payments.look(shop.engine, shop.gateways, order.order_no, clock.now())] * 4
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.books("wechat", order.order_no) == (20_000, 0, 20_000)


def test_y1_a_gateway_that_is_away_keeps_the_payment_and_the_code_comes_later(shop: Shop) -> None:
    with database.write(shop.engine) as conn:
        made = payments.make(conn, "alipay", f"load:{shop.card}", 100, "wang", clock.now())
    address = shop.gateways["alipay"]._client._gateway  # type: ignore[attr-defined]
    shop.gateways["alipay"]._client._gateway = "http://127.0.0.1:9/gateway.do"  # type: ignore[attr-defined]
    with pytest.raises(payments.GatewayError):
        payments.present(shop.engine, shop.gateways, made.order_no, clock.now())
    assert shop.read(made.order_no).state == "made"
    shop.gateways["alipay"]._client._gateway = address  # type: ignore[attr-defined]
    payments.Watch(shop.engine, shop.gateways, lambda: clock.now() + 20).step()
    assert shop.read(made.order_no).code
