"""Cards that the records speak against are blocked everywhere; honest ones never are (R4, D31)."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from pump.core import records
from station import cards, forecourt, sales
from station.cards import issuing, loading, registry
from station.dashboard.hub import MOST_CARDS, Hub
from station.dashboard.reads import StationSource
from station.mqtt import card_watch
from station.mqtt.card_watch import CardWatch
from station.mqtt.outbound import Outbound
from station.platform import database, pki
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tests.station.test_order import CARDS, PUMPS, Story, events, undone
from tests.station.world import T0, PumpJournal, TestCard, issue, send

NOW = T0 + 100_000
ORDER = issuing.Order(holder="张三", document="1101")


@pytest.fixture
def pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(257).journal)


@pytest.fixture
def other_pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(258).journal, 258)


def registered(conn: Connection, number: int = 1) -> TestCard:
    """A card as the desk issues and loads it, 1,000 yuan on it."""
    uid = bytes([4]) + number.to_bytes(6, "big")
    card_no = issuing.begin(conn, uid, ORDER, 1, T0)
    issuing.complete(conn, card_no, "王芳", T0)
    card = TestCard(uid=uid, card_no=bytes.fromhex(card_no))
    issue(conn, card)
    return card


def clone(card: TestCard) -> TestCard:
    return TestCard(card.uid, card.card_no, card.counter, card.fen)


def state(engine: Engine, card: TestCard) -> str:
    with database.read(engine) as conn:
        known = cards.card(conn, card.number)
        assert known is not None
        return known.state


def shown(engine: Engine, monkeypatch: pytest.MonkeyPatch, now: int = NOW) -> list[tuple[str, str]]:
    """The station's lines in the header's list of alarms."""
    monkeypatch.setattr(time, "time", lambda: float(now))
    hub = Hub(StationSource(forecourt.LiveBoard(), engine))
    asyncio.run(hub.refresh())
    assert hub.failure == ""
    return [line.words for line in hub.alarms(())]


def test_a_cloned_card_is_blocked_everywhere(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R4: one counter at two pumps, blocked by the system, and the new list is due to all pumps at the next sending."""
    with database.write(engine) as conn:
        card, innocent = registered(conn, 1), registered(conn, 2)
        outbound = Outbound()
        outbound.due(conn, NOW)
        version = forecourt.blacklist(conn).version
        copy = clone(card)
        pump.sale(card, 5_000)
        pump.sale(innocent, 4_000)
        seq = other_pump.sale(copy, 6_000)
        send(conn, secrets, *pump.written)
    watch = CardWatch(engine, lambda: NOW)
    assert watch.look() == []
    with database.write(engine) as conn:
        send(conn, secrets, *other_pump.written, pump="p2")
    assert [(found.card_no, found.kind, found.what) for found in watch.look()] == [
        (card.number, cards.COUNTER_TWICE, f"258/{seq}")
    ]
    assert (state(engine, card), state(engine, innocent)) == ("blocked", "active")
    with database.write(engine) as conn:
        black = forecourt.blacklist(conn)
        assert (black.version, black.cards) == (version + 1, (card.number,))
        sent = [s.reply for s in outbound.due(conn, NOW) if s.reply.leaf == "lists"]
        assert [reply.pump for reply in sent] == ["p1", "p2", "p3", "p4"]
        assert all(reply.message["black"] == [[card.number], []] for reply in sent)
        last = cards.events(conn, card.number)[-1]
        assert (last.event, last.by, last.detail) == ("blocked", "system", f"system:counter_twice 258/{seq}")
    assert watch.look() == []
    number = " ".join(card.number[at : at + 4] for at in range(0, 16, 4))
    (line,) = [words for words in shown(engine, monkeypatch) if number in words[0]]
    assert "计数重复" in line[0] and "系统已停用" in line[0] and "counter seen twice" in line[1]


