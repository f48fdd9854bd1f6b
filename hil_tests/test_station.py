"""What the station and the pump do together while it matters at the pump: lists, prices, locks, top-ups, evidence."""

import time
from functools import partial

from sqlalchemy import Connection, text

from hil_tests.driver import Driver
from hil_tests.test_sales import finish, refusals_beside, start, the_books_are_right, volume_above
from pump.core import codes, records
from station import cards, forecourt, sales
from station.cards import registry
from tools.bench import acts


def now() -> int:
    return int(time.time())


def device(pump: Driver) -> int:
    found = pump.read(lambda conn: next(one for one in forecourt.pumps(conn) if one.pump == pump.pump))
    return found.device


def give(pump: Driver, do: str) -> None:
    pump.write(lambda conn: forecourt.give_command(conn, device(pump), do, "hil", now()))


def lists_taken(conn: Connection) -> int:
    """LIST records: each is a list that a pump has put in force."""
    query = text("SELECT count(*) FROM records WHERE kind = :kind")
    return int(conn.execute(query, {"kind": records.LIST}).scalar() or 0)


def refused(pump: Driver, card: str) -> int:
    """Lifts and inserts; the code of the refusal record that this makes."""
    known = frozenset((row.device, row.seq) for row in pump.read(sales.refusals))
    pump.do(acts.lift(pump.pump))
    pump.do(acts.insert(pump.pump, card))
    pump.until(partial(refusals_beside, pump, known), 20, "the refusal is recorded")
    assert not pump.flowing()
    code = pump.read(lambda conn: sales.refusals(conn, limit=1))[0].code
    finish(pump)
    pump.do(acts.remove(pump.pump))
    return code


def test_d19_d2_a_lost_card_is_refused_while_it_is_still_warm(pump: Driver) -> None:
    """Reported lost at the desk: a moment later the pump refuses it."""
    card = pump.new_card(5_000)
    number = pump.card_no(card)
    before = pump.read(lists_taken)
    pump.write(lambda conn: registry.block(conn, number, "lost", "hil", now()))
    pump.until(lambda: pump.read(lists_taken) > before, 30, "the pump has taken the list and says so")
    assert refused(pump, card) == codes.REFUSE_BLACKLISTED
    assert pump.sales_of(card) == []


def test_d22_a_price_that_changes_while_fuel_flows_is_the_next_sales(pump: Driver) -> None:
    card = pump.new_card(30_000)
    before = pump.read(lambda conn: forecourt.current_tariff(conn, now()))
    assert before is not None
    dearer = {grade: fen + 10 for grade, fen in before.prices.items()}
    start(pump, card)
    volume_above(pump, 300)
    made = pump.write(lambda conn: forecourt.set_tariff(conn, dearer, now(), "hil", now()))
    volume_above(pump, 2_500)
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    assert row.price_fen_per_l == before.prices[row.grade or 0]
    the_books_are_right(row, 30_000, pump)
    pump.until(lambda: pump.state().get("tariff") == made.version, 20, "the pump sells at the new price")
    pump.write(lambda conn: forecourt.set_tariff(conn, dict(before.prices), now(), "hil", now()))
    pump.until(lambda: pump.state().get("tariff") == made.version + 1, 20, "and at the old one again")


def test_d26_a_remote_lock_outlives_the_power(pump: Driver) -> None:
    card = pump.new_card(5_000)
    give(pump, "lock")
    pump.until(lambda: pump.state().get("locked"), 15, "the pump is locked")
    pump.restart()
    pump.until(lambda: pump.online() and pump.state().get("locked"), 30, "it is locked after a restart")
    assert refused(pump, card) == codes.REFUSE_LOCKED
    give(pump, "unlock")
    pump.until(lambda: not pump.state().get("locked") and pump.live().get("s") == "idle", 15, "it is free again")


def test_d28_money_paid_by_phone_is_on_the_card_after_its_next_contact(pump: Driver) -> None:
    card = pump.new_card(2_000)
    number = pump.card_no(card)
    pump.write(lambda conn: cards.top_up(conn, number, 10_000, "phone", now()))
    start(pump, card, "B2#")
    pump.until(lambda: not pump.flowing(), 30, "the preset is reached")
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    the_books_are_right(row, 12_000, pump)
    assert pump.read(lambda conn: cards.waiting(conn, number)) is None


def test_d30_the_pulses_of_a_disputed_sale_are_fetched_and_add_up_to_it(pump: Driver) -> None:
    card = pump.new_card(5_000)
    start(pump, card, "B2#")
    pump.until(lambda: not pump.flowing(), 30, "the preset is reached")
    finish(pump)
    row = pump.settled(card)
    pump.do(acts.remove(pump.pump))
    pump.write(lambda conn: forecourt.ask_timeline(conn, row.device, row.seq, "hil", now()))

    def whole(conn: Connection) -> forecourt.Timeline | None:
        found = forecourt.timeline(conn, row.device, row.seq)
        return found if found and found.is_whole and found.is_ended else None

    found = pump.until(lambda: pump.read(whole), 40, "the timeline has come")
    assert found is not None and row.volume_ml is not None
    told = pump.read(lambda conn: sales.end_pulses(conn, row.device, row.seq))
    assert told is not None and abs(found.edges_a // 2 - told.pulses_a) <= 1
    assert abs(found.edges_b // 2 - told.pulses_b) <= 1
    assert sum(len(page.samples) for page in found.pages) >= 40, "two litres take two seconds at least"


def test_d27_each_record_of_the_last_sale_continues_its_pumps_chain(pump: Driver) -> None:
    row = pump.read(lambda conn: sales.recent(conn, limit=1))[0]
    sealed = pump.read(lambda conn: sales.sealed_sale(conn, pump.secrets, row.device, row.seq))
    assert len(sealed) >= 3 and all(record.holds for record in sealed)
    assert pump.read(sales.gaps) == []
