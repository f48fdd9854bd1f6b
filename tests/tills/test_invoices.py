"""Y6: never over-invoiced, numbered without gaps, lost ones issued anew, red letters for what is taken back."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import IntegrityError

from station import accounts, tills
from station.platform.secrets import Secrets
from station.tills import GoodsWanted, Invoice, TillError, bill_subject
from tests.tills.shop import NOW, Shop, cash, sound, trying


@pytest.fixture
def shop(engine: Engine, secrets: Secrets) -> Shop:
    return Shop(engine, secrets)


def issue(shop: Shop, amounts: dict[int, int]) -> Invoice:
    named = {bill_subject(bill): fen for bill, fen in amounts.items()}
    return shop.do(lambda c: tills.issue_invoice(c, "物流公司", "91110000TAX", named, "wang", NOW))


def test_y6_one_invoice_over_two_bills_in_parts_and_never_more_than_was_sold(shop: Shop) -> None:
    one, two = shop.ring([shop.water(5)], cash(1_000)).bill, shop.ring([shop.water(2)], cash(400)).bill
    first = issue(shop, {one: 600, two: 400})
    assert (first.number, first.amount_fen, first.name[4:]) == (1, 1_000, "-00000001")
    with pytest.raises(TillError, match="4.00"):
        issue(shop, {one: 401})
    assert issue(shop, {one: 400}).number == 2
    with pytest.raises(TillError):
        issue(shop, {two: 1})
    shop.sound()


def test_y6_the_database_itself_refuses_more_than_was_sold(shop: Shop) -> None:
    bill = shop.ring([shop.water(5)], cash(1_000)).bill
    over = text("UPDATE invoice_subjects SET invoiced_fen = total_fen + 1 WHERE subject = :s")
    with pytest.raises(IntegrityError), shop.writing() as conn:
        conn.execute(over, {"s": bill_subject(bill)})


def test_y6_a_lost_invoice_is_issued_anew_after_a_red_letter(shop: Shop) -> None:
    bill = shop.ring([shop.water(5)], cash(1_000)).bill
    lost = issue(shop, {bill: 1_000})
    new = shop.do(lambda c: tills.reissue(c, lost.series, lost.number, "wang", "顾客遗失", NOW))
    assert (new.number, new.amount_fen, new.instead_of) == (3, 1_000, lost.number)
    red = shop.do(lambda c: tills.invoice(c, lost.series, 2))
    assert (red.amount_fen, red.red_of, red.rest_fen) == (-1_000, lost.number, 0)
    assert shop.do(lambda c: tills.left(c, bill_subject(bill))) == 0
    with pytest.raises(TillError):
        shop.do(lambda c: tills.reissue(c, lost.series, lost.number, "wang", "又遗失", NOW))
    shop.sound()


def test_y6_y4_what_is_invoiced_is_refunded_after_a_red_letter_only(shop: Shop) -> None:
    bill = shop.ring([shop.water(5)], cash(1_000)).bill
    invoice = issue(shop, {bill: 1_000})

    def refund() -> tills.Refund:
        return shop.do(lambda c: tills.ask_refund(c, bill, 1, 400, 2, "t1", "wang", "退", NOW))

    with pytest.raises(TillError, match="红字"):
        refund()
    part = {bill_subject(bill): 400}
    with pytest.raises(TillError):
        shop.do(lambda c: tills.red_letter(c, invoice.series, 1, "wang", "退货", NOW, {bill_subject(bill): 1_001}))
    red = shop.do(lambda c: tills.red_letter(c, invoice.series, 1, "wang", "退货", NOW, part))
    assert red.amount_fen == -400
    assert refund().state == "done"
    with pytest.raises(TillError):
        issue(shop, {bill: 1})
    shop.sound()


def test_y6_what_an_account_owes_is_invoiced_by_its_statement(shop: Shop) -> None:
    """The bill of a fleet's fuel offers only what was paid at the till; a face offers the statement."""
    fleet = shop.do(lambda c: accounts.open_account(c, "物流", accounts.Terms(100_000), NOW).account)
    bill = shop.ring([shop.fuel(10_000, fleet), shop.water()], cash(200)).bill
    assert shop.do(lambda c: tills.left(c, bill_subject(bill))) == 200
    name = f"statement:{fleet}:2026-09"
    shop.do(lambda c: tills.offer(c, name, 7_560))
    shop.do(lambda c: tills.issue_invoice(c, "物流", "", {name: 7_560}, "zhang", NOW))
    with pytest.raises(TillError, match="红字"):
        shop.do(lambda c: tills.offer(c, name, 7_000))


@pytest.mark.parametrize("backend", ["sqlite"])
@examples(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(st.sampled_from(["issue", "red", "lost", "refund"]), st.integers(1, 6), st.integers(1, 2_000)),
        max_size=12,
    )
)
def test_y6_whatever_is_issued_taken_back_lost_and_refunded(shop: Shop, acts: list[tuple[str, int, int]]) -> None:
    """Invoices less red letters never exceed sales less refunds; numbers have no gap."""
    with shop.writing() as conn:
        before = len(tills.invoices(conn, 1_000))
        bill = tills.ring_up(conn, "t1", [GoodsWanted("6902")], [cash(15_800)], "wang", NOW).bill
        tills.receive(conn, "6902", 1, f"again{bill}", "boss", NOW)
        for act, number, fen in acts:
            with trying(conn):
                _act(conn, act, before + number, bill, fen)
            known, issued = tills.bill(conn, bill), tills.invoices(conn, 1_000)
            told = sum(p.amount_fen for i in issued for p in i.parts if p.subject == bill_subject(bill))
            assert 0 <= told <= known.total_fen - known.returned_fen
            assert sorted(i.number for i in issued) == list(range(1, len(issued) + 1))
        sound(conn)


def _act(conn: Connection, act: str, number: int, bill: int, fen: int) -> None:
    year, amounts = tills.day_of(NOW)[:4], {bill_subject(bill): fen}
    if act == "issue":
        tills.issue_invoice(conn, "某人", "", amounts, "wang", NOW)
    elif act == "red":
        tills.red_letter(conn, year, number, "wang", "x", NOW, amounts)
    elif act == "lost":
        tills.reissue(conn, year, number, "wang", "x", NOW)
    else:
        tills.ask_refund(conn, bill, 1, fen, 0, "t1", f"clerk{bill}", "x", NOW)
