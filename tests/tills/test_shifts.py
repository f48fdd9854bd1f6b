"""Y9, Y8: shifts with a counted drawer; what is over or short is booked, and above the cap two people sign."""

import pytest
from sqlalchemy import Engine

from station import ledger, tills
from station.cards import SecondNeededError
from station.platform import audit, database
from station.platform.secrets import Secrets
from station.tills import TillError
from tests.tills.shop import NOW, Shop, cash


@pytest.fixture
def shop(engine: Engine, secrets: Secrets) -> Shop:
    return Shop(engine, secrets)


def test_y9_a_counted_drawer_goes_into_the_safe_and_the_books_hold_nothing_in_it(shop: Shop) -> None:
    shop.ring([shop.water(2)], cash(400))
    closed = shop.do(lambda c: tills.close_shift(c, 1, 20_400, "wang", NOW))
    assert (closed.expected_fen, closed.counted_fen, closed.difference_fen) == (20_400, 20_400, 0)
    assert shop.balance(ledger.cash("t1")) == 0
    assert shop.do(lambda c: tills.in_drawer(c, tills.SAFE)) == 500_000 - 20_000 + 400
    with pytest.raises(TillError, match="尚未开班"):
        shop.ring([shop.water()], cash(200))
    shop.sound()


@pytest.mark.parametrize("counted", [19_900, 20_100])
def test_y9_a_small_difference_is_booked_as_over_or_short(shop: Shop, counted: int) -> None:
    closed = shop.do(lambda c: tills.close_shift(c, 1, counted, "wang", NOW))
    assert closed.difference_fen == shop.balance(ledger.over_short("t1")) == counted - 20_000
    shop.sound()


def test_y8_a_large_difference_takes_a_reason_and_another_person(shop: Shop) -> None:
    def close(why: str, second: str) -> tills.Shift:
        return shop.do(lambda c: tills.close_shift(c, 1, 5_000, "wang", NOW, why, second))

    for why, second in (("", ""), ("找错零", ""), ("", "li"), ("找错零", "Wang")):
        with pytest.raises(SecondNeededError):
            close(why, second)
    assert shop.do(lambda c: tills.till(c, "t1")).shift is not None, "nothing was closed"
    assert close("找错零", "li").second == "li"
    with database.read(shop.engine) as conn:
        last = audit.recent(conn, 1)[0]
    assert (last.action, last.new["second"], last.why) == ("shift.close", "li", "找错零")


def test_y9_a_drawer_is_handed_over_as_it_was_counted(shop: Shop) -> None:
    shop.ring([shop.water(2)], cash(400))
    new = shop.do(lambda c: tills.hand_over(c, 1, 20_400, "zhao", "wang", NOW))
    assert (new.cashier, new.float_fen, new.till) == ("zhao", 20_400, "t1")
    assert shop.do(lambda c: tills.in_drawer(c, "t1")) == 20_400
    shop.sound()


def test_a_shift_with_an_unpaid_bill_does_not_close(shop: Shop) -> None:
    bill = shop.do(lambda c: tills.open_bill(c, "t1", [shop.water()], "wang", NOW))
    with pytest.raises(TillError, match=f"账单 {bill.bill}"):
        shop.do(lambda c: tills.close_shift(c, 1, 20_000, "wang", NOW))


def test_one_till_has_one_open_shift_and_its_float_is_in_the_safe(shop: Shop) -> None:
    with pytest.raises(TillError, match="已开班"):
        shop.do(lambda c: tills.open_shift(c, "t1", 0, "li", NOW))
    shop.do(lambda c: tills.add_till(c, "t3", "便利店", "boss", NOW))
    with pytest.raises(TillError, match="4600.00"):
        shop.do(lambda c: tills.open_shift(c, "t3", 460_001, "li", NOW))
    assert shop.do(lambda c: tills.take_to_bank(c, 60_000, "b1", "boss", "存银行", NOW)) == 400_000
    assert shop.do(lambda c: tills.take_to_bank(c, 60_000, "b1", "boss", "存银行", NOW)) == 400_000, "the same key"
    shop.sound()
