"""C11, Y7: statements close with what the books say; rebates follow the price agreed when the sale began."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import money
from station import fleets, ledger, sales
from station.fleets import DISCOUNT, FIXED, FleetError
from station.fleets.prices import Agreement, in_force, rebate_fen
from station.platform import audit, database
from station.platform.secrets import Secrets
from tests.fleets.company import Pump, card, company, number_of
from tests.station.test_order import undone
from tests.station.world import T0

DAY = 86_400


def test_y7_a_month_with_a_new_price_a_late_sale_and_a_payment(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        part = fleets.add_part(conn, firm, "运输部", "test", T0).account
        fleets.allocate(conn, part, 1_000_000, "A", "test", T0)
        uids = [card(conn, 1, firm, "京A10001"), card(conn, 2, firm, "京A10002")]
        fleets.save(conn, fleets.Vehicle(0, part, "京A10002", card_no=number_of(uids[1])), "test", T0)
        fleets.agree(conn, firm, 1, DISCOUNT, 20, T0, 0, "test", "框架协议", T0)
        pumps = [Pump(conn, secrets)]
        pumps.append(pumps[0].beside(258, "p2"))
        first = pumps[0].fuel(uids[0], 100_000, T0 + DAY)  # 756.00, less 20.00
        # From noon of day 2 a fixed price holds; the sale that began a minute before keeps its own.
        fleets.agree(conn, firm, 1, FIXED, 700, T0 + 2 * DAY, 0, "test", "新价", T0 + DAY)
        second = pumps[0].fuel(uids[1], 50_000, T0 + 2 * DAY - 60)  # 378.00, less 10.00
        third = pumps[0].fuel(uids[1], 50_000, T0 + 3 * DAY)  # 378.00, less 28.00
        late = pumps[1].fuel(uids[0], 10_000, T0 + 4 * DAY, upload=False)  # 75.60: the pump's line is down
        fleets.top_up(conn, firm, 30_000, "gateway:icbc", "P-1", "test", T0 + 5 * DAY)
        with pytest.raises(FleetError):
            fleets.make(conn, firm, T0 + 40 * DAY, "test", T0 + 30 * DAY)  # not over yet
        one = fleets.make(conn, firm, T0 + 30 * DAY, "test", T0 + 30 * DAY)
        assert (one.opening_fen, one.delivered_fen, one.rebate_fen, one.paid_fen) == (0, 151_200, 5_800, 30_000)
        assert one.closing_fen == fleets.owed_fen(conn, firm) == 115_400
        assert one.invoice_fen == 145_400
        by_sale = {line.sale.id: line.rebate_fen for line in fleets.lines(conn, firm, 1) if line.sale}
        assert by_sale == {first: 2_000, second: 1_000, third: 2_800}
        # The sale at the pump says what it always said.
        told = sales.sale(conn, third >> 32, third & 0xFFFFFFFF)
        assert told is not None and (told.price_fen_per_l, told.amount_fen) == (756, 37_800)
        pumps[1].upload(T0 + 31 * DAY)
        two = fleets.make(conn, firm, T0 + 60 * DAY, "test", T0 + 60 * DAY)
        assert (two.opening_fen, two.delivered_fen, two.rebate_fen) == (115_400, 7_560, 560)
        assert [line.sale.id for line in fleets.lines(conn, firm, 2) if line.sale] == [late]
        assert two.closing_fen == fleets.owed_fen(conn, firm)
        assert [*ledger.verify(conn), *sales.verify(conn, secrets), *audit.verify(conn)] == []
        assert sales.money_invariant(conn, T0).holds


def test_c11_who_pays_too_late_is_lent_nothing_until_the_debt_is_paid(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid, pump = card(conn, 1, firm), Pump(conn, secrets)
        pump.fuel(uid, 100_000, T0 + DAY)
        fleets.describe(conn, firm, "91110000MA0000000X", "王芳", 15, "test", T0)
        bill = fleets.make(conn, firm, T0 + 10 * DAY, "test", T0 + 10 * DAY)
        assert bill.due_at == T0 + 25 * DAY
        pump.fuel(uid, 10_000, T0 + 24 * DAY)  # within the time
        assert fleets.overdue_fen(conn, firm, T0 + 25 * DAY) == 75_600
        word = pump.ask(uid, T0 + 25 * DAY)
        assert word.why == fleets.STOPPED
        assert fleets.refusals_of(conn, firm, 1)[0].rule == "overdue"
        fleets.top_up(conn, firm, 70_000, "desk", "P-1", "test", T0 + 25 * DAY)
        assert fleets.unpaid_fen(conn, bill) == 5_600
        assert pump.ask(uid, T0 + 25 * DAY + 1).why == fleets.STOPPED
        fleets.top_up(conn, firm, 5_600, "desk", "P-2", "test", T0 + 26 * DAY)
        assert fleets.unpaid_fen(conn, bill) == 0  # what was bought since is owed, and not due yet
        assert pump.ask(uid, T0 + 26 * DAY).grant is not None
        ledger.reverse(conn, "account-pay:P-2", T0 + 27 * DAY, "退票")  # the cheque bounced
        assert fleets.overdue_fen(conn, firm, T0 + 27 * DAY) == 5_600


steps = st.lists(
    st.tuples(st.sampled_from(["fuel", "late", "home", "pay", "state", "price"]), st.integers(1, 90)),
    min_size=4,
    max_size=20,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_every_posting_is_on_one_statement_and_the_last_closing_is_the_books(
    engine: Engine, secrets: Secrets, story: list[tuple[str, int]]
) -> None:
    with undone(engine) as conn:
        firm = company(conn)
        uids = [card(conn, 1, firm), card(conn, 2, firm)]
        pumps = [Pump(conn, secrets), Pump(conn, secrets, 258, "p2")]
        now = T0
        for step, (what, number) in enumerate(story):
            now += 3600
            if what in ("fuel", "late"):
                which = what == "late"
                word = pumps[which].ask(uids[which], now)
                if word.grant is not None:
                    lease, uid = word.grant.sale, uids[which]
                    pumps[which].sell(uid, lease.lease, lease.amount_fen, number * 500, now, 1, 756, 0, not which)
            elif what == "home":
                pumps[1].upload(now)
            elif what == "pay":
                fleets.top_up(conn, firm, number * 1_000, "desk", f"P{step}", "test", now)
            elif what == "price":
                fleets.agree(conn, firm, 1, DISCOUNT, number, now, 0, "test", "谈判", now)
            else:
                made = fleets.make(conn, firm, now - number, "test", now)
                assert made.number == len(fleets.statements(conn, firm))
        pumps[1].upload(now)
        fleets.make(conn, firm, now + 7200, "test", now + 7200)
        known = fleets.statements(conn, firm)
        every = [line for one in known for line in fleets.lines(conn, firm, one.number)]
        assert len({line.key for line in every}) == len(every)
        assert sum(line.owed_fen for line in every) == known[0].closing_fen == fleets.owed_fen(conn, firm)
        assert all(older.closing_fen == newer.opening_fen for newer, older in zip(known, known[1:], strict=False))
        assert ledger.verify(conn) == []


agreements = st.builds(
    Agreement, st.just(1), st.integers(1, 1000), st.integers(1, 2), st.sampled_from([DISCOUNT, FIXED]),
    st.integers(1, 2_000), st.integers(0, 100), st.integers(0, 100), st.just(0), st.just(""), st.just(""),
)  # fmt: skip


@given(st.lists(agreements, max_size=8, unique_by=lambda one: one.version), st.integers(0, 100), st.integers(1, 90_000))
def test_y7_a_rebate_is_never_more_than_the_sale_and_a_fixed_price_never_a_surcharge(
    known: list[Agreement], at: int, volume_ml: int
) -> None:
    amount = money.amount_fen(volume_ml, 756)
    found = in_force(known, 1, at)
    back = rebate_fen(found, volume_ml, amount)
    assert 0 <= back <= amount
    if found is not None and found.kind == FIXED and found.fen_per_l <= 756:
        assert amount - back == money.amount_fen(volume_ml, found.fen_per_l)
    newer = [one for one in known if one.grade == 1 and one.since <= at and (not one.until or at < one.until)]
    assert (found is None) == (not newer)
    assert all(one.version <= found.version for one in newer if found)


@pytest.mark.parametrize("backend", ["sqlite"])
def test_y7_a_price_never_reaches_back(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        for wrong in ((DISCOUNT, 20, T0 - 1, 0), (FIXED, 0, T0, 0), ("gift", 1, T0, 0), (DISCOUNT, 1, T0, T0)):
            with pytest.raises(FleetError):
                fleets.agree(conn, firm, 1, *wrong, "test", "why", T0)
        with pytest.raises(FleetError, match="why"):
            fleets.agree(conn, firm, 1, DISCOUNT, 20, T0, 0, "test", " ", T0)
        fleets.agree(conn, firm, 1, DISCOUNT, 20, T0, 0, "test", "协议", T0)
        fleets.agree(conn, firm, 1, DISCOUNT, 0, T0 + 10, 0, "test", "终止", T0)  # ends it
        known = fleets.agreements(conn, firm)
        assert rebate_fen(in_force(known, 1, T0 + 9), 10_000, 7_560) == 200
        assert rebate_fen(in_force(known, 1, T0 + 10), 10_000, 7_560) == 0
