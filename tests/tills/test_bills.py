"""Y3, Y9, I8: bills of fuel and goods, paid in several ways, at several tills at once."""

import threading

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine

from station import accounts, ledger, tills
from station.platform import database
from station.platform.secrets import Secrets
from station.tills import ACCOUNT, BANK_CARD, CASH, PURSE, GoodsWanted, Payment, TillError
from tests.tills.shop import NOW, Shop, cash, sound, trying


@pytest.fixture
def shop(engine: Engine, secrets: Secrets) -> Shop:
    return Shop(engine, secrets)


def test_i8_a_bottle_of_water_leaves_the_shelf_and_change_comes_from_the_drawer(shop: Shop) -> None:
    bill = shop.ring([shop.water(3)], cash(1_000))
    assert (bill.state, bill.total_fen, bill.change_fen) == ("paid", 600, 400)
    assert shop.balance(ledger.shop("6901"), ledger.PIECES) == 97
    assert shop.balance(ledger.goods("6901")) == 600
    assert shop.balance(ledger.cash("t1")) == -20_600
    shop.sound()


def test_y3_fuel_that_the_purse_paid_is_shown_and_not_charged_again(shop: Shop) -> None:
    fuel = shop.fuel(10_000)
    before = shop.balance(ledger.sales(1))
    bill = shop.ring([fuel, shop.water()], cash(200))
    assert [(t.kind, t.amount_fen) for t in bill.tenders] == [(PURSE, 7_560), (CASH, 200)]
    assert shop.balance(ledger.sales(1)) == before, "the pump had told already"
    with pytest.raises(TillError, match="已在账单 1 上"):
        shop.ring([fuel])
    shop.sound()


def test_y3_a_fleets_fuel_stays_with_its_account_and_its_driver_buys_oil_on_it(shop: Shop) -> None:
    fleet = shop.do(lambda c: accounts.open_account(c, "物流", accounts.Terms(100_000), NOW).account)
    bill = shop.ring([shop.fuel(10_000, fleet), GoodsWanted("6902")], Payment(ACCOUNT, 15_800, str(fleet)))
    assert [(t.kind, t.ref, t.line) for t in bill.tenders] == [(ACCOUNT, str(fleet), 1), (ACCOUNT, str(fleet), None)]
    assert shop.balance(ledger.receivable(fleet)) == -7_560 - 15_800
    with pytest.raises(TillError, match="额度不足"):
        shop.ring([GoodsWanted("6902", 5)], Payment(ACCOUNT, 79_000, str(fleet)))
    shop.sound()


def test_y3_walk_in_fuel_is_paid_at_the_till_and_taken_off_its_account(shop: Shop) -> None:
    walk_in = shop.walk_in()
    fuel = shop.fuel(10_000, walk_in)
    assert shop.do(lambda c: [(h.sale.seq, h.due_fen) for h in tills.at_hand(c, NOW)]) == [(fuel.seq, 7_560)]
    bill = shop.ring([fuel, shop.water()], Payment(BANK_CARD, 5_000, "000123"), cash(3_000))
    assert (bill.total_fen, bill.change_fen) == (7_760, 240)
    assert shop.balance(ledger.receivable(walk_in)) == 0
    assert shop.do(lambda c: tills.at_hand(c, NOW)) == []
    shop.sound()


def test_tenders_bring_exactly_what_the_lines_cost(shop: Shop) -> None:
    with pytest.raises(TillError, match="还差 1.00"):
        shop.ring([shop.water()], cash(100))
    with pytest.raises(TillError, match="只有现金可以找零"):
        shop.ring([shop.water()], Payment(BANK_CARD, 201, "000123"))
    with pytest.raises(TillError, match="流水号"):
        shop.ring([shop.water()], Payment(BANK_CARD, 200))
    with pytest.raises(TillError, match="no such way"):
        shop.ring([shop.water()], Payment("seashells", 200))
    with pytest.raises(TillError, match="已收款"):
        shop.ring([shop.water()], cash(200), cash(1))
    assert shop.do(tills.bills) == [], "nothing half done is left"
    assert shop.balance(ledger.shop("6901"), ledger.PIECES) == 100


