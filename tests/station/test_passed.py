"""D20, D31: settlements that nobody could report. The card was settled but the answer got lost, and the pump that
would have seen it at the next contact has forgotten the sale or never meets the card again. What the card does later,
anywhere, proves it; and it accuses nobody, in any order of arrival.
"""

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine

from pump.core import codes, records
from station import cards, ledger, sales
from station.platform import database
from station.platform.secrets import Secrets
from tests.station.test_order import CARDS, NOW, PUMPS, RESERVED_FEN, Story, in_order, shuffled, undone
from tests.station.world import PumpJournal, TestCard, books, card_number, issue, send

KINDS = ("whole", "torn", "lost", "lost", "uncertain_lost", "unreached", "unreached", "uncertain_open", "empty")

events = st.lists(
    st.tuples(
        st.sampled_from(sorted(PUMPS)),
        st.integers(0, CARDS - 1),
        st.sampled_from(KINDS),
        st.integers(0, 30_000),
        st.sampled_from(sorted(PUMPS)),
    ),
    min_size=1,
    max_size=14,
)


class Forgetful(Story):
    """A story in which reports get lost. unreached: a START whose card never got the reservation, which its pump
    learns only when it meets that card again, and perhaps after another pump has used the same counter."""

    def __init__(self, secrets: Secrets) -> None:
        super().__init__(secrets)
        self.uncertain: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (device, card): (seq, counter)

    def play(self, device: int, which: int, what: str, volume_ml: int, elsewhere: int) -> None:
        pump, card = self.pumps[device], self.cards[which]
        self._learn(device, which)
        if what not in ("lost", "uncertain_lost", "unreached") or card.fen < RESERVED_FEN:
            super().play(device, which, what, volume_ml, elsewhere)
            return
        seq = pump.start(card, RESERVED_FEN)
        if what == "lost":
            pump.reserved((device, seq), card, RESERVED_FEN)
            amount = pump.end(seq, card, RESERVED_FEN, volume_ml)
            card.fen -= amount - RESERVED_FEN
            self.sold_fen += amount
            return
        pump.end(seq, card, RESERVED_FEN, 0, flags=records.FLAG_UNCERTAIN, reason=codes.STOP_UNCERTAIN)
        if what == "uncertain_lost":
            card.counter += 1  # reserved, and settled by somebody who got no answer either
        else:
            self.uncertain.setdefault((device, which), []).append((seq, card.counter + 1))

    def _learn(self, device: int, which: int) -> None:
        """At the next contact the pump writes what the card's counter tells of its uncertain sales (core/visit.py)."""
        pump, card = self.pumps[device], self.cards[which]
        for seq, counter in self.uncertain.pop((device, which), []):
            if card.counter < counter:
                pump.write(records.VOID, (device, seq, card.uid, counter, records.HOW_NEXT_CONTACT))
            else:
                body = (device, seq, card.uid, counter, RESERVED_FEN, 0, RESERVED_FEN, card.fen)
                pump.write(records.SETTLED, (*body, records.HOW_OBSERVED))

    def end(self, device: int) -> None:
        """Every card comes once more and buys nothing."""
        for which, card in enumerate(self.cards):
            self._learn(device, which)
            self.pumps[device].sale(card, 0, reserved_fen=1)


def told(
    engine: Engine, secrets: Secrets, story: Story, batches: list[sales.Batch], per_call: int
) -> dict[str, object]:
    with undone(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        for at in range(0, len(batches), per_call):
            sales.ingest(conn, secrets, batches[at : at + per_call], NOW)
            assert cards.findings(conn) == [], "an honest card is called a clone"
            assert sales.money_invariant(conn).difference_fen == 0
        proved(conn, secrets, story)
        return books(conn)


def proved(conn: Connection, secrets: Secrets, story: Story) -> None:
    """The books say what the cards hold, and wait for nothing."""
    invariant = sales.money_invariant(conn)
    assert invariant.holds and not invariant.waiting, invariant
    assert (invariant.sales_fen, invariant.in_flight_fen) == (story.sold_fen, 0)
    for card in story.cards:
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
    assert ledger.verify(conn) == sales.verify(conn, secrets) == sales.quarantine(conn) == []


@settings(
    max_examples=15,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    events=events,
    last=st.sampled_from(sorted(PUMPS)),
    seed=st.integers(0, 1 << 32),
    per_call=st.integers(1, 20),
)
def test_d20_what_nobody_reported_is_settled_by_the_cards_next_sale_in_any_order(
    engine: Engine,
    secrets: Secrets,
    events: list[tuple[int, int, str, int, int]],
    last: int,
    seed: int,
    per_call: int,
) -> None:
    story = Forgetful(secrets)
    for event in events:
        story.play(*event)
    story.end(last)
    straight = told(engine, secrets, story, in_order(story), 1000)
    assert told(engine, secrets, story, shuffled(story, seed), per_call) == straight


@pytest.fixture
def pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(257).journal, 257)


