"""Any order, any repetition, any cut into messages: the same books (D6, D20, D31)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from pump.core import codes, records
from station import ledger, sales
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.world import T0, PumpJournal, TestCard, books, card_number, issue

NOW = T0 + 100_000
PUMPS = {257: "p1", 258: "p2", 259: "p3"}
CARDS = 3
RESERVED_FEN = 15_001

events = st.lists(
    st.tuples(
        st.sampled_from(sorted(PUMPS)),
        st.integers(0, CARDS - 1),
        st.sampled_from(["whole", "whole", "torn", "uncertain_void", "uncertain_open", "refused", "empty"]),
        st.integers(0, 30_000),
        st.sampled_from(sorted(PUMPS)),
    ),
    min_size=1,
    max_size=14,
)


class Story:
    """Plays events on cards and pumps that keep the truth, and collects what the pumps wrote."""

    def __init__(self, secrets: Secrets) -> None:
        self.pumps = {device: PumpJournal(secrets.device(device).journal, device) for device in PUMPS}
        self.cards = [card_number(number) for number in range(CARDS)]
        self.sold_fen = 0

    def play(self, device: int, which: int, what: str, volume_ml: int, elsewhere: int) -> None:
        pump, other, card = self.pumps[device], self.pumps[elsewhere], self.cards[which]
        # One clock for all: an honest card is in one reader at a time.
        now = max(known.at for known in self.pumps.values())
        for known in self.pumps.values():
            known.at = now
        if what == "refused" or card.fen < RESERVED_FEN:
            pump.write(records.REFUSAL, (card.uid, card.card_no, codes.REFUSE_BALANCE, 0, 1, 0, card.fen, card.counter))
            return
        seq = pump.start(card, RESERVED_FEN)
        sale = (device, seq)
        if what.startswith("uncertain"):
            pump.end(seq, card, RESERVED_FEN, 0, flags=records.FLAG_UNCERTAIN, reason=codes.STOP_UNCERTAIN)
            if what == "uncertain_void":
                pump.write(records.VOID, (*sale, card.uid, card.counter + 1, records.HOW_NEXT_CONTACT))
                return
            card.counter, card.fen = card.counter + 1, card.fen - RESERVED_FEN
            other.at = pump.at
            other.settled(sale, card, RESERVED_FEN, 0, records.HOW_NEXT_CONTACT)
            return
        pump.reserved(sale, card, RESERVED_FEN)
        amount = pump.end(seq, card, RESERVED_FEN, 0 if what == "empty" else volume_ml)
        self.sold_fen += amount
        if what == "torn":
            other.at = pump.at
            other.settled(sale, card, RESERVED_FEN, amount, records.HOW_NEXT_CONTACT)
            if other is not pump:  # the sale's own pump meets the card later and reports what it sees
                body = (*sale, card.uid, card.counter, RESERVED_FEN, amount, RESERVED_FEN - amount, card.fen)
                pump.write(records.SETTLED, (*body, records.HOW_OBSERVED))
        else:
            pump.settled(sale, card, RESERVED_FEN, amount)


@contextmanager
def undone(engine: Engine) -> Iterator[Connection]:
    """A writer's transaction that leaves nothing behind, so that hundreds of histories share one database."""
    with engine.connect().execution_options(pumpside_write=True) as conn:
        yield conn
        conn.rollback()


