"""Y4: money goes back to where it came from, never twice, never too late, and large sums with two people."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from station import cards, ledger, risk, tills
from station.cards import SecondNeededError
from station.ledger import Transfer
from station.platform import parameters
from station.platform.secrets import Secrets
from station.tills import BANK_CARD, CASH, Doing, GoodsWanted, Payment, Refund, Tender, TillError
from tests.tills.shop import NOW, Shop, cash, sound, trying

DAY_S = 86_400


@pytest.fixture
def shop(engine: Engine, secrets: Secrets) -> Shop:
    return Shop(engine, secrets)


def ask(shop: Shop, bill: int, amount_fen: int, pieces: int = 0, line: int = 1, now: int = NOW) -> Refund:
    return shop.do(lambda c: tills.ask_refund(c, bill, line, amount_fen, pieces, "t1", "wang", "质量问题", now))


def back(shop: Shop, bill: int) -> dict[str, int]:
    """What went back, by kind of tender."""
    return {t.kind: t.returned_fen for t in shop.do(lambda c: tills.bill(c, bill)).tenders}


def test_y4_the_newest_tender_gives_first_and_goods_go_back_to_the_shelf(shop: Shop) -> None:
    bill = shop.ring([GoodsWanted("6902", 2)], Payment(BANK_CARD, 30_000, "77"), cash(2_000)).bill
    done = ask(shop, bill, 15_800, pieces=1)
    assert (done.state, back(shop, bill)) == ("done", {BANK_CARD: 14_200, CASH: 1_600})
    assert shop.balance(ledger.shop("6902"), ledger.PIECES) == 9
    assert shop.balance(ledger.returns("6902")) == -15_800
    with pytest.raises(TillError, match="15800"):
        ask(shop, bill, 15_801)
    ask(shop, bill, 15_800, pieces=1)
    with pytest.raises(TillError):
        ask(shop, bill, 1)
    shop.sound()


def test_y4_fuel_that_a_purse_paid_goes_back_to_that_purse(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else stands on the bill: cash never turns up for a card's fuel. The load waits for the card's tap."""
    given: list[tuple[str, int]] = []

    def give_back(conn: Connection, card_no: str, fen: int, account: str, by: str, at: int) -> None:
        given.append((card_no, fen))
        ledger.post(conn, f"back:{len(given)}", at, [Transfer(account, ledger.pending(card_no), fen)])

    monkeypatch.setattr(cards, "give_back", give_back, raising=False)
    bill = shop.ring([shop.fuel(10_000), shop.water()], cash(200)).bill
    ask(shop, bill, 3_000)
    assert given == [(shop.card.number, 3_000)]
    assert back(shop, bill) == {"purse": 3_000, CASH: 0}
    assert shop.balance(ledger.pending(shop.card.number)) == 3_000
    with pytest.raises(TillError):
        ask(shop, bill, 201, line=2)
    shop.sound()


class Coupon:
    """A stand-in for loyalty: a coupon pays, and a refund gives a coupon back."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        line = Transfer(ledger.bonus("coupon"), ledger.bill(tender.bill), tender.amount_fen)
        ledger.post(conn, doing.key, doing.now, [line])

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        line = Transfer(ledger.bill(tender.bill), ledger.bonus("coupon"), amount_fen)
        ledger.post(conn, doing.key, doing.now, [line])


class Points:
    """As Coupon, with points: they go and come in their own asset, one for each fen."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        self._move(conn, doing, ledger.bonus("points"), ledger.bill(tender.bill), tender.amount_fen, "spent", "points")

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        self._move(conn, doing, ledger.bill(tender.bill), ledger.bonus("points"), amount_fen, "points", "spent")

    def _move(self, conn: Connection, doing: Doing, debit: str, credit: str, fen: int, to: str, out: str) -> None:
        points = Transfer(f"points:{out}", f"points:{to}", fen, "points")
        ledger.post(conn, doing.key, doing.now, [Transfer(debit, credit, fen), points])


def test_y4_points_and_coupons_go_back_as_points_and_coupons(shop: Shop) -> None:
    """A way to pay is one class and one `register`; a split refund returns to each what it gave."""
    tills.register_tender("coupon", Coupon())
    tills.register_tender("points", Points())
    ways = [Payment("coupon", 5_000), Payment("points", 3_000), cash(8_000)]
    bill = shop.ring([GoodsWanted("6902")], *ways).bill
    assert shop.balance("points:spent", "points") == 3_000
    ask(shop, bill, 9_800)
    assert back(shop, bill) == {"coupon": 0, "points": 2_000, CASH: 7_800}
    ask(shop, bill, 6_000)
    assert back(shop, bill) == {"coupon": 5_000, "points": 3_000, CASH: 7_800}
    assert shop.balance("points:spent", "points") == 0
    assert shop.balance(ledger.bonus("coupon")) == shop.balance(ledger.bonus("points")) == 0
    shop.sound()