@pytest.fixture
def other_pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(258).journal, 258)


@pytest.fixture
def card(engine: Engine) -> TestCard:
    with database.write(engine) as conn:
        issue(conn, TestCard())
    return TestCard()


def lost(pump: PumpJournal, card: TestCard, volume_ml: int) -> None:
    """A sale whose settlement the card carried out and no pump could note."""
    seq = pump.start(card, RESERVED_FEN)
    pump.reserved((pump.device, seq), card, RESERVED_FEN)
    card.fen += RESERVED_FEN - pump.end(seq, card, RESERVED_FEN, volume_ml)


def in_flight(conn: Connection, card: TestCard) -> int:
    return ledger.balance(conn, ledger.inflight(card.number))


def test_d20_the_desk_sees_a_card_whose_settlement_got_lost(
    engine: Engine, secrets: Secrets, pump: PumpJournal, card: TestCard
) -> None:
    """The customer wants the money back and never fuels again."""
    lost(pump, card, 5_000)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
        assert in_flight(conn, card) > 0
        sales.observe(conn, card.number, card.counter, card.fen, NOW)
        assert (in_flight(conn, card), ledger.balance(conn, ledger.purse(card.number))) == (0, card.fen)
        assert sales.money_invariant(conn).holds and sales.verify(conn, secrets) == []
        assert [sale.state for sale in sales.recent(conn)] == ["settled"]


def test_d20_a_report_that_comes_after_all_is_the_better_witness(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, card: TestCard
) -> None:
    """The money moves once; the sale then names who settled it."""
    lost(pump, card, 5_000)
    other_pump.sale(card, 3_000)
    amount = sold = 0
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
        assert in_flight(conn, card) == 0
        sold = ledger.total(conn, "sales:")
        (settled,) = [sale for sale in sales.recent(conn) if sale.device == pump.device]
        assert (settled.state, settled.settled) == ("settled", settled.ended)
        amount = settled.amount_fen or 0
        third = PumpJournal(secrets.device(259).journal, 259)
        third.settled((pump.device, settled.seq), TestCard(counter=1), RESERVED_FEN, amount, records.HOW_NEXT_CONTACT)
        send(conn, secrets, *third.written, pump="p3")
        assert (in_flight(conn, card), ledger.total(conn, "sales:")) == (0, sold)
        (settled,) = [sale for sale in sales.recent(conn) if sale.device == pump.device]
        assert settled.how == records.HOW_NEXT_CONTACT
        assert sales.money_invariant(conn).holds and sales.verify(conn, secrets) == sales.quarantine(conn) == []


def test_r4_a_start_that_never_reached_its_card_accuses_nobody(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, card: TestCard
) -> None:
    """Torn at p1, fuelled at p2 under the same counter, back at p1: two sales say counter 1, and only one was."""
    seq = pump.start(card, RESERVED_FEN)
    pump.end(seq, card, RESERVED_FEN, 0, flags=records.FLAG_UNCERTAIN, reason=codes.STOP_UNCERTAIN)
    other_pump.sale(card, 5_000)
    body = (pump.device, seq, card.uid, 1, RESERVED_FEN, 0, RESERVED_FEN, card.fen)
    pump.write(records.SETTLED, (*body, records.HOW_OBSERVED))
    for first, second in ((pump, other_pump), (other_pump, pump)):
        with undone(engine) as conn:
            for one in (first, second):
                send(conn, secrets, *one.written, pump=PUMPS[one.device])
                assert cards.findings(conn) == []
            seen = sales.shadow(conn, card.number)
            assert seen is not None and (seen.state, seen.books_fen) == ("agrees", card.fen)
            assert sales.quarantine(conn) == []


def test_r4_a_clone_is_still_found_behind_a_lost_settlement(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal, card: TestCard
) -> None:
    """What a later sale proves excuses no second sale under one counter."""
    copy = TestCard()
    lost(pump, card, 5_000)
    pump.sale(card, 2_000)
    other_pump.sale(copy, random.Random(1).randrange(1_000, 9_000))
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
        assert sales.money_invariant(conn).differing == (card.number,)
