"""C11: a company's money: topped up centrally, allocated to its parts and cards, recalled; parent = sum of children."""

import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import card_layout, codes
from station import accounts, cards, fleets, ledger, payments, sales
from station.fleets import FleetError
from station.payments.book import settle
from station.payments.gateway import Outcome
from station.platform import audit, database
from station.platform.secrets import Secrets
from tests.fleets.company import Pump, card, company, number_of
from tests.station.test_order import undone
from tests.station.world import T0


def total_fen(conn: database.Connection, of: int) -> int:
    """What all parts of a company have together, below nought what they owe."""
    return sum(ledger.balance(conn, ledger.receivable(account)) for account in fleets.tree(conn, of))


def test_c11_money_goes_from_the_company_to_its_vehicle_and_back(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn, limit_fen=0)
        transport = fleets.add_part(conn, firm, "运输部", "test", T0).account
        truck = fleets.add_part(conn, transport, "京A10001", "test", T0).account
        uid = card(conn, 1, firm, "京A10001")
        fleets.save(conn, fleets.Vehicle(0, truck, "京A10001", card_no=number_of(uid)), "test", T0)
        pump = Pump(conn, secrets)
        # Nothing there yet: declined, with the reason for the driver and for the company.
        word = pump.ask(uid, T0)
        assert (word.why, word.code) == (fleets.REFUSED, codes.REFUSE_BALANCE)
        assert fleets.refusals_of(conn, firm, 10)[0].rule == "exhausted"
        fleets.top_up(conn, firm, 1_000_000, "gateway:icbc", "T-1", "test", T0)
        fleets.top_up(conn, firm, 1_000_000, "gateway:icbc", "T-1", "test", T0)  # the bank tells it twice
        fleets.allocate(conn, transport, 600_000, "A-1", "test", T0)
        fleets.allocate(conn, truck, 100_000, "A-2", "test", T0)
        assert [fleets.unit(conn, one).own_fen for one in (firm, transport, truck)] == [400_000, 500_000, 100_000]
        pump.fuel(uid, 50_000, T0 + 60)  # 50 L at 7.56
        assert fleets.unit(conn, truck).own_fen == 100_000 - 37_800
        with pytest.raises(FleetError, match="622.00"):
            fleets.recall(conn, truck, 62_201, "R-1", "test", T0)
        fleets.recall(conn, truck, 62_200, "R-1", "test", T0)
        assert total_fen(conn, firm) == 1_000_000 - 37_800 == -fleets.owed_fen(conn, firm)
        assert pump.ask(uid, T0 + 200).code == codes.REFUSE_BALANCE
        assert sales.money_invariant(conn, T0).holds
        assert [*ledger.verify(conn), *sales.verify(conn, secrets), *audit.verify(conn)] == []


