"""Records become sales, postings, stock and acknowledgements: D6, D18, D20, D31, C3, I1, B4, X1."""

import pytest
from sqlalchemy import Engine, func, select

from pump.core import codes, money, records
from station import ledger, sales, wetstock
from station.platform import database
from station.platform.secrets import Secrets
from station.sales import reasons, tables
from tests.station.world import T0, PumpJournal, TestCard, card_number, issue, send

NOW = T0 + 100_000


@pytest.fixture
def pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(257).journal, 257)


@pytest.fixture
def other_pump(secrets: Secrets) -> PumpJournal:
    return PumpJournal(secrets.device(258).journal, 258)


def reasons_kept(engine: Engine) -> list[str]:
    with database.read(engine) as conn:
        return sorted(row.reason for row in sales.quarantine(conn))


def test_a_sale_moves_money_fuel_and_hours_in_one_transaction(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D20, C3, I1, B4: 10.00 L at 7.56 take 75.60 yuan off the card and 10 L out of the tank."""
    card = TestCard()
    with database.write(engine) as conn:
        issue(conn, card)
        before = {tank.grade: tank.stock_ml for tank in wetstock.tanks(conn)}
    seq = pump.sale(card, 10_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written) == 4
    with database.read(engine) as conn:
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen == 100_000 - 7_560
        assert ledger.balance(conn, ledger.inflight(card.number)) == 0
        assert ledger.balance(conn, ledger.sales(1)) == 7_560
        assert {tank.grade: tank.stock_ml for tank in wetstock.tanks(conn)} == {**before, 1: before[1] - 10_000}
        (hour,) = sales.hourly(conn, 0, 1 << 40)
        assert (hour.grade, hour.sales, hour.volume_ml, hour.amount_fen) == (1, 1, 10_000, 7_560)
        found = sales.sale(conn, 257, seq)
        assert found is not None
        assert (found.state, found.pump, found.plate, found.volume_ml) == ("settled", "p1", "京A12345", 10_000)
        assert (found.total_end_ml or 0) - (found.total_start_ml or 0) == 10_000
        invariant = sales.money_invariant(conn)
        assert invariant.holds
        assert (invariant.paid_in_fen, invariant.cards_fen, invariant.sales_fen) == (100_000, 92_440, 7_560)
        assert ledger.verify(conn) == []


def test_while_fuelling_the_reserved_money_is_in_flight(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    """D31: card + station + in flight stays constant in the middle of a sale."""
    card = TestCard()
    seq = pump.start(card, 20_001)
    pump.reserved((257, seq), card, 20_001)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        assert ledger.balance(conn, ledger.inflight(card.number)) == 20_001
        found = sales.sale(conn, 257, seq)
        assert found is not None and found.state == "open"
        assert sales.money_invariant(conn).holds
        assert [sale.seq for sale in sales.unfinished_of(conn, card.number)] == [seq]


def test_an_unacknowledged_batch_comes_again_and_changes_nothing(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D6: every sequence reaches the database once, however often it is sent."""
    card = TestCard()
    pump.sale(card, 5_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        for _ in range(3):
            assert send(conn, secrets, *pump.written) == 4
        assert conn.execute(select(func.count()).select_from(tables.records)).scalar() == 4
        assert ledger.balance(conn, ledger.sales(1)) == money.amount_fen(5_000, 756)
    assert reasons_kept(engine) == []


def test_a_gap_is_shown_and_acknowledged_only_up_to_it_then_closes(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D6: records behind a gap are kept, not acknowledged, and count once the missing one is in."""
    card = TestCard()
    pump.sale(card, 5_000)
    pump.sale(card, 6_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        assert send(conn, secrets, *pump.written[:2]) == 2
        assert send(conn, secrets, *pump.written[3:]) == 2
        (gap,) = sales.gaps(conn)
        assert (gap.device, gap.first_missing, gap.waiting) == (257, 3, 5)
        assert ledger.balance(conn, ledger.sales(1)) == 0
        assert send(conn, secrets, pump.written[2]) == 8
        assert sales.gaps(conn) == []
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen


def test_a_forged_record_frees_nothing_and_the_genuine_one_still_counts(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """X1: a record with a wrong mac is kept, not acknowledged, and does not take the genuine one's place."""
    card, forger = TestCard(), PumpJournal(b"f" * 32)
    pump.sale(card, 5_000)
    forger.sale(TestCard(), 50_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        assert send(conn, secrets, *forger.written) == 0
        assert send(conn, secrets, *pump.written) == 4
        assert ledger.balance(conn, ledger.sales(1)) == money.amount_fen(5_000, 756)
    assert set(reasons_kept(engine)) == {reasons.BAD_MAC}


def test_a_forged_record_ahead_of_a_gap_does_not_block_the_genuine_one(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """X1: two candidates wait for one sequence; the chain takes the genuine one whichever came first."""
    pump.sale(TestCard(), 5_000)
    forger = PumpJournal(b"f" * 32)
    forger.sale(TestCard(), 50_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *forger.written[1:]) == 0
        assert send(conn, secrets, *pump.written[1:]) == 0
        assert send(conn, secrets, pump.written[0]) == 4
        assert [bytes(row[0]) for row in conn.execute(select(tables.records.c.raw).order_by(tables.records.c.id))] == (
            pump.written
        )
    assert set(reasons_kept(engine)) == {reasons.BAD_MAC, reasons.UNKNOWN_CARD}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda raw: raw[:100], reasons.DAMAGED),
        (lambda raw: b"", reasons.DAMAGED),
        (lambda raw: raw * 65, reasons.DAMAGED),
        (lambda raw: raw[:50] + bytes([raw[50] ^ 1]) + raw[51:], reasons.DAMAGED),
        (lambda raw: b"\x07" + raw[1:], reasons.DAMAGED),
    ],
)
def test_damaged_bytes_are_kept_whole_and_not_acknowledged(
    engine: Engine, secrets: Secrets, pump: PumpJournal, spoil: object, reason: str
) -> None:
    """Wrong length, a flipped bit, a foreign version: quarantine, and the genuine record still comes through."""
    pump.sale(TestCard(), 5_000)
    bad = spoil(pump.written[0])  # type: ignore[operator]
    with database.write(engine) as conn:
        assert send(conn, secrets, bad) == 0
        kept = sales.quarantine(conn)
        assert {row.reason for row in kept} == {reason}
        assert all(row.raw in bad for row in kept)
        assert send(conn, secrets, *pump.written) == 4


def test_a_batch_with_one_damaged_record_keeps_the_good_ones(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    pump.sale(TestCard(), 5_000)
    torn = pump.written[2][:-1] + bytes([pump.written[2][-1] ^ 0x80])
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written[:2], torn, pump.written[3]) == 2
        assert send(conn, secrets, *pump.written[2:]) == 4


def test_a_record_on_another_pumps_topic_is_not_taken(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    pump.sale(TestCard(), 5_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written, pump="p2") == 0
        assert {row.reason for row in sales.quarantine(conn)} == {reasons.WRONG_DEVICE}
        assert sales.recent(conn) == []


def test_a_topic_of_no_pump_is_kept_and_never_acknowledged(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    pump.sale(TestCard(), 5_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written, pump="p9") == -1
        (row,) = sales.quarantine(conn)
        assert (row.reason, row.raw) == (reasons.UNKNOWN_PUMP, b"".join(pump.written))


def test_an_unknown_kind_is_kept_and_acknowledged_so_that_it_blocks_nothing(
    engine: Engine, secrets: Secrets, pump: PumpJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as newer:
        newer.setattr(records, "layout", lambda kind: "<I")
        pump.write(99, (7,))
    pump.sale(TestCard(), 5_000)
    with database.write(engine) as conn:
        assert send(conn, secrets, *pump.written) == 5
    assert set(reasons_kept(engine)) == {reasons.UNKNOWN_KIND, reasons.UNKNOWN_CARD}


def test_an_amount_that_is_not_the_price_of_its_volume_is_not_posted(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """Price times volume is checked on both sides; the money stays in flight until people decide."""
    card = TestCard()
    seq = pump.start(card, 20_001)
    pump.reserved((257, seq), card, 20_001)
    pump.end(seq, card, 20_001, 10_000, amount_fen=7_561)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        assert send(conn, secrets, *pump.written) == 3
        assert ledger.balance(conn, ledger.sales(1)) == 0
        assert ledger.balance(conn, ledger.inflight(card.number)) == 20_001
        sales.accept_end(conn, 257, seq, 7_560, 10_000, ("王", "李"), "prover report", NOW)
        assert ledger.balance(conn, ledger.sales(1)) == 7_560
    assert reasons_kept(engine) == [reasons.IMPOSSIBLE]


def test_an_overrun_beyond_the_reserved_money_is_given_away(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D16: the amount stops at the reservation less 1 fen, the litres leave the tank all the same."""
    card = TestCard(fen=5_001)
    with database.write(engine) as conn:
        issue(conn, TestCard(fen=5_001))
        pump.sale(card, 7_000, reserved_fen=5_001)
        send(conn, secrets, *pump.written)
        assert ledger.balance(conn, ledger.sales(1)) == 5_000
        assert ledger.balance(conn, ledger.sold(1), ledger.ML) == 7_000
        assert sales.money_invariant(conn).holds


def test_card_torn_after_debit_is_settled_at_another_pump_before_the_first_reports(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """D20: the settlement comes first, the sale's own records later; the card waits for records, then all agrees."""
    card = TestCard()
    seq = pump.start(card, 20_001)
    pump.reserved((257, seq), card, 20_001)
    amount = pump.end(seq, card, 20_001, 10_000)
    other_pump.settled((257, seq), card, 20_001, amount, records.HOW_NEXT_CONTACT)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        assert send(conn, secrets, *other_pump.written, pump="p2") == 1
        # A settlement alone moves nothing: its sale may be one that nobody began.
        assert ledger.balance(conn, ledger.purse(card.number)) == 100_000
        assert ledger.balance(conn, ledger.inflight(card.number)) == 0
        waits = sales.shadow(conn, card.number)
        assert waits is not None and (waits.state, waits.missing) == ("waiting", 1)
        assert sales.money_invariant(conn).holds
        assert send(conn, secrets, *pump.written) == 3
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        assert ledger.balance(conn, ledger.inflight(card.number)) == 0
        assert ledger.balance(conn, ledger.sales(1)) == amount
        pump.write(
            records.SETTLED,
            (257, seq, card.uid, card.counter, 20_001, amount, 20_001 - amount, card.fen, records.HOW_OBSERVED),
        )
        assert send(conn, secrets, *pump.written) == 4
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        found = sales.sale(conn, 257, seq)
        assert found is not None and found.how == records.HOW_NEXT_CONTACT
        assert sales.money_invariant(conn).holds


def test_an_uncertain_start_that_turns_out_void_posts_nothing(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D20: the reservation broke and the card never gave the money."""
    card = TestCard()
    seq = pump.start(card, 20_001)
    pump.end(seq, card, 20_001, 0, flags=records.FLAG_UNCERTAIN, reason=codes.STOP_UNCERTAIN)
    pump.write(records.VOID, (257, seq, card.uid, card.counter + 1, records.HOW_NEXT_CONTACT))
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen
        found = sales.sale(conn, 257, seq)
        assert found is not None and found.state == "void"
        assert sales.hourly(conn, 0, 1 << 40) == []
        assert sales.money_invariant(conn).holds


def test_an_uncertain_start_that_turns_out_open_is_returned_whole(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """D20: the card had committed though the answer was lost; the next pump gives everything back."""
    card = TestCard()
    seq = pump.start(card, 20_001)
    pump.end(seq, card, 20_001, 0, flags=records.FLAG_UNCERTAIN, reason=codes.STOP_UNCERTAIN)
    card.counter, card.fen = 1, card.fen - 20_001
    other_pump.settled((257, seq), card, 20_001, 0, records.HOW_NEXT_CONTACT)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        assert ledger.balance(conn, ledger.purse(card.number)) == 100_000
        send(conn, secrets, *other_pump.written, pump="p2")
        assert ledger.balance(conn, ledger.purse(card.number)) == card.fen == 100_000
        assert ledger.balance(conn, ledger.inflight(card.number)) == 0
        invariant = sales.money_invariant(conn)
        assert invariant.holds and not invariant.waiting


def test_a_second_different_record_under_one_sequence_is_kept_and_changes_nothing(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """A board whose flash was rolled back: both versions are kept, the first counts."""
    pump.sale(TestCard(), 5_000)
    rolled_back = PumpJournal(pump.key, 257)
    rolled_back.sale(TestCard(), 6_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        assert send(conn, secrets, *rolled_back.written) == 4
        assert ledger.balance(conn, ledger.sales(1)) == money.amount_fen(5_000, 756)
    assert set(reasons_kept(engine)) == {reasons.CONTRADICTION}


def test_a_cloned_card_is_found_by_its_counter(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """R4: one purse counter in two sales at two pumps."""
    pump.sale(TestCard(), 5_000)
    other_pump.sale(TestCard(), 6_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
        send(conn, secrets, *other_pump.written, pump="p2")
        invariant = sales.money_invariant(conn)
        assert invariant.differing == (TestCard().number,) and not invariant.holds
    assert reasons_kept(engine) == [reasons.COUNTER_TWICE]


def test_one_fen_removed_from_the_card_is_alarmed_at_its_next_sale(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """D31: the card holds a fen less than the records can explain."""
    card = TestCard()
    with database.write(engine) as conn:
        issue(conn, TestCard())
        card.fen -= 1
        pump.sale(card, 5_000)
        send(conn, secrets, *pump.written)
        invariant = sales.money_invariant(conn)
        assert (invariant.difference_fen, invariant.differing, invariant.holds) == (-1, (card.number,), False)


def test_a_card_whose_earlier_sale_is_still_out_waits_for_records_and_does_not_alarm(
    engine: Engine, secrets: Secrets, pump: PumpJournal, other_pump: PumpJournal
) -> None:
    """Two pumps, the first offline: the shadow waits, naming how many counters are missing."""
    card = TestCard()
    pump.sale(card, 5_000)
    other_pump.sale(card, 6_000)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *other_pump.written, pump="p2")
        seen = sales.shadow(conn, card.number)
        assert seen is not None and (seen.state, seen.missing, seen.counter) == ("waiting", 1, 2)
        assert sales.money_invariant(conn).holds
        send(conn, secrets, *pump.written)
        seen = sales.shadow(conn, card.number)
        assert seen is not None and (seen.state, seen.books_fen) == ("agrees", card.fen)


def test_times_without_a_clock_are_resolved_by_the_boots_own_uptime(
    engine: Engine, secrets: Secrets, pump: PumpJournal
) -> None:
    """Time is data with a quality: the host resolves and marks."""
    pump.write(records.TAMPER, (1, 1, 0))
    pump.write(records.TAMPER, (1, 2, 0), records.TIME_UNKNOWN)
    pump.boot = 2
    pump.write(records.TAMPER, (1, 3, 0), records.TIME_UNKNOWN)
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written, now=NOW)
        rows = conn.execute(select(tables.records.c.at, tables.records.c.quality).order_by(tables.records.c.id)).all()
    assert [tuple(row) for row in rows] == [(T0 + 7, 2), (T0 + 14, 0), (NOW, 0)]


def test_fuel_alarmed_outside_a_sale_leaves_the_tank_once(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    """D17, I1: a leak of 350 ml at nozzle 1 (95#)."""
    pump.write(records.ALARM, (codes.ALARM_LEAK, 1, 1, 350, 350, 1_000_350))
    with database.write(engine) as conn:
        for _ in range(2):
            send(conn, secrets, *pump.written)
        assert ledger.balance(conn, ledger.alarm_fuel(2), ledger.ML) == 350


def test_refusals_are_listed(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    """D2: every refusal is a record, shown with its code."""
    card = TestCard()
    pump.write(records.REFUSAL, (card.uid, card.card_no, codes.REFUSE_BLACKLISTED, 0, 1, 0, card.fen, 0))
    with database.write(engine) as conn:
        send(conn, secrets, *pump.written)
        (row,) = sales.refusals(conn)
        assert (row.pump, row.card_no, row.code) == ("p1", card.number, codes.REFUSE_BLACKLISTED)


def test_many_cards_page_filter_and_count(engine: Engine, secrets: Secrets, pump: PumpJournal) -> None:
    for number in range(12):
        pump.sale(card_number(number % 3), 1_000 + number, grade=1 + number % 2, price=756)
    with database.write(engine) as conn:
        for at in range(0, 48, 8):
            send(conn, secrets, *pump.written[at : at + 8])
        assert sales.recent_count(conn) == 12
        assert [sale.volume_ml for sale in sales.recent(conn, 3, offset=2)] == [1_009, 1_008, 1_007]
        assert sales.recent_count(conn, grade=2) == 6
        assert {sale.card_no for sale in sales.recent(conn, card_no=card_number(1).number)} == {card_number(1).number}
        middle = sales.recent(conn)[5].ended or 0
        assert sales.recent_count(conn, since=middle) + sales.recent_count(conn, until=middle) == 12
        assert sales.recent_count(conn, pump="p2") == 0
