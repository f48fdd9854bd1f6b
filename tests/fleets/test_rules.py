"""C12: what is over a limit, or not of the company's vehicles, is declined with its reason; pump and company see it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import codes, money
from station import accounts, fleets
from station.accounts import Terms
from station.cards import registry
from station.fleets import Rules
from station.fleets.rules import MOST, RulesError, Used, Wish, carried, judge, moment
from station.platform import database
from station.platform.secrets import Secrets
from tests.fleets.company import Pump, card, company, number_of
from tests.station.world import T0

NOON = T0 - T0 % 86_400 + 28 * 3600  # 12:00 in China
DAY = 86_400


@pytest.mark.parametrize(
    ("rules", "grade", "at", "code", "rule"),
    [
        (Rules(grades=(4,)), 1, NOON, codes.REFUSE_GRADE, "grades"),
        (Rules(stations=(7, 9)), 1, NOON, codes.REFUSE_STATION, "stations"),
        (Rules(hours=(6, 7, 8)), 1, NOON, codes.REFUSE_HOURS, "hours"),
        (Rules(only_listed=True), 1, NOON, codes.REFUSE_PAIR, "only_listed"),
        (Rules(fill_fen=99), 1, NOON, codes.REFUSE_LIMIT, "fill_fen"),
    ],
)
@pytest.mark.parametrize("backend", ["sqlite"])
def test_c12_a_rule_declines_at_once_and_the_company_reads_why(
    engine: Engine, secrets: Secrets, rules: Rules, grade: int, at: int, code: int, rule: str
) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid = card(conn, 1, firm, "京B99999")
        fleets.set_rules(conn, fleets.of_unit(firm), rules, "test", "合同", T0)
        pump = Pump(conn, secrets)
        word = pump.ask(uid, at, grade)
        assert (word.grant, word.why, word.code) == (None, fleets.REFUSED, code)
        (told,) = fleets.refusals_of(conn, firm, 10)
        assert (told.rule, told.code, told.plate, told.card_no) == (rule, code, "京B99999", number_of(uid))
        fleets.set_rules(conn, fleets.of_unit(firm), Rules(), "test", "取消", T0)
        assert pump.ask(uid, at, grade).grant is not None


def test_c12_sums_of_day_and_month_hold_for_vehicle_department_and_company(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        part = fleets.add_part(conn, firm, "运输部", "test", T0).account
        fleets.allocate(conn, part, 2_000_000, "A", "test", T0)
        uids = [card(conn, n, firm, f"京A1000{n}") for n in range(2)]
        cars = [
            fleets.save(conn, fleets.Vehicle(0, part, f"京A1000{n}", card_no=number_of(uid)), "test", T0)
            for n, uid in enumerate(uids)
        ]
        fleets.set_rules(conn, fleets.of_vehicle(cars[0].id), Rules(day_fen=50_000, day_fills=3), "test", "合同", T0)
        fleets.set_rules(conn, fleets.of_unit(part), Rules(month_fen=100_000), "test", "预算", T0)
        pump = Pump(conn, secrets)
        pump.fuel(uids[0], 40_000, NOON)  # 302.40
        lent = pump.ask(uids[0], NOON + 600).grant
        assert lent is not None and lent.sale.amount_fen == 50_000 - 30_240
        # Another pump hears the same card before that sale is in: what is lent counts as used.
        other = pump.beside(258, "p2")
        word = other.ask(uids[0], NOON + 601)
        assert (word.code, fleets.refusals_of(conn, firm, 1)[0].rule) == (codes.REFUSE_DAY_MONEY, "day_fen")
        pump.sell(uids[0], lent.sale.lease, lent.sale.amount_fen, 10_000, NOON + 660, 1, 756, 0, True)
        pump.fuel(uids[0], 1_000, NOON + 900)
        assert pump.ask(uids[0], NOON + 1200).code == codes.REFUSE_DAY_FILLS
        # The other vehicle has what its department's month leaves.
        left = other.ask(uids[1], NOON + 1300).grant
        assert left is not None and left.sale.amount_fen == 100_000 - 30_240 - 7_560 - 756
        other.sell(uids[1], left.sale.lease, left.sale.amount_fen, 100_000, NOON + 1300, 1, 756, 0, True)
        assert other.ask(uids[1], NOON + DAY).code == codes.REFUSE_LIMIT
        assert fleets.refusals_of(conn, firm, 1)[0].rule == "month_fen"
        # The next day the first vehicle may again, within what the month leaves: nothing.
        assert pump.ask(uids[0], NOON + DAY).code == codes.REFUSE_LIMIT
        assert pump.ask(uids[0], NOON + 32 * DAY).grant is not None


def test_c12_a_vehicle_that_left_the_fleet_buys_nothing(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid = card(conn, 1, firm, "京A10001")
        car = fleets.save(conn, fleets.Vehicle(0, firm, "京a10001", card_no=number_of(uid)), "test", T0)
        pump = Pump(conn, secrets)
        assert car.plate == "京A10001" and pump.ask(uid, NOON).grant is not None
        gone = fleets.Vehicle(car.id, firm, car.plate, card_no=car.card_no, state=fleets.GONE)
        fleets.save(conn, gone, "test", NOON)
        word = pump.ask(uid, NOON + 60)
        assert (word.code, fleets.refusals_of(conn, firm, 1)[0].rule) == (codes.REFUSE_PAIR, "gone")
        with pytest.raises(fleets.FleetError, match="another"):
            fleets.save(conn, fleets.Vehicle(0, company(conn, "乙"), "京A10001"), "test", NOON)


def test_c12_a_stopped_company_ends_the_leases_of_its_parts_too(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = fleets.open_company(conn, "远航", Terms(500_000, offline_fen=50_000), "test", T0).account
        part = fleets.add_part(conn, firm, "车队", "test", T0).account
        fleets.allocate(conn, part, 100_000, "A", "test", T0)
        own, theirs = card(conn, 1, firm), card(conn, 2, firm, "京A10002")
        fleets.save(conn, fleets.Vehicle(0, part, "京A10002", card_no=number_of(theirs)), "test", T0)
        pump = Pump(conn, secrets)
        granted = pump.ask(own, NOON).grant
        assert granted is not None and granted.offline is not None
        for_part = pump.ask(theirs, NOON + 60).grant  # the pump would keep a lease ahead under the company's number
        assert for_part is not None and for_part.offline is None
        accounts.set_state(conn, part, accounts.STOPPED, NOON, "test", "整顿")
        word = pump.ask(theirs, NOON + 90)  # the company's own lease at the pump goes on
        assert (word.why, word.code) == (fleets.REFUSED, codes.REFUSE_ACCOUNT)
        accounts.set_state(conn, firm, accounts.STOPPED, NOON, "test", "欠款")
        assert {pump.ask(uid, NOON + 120).why for uid in (own, theirs)} == {fleets.STOPPED}


def test_c12_the_same_question_gets_the_same_answer_whatever_changed_since(engine: Engine, secrets: Secrets) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid = card(conn, 1, firm)
        asked = accounts.Question("q1", 257, 50_000, 0, 1)
        first = fleets.authorise(conn, uid, asked, 1, NOON)
        fleets.set_rules(conn, fleets.of_unit(firm), Rules(grades=(4,)), "test", "合同", T0)
        again = fleets.authorise(conn, uid, asked, 1, NOON + 1)
        assert first.grant is not None and first == again
        assert accounts.lent_fen(conn, firm) == {firm: 50_000}
        refused = accounts.Question("q2", 257, 50_000, 0, 2)
        for _ in range(2):
            assert fleets.authorise(conn, uid, refused, 1, NOON).code == codes.REFUSE_GRADE
        assert len(fleets.refusals_of(conn, firm, 10)) == 1


def test_c12_the_card_carries_what_it_can_and_it_shows_which_cards_are_behind(engine: Engine) -> None:
    with database.write(engine) as conn:
        firm = company(conn)
        uid = card(conn, 1, firm, "京A10001")
        car = fleets.save(conn, fleets.Vehicle(0, firm, "京A10001", card_no=number_of(uid)), "test", T0)
        assert not fleets.is_behind(conn, car)
        above = Rules(fill_ml=80_000, day_fen=900_000, hours=tuple(range(6, 22)), needs_driver=True)
        fleets.set_rules(conn, fleets.of_unit(firm), above, "test", "合同", T0 + 1)
        fleets.set_rules(
            conn, fleets.of_vehicle(car.id), Rules(fill_ml=60_000, day_fen=40_000, hours=(5, 6, 7)), "test", "夜班", T0
        )
        with pytest.raises(ValueError, match="per day"):  # no card can carry so much; a department may have it
            fleets.set_rules(conn, fleets.of_vehicle(car.id), Rules(day_fen=10_000_000), "test", "夜班", T0)
        fleets.set_rules(conn, fleets.of_unit(firm), Rules(day_fen=10_000_000), "test", "合同", T0)
        fleets.set_rules(conn, fleets.of_unit(firm), above, "test", "合同", T0 + 1)
        rules = fleets.to_carry(conn, car)
        assert (rules.fill_ml, rules.day_fen, rules.hours, rules.needs_driver) == (60_000, 40_000, (6, 7), True)
        assert fleets.is_behind(conn, car)
        registry.note(conn, number_of(uid), T0 + 2, "rules", "desk")
        assert not fleets.is_behind(conn, car)
        assert [one.version for one in fleets.versions(conn, fleets.of_unit(firm))] == [3, 2, 1]


def test_c12_rules_that_no_pump_could_keep_are_refused() -> None:
    for wrong in (Rules(fill_ml=-1), Rules(month_fen=MOST + 1), Rules(grades=(16,)), Rules(hours=(24,))):
        with pytest.raises(RulesError):
            wrong.check()
    with pytest.raises(RulesError, match="exclude"):
        carried([Rules(hours=(1,)), Rules(hours=(2,))])


SUMS = ("fill_fen", "day_fen", "month_fen", "fill_ml", "day_ml", "month_ml")


@given(
    limits=st.tuples(*(st.sampled_from([0, 1_000, 30_000, 60_000, 500_000]) for _ in SUMS)),
    used=st.tuples(*(st.integers(0, 80_000) for _ in range(4))),
    want_fen=st.integers(100, 200_000),
    price=st.integers(500, 1_200),
)
def test_c12_whatever_is_allowed_keeps_every_sum(
    limits: tuple[int, ...], used: tuple[int, ...], want_fen: int, price: int
) -> None:
    rules = Rules(**dict(zip(SUMS, limits, strict=True)))
    spent = Used(day_fen=used[0], day_ml=used[1], month_fen=used[0] + used[2], month_ml=used[1] + used[3])
    verdict = judge(rules, spent, Wish(want_fen, 1, price, 1, 12, True), 100)
    if verdict.code:
        name = verdict.rule
        left = getattr(rules, name) - getattr(spent, name, 0)
        assert left <= 100 or (name.endswith("_ml") and left * price // 1000 < 100)
        return
    assert 100 <= verdict.fen <= want_fen
    for name in SUMS:
        allowed, gone = getattr(rules, name), getattr(spent, name, 0)
        if allowed and name.endswith("_fen"):
            assert gone + verdict.fen <= allowed
        elif allowed:  # a pump turns money into litres; half a fen is rounded in the customer's favour
            assert gone + money.volume_for_amount_ml(verdict.fen, price) <= allowed + 1


@given(st.integers(1_500_000_000, 2_500_000_000))
def test_c12_days_and_months_are_those_of_china(at: int) -> None:
    from datetime import UTC, datetime, timedelta, timezone

    there = datetime.fromtimestamp(at, UTC).astimezone(timezone(timedelta(hours=8)))
    day = there.replace(hour=0, minute=0, second=0)
    assert moment(at) == (int(day.timestamp()), int(day.replace(day=1).timestamp()), there.hour)