def test_a_full_list_at_the_pumps_stops_one_block_and_not_the_others(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.forecourt.card_lists.MOST", 1)
    monkeypatch.setattr("pump.core.lists.MOST_CHANGES", 0)  # every change makes a new base, whose size is checked
    with database.write(engine) as conn:
        pair = [registered(conn, 1), registered(conn, 2)]
        for card in pair:
            copy = clone(card)
            pump.sale(card, 5_000)
            other_pump.sale(copy, 6_000)
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
    watch = CardWatch(engine, lambda: NOW)
    assert len(watch.look()) == 1
    assert sorted(state(engine, card) for card in pair) == ["active", "blocked"]
    monkeypatch.setattr("station.forecourt.card_lists.MOST", 2)
    assert len(watch.look()) == 1
    assert [state(engine, card) for card in pair] == ["blocked", "blocked"]


def test_the_watch_runs_by_itself_and_outlives_a_database_that_fails(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the ingest process starts it: nobody calls look()."""
    assert card_watch.EVERY_S <= 20  # found, blocked and sent within a minute
    with database.write(engine) as conn:
        card = registered(conn)
        copy = clone(card)
        pump.sale(card, 5_000)
        other_pump.sale(copy, 6_000)
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
    failed, findings = threading.Event(), cards.findings

    def failing_once(conn: Connection) -> list[cards.Finding]:
        if not failed.is_set():
            failed.set()
            raise OperationalError("", {}, Exception("disk"))
        return findings(conn)

    monkeypatch.setattr(cards, "findings", failing_once)
    with CardWatch(engine, lambda: NOW, every_s=0.02):
        until = time.monotonic() + 20
        while state(engine, card) != "blocked" and time.monotonic() < until:
            time.sleep(0.02)
    assert failed.is_set() and state(engine, card) == "blocked"


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_the_ingest_process_blocks_a_cloned_card_within_a_minute(
    engine: Engine, secrets: Secrets, settings: Settings, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """R4: the process as `pumpside run` starts it; that no broker answers does not matter to the watch."""
    with database.write(engine) as conn:
        card = registered(conn)
        copy = clone(card)
        pump.sale(card, 5_000)
        other_pump.sale(copy, 6_000)
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
    pki.ensure(settings.pki_dir)
    with socket.socket() as taken:  # bound and not listening: whoever connects is refused
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        env = {**os.environ, "PUMPSIDE_DATA_DIR": str(settings.data_dir), "PUMPSIDE_BROKER_PORT": port}
        started = time.monotonic()
        process = subprocess.Popen([sys.executable, "-m", "station", "ingest"], env=env)
        try:
            while state(engine, card) != "blocked" and time.monotonic() - started < 60:
                assert process.poll() is None
                time.sleep(0.2)
        finally:
            process.terminate()
            ended = process.wait(20)
    assert state(engine, card) == "blocked" and ended == 0


def test_one_fen_removed_from_a_card_is_alarmed_and_the_card_blocked_at_its_next_contact(
    engine: Engine, secrets: Secrets, pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D31: found as soon as the pump's reservation is in, while the sale still runs."""
    with database.write(engine) as conn:
        card = registered(conn)
        pump.sale(card, 5_000)
        send(conn, secrets, *pump.written)
    watch = CardWatch(engine, lambda: NOW)
    assert watch.look() == []
    card.fen -= 1
    seq = pump.start(card, 20_001)
    pump.reserved((257, seq), card, 20_001)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written[-2:])
    assert [(found.kind, found.what) for found in watch.look()] == [(cards.DIFFERS, "-1")]
    assert state(engine, card) == "blocked"
    lines = shown(engine, monkeypatch)
    assert any("相差 −0.01 元，系统已停用" in zh and "−0.01 yuan" in en for zh, en in lines)
    assert any("资金不平衡" in zh for zh, _ in lines)
    amount = pump.end(seq, card, 20_001, 5_000)
    pump.settled((257, seq), card, 20_001, amount)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written[-2:])
    assert watch.look() == []


