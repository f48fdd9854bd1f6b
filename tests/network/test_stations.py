"""C13, N3: a card of one station used at another, and a station that was cut off."""

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station import cards, ledger, network, sales
from station.platform import database
from station.platform.secrets import Secrets
from tests.network.conftest import Three
from tests.network.towns import KEEPS, LOSES_ANSWER, LOSES_REPORT, CutError, Office, Town, heal, town_settings, towns
from tests.station.world import T0, TestCard


def everything_agrees(office: Office, a: Town, b: Town, issued: list[tuple[Town, TestCard]]) -> None:
    """Each card in its home's books and head office's, nothing left at the guest's, debts equal, invariants hold."""
    for home, card in issued:
        other = b if home is a else a
        assert home.purse(card) == card.fen
        assert other.purse(card) == 0
        with database.read(office.engine) as conn:
            assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
    for one, other in ((a, b), (b, a)):
        owed = one.balance(ledger.due_to(other.number))
        assert owed == -other.balance(ledger.due_from(one.number))
    for engine in (office.engine, a.engine, b.engine):
        with database.read(engine) as conn:
            found = sales.money_invariant(conn)
        assert found.holds, found
        assert found.waiting == ()
    with database.read(office.engine) as conn:
        statement = network.statement(conn, 0, 1 << 40)
        told = {device: seq for device, seq in sales.heads(conn).items() if device in (257, 513)}
        assert not [f for f in sales.verify(conn, office.secrets) if f.kind not in ("invariant",)]
    net = network.net(statement)
    assert sum(net.values()) == 0
    for one, other in ((a, b), (b, a)):
        mine = one.balance(ledger.due_to(other.number)) + one.balance(ledger.due_from(other.number))
        assert net.get(one.number, 0) == -mine
    for town in (a, b):
        assert told.get(town.pump.device, 0) == town.pump.seq
        with database.read(town.engine) as conn:
            assert network.lag(conn, town.settings.station) == 0
            assert sales.verify(conn, town.secrets) == []


def test_c13_a_card_from_hangzhou_fuels_in_ningbo_and_is_loaded_there(three: Three) -> None:
    office, a, b = three
    card = a.issue(50_000)
    heal(a, b)
    assert b.state_of(card) == "active"
    b.sell(card, 10_000)
    b.load(card, 30_000)
    b.sell(card, 5_000)
    a.sell(card, 7_000)
    heal(a, b)
    everything_agrees(office, a, b, [(a, card)])
    with database.read(office.engine) as conn:
        (loads, fuel) = sorted(network.statement(conn, 0, 1 << 40), key=lambda one: one.debtor, reverse=True)
    assert (fuel.debtor, fuel.creditor, fuel.sales, fuel.sales_fen) == (1, 2, 2, 7_560 + 3_780)
    assert (loads.debtor, loads.creditor, loads.loads, loads.loads_fen) == (2, 1, 1, 30_000)


def test_c13_the_net_is_paid_through_the_bank_and_nothing_is_left(three: Three) -> None:
    office, a, b = three
    card = a.issue(50_000)
    heal(a, b)
    b.sell(card, 10_000)
    heal(a, b)
    for town, peer, fen in ((a, 2, 7_560), (b, 1, -7_560)):
        for fresh in (True, False):  # told twice, booked once
            with database.write(town.engine) as conn:
                assert network.pay(conn, peer, fen, "B20261130-1", "wang", T0) is fresh
    assert a.balance(ledger.due_to(2)) == b.balance(ledger.due_from(1)) == 0
    assert (a.balance(ledger.gateway("bank")), b.balance(ledger.gateway("bank"))) == (7_560, -7_560)


def test_c7_a_card_reported_lost_at_another_station_is_dead_at_home_too(three: Three) -> None:
    _, a, b = three
    card = a.issue(10_000)
    heal(a, b)
    with database.write(b.engine) as conn:
        cards.registry.block(conn, card.number, cards.registry.LOST, "zhao", T0)
    heal(b, a)
    assert a.state_of(card) == b.state_of(card) == "blocked"
    with database.write(a.engine) as conn:
        cards.registry.unblock(conn, card.number, "li", T0)
    heal(a, b)
    assert a.state_of(card) == b.state_of(card) == "active"