def told(
    engine: Engine, secrets: Secrets, story: Story, batches: list[sales.Batch], per_call: int
) -> dict[str, object]:
    with undone(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        for at in range(0, len(batches), per_call):
            acks = sales.ingest(conn, secrets, batches[at : at + per_call], NOW)
        final = {ack.pump: ack.seq for ack in acks}
        assert all(seq <= len(story.pumps[257 + int(name[1]) - 1].written) for name, seq in final.items())
        invariant = sales.money_invariant(conn)
        assert invariant.holds and not invariant.waiting, invariant
        assert invariant.sales_fen == story.sold_fen
        assert {card.number: card.fen for card in story.cards} == {
            card.number: ledger.balance(conn, ledger.purse(card.number)) for card in story.cards
        }
        assert ledger.verify(conn) == []
        assert sales.verify(conn, secrets) == []
        assert sales.quarantine(conn) == []
        return books(conn)


def in_order(story: Story) -> list[sales.Batch]:
    return [
        sales.Batch("s1", PUMPS[device], b"".join(pump.written[at : at + 8]))
        for device, pump in story.pumps.items()
        for at in range(0, len(pump.written), 8)
    ]


def shuffled(story: Story, seed: int) -> list[sales.Batch]:
    """Every record at least once, in messages cut anywhere, some of them again, in any order."""
    chance = random.Random(seed)
    batches = []
    for device, pump in story.pumps.items():
        at = 0
        while at < len(pump.written):
            size = chance.randint(1, 8)
            batches.append(sales.Batch("s1", PUMPS[device], b"".join(pump.written[at : at + size])))
            at += chance.randint(1, size)  # the next message may repeat the end of this one
    batches += chance.sample(batches, k=len(batches) // 2)
    chance.shuffle(batches)
    return batches


@settings(
    max_examples=40,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(events=events, seed=st.integers(0, 1 << 32), per_call=st.integers(1, 20))
def test_every_order_and_repetition_gives_the_same_books(
    engine: Engine, secrets: Secrets, events: list[tuple[int, int, str, int, int]], seed: int, per_call: int
) -> None:
    """The truth is what the cards and pumps of the story hold; both histories must come to it."""
    story = Story(secrets)
    for event in events:
        story.play(*event)
    straight = told(engine, secrets, story, in_order(story), 1000)
    assert told(engine, secrets, story, shuffled(story, seed), per_call) == straight


@settings(
    max_examples=30,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    events=events,
    seed=st.integers(0, 1 << 32),
    rubbish=st.lists(st.tuples(st.sampled_from(["p1", "p2", "p9"]), st.binary(max_size=300)), max_size=8),
    flips=st.lists(st.integers(0, 1 << 30), max_size=8),
)
def test_rubbish_and_forgeries_between_the_records_change_nothing(
    engine: Engine, secrets: Secrets, events: list[tuple[int, int, str, int, int]], seed: int,
    rubbish: list[tuple[str, bytes]], flips: list[int],
) -> None:  # fmt: skip
    """X1: bytes from anywhere and flipped bits are kept in quarantine, raise nothing and move no fen."""
    story = Story(secrets)
    for event in events:
        story.play(*event)
    genuine = in_order(story)
    bad = [sales.Batch("s1", pump, raw) for pump, raw in rubbish]
    for flip in flips:
        batch = genuine[flip % len(genuine)]
        at = flip % (len(batch.raw) * 8)
        raw = bytearray(batch.raw)
        raw[at // 8] ^= 1 << at % 8
        bad.append(sales.Batch(batch.station, batch.pump, bytes(raw)))
    mixed = genuine + bad
    random.Random(seed).shuffle(mixed)
    with undone(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        for batch in [*mixed, *genuine]:
            sales.ingest(conn, secrets, [batch], NOW)
        assert sales.money_invariant(conn).sales_fen == story.sold_fen
        assert sales.verify(conn, secrets) == []
        assert sales.gaps(conn) == []
        assert sales.quarantine_count(conn) >= (1 if bad else 0)


def test_the_stories_reach_every_way_a_sale_can_go(engine: Engine, secrets: Secrets) -> None:
    """Guards the two tests above against becoming empty."""
    story = Story(secrets)
    for what in ("whole", "torn", "uncertain_void", "uncertain_open", "refused", "empty"):
        story.play(257, 0, what, 4_000, 258)
    with database.write(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        sales.ingest(conn, secrets, in_order(story), NOW)
        assert sorted(sale.state for sale in sales.recent(conn)) == ["settled"] * 4 + ["void"]
        assert len(sales.refusals(conn)) == 1
        assert {sale.how for sale in sales.recent(conn)} == {None, records.HOW_SALE, records.HOW_NEXT_CONTACT}
        assert isinstance(story.cards[0], TestCard) and story.cards[0].counter == 4