def test_a_persons_unblock_holds_until_something_new_is_found(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """The old fen stays missing and blocks nothing again, nor with a torn load beside it; the next fen does."""
    watch = CardWatch(engine, lambda: NOW)

    def sale(card: TestCard) -> list[tuple[str, str]]:
        pump.sale(card, 1_000)
        with database.write(engine) as conn:
            send(conn, secrets, *pump.written[-4:])
        return [(found.kind, found.what) for found in watch.look()]

    with database.write(engine) as conn:
        card = registered(conn)
    card.fen -= 1
    assert sale(card) == [(cards.DIFFERS, "-1")]
    with database.write(engine) as conn:
        registry.unblock(conn, card.number, "王芳", NOW)
        version = forecourt.blacklist(conn).version
    assert sale(card) == [] and sale(card) == []
    with database.write(engine) as conn:  # a load that the desk did not see arrive
        loading.pay(conn, card.number, 10_000, "desk", NOW)
    card.fen += 10_000
    assert sale(card) == []
    assert state(engine, card) == "active"
    with database.read(engine) as conn:
        assert forecourt.blacklist(conn).version == version and forecourt.blacklist(conn).cards == ()
        assert cards.alarms(conn, NOW) == []
    card.fen -= 1
    assert [kind for kind, _ in sale(card)] == [cards.DIFFERS]
    assert state(engine, card) == "blocked"


def test_an_unblocked_clone_is_blocked_again_at_its_next_counter(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """R4: whoever unblocks it has seen the first finding, not the second."""
    watch = CardWatch(engine, lambda: NOW)
    with database.write(engine) as conn:
        card = registered(conn)
    copy = clone(card)

    def both() -> int:
        pump.sale(card, 1_000)
        other_pump.sale(copy, 2_000)
        with database.write(engine) as conn:
            send(conn, secrets, *pump.written[-4:])
            send(conn, secrets, *other_pump.written[-4:], pump="p2")
        return len(watch.look())

    assert both() == 1
    with database.write(engine) as conn:
        registry.unblock(conn, card.number, "王芳", NOW)
    pump.sale(card, 1_000)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written[-4:])
    assert watch.look() == [] and state(engine, card) == "active"
    other_pump.sale(copy, 2_000)
    with database.write(engine) as conn:
        send(conn, secrets, *other_pump.written[-4:], pump="p2")
    assert len(watch.look()) == 1 and state(engine, card) == "blocked"


def test_a_card_with_a_torn_load_is_not_blocked(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    """The load reached the card before the desk saw it: as much as is pending is no difference, a fen more is."""
    watch = CardWatch(engine, lambda: NOW)
    with database.write(engine) as conn:
        card, cheat = registered(conn, 1), registered(conn, 2)
        for one in (card, cheat):
            loading.pay(conn, one.number, 50_000, "desk", NOW)
    card.fen += 50_000
    cheat.fen += 50_001
    pump.sale(card, 5_000)
    pump.sale(cheat, 5_000)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
    assert [found.card_no for found in watch.look()] == [cheat.number]
    assert state(engine, card) == "active"
    with database.read(engine) as conn:
        assert cards.alarms(conn, NOW + 10 * cards.WAITING_MAX_S)[1:] == []
    with database.write(engine) as conn:  # the desk meets the card
        load = loading.waiting(conn, card.number)
        assert load is not None
        loading.done(conn, load, "王芳", NOW)
        sales.observe(conn, card.number, card.counter, card.fen, NOW)
        seen = sales.shadow(conn, card.number)
        assert seen is not None and seen.state == "agrees"
    assert watch.look() == []


def test_a_card_reported_lost_keeps_its_reason_and_the_finding_stands_in_its_history(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """So that who gives it back has seen it, and it is not blocked again for that."""
    watch = CardWatch(engine, lambda: NOW)
    with database.write(engine) as conn:
        card = registered(conn)
        registry.block(conn, card.number, registry.LOST, "王芳", T0)
    card.fen -= 500
    pump.sale(card, 1_000)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
    assert len(watch.look()) == 1 and watch.look() == []
    with database.write(engine) as conn:
        known = cards.card(conn, card.number)
        assert known is not None and (known.state, known.block_reason) == ("blocked", "lost")
        assert [e.event for e in cards.events(conn, card.number)] == ["issued", "blocked", "found"]
        registry.unblock(conn, card.number, "王芳", NOW)
    assert watch.look() == [] and state(engine, card) == "active"


def test_waiting_for_records_is_an_alarm_only_when_it_lasts_too_long(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pump without a line for a day: shown, nothing blocked; gone as soon as its records are in."""
    watch = CardWatch(engine, lambda: NOW)
    with database.write(engine) as conn:
        card = registered(conn)
        pump.sale(card, 1_000)
        other_pump.at = pump.at + 600
        other_pump.sale(card, 2_000)
        send(conn, secrets, *other_pump.written, pump="p2", now=NOW)
    late = NOW + cards.WAITING_MAX_S
    assert shown(engine, monkeypatch, late - 1) == []
    (line,) = shown(engine, monkeypatch, late)
    assert "等待记录过久" in line[0] and "waited too long" in line[1]
    assert watch.look() == [] and state(engine, card) == "active"
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written, now=late)
    assert shown(engine, monkeypatch, late + 1) == []


def test_many_suspects_do_not_flood_the_list_and_odd_reasons_do_not_break_it(
    engine: Engine, secrets: Secrets, pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.write(engine) as conn:
        for number in range(1, MOST_CARDS + 4):
            card = registered(conn, number)
            card.fen -= number
            pump.sale(card, 1_000)
        send(conn, secrets, *pump.written)
        worded = registered(conn, 99)
        registry.block(conn, worded.number, "system:differs by much", "王芳", NOW)
    assert len(CardWatch(engine, lambda: NOW).look()) == MOST_CARDS + 3
    lines = shown(engine, monkeypatch)
    assert len([zh for zh, _ in lines if "系统已停用" in zh]) == MOST_CARDS
    assert ("另有 3 张卡需要查看", "3 more cards to look at") in lines


def test_a_card_of_nobody_cannot_be_blocked_and_stops_nothing(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """Its records lie in quarantine as of an unknown card; the registered one beside it is found all the same."""
    stranger = TestCard()
    with database.write(engine) as conn:
        card = registered(conn)
        card.fen -= 1
        pump.sale(stranger, 1_000)
        pump.sale(card, 1_000)
        send(conn, secrets, *pump.written)
    assert [found.card_no for found in CardWatch(engine, lambda: NOW).look()] == [card.number]


@examples(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story_of=events, seed=st.integers(0, 1 << 32))
def test_honest_cards_are_never_blocked_in_whatever_order_the_pumps_report(
    engine: Engine, secrets: Secrets, story_of: list[tuple[int, int, str, int, int]], seed: int
) -> None:
    """Looked at after every single record: a card between two records is waiting, never a suspect."""
    story, chance = Story(secrets), random.Random(seed)
    with undone(engine) as conn:
        story.cards = [registered(conn, number) for number in range(1, CARDS + 1)]
        for event in story_of:
            story.play(*event)
        turns = [device for device, pump in story.pumps.items() for _ in pump.written]
        chance.shuffle(turns)
        rest = {device: list(pump.written) for device, pump in story.pumps.items()}
        for device in turns:
            sales.ingest(conn, secrets, [sales.Batch("s1", PUMPS[device], rest[device].pop(0))], NOW)
            assert cards.findings(conn) == []


def test_a_report_of_what_was_seen_later_does_not_make_a_card_suspect(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """Settled at p2, which is silent; its own pump reports that it is past; the sale before is not settled yet."""
    third = PumpJournal(secrets.device(259).journal, 259)
    with database.write(engine) as conn:
        card = registered(conn)
        third.sale(card, 3_000)
        pump.at = third.at + 600
        seq = pump.start(card, 20_001)
        sale = (257, seq)
        pump.reserved(sale, card, 20_001)
        amount = pump.end(seq, card, 20_001, 5_000)
        other_pump.at = pump.at + 60
        other_pump.settled(sale, card, 20_001, amount, records.HOW_NEXT_CONTACT)
        card.fen -= 20_001 - amount  # what the next line adds again: this settlement is the same one
        pump.settled(sale, card, 20_001, amount, records.HOW_OBSERVED)
        for name, sent in (("p3", third.written[:3]), ("p1", pump.written), ("p2", other_pump.written)):
            send(conn, secrets, *sent, pump=name)
            assert cards.findings(conn) == []
        send(conn, secrets, *third.written, pump="p3")
        seen = sales.shadow(conn, card.number)
        assert seen is not None and (seen.state, seen.books_fen) == ("agrees", card.fen)
