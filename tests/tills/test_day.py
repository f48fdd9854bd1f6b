"""Y9: the day close holds meters to sales, ways to pay to bills, drawers to counts; and Y3: paying from the car."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from station import payments, tills
from station.ledger import paid_in as account_of
from station.platform import audit, database
from station.platform.secrets import Secrets
from station.tills import GoodsWanted, TillError, bill_subject
from tests.tills.shop import NOW, Shop, cash

DAY_S = 86_400


@pytest.fixture
def shop(engine: Engine, secrets: Secrets) -> Shop:
    return Shop(engine, secrets)


def _report(shop: Shop) -> tills.DayReport:
    with database.read(shop.engine) as conn:
        return tills.day_report(conn, tills.day_of(NOW))


def test_the_day_on_one_page(shop: Shop) -> None:
    shop.ring([shop.fuel(10_000), shop.water(2)], cash(400))
    shop.fuel(5_000)
    bill = shop.ring([GoodsWanted("6902")], cash(15_800), till="t2").bill
    shop.do(lambda c: tills.ask_refund(c, bill, 1, 800, 0, "t2", "wang", "划痕", NOW))
    shop.do(lambda c: tills.issue_invoice(c, "某人", "", {bill_subject(bill): 1_000}, "wang", NOW))
    shop.do(lambda c: tills.close_shift(c, 1, 20_300, "wang", NOW))
    day = _report(shop)
    (nozzle,) = day.nozzles
    assert (nozzle.sales, nozzle.moved_ml, nozzle.sold_ml, nozzle.difference_ml) == (2, 15_000, 15_000, 0)
    assert (day.bills, day.bills_fen, day.fuel_fen, day.goods_fen) == (2, 7_560 + 400 + 15_800, 7_560, 16_200)
    assert {t.kind: (t.count, t.taken_fen, t.returned_fen) for t in day.tenders} == {
        "purse": (1, 7_560, 0), "cash": (2, 16_200, 800),
    }  # fmt: skip
    assert day.tenders_agree
    assert [(s.till, s.expected_fen, s.difference_fen) for s in day.shifts] == [
        ("t1", 20_400, -100),
        ("t2", None, None),
    ]
    assert (day.refunds, day.refunds_fen, day.invoices, day.invoices_fen) == (1, 800, 1, 1_000)
    assert sum(debit - credit for _, asset, debit, credit in day.books if asset == "fen") == 0


def test_fuel_that_no_sale_explains_is_seen_by_its_nozzle(shop: Shop) -> None:
    shop.fuel(10_000)
    shop.pump.total_ml += 37
    shop.fuel(5_000)
    assert [n.difference_ml for n in _report(shop).nozzles] == [37]


def test_a_closed_day_is_kept_as_it_was_with_the_heads_of_audit_and_books(shop: Shop) -> None:
    day, later = tills.day_of(NOW), NOW + 2 * DAY_S
    shop.ring([shop.water()], cash(200))
    with pytest.raises(TillError, match="尚未结束"):
        shop.do(lambda c: tills.close_day(c, day, "wang", NOW))
    with pytest.raises(TillError, match="t1, t2"):
        shop.do(lambda c: tills.close_day(c, day, "wang", later))
    shop.do(lambda c: tills.close_shift(c, 1, 20_200, "wang", NOW))
    shop.do(lambda c: tills.close_shift(c, 2, 20_000, "wang", NOW))
    with database.read(shop.engine) as conn:
        head = audit.head(conn)
    closed = shop.do(lambda c: tills.close_day(c, day, "wang", later))
    assert (closed.report["audit_rows"], closed.report["audit_head"]) == head
    with database.read(shop.engine) as conn:
        kept = tills.closed_day(conn, day)
    assert kept is not None and kept.report["books_head"] == closed.report["books_head"] and kept.closed_by == "wang"
    with pytest.raises(TillError, match="已日结"):
        shop.do(lambda c: tills.close_day(c, day, "wang", later))
    with pytest.raises(DBAPIError, match="append-only"), shop.writing() as conn:
        conn.execute(text("UPDATE till_days SET report = '{}'"))


def _paid(shop: Shop, payment: payments.Payment) -> None:
    """The gateway says that the phone has paid, twice."""
    from station.payments import book
    from station.payments.gateway import PAID, Outcome

    for _ in range(2):
        outcome = Outcome(payment.order_no, PAID, "4200001", payment.amount_fen, NOW)
        with shop.writing() as conn:
            book.settle(conn, payment.gateway, outcome, NOW)


def test_y3_the_car_fuels_is_billed_pays_by_phone_and_is_let_go(shop: Shop) -> None:
    walk_in = shop.walk_in()
    fuel = shop.fuel(10_000, walk_in)

    def stages() -> list[tuple[str, str]]:
        return [(s.pump, s.stage) for s in shop.do(lambda c: tills.stops(c, NOW))]

    assert stages() == [("p1", "fuelled")]
    bill, payment = shop.do(lambda c: tills.bill_car(c, fuel.device, fuel.seq, "t1", "wechat", "wang", NOW))
    assert stages() == [("p1", "billed")] and payment.amount_fen == 7_560
    with pytest.raises(TillError, match="不能放行"):
        shop.do(lambda c: tills.release(c, bill.bill, "wang", NOW))
    _paid(shop, payment)
    assert stages() == [("p1", "paid")]
    assert [(t.kind, t.amount_fen) for t in shop.do(lambda c: tills.bill(c, bill.bill)).tenders] == [
        ("qr:wechat", 7_560)
    ]
    shop.do(lambda c: tills.release(c, bill.bill, "wang", NOW))
    assert stages() == []
    assert shop.balance(f"receivable:{walk_in}") == 0
    shop.sound()


def test_y3_y4_what_a_phone_paid_goes_back_through_its_gateway(shop: Shop) -> None:
    bill = shop.do(lambda c: tills.open_bill(c, "t1", [shop.water(5)], "wang", NOW))
    payment = shop.do(lambda c: payments.make(c, "alipay", f"bill:{bill.bill}", 1_000, "wang", NOW))
    _paid(shop, payment)
    shop.do(lambda c: tills.ask_refund(c, bill.bill, 1, 300, 0, "t1", "wang", "漏液", NOW))
    with database.read(shop.engine) as conn:
        assert payments.returned_fen(conn, payment.order_no) == 300
    assert shop.balance(account_of(payment.order_no)) == 300, "until the gateway has it"
    shop.sound()


def test_y3_a_payment_for_a_bill_given_up_stays_with_the_payment(shop: Shop) -> None:
    bill = shop.do(lambda c: tills.open_bill(c, "t1", [shop.water(5)], "wang", NOW))
    payment = shop.do(lambda c: payments.make(c, "alipay", f"bill:{bill.bill}", 1_000, "wang", NOW))
    shop.do(lambda c: tills.void(c, bill.bill, "wang", "换现金", NOW))
    _paid(shop, payment)
    assert shop.balance(account_of(payment.order_no)) == 1_000
    with pytest.raises(TillError, match="尚未到账"):
        other = shop.do(lambda c: tills.open_bill(c, "t1", [shop.water(5)], "wang", NOW)).bill
        shop.do(lambda c: tills.pay(c, other, tills.Payment("qr:alipay", 1_000, payment.order_no), "wang", NOW))
    with pytest.raises(ValueError, match="due"):
        shop.do(lambda c: payments.make(c, "alipay", f"bill:{bill.bill}", 1_000, "wang", NOW))
    shop.do(lambda c: payments.refund(c, payment.order_no, 1_000, None, "wang", "账单已作废", NOW))
    shop.sound()