def test_a_bill_given_up_puts_money_and_goods_back(shop: Shop) -> None:
    walk_in = shop.walk_in()
    fuel = shop.fuel(10_000, walk_in)
    bill = shop.do(lambda c: tills.open_bill(c, "t1", [fuel, shop.water(2)], "wang", NOW))
    shop.do(lambda c: tills.pay(c, bill.bill, cash(1_000), "wang", NOW))
    assert shop.balance(ledger.bill(bill.bill)) == 1_000
    gone = shop.do(lambda c: tills.void(c, bill.bill, "wang", "顾客取消", NOW))
    assert gone.state == "void" and shop.balance(ledger.bill(bill.bill)) == 0
    assert shop.balance(ledger.cash("t1")) == -20_000
    assert shop.balance(ledger.shop("6901"), ledger.PIECES) == 100
    assert shop.ring([fuel], cash(7_560)).state == "paid", "the fuel may be billed again"
    shop.sound()


def test_i8_what_is_not_on_the_shelf_is_not_sold(shop: Shop) -> None:
    with pytest.raises(TillError, match="库存只有 10"):
        shop.ring([GoodsWanted("6902", 11)], cash(200_000))
    with pytest.raises(TillError, match="no goods"):
        shop.ring([GoodsWanted("9999")], cash(200))
    counted = shop.do(lambda c: tills.count_stock(c, "6902", 8, "sept", "boss", "盘点", NOW))
    assert counted.stock == 8 and shop.balance(ledger.shop_counted("6902"), ledger.PIECES) == 2


def test_y9_tills_at_once_sum_to_the_ledger(shop: Shop) -> None:
    """Two tills sell the last bottles and the same fuel: never one twice, and drawers and books agree to the fen."""
    walk_in = shop.walk_in()
    fuels = [shop.fuel(1_000 + n, walk_in) for n in range(6)]
    sold: list[int] = []
    refused: list[str] = []

    def work(till: str) -> None:
        for number in range(12):
            wanted = [GoodsWanted("6902")] if number % 2 else [fuels[number // 2], shop.water(number + 1)]
            try:
                bill = shop.ring(list(wanted), cash(100_000), till=till)
                sold.append(bill.total_fen)
            except TillError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=work, args=(till,)) for till in ("t1", "t2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read(shop.engine) as conn:
        bills = tills.bills(conn, 100)
        drawers = tills.in_drawer(conn, "t1") + tills.in_drawer(conn, "t2")
        oil = tills.good(conn, "6902").stock
    assert sorted(bill.total_fen for bill in bills) == sorted(sold)
    assert len(sold) + len(refused) == 24 and len(refused) == 6 + 2, "six fuels and ten tins of oil, each once"
    assert oil == 0
    assert drawers == 40_000 + sum(sold)
    assert shop.balance(ledger.receivable(walk_in)) == 0
    assert [bill.bill for bill in bills] == list(range(len(bills), 0, -1))
    shop.sound()


@pytest.mark.parametrize("backend", ["sqlite"])
@examples(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["t1", "t2"]),
            st.sampled_from(["6901", "6902"]),
            st.integers(1, 4),
            st.integers(0, 100_000),
            st.integers(0, 20_000),
        ),
        max_size=8,
    )
)
def test_y9_whatever_is_rung_up_the_books_hold(shop: Shop, acts: list[tuple[str, str, int, int, int]]) -> None:
    with shop.writing() as conn:
        before = sum(tills.in_drawer(conn, till) for till in ("t1", "t2"))
        taken = 0
        for till, code, pieces, card_fen, cash_fen in acts:
            payments = [p for p in (Payment(BANK_CARD, card_fen, "1"), cash(cash_fen)) if p.handed_fen]
            with trying(conn):
                bill = tills.ring_up(conn, till, [GoodsWanted(code, pieces)], payments, "wang", NOW)
                taken += sum(tender.amount_fen for tender in bill.tenders if tender.kind == CASH)
        assert sum(tills.in_drawer(conn, till) for till in ("t1", "t2")) == before + taken
        sound(conn)