def test_y4_a_refund_has_its_deadline(shop: Shop) -> None:
    bill = shop.ring([shop.water(5)], cash(1_000)).bill
    ask(shop, bill, 200, now=NOW + 30 * DAY_S)
    with pytest.raises(TillError, match="30 天"):
        ask(shop, bill, 200, now=NOW + 30 * DAY_S + 1)
    shop.do(lambda c: parameters.change(c, "refund.days", 60, "boss", "节日", NOW))
    ask(shop, bill, 200, now=NOW + 30 * DAY_S + 1)


def test_y8_y4_above_the_cap_it_waits_for_another_person_and_is_late_after_its_hours(shop: Shop) -> None:
    bill = shop.ring([GoodsWanted("6902", 5)], cash(80_000)).bill
    ask(shop, bill, 50_000)
    waiting = ask(shop, bill, 1)
    assert waiting.state == "open", "in parts as well: the bill's refunds together count"
    assert back(shop, bill) == {CASH: 50_000}
    assert not waiting.is_late(NOW + DAY_S) and waiting.is_late(NOW + DAY_S + 1)
    with pytest.raises(SecondNeededError):
        shop.do(lambda c: tills.decide_refund(c, waiting.refund, True, " WANG", "", NOW))
    done = shop.do(lambda c: tills.decide_refund(c, waiting.refund, True, "li", "", NOW + DAY_S + 5))
    assert (done.state, done.decided_by, done.is_late(NOW)) == ("done", "li", True)
    with pytest.raises(TillError, match="已处理"):
        shop.do(lambda c: tills.decide_refund(c, waiting.refund, True, "li", "", NOW))
    other = ask(shop, bill, 2)
    refused = shop.do(lambda c: tills.decide_refund(c, other.refund, False, "li", "已使用", NOW))
    assert (refused.state, refused.decision, back(shop, bill)) == ("refused", "已使用", {CASH: 50_001})
    shop.sound()


def test_two_requests_that_wait_cannot_both_have_the_same_money(shop: Shop) -> None:
    bill = shop.ring([GoodsWanted("6902", 5)], cash(80_000)).bill
    first, second = ask(shop, bill, 79_000), ask(shop, bill, 79_000)
    shop.do(lambda c: parameters.change(c, "refund.days", 30, "boss", "x", NOW))
    shop.ring([GoodsWanted("6902", 5)], cash(79_000))
    shop.do(lambda c: tills.decide_refund(c, first.refund, True, "li", "", NOW))
    with pytest.raises(TillError, match="可退金额"):
        shop.do(lambda c: tills.decide_refund(c, second.refund, True, "li", "", NOW))
    shop.sound()


def test_cash_goes_back_only_out_of_a_drawer_that_has_it(shop: Shop) -> None:
    bill = shop.ring([GoodsWanted("6902", 3)], cash(47_400), till="t2").bill
    with pytest.raises(TillError, match="现金不足"):
        ask(shop, bill, 47_400)
    assert shop.do(lambda c: tills.refunds(c)) == [], "the request is not left behind either"
    shop.ring([GoodsWanted("6902", 2)], cash(31_600))
    ask(shop, bill, 47_400)
    assert shop.do(lambda c: tills.in_drawer(c, "t1")) == 20_000 + 31_600 - 47_400
    shop.sound()


def test_r2_what_a_risk_rule_holds_is_not_refunded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bill = shop.ring([shop.water()], cash(200)).bill
    asked: list[Sequence[str]] = []

    def held(_: Connection, *subjects: str) -> None:
        asked.append(subjects)
        raise risk.HeldError("风控待审核 waits for a review")

    monkeypatch.setattr(risk, "refuse_held", held)
    with pytest.raises(risk.HeldError):
        ask(shop, bill, 200)
    assert asked == [(risk.staff_subject("wang"),)]


@pytest.mark.parametrize("backend", ["sqlite"])
@examples(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    card_fen=st.integers(1, 999),
    parts=st.lists(st.tuples(st.integers(1, 3), st.integers(1, 700)), max_size=8),
)
def test_y4_never_above_what_was_paid_in_any_parts(shop: Shop, card_fen: int, parts: list[tuple[int, int]]) -> None:
    with shop.writing() as conn:
        wanted = [shop.water(pieces) for pieces in (1, 1, 3)]
        paid = [Payment(BANK_CARD, card_fen, "1"), cash(1_000 - card_fen)]
        bill = tills.ring_up(conn, "t1", wanted, paid, "wang", NOW).bill
        tills.receive(conn, "6901", 5, f"again{bill}", "boss", NOW)
        given_fen = 0
        for line, fen in parts:
            with trying(conn):
                # A clerk of its own for each bill: many refunds by one person are held by a risk rule.
                given_fen += tills.ask_refund(conn, bill, line, fen, 0, "t1", f"clerk{bill}", "x", NOW).amount_fen
        known = tills.bill(conn, bill)
        assert known.returned_fen == given_fen == sum(t.returned_fen for t in known.tenders) <= 1_000
        assert all(t.returned_fen <= t.amount_fen for t in known.tenders)
        sound(conn)
