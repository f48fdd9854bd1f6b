"""Y7: each day's statement of a gateway against our payments; every difference is found, kept and named."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station import payments
from station.payments import statements, tables
from station.payments.gateway import Line, Statement, china_day
from station.platform import clock, database
from tests.payments.conftest import FACES, Shop
from tests.payments.test_refunds import held

__all__ = ["held"]

TODAY = china_day(clock.now())


def _yesterday(shop: Shop, face: str, fen: int) -> payments.Payment:
    """A payment of yesterday, by both books."""
    order = shop.order(face, fen, "held:7")
    trade = shop.pays(order)
    trade.paid_at -= 86_400
    with database.write(shop.engine) as conn:
        outcome = shop.gateways[face].query(order.order_no)
        assert payments.book.settle(conn, face, outcome, clock.now())
    return shop.read(order.order_no)


@pytest.mark.parametrize("face", FACES)
def test_y7_the_documented_file_is_fetched_read_and_agrees(shop: Shop, face: str) -> None:
    day = TODAY - timedelta(days=1)
    _fresh(shop, face)
    paid = [_yesterday(shop, face, fen) for fen in (1, 12_345, 100_000)]
    with database.write(shop.engine) as conn:
        asked = payments.refund(conn, paid[1].order_no, 345, "bill:9", "chen", "多付", clock.now() - 86_400)
    trade = shop.bench.trades.get(face, paid[1].order_no)
    back, _ = shop.bench.trades.refund(trade, asked.refund_no, 345, clock.now() - 86_400, at_once=True)
    with database.write(shop.engine) as conn:
        gone = payments.refunds.RefundOutcome(asked.refund_no, paid[1].order_no, "done", back.trade_no, back.done_at)
        assert payments.refunds.settle(conn, face, gone, clock.now())
    found = payments.fetch(shop.engine, shop.gateways[face], day.isoformat(), "chen", clock.now())
    assert (found.matched, found.differences) == (4, ())
    assert found.theirs_fen == found.ours_fen == 1 + 12_345 + 100_000 - 345
    with database.read(shop.engine) as conn:
        raw = conn.execute(tables.statements.select().where(tables.statements.c.id == found.id)).one().raw
    assert len(raw) > 100, "the file itself is kept"


@pytest.mark.parametrize("face", FACES)
def test_y7_every_kind_of_difference_is_named_and_nothing_is_mended(shop: Shop, face: str) -> None:
    day = TODAY - timedelta(days=1)
    _fresh(shop, face)
    wrong, missing, unknown = (_yesterday(shop, face, fen) for fen in (500, 600, 700))
    shop.bench.trades.get(face, wrong.order_no).amount_fen = 505
    del shop.bench.trades.all[face, missing.order_no]
    never = shop.order(face, 800, "held:8")
    shop.pays(never).paid_at -= 86_400
    found = payments.fetch(shop.engine, shop.gateways[face], day.isoformat(), "chen", clock.now())
    told = {(one.kind, one.order_no, one.ours_fen, one.theirs_fen) for one in found.differences}
    assert told == {
        ("amount", wrong.order_no, 500, 505),
        ("missing_there", missing.order_no, 600, 0),
        ("missing_here", never.order_no, 0, 800),
    }
    assert found.matched == 1 and shop.read(unknown.order_no).state == "paid"
    assert shop.read(never.order_no).state == "made", "a statement mends nothing by itself"
    payments.look(shop.engine, shop.gateways, never.order_no, clock.now())
    again = payments.fetch(shop.engine, shop.gateways[face], day.isoformat(), "chen", clock.now())
    assert "missing_here" not in {one.kind for one in again.differences}
    with database.read(shop.engine) as conn:
        assert payments.report(conn, found.id) == found, "what was found once stays as it was found"


@pytest.mark.parametrize("face", FACES)
def test_y7_a_day_without_trade_has_an_empty_statement_and_today_has_none(shop: Shop, face: str) -> None:
    long_ago = (TODAY - timedelta(days=40)).isoformat()
    found = payments.fetch(shop.engine, shop.gateways[face], long_ago, "chen", clock.now())
    assert (found.matched, found.differences, found.theirs_fen) == (0, (), 0)
    with pytest.raises(ValueError, match="next"):
        payments.fetch(shop.engine, shop.gateways[face], TODAY.isoformat(), "chen", clock.now())


def test_y7_yesterdays_statement_is_fetched_by_itself_from_ten_oclock(shop: Shop) -> None:
    noon = int(statements.datetime.combine(TODAY, statements.time(12), statements.CHINA).timestamp())
    day = (TODAY - timedelta(days=1)).isoformat()
    payments.Watch(shop.engine, shop.gateways, lambda: noon).step()
    with database.read(shop.engine) as conn:
        assert all(statements.has(conn, face, day) for face in FACES)


def _fresh(shop: Shop, face: str) -> None:
    """The gateway forgets other stories' trades, and the station takes theirs for another day's."""
    for name in [name for name in shop.bench.trades.all if name[0] == face]:
        del shop.bench.trades.all[name]
    with database.write(shop.engine) as conn:
        conn.execute(tables.payments.update().where(tables.payments.c.gateway == face).values(paid_at=1))
        conn.execute(tables.payments.update().where(tables.payments.c.state == "made").values(state="closed"))
        conn.execute(tables.refunds.update().values(done_at=1))


NAMES = st.sampled_from([(f"P{n}", r) for n in range(4) for r in ("", "R1")])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(NAMES, st.integers(1, 3)), max_size=8), st.dictionaries(NAMES, st.integers(1, 3)), st.data())
def test_y7_lines_and_payments_are_each_accounted_for_exactly_once(
    theirs: list[tuple[tuple[str, str], int]], ours: dict[tuple[str, str], int], data: st.DataObject
) -> None:
    expected = data.draw(st.lists(st.sampled_from(sorted(ours)), unique=True)) if ours else []
    lines = [Line("refund" if name[1] else "pay", *name, "t", fen, 1) for name, fen in theirs]
    matched, found = statements.compare(lines, ours, expected)
    told = {name for name, _ in theirs}
    named = {(one.order_no, one.refund_no) for one in found}
    agree = {n for n in told if sum(name == n for name, _ in theirs) == 1 and ours.get(n) == dict(theirs)[n]}
    assert matched == len(agree)
    assert named == (told - agree) | (set(expected) - told)
    assert len(found) == len(named)
    assert Statement(b"", tuple(lines)).lines == tuple(lines)
