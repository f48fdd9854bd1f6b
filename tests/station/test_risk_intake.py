"""R1-R4 at the intake: what pumps report is judged in the very transaction that posts it."""

import threading
from importlib import import_module

import pytest
from sqlalchemy import Engine, select, update

from pump.core import card_layout, codes, records
from station import cards, risk, sales
from station.mqtt.card_watch import CardWatch
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.sales import tables
from station.setup import prepare
from tests.station.test_card_watch import registered, state
from tests.station.world import T0, PumpJournal, TestCard, card_number, issue, send

NOW = T0 + 100_000
DRIVER = bytes.fromhex("6200010000000025")


@pytest.fixture
def pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(257).journal)


@pytest.fixture
def other_pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(258).journal, 258)


def found(engine: Engine, card: TestCard) -> list[str]:
    with database.read(engine) as conn:
        return sorted(case.rule for case in risk.cases(conn, 100, subject=card.number))


def test_r2_a_burst_at_the_pumps_waits_for_a_person_and_the_sales_are_booked(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    with database.write(engine) as conn:
        card = registered(conn)
        for _ in range(5):
            pump.sale(card, 2_000)
        assert send(conn, secrets, *pump.written) == 20
    assert found(engine, card) == ["burst_count"]
    with database.read(engine) as conn:
        assert sales.money_invariant(conn).holds
        held = risk.held(conn, card.number)
        assert held is not None and held.value == 5


def test_r4_a_card_in_two_readers_at_once_is_blocked_before_the_counter_could_tell(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """The copy was made earlier and its counter has gone on: no counter repeats, only the hours betray it."""
    with database.write(engine) as conn:
        card, innocent = registered(conn, 1), registered(conn, 2)
        pump.sale(card, 5_000)
        copy = TestCard(card.uid, card.card_no, card.counter + 6, card.fen)
        other_pump.sale(copy, 6_000)
        pump.sale(innocent, 5_000)
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
    watch = CardWatch(engine, lambda: NOW)
    (seen,) = watch.look()
    assert (seen.card_no, seen.kind, seen.what.split()[0]) == (card.number, cards.RISK, "two_pumps")
    assert (state(engine, card), state(engine, innocent)) == ("blocked", "active")
    assert watch.look() == []


def test_r4_a_clock_that_was_not_set_accuses_nobody(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    with database.write(engine) as conn:
        card = registered(conn)
        pump.sale(card, 5_000)
        write = other_pump.write
        other_pump.write = lambda kind, fields, _=0: write(kind, fields, records.TIME_ESTIMATED)  # type: ignore[method-assign]
        other_pump.sale(card, 6_000)
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
    assert found(engine, card) == []


def test_r1_guessed_pins_and_a_tank_too_small_are_seen_in_the_records(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    with database.write(engine) as conn:
        guessed, tanked = card_number(1), card_number(2)
        issue(conn, guessed)
        issue(conn, tanked)
        risk.vehicle(conn, "京A12345", 30_000)
        for _ in range(4):
            pump.write(records.REFUSAL, (guessed.uid, guessed.card_no, codes.REFUSE_PIN, 0, 1, 0, 0, 0))
        pump.write(records.REFUSAL, (bytes(7), bytes(8), codes.REFUSE_PIN, 0, 1, 0, 0, 0))  # before a card was read
        pump.sale(tanked, 36_000, reserved_fen=40_001)
        send(conn, secrets, *pump.written)
    assert (found(engine, guessed), found(engine, tanked)) == (["pin_guesses"], ["tank"])
    with database.write(engine) as conn:
        risk.vehicle(conn, "京A12345", 0)
        assert risk.tanks(conn, ["京A12345"]) == {}


def test_r1_what_the_customer_keyed_in_is_kept_until_the_sale_ends(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """A START in one message, its END in another: kind, driver and odometer stand on the sale in between."""
    card = card_number(3)
    with database.write(engine) as conn:
        issue(conn, card)
        for km in (120_000, 119_000):
            seq = start_after_questions(pump, card, DRIVER, km)
            pump.reserved((257, seq), card, 20_001)
            send(conn, secrets, *pump.written)
            pump.written.clear()
            pump.settled((257, seq), card, 20_001, pump.end(seq, card, 20_001, 5_000))
            send(conn, secrets, *pump.written)
            pump.written.clear()
        s = tables.sales.c
        kept = conn.execute(select(s.card_kind, s.driver, s.odometer_km).order_by(s.id)).all()
        assert sales.verify(conn, secrets) == []
    assert [tuple(row) for row in kept] == [(1, DRIVER.hex(), 120_000), (1, DRIVER.hex(), 119_000)]
    assert found(engine, card) == ["odometer_back"]


def test_sales_of_an_older_program_learn_kind_driver_and_odometer_from_their_records(
    settings: Settings, secrets: Secrets, pump: PumpJournal
) -> None:
    """The migration reads them out of the records; verify() then finds sales and records of one mind."""
    card = card_number(5)
    engine = prepare(settings, T0)
    with database.write(engine) as conn:
        issue(conn, card)
        start_after_questions(pump, card, DRIVER, 77)
        pump.sale(card, 5_000)
        send(conn, secrets, *pump.written)
        migration = import_module("station.platform.migrations.versions.0020_intake")
        conn.execute(update(tables.sales).values(card_kind=None, driver=None, odometer_km=None))
        assert len(sales.verify(conn, secrets)) == 2
        migration._fill(conn)
        assert sales.verify(conn, secrets) == []
    engine.dispose()


def start_after_questions(pump: PumpJournal, card: TestCard, driver: bytes, odometer_km: int) -> int:
    """A START as a pump writes it after driver and kilometres were asked for."""
    body = (
        card.uid, card.card_no, card.counter + 1, 20_001, 0, 1, 756, 1, pump.total_ml, 0, 0, 0, "京A12345".encode(),
        card_layout.KIND_REGISTERED, 0, driver, odometer_km,
    )  # fmt: skip
    pump.write(records.START, body)
    return pump.seq


def test_r3_many_batches_from_many_pumps_are_judged_once_each(engine: Engine, secrets: Secrets) -> None:
    """Two ingests at work side by side on one card's sales: every sale is in its history, nothing is told twice."""
    card = card_number(4)
    with database.write(engine) as conn:
        issue(conn, card)
    journals = [PumpJournal(secrets.device(257 + n).journal, 257 + n, at=T0 + n * 10_000) for n in range(2)]
    for pump in journals:
        for _ in range(6):
            pump.sale(card, 1_000, reserved_fen=2_001)
            pump.at += 300

    def bring(pump: PumpJournal) -> None:
        for at in range(0, len(pump.written), 4):
            with database.write(engine) as conn:
                send(conn, secrets, *pump.written[at : at + 4], pump=f"p{pump.device - 256}")

    threads = [threading.Thread(target=bring, args=(pump,)) for pump in journals]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    names = found(engine, card)
    assert names == ["burst_count"] * 2, "one a pump, as their bursts are hours apart"
    for pump in journals:
        with database.write(engine) as conn:
            send(conn, secrets, *pump.written[:8], pump=f"p{pump.device - 256}")
    assert found(engine, card) == names