def test_c11_a_credit_line_is_allocated_but_never_exceeded(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm = company(conn, limit_fen=500_000)
        part = fleets.add_part(conn, firm, "销售部", "test", T0).account
        fleets.allocate(conn, part, 500_000, "A-1", "test", T0)
        with pytest.raises(FleetError, match="最多可划拨 0.00"):
            fleets.allocate(conn, part, 1, "A-2", "test", T0)
        assert fleets.owed_fen(conn, firm) == 0  # nothing was bought yet: what moved within is no debt
        with pytest.raises(ledger.KeyReusedError):
            fleets.allocate(conn, part, 400_000, "A-1", "test", T0)
        for wrong in ((part, "desk"), (firm, "account:7"), (firm, "paid:P1")):
            with pytest.raises(ValueError):
                fleets.top_up(conn, wrong[0], 100, wrong[1], "T-1", "test", T0)


def test_c11_the_company_loads_a_purse_card_of_its_vehicle_from_its_own_money(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm, other = company(conn, limit_fen=0), company(conn, "别的公司", 0)
        fleets.top_up(conn, firm, 50_000, "desk", "T-1", "test", T0)
        card_no = number_of(card(conn, 1, firm, kind=card_layout.KIND_REGISTERED))
        with pytest.raises(FleetError, match="none of this company"):
            fleets.load_card(conn, other, card_no, 100, "test", T0)
        with pytest.raises(FleetError, match="500.00"):
            fleets.load_card(conn, firm, card_no, 50_001, "test", T0)
        fleets.load_card(conn, firm, card_no, 30_000, "test", T0)
        waiting = cards.waiting(conn, card_no)
        assert waiting is not None and waiting.amount_fen == 30_000
        assert fleets.unit(conn, firm).own_fen == 20_000
        assert ledger.balance(conn, ledger.pending(card_no)) == 30_000


@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_a_company_pays_by_code_and_has_it_once(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm = company(conn, limit_fen=0)
        part = fleets.add_part(conn, firm, "运输部", "test", T0).account
        for wrong in (f"account:{part}", "account:99", "account:x"):
            with pytest.raises(FleetError):
                payments.make(conn, "wechat", wrong, 50_000, "test", T0)
        order = payments.make(conn, "wechat", f"account:{firm}", 50_000, "test", T0)
        for again in range(3):
            settle(conn, "wechat", Outcome(order.order_no, "paid", "4200", 50_000, T0 + 60), T0 + 60 + again)
        assert fleets.unit(conn, firm).own_fen == 50_000
        assert payments.known(conn, order.order_no).applied_at is not None
        assert ledger.balance(conn, ledger.paid_in(order.order_no)) == 0


def test_c11_two_clerks_at_once_cannot_spend_the_same_money(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm = company(conn, limit_fen=0)
        parts = [fleets.add_part(conn, firm, f"部门{n}", "test", T0).account for n in range(4)]
        fleets.top_up(conn, firm, 10_000, "desk", "T-1", "test", T0)
    refused = []

    def clerk(part: int) -> None:
        for n in range(5):
            try:
                with database.write(engine) as conn:
                    fleets.allocate(conn, part, 1_500, f"{part}/{n}", "test", T0)
            except FleetError:
                refused.append(part)

    threads = [threading.Thread(target=clerk, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with database.read(engine) as conn:
        assert len(refused) == 20 - 6  # six times 15 yuan out of 100
        assert sum(fleets.unit(conn, part).own_fen for part in parts) == 9_000
        assert fleets.unit(conn, firm).own_fen == 1_000


moves = st.lists(
    st.tuples(st.sampled_from(["top", "give", "back", "fuel"]), st.integers(0, 3), st.integers(1, 60_000)),
    min_size=3,
    max_size=25,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=moves, line_fen=st.sampled_from([0, 80_000]))
@pytest.mark.parametrize("backend", ["sqlite"])
def test_c11_parent_is_the_sum_of_its_children_whatever_is_moved(
    engine: Engine, secrets: Secrets, story: list[tuple[str, int, int]], line_fen: int
) -> None:
    with undone(engine) as conn:
        firm = company(conn, limit_fen=line_fen)
        parts = [fleets.add_part(conn, firm, "甲", "test", T0).account]
        parts.append(fleets.add_part(conn, firm, "乙", "test", T0).account)
        parts.append(fleets.add_part(conn, parts[0], "丙", "test", T0).account)
        pump, uids = Pump(conn, secrets), [card(conn, n, firm, f"车{n}") for n in range(4)]
        for n, (unit, uid) in enumerate(zip([firm, *parts], uids, strict=True)):
            fleets.save(conn, fleets.Vehicle(0, unit, f"车{n}", card_no=number_of(uid)), "test", T0)
        paid = bought = 0
        for step, (what, which, fen) in enumerate(story):
            now = T0 + step * 300
            try:
                if what == "top":
                    fleets.top_up(conn, firm, fen, "desk", f"T{step}", "test", now)
                    paid += fen
                elif what == "fuel":
                    word = pump.ask(uids[which], now, want_fen=fen)
                    if word.grant:
                        lease = word.grant.sale
                        sale = pump.sell(uids[which], lease.lease, lease.amount_fen, 30_000, now, 1, 756, 0, True)
                        known = sales.sale(conn, sale >> 32, sale & 0xFFFFFFFF)
                        bought += (known.amount_fen or 0) if known else 0
                else:
                    move = fleets.allocate if what == "give" else fleets.recall
                    move(conn, parts[which % 3], fen, f"M{step}", "test", now)
            except FleetError:
                continue
            assert total_fen(conn, firm) == paid - bought
            for account in [firm, *parts]:
                known_account = accounts.account(conn, account)
                assert known_account is not None and known_account.available_fen >= 0
        assert ledger.verify(conn) == []
