"""Y6: money back through the gateway, in parts, never above what was paid, gone once."""

import pytest
from sqlalchemy import Connection

from station import ledger, payments
from station.payments import book, refunds
from station.payments.gateway import RefundOutcome
from station.platform import clock, database
from tests.payments.conftest import FACES, Shop
from tools.bench.gateway import callbacks

HELD = "bill:9"


@pytest.fixture(scope="module", autouse=True)
def held() -> None:
    """A purpose that takes all money to one account, as bills do."""

    def apply(conn: Connection, paid: payments.Payment, now: int) -> None:
        lines = [ledger.Transfer(ledger.paid_in(paid.order_no), HELD, paid.amount_fen)]
        ledger.post(conn, f"held:{paid.order_no}", now, lines)

    payments.register("held", apply, lambda *_: None)


def _back(shop: Shop, order_no: str, fen: int, source: str | None = HELD) -> payments.Refund:
    with database.write(shop.engine) as conn:
        return payments.refund(conn, order_no, fen, source, "chen", "多付", clock.now())


def _ask(shop: Shop) -> None:
    """The watch sends what is open, and asks a while later what became of it."""
    for later_s in (10, 40):
        payments.Watch(shop.engine, shop.gateways, lambda later_s=later_s: clock.now() + later_s).step()


def _state(shop: Shop, order_no: str) -> list[tuple[int, str]]:
    with database.read(shop.engine) as conn:
        return sorted((one.amount_fen, one.state) for one in payments.of_payment(conn, order_no))


@pytest.mark.parametrize("face", FACES)
def test_y6_a_payment_goes_back_in_parts_and_never_above_itself(shop: Shop, face: str) -> None:
    paid = shop.paid(face, 10_000, "held:1")
    with database.read(shop.engine) as conn:
        before = ledger.balance(conn, HELD), ledger.balance(conn, ledger.gateway(face))
    _back(shop, paid.order_no, 3_000)
    _back(shop, paid.order_no, 5_000)
    with pytest.raises(payments.PaymentError, match="at most"):
        _back(shop, paid.order_no, 2_001)
    _ask(shop)
    assert _state(shop, paid.order_no) == [(3_000, "done"), (5_000, "done")]
    _back(shop, paid.order_no, 2_000)
    _ask(shop)
    trade = shop.bench.trades.get(face, paid.order_no)
    assert trade.returned_fen == 10_000
    with database.read(shop.engine) as conn:
        assert ledger.balance(conn, HELD) - before[0] == -10_000
        assert ledger.balance(conn, ledger.gateway(face)) - before[1] == 10_000
        assert ledger.balance(conn, ledger.paid_in(paid.order_no)) == 0


@pytest.mark.parametrize("face", FACES)
def test_y6_the_callback_of_a_refund_before_the_payments_own_and_twice(shop: Shop, face: str) -> None:
    """Out of order: the refund's callback comes before ours was asked to look, the payment's comes again last."""
    paid = shop.paid(face, 4_000, "held:2")
    asked = _back(shop, paid.order_no, 1_500)
    trade = shop.bench.trades.get(face, paid.order_no)
    made, _ = shop.bench.trades.refund(trade, asked.refund_no, 1_500, clock.now(), at_once=True)
    told = callbacks.of_refund(shop.bench.keys, trade, made, clock.now())
    again = callbacks.of_payment(shop.bench.keys, trade, clock.now())
    for sent in (told, again, told):
        assert shop.told(face, sent).status == 200
    _ask(shop)
    assert _state(shop, paid.order_no) == [(1_500, "done")]
    with database.read(shop.engine) as conn:
        back = [line for _, line in ledger.posted_by_prefix(conn, [f"refunded:{asked.refund_no}"])]
        assert [line.amount for line in back] == [1_500]


def test_y6_what_was_placed_is_not_given_back_from_nowhere(shop: Shop) -> None:
    paid = shop.paid("wechat", 1_000, "held:3")
    with pytest.raises(payments.PaymentError, match="placed"):
        _back(shop, paid.order_no, 1_000, None)
    open_one = shop.order("wechat", 1_000, "held:4")
    with pytest.raises(payments.PaymentError, match="not paid"):
        _back(shop, open_one.order_no, 1, HELD)
    with pytest.raises(payments.PaymentError, match="why"), database.write(shop.engine) as conn:
        payments.refund(conn, paid.order_no, 1, HELD, "chen", " ", clock.now())


def test_y6_a_refund_that_the_gateway_refuses_leaves_the_money_at_the_payment(shop: Shop) -> None:
    paid = shop.paid("wechat", 1_000, "held:5")
    asked = _back(shop, paid.order_no, 400)
    with database.write(shop.engine) as conn:
        failed = RefundOutcome(asked.refund_no, paid.order_no, "failed", "5")
        assert not refunds.settle(conn, "wechat", failed, clock.now())
        assert book.ledger_waits(conn, book.known(conn, paid.order_no)) == 400
    assert _state(shop, paid.order_no) == [(400, "failed")]
    again = _back(shop, paid.order_no, 400, None)
    _ask(shop)
    assert again.refund_no != asked.refund_no
    assert _state(shop, paid.order_no) == [(400, "done"), (400, "failed")]
