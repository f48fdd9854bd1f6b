"""D20, D31: settlements that come before their sale, or for a sale that nobody began, in any order of arrival."""

import random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from pump.core import codes, records
from station import sales
from station.platform.secrets import Secrets
from station.sales import reasons
from tests.station.test_order import CARDS, NOW, PUMPS, Story, events, shuffled, undone
from tests.station.world import PumpJournal, TestCard, books, card_number, issue

ANY_ORDER = settings(
    max_examples=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ANY_ORDER
@given(seed=st.integers(0, 1 << 32), per_call=st.integers(1, 4))
def test_d20_a_settlement_of_a_sale_that_nobody_began_moves_nothing_and_is_found_in_any_order(
    engine: Engine, secrets: Secrets, seed: int, per_call: int
) -> None:
    """Number 1 of p1 is a refusal. p2 settles a "sale" 257/1, and one of a number that p1 has not come to yet."""
    first, second = (PumpJournal(secrets.device(device).journal, device) for device in (257, 258))
    card, victim = card_number(0), card_number(1)
    first.write(records.REFUSAL, (card.uid, card.card_no, codes.REFUSE_BALANCE, 0, 1, 0, card.fen, card.counter))
    first.sale(card, 5_000)
    ghost = TestCard(victim.uid, victim.card_no, 1, victim.fen - 9_000)
    second.settled((257, 1), ghost, 9_000, 8_000)
    second.settled((257, 99), ghost, 9_000, 8_000)
    batches = [sales.Batch("s1", PUMPS[pump.device], record) for pump in (first, second) for record in pump.written]

    def told(batches: list[sales.Batch], per_call: int) -> tuple[dict[str, object], list[tuple[str, str]]]:
        with undone(engine) as conn:
            issue(conn, card_number(0))
            issue(conn, card_number(1))
            for at in range(0, len(batches), per_call):
                sales.ingest(conn, secrets, batches[at : at + per_call], NOW)
            assert sales.verify(conn, secrets) == []
            invariant = sales.money_invariant(conn)
            assert invariant.difference_fen == 0 and not invariant.differing
            assert invariant.waiting == (victim.number,)
            return books(conn), [(row.reason, row.place) for row in sales.quarantine(conn)]

    straight = told(batches, 100)
    assert straight[1] == [(reasons.BAD_SETTLEMENT, "257/1")]
    mixed = batches + random.Random(seed).sample(batches, k=3)
    random.Random(seed).shuffle(mixed)
    assert told(mixed, per_call) == straight
    balances = straight[0]["balances"]
    assert isinstance(balances, dict) and balances["fen"][f"purse:{victim.number}"] == 100_000


@ANY_ORDER
@given(events=events, seed=st.integers(0, 1 << 32))
def test_d31_an_honest_card_is_never_called_different_whatever_is_still_out(
    engine: Engine, secrets: Secrets, events: list[tuple[int, int, str, int, int]], seed: int
) -> None:
    """After every single message: a card agrees or waits for records; a report of a later contact overtakes freely."""
    story = Story(secrets)
    for event in events:
        story.play(*event)
    with undone(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        for batch in shuffled(story, seed):
            sales.ingest(conn, secrets, [batch], NOW)
            assert [shadow for shadow in sales.shadows(conn) if shadow.state == "differs"] == []
            assert sales.money_invariant(conn).difference_fen == 0


def test_d31_an_observed_settlement_that_overtakes_while_an_earlier_one_is_out(
    engine: Engine, secrets: Secrets
) -> None:
    story = Story(secrets)
    story.play(258, 0, "torn", 4_000, 259)
    story.play(257, 0, "torn", 4_000, 259)
    own, out = [story.pumps[258], story.pumps[257]], story.pumps[259]
    with undone(engine) as conn:
        for card in range(CARDS):
            issue(conn, card_number(card))
        for pump in own:
            sales.ingest(conn, secrets, [sales.Batch("s1", PUMPS[pump.device], b"".join(pump.written[:3]))], NOW)
        overtaking = story.pumps[257].written[3]
        sales.ingest(conn, secrets, [sales.Batch("s1", "p1", overtaking)], NOW)
        # The later sale proves that the earlier one was settled, although its report is still out: no money waits.
        assert [shadow.state for shadow in sales.shadows(conn)] == ["agrees"] * 3
        assert [shadow.in_flight_fen for shadow in sales.shadows(conn)] == [0] * 3
        sales.ingest(conn, secrets, [sales.Batch("s1", "p3", b"".join(out.written))], NOW)
        sales.ingest(conn, secrets, [sales.Batch("s1", "p2", story.pumps[258].written[3])], NOW)
        assert [shadow.state for shadow in sales.shadows(conn)] == ["agrees"] * 3
        assert sales.money_invariant(conn).holds
