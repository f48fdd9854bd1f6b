"""C12: a company's rules are written on its vehicle's card at the desk, and the pump obeys them without the station."""

from sqlalchemy import Engine

from pump.core import card_layout, codes
from station import fleets
from station.accounts import Terms
from station.cards import CardInHand, Desk, Order
from station.platform import database
from station.platform.secrets import Secrets
from tests.cards.conftest import NOW
from tests.cards.test_rules_at_desk import on_the, pump_of, tap
from tools.bench.desfire_card import DesfireCard


def test_c12_the_card_carries_the_companys_rules_and_a_pump_without_line_keeps_them(
    desk: Desk, blank: DesfireCard, engine: Engine, secrets: Secrets
) -> None:
    with database.write(engine) as conn:
        firm = fleets.open_company(conn, "顺达物流", Terms(1_000_000), "test", NOW).account
    link = CardInHand(blank)
    order = Order(card_layout.KIND_ACCOUNT, "顺达物流", "91110", plate="京A10001", company=firm)
    issued = desk.issue(link, order)
    with database.write(engine) as conn:
        car = fleets.save(conn, fleets.Vehicle(0, firm, "京A10001", card_no=issued.card_no), "test", NOW)
        china = (NOW + card_layout.DAY_OFFSET_S) // 3600 % 24
        shut = tuple(hour for hour in range(24) if hour != china)
        fleets.set_rules(conn, fleets.of_unit(firm), fleets.Rules(hours=shut, fill_ml=60_000), "test", "合同", NOW - 1)
        assert fleets.is_behind(conn, car)
        wanted = fleets.to_carry(conn, car)
    desk.set_rules(link, wanted)
    plate, carried = on_the(blank)
    assert (plate, carried.hours, carried.fill_ml) == ("京A10001", shut, 60_000)
    with database.read(engine) as conn:
        assert not fleets.is_behind(conn, car)
    bench = pump_of(secrets)
    tap(bench, blank)
    assert bench.view.refusal == codes.REFUSE_HOURS