def test_n3_a_station_cut_off_for_days_sells_on_and_heals(three: Three) -> None:
    """Three hundred sales, its own cards and a guest, while the line is down; then every exchange breaks once."""
    office, a, b = three
    mine, guest = b.issue(400_000), a.issue(300_000)
    heal(a, b)
    for number in range(75):
        b.sell(mine if number % 3 else guest, 3_000 + number)
    with database.read(b.engine) as conn:
        assert network.lag(conn, "s2") == 300
    for number in range(40):
        line = (LOSES_REPORT, LOSES_ANSWER, KEEPS)[number % 3]
        try:
            if not b.step(line):
                break
        except CutError:
            continue
    heal(a, b)
    everything_agrees(office, a, b, [(b, mine), (a, guest)])


def test_c13_a_load_elsewhere_that_head_office_has_not_told_blocks_no_card(three: Three) -> None:
    """The card holds more than its home's books say until the other station has reported: it waits, it is no clone."""
    _, a, b = three
    card = a.issue(10_000)
    heal(a, b)
    b.load(card, 20_000)
    a.sell(card, 2_000)
    with database.read(a.engine) as conn:
        found = sales.shadow(conn, card.number)
        assert found is not None
        assert found.state == "waiting"
        assert cards.findings(conn) == []
    heal(b, a)
    with database.read(a.engine) as conn:
        found = sales.shadow(conn, card.number)
    assert found is not None
    assert found.state == "agrees"


def test_r4_money_from_nowhere_on_a_card_is_found_once_all_stations_were_heard(three: Three) -> None:
    _, a, b = three
    card = a.issue(10_000)
    heal(a, b)
    card.fen += 5_000
    a.sell(card, 2_000)
    heal(a, b)
    with database.read(a.engine) as conn:
        found = sales.shadow(conn, card.number)
        assert found is not None
        assert found.state == "differs"


def test_n3_a_station_speaks_for_itself_only(three: Three) -> None:
    office, a, b = three
    card = a.issue(0)
    heal(a, b)
    foreign = network.Report(
        pumps=[{"device": 257, "pump": "p1", "mode": "slot", "nozzles": []}]  # type: ignore[list-item]
    )
    with database.write(office.engine) as conn:
        two = network.member_named(conn, "s2")
        assert two is not None
        with pytest.raises(network.MemberError):
            network.take(conn, office.secrets, two, foreign, T0)
    # It may block another's card, and change nothing else on it.
    with database.read(office.engine) as conn:
        (told,) = cards.told(conn, [card.number])
    forged = told | {"upper_fen": 99_999_999, "kind": 4, "plate": "浙B00000"}
    event = {"event": 1 << 40, "at": T0, "card": forged}
    with database.write(office.engine) as conn:
        network.take(conn, office.secrets, two, network.Report(events=[event]), T0)  # type: ignore[list-item]
    with database.read(office.engine) as conn:
        assert cards.told(conn, [card.number]) == [told]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["sell", "load", "sync"]),
        st.integers(0, 1),  # at which station
        st.integers(0, 2),  # which card
        st.integers(1, 4_000),
        st.sampled_from([KEEPS, KEEPS, LOSES_REPORT, LOSES_ANSWER]),
    ),
    max_size=12,
)


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)
@given(STEPS)
def test_c13_any_course_of_sales_loads_and_broken_lines_ends_with_equal_books(
    made: Path, steps: list[tuple[object, ...]]
) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name) / "towns"
        shutil.copytree(made, directory)
        config = town_settings(directory, 9)
        head = database.open_engine(database.url_for(config))
        with towns(head, Secrets.load(config.secrets_path), directory) as (office, a, b):
            issued = [(a, a.issue(30_000)), (b, b.issue(30_000)), (a, a.issue(0))]
            heal(a, b)
            for what, where, which, amount, line in steps:
                town, card = (a, b)[int(str(where))], issued[int(str(which))][1]
                if what == "sell" and card.fen > 1_000:
                    town.sell(card, int(str(amount)))
                elif what == "load":
                    town.load(card, int(str(amount)))
                elif what == "sync":
                    try:
                        town.step(str(line))
                    except CutError:
                        continue
            heal(a, b)
            everything_agrees(office, a, b, issued)
        head.dispose()
