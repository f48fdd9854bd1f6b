"""The journal and checkpoint rings under torn programs, torn erases and wear (D15, D27): nothing committed is lost."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pump.core import checkpoint, records, recovery
from pump.core.checkpoint import Checkpoint
from pump.core.journal import RESERVE, Journal, JournalFull
from tools.sim.flash import PowerCut, RamFlash

KEY = bytes(range(32))


def open_journal(flash: RamFlash, acked: int = 0) -> Any:
    journal = Journal(flash, 257, KEY)
    recovery.find_head(journal, acked)
    return journal


def put(journal: Any, value: int = 0) -> int:
    seq: int = journal.append(records.SHIFT, 1, 2, 3, 2, (bytes(7), 0, value, 0, 0, 0, bytes(8), 0, 0, 0, 0))
    return seq


def chain_holds(journal: Any, first: int, last: int) -> bool:
    """Every record from first to last is there and sealed to the one before."""
    buf, mac = bytearray(records.SIZE), None
    for seq in range(first, last + 1):
        assert journal.read(seq, buf), f"record {seq} is gone"
        assert records.header(buf)[3] == seq
        if mac is not None or seq == 1:
            assert buf[records.MAC_AT : records.CRC_AT] == records.mac(KEY, mac or records.CHAIN_START, bytes(buf))
        mac = bytes(buf[records.MAC_AT : records.CRC_AT])
    return True


@pytest.mark.parametrize("tear", range(5))
def test_d15_power_cut_at_every_flash_operation_and_again_in_what_follows(tear: int) -> None:
    """Programs and erases are torn at five lengths, over two rounds of the ring; a second cut comes soon after."""
    for first_cut in range(1, 170):
        flash = RamFlash(3)
        committed = acked = 0
        for cut in (first_cut, 1 + first_cut % 5, 0):
            flash.cut_at, flash.tear = cut, tear
            try:
                journal = open_journal(flash, acked)
                assert committed <= journal.head - 1 <= committed + 1
                committed = journal.head - 1
                for _ in range(60):
                    acked = max(acked, committed - 40)
                    journal.ack(acked)
                    journal.idle_work()
                    committed = put(journal)
            except PowerCut:
                continue
        journal = open_journal(flash, acked)
        committed = journal.head - 1
        assert chain_holds(journal, max(1, acked + 1), committed)


def test_the_torn_tail_is_counted_skipped_and_its_number_used_again() -> None:
    flash = RamFlash(2)
    journal = open_journal(flash)
    put(journal)
    flash.cut_at, flash.tear = 1, 2
    with pytest.raises(PowerCut):
        put(journal)
    journal = open_journal(flash)
    assert (journal.head, journal.torn) == (2, 1)
    assert put(journal) == 2
    assert chain_holds(journal, 1, 2)


def test_a_full_ring_keeps_every_unacknowledged_record_and_says_so() -> None:
    journal = open_journal(RamFlash(4))
    with pytest.raises(JournalFull):
        while True:
            put(journal)
    assert journal.head - 1 == 128
    assert journal.free == 0
    assert chain_holds(journal, 1, 128)
    assert journal.ack(40)
    assert put(journal) == 129
    assert chain_holds(journal, 41, 129)
    assert not journal.read(1, bytearray(128))


@pytest.mark.parametrize("nonsense", [0, -1, 129, 1 << 40])
def test_an_acknowledgement_that_cannot_be_frees_nothing(nonsense: int) -> None:
    journal = open_journal(RamFlash(4))
    for _ in range(100):
        put(journal)
    assert not journal.ack(nonsense)
    assert journal.acked == 0
    assert journal.ack(50)
    assert not journal.ack(49)
    assert journal.acked == 50


def test_no_commit_waits_for_an_erase_while_idle_work_is_done() -> None:
    journal = open_journal(RamFlash(5))
    for seq in range(1, 2_000):
        journal.idle_work()
        put(journal)
        journal.ack(seq)
    assert journal.stalls == 0


def test_free_is_never_more_than_really_fits() -> None:
    rng = random.Random(3)
    for _ in range(60):
        journal = open_journal(RamFlash(4))
        for _ in range(rng.randrange(200)):
            put(journal)
            journal.ack(journal.head - 1 - rng.randrange(60))
        promised = journal.free
        for _ in range(promised):
            put(journal)
        assert promised > 128 - 60 - 64


def test_a_worn_cell_costs_a_slot_and_no_record() -> None:
    flash = RamFlash(3)
    journal = open_journal(flash)
    put(journal)
    flash.data[128 + 20] = 0  # the next slot has a bit that no longer reads as erased
    assert put(journal) == 2
    assert journal.torn == 1
    assert put(journal) == 3
    assert chain_holds(journal, 1, 3)
    assert chain_holds(open_journal(flash), 1, 3)


def test_d27_one_flipped_bit_breaks_the_record_or_its_chain() -> None:
    flash = RamFlash(2)
    journal = open_journal(flash)
    for value in range(5):
        put(journal, value)
    flash.data[2 * 128 + 40] ^= 0x10
    assert not journal.read(3, bytearray(128))


def test_reserve_leaves_room_for_the_sale_that_runs() -> None:
    assert RESERVE >= 8


# -- checkpoints


def open_ring(flash: RamFlash) -> Any:
    ring = Checkpoint(flash)
    recovery.find_checkpoint(ring)
    return ring


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 70_000), st.booleans()), min_size=1, max_size=12))
def test_d15_checkpoints_are_found_again_for_any_course_of_sales(sales: list[tuple[int, bool]]) -> None:
    flash = RamFlash(3)
    ring = open_ring(flash)
    for seq, (volume_ml, warned) in enumerate(sales, start=1):
        ring.begin(seq, seq % 4)
        for reached_ml in range(0, volume_ml, 700):
            ring.reached(reached_ml)
        ring.reached(volume_ml)
        if warned:
            ring.exact(volume_ml)
        again = open_ring(flash)
        assert (again.sale_seq, again.nozzle) == (seq, seq % 4)
        assert again.volume_ml == (volume_ml if warned else volume_ml // 500 * 500)
        if seq % 3 == 0:
            ring = again


def test_a_checkpoint_is_one_program_and_no_erase_while_fuel_flows() -> None:
    flash = RamFlash(3)
    ring = open_ring(flash)
    ring.make_room()
    ring.begin(1, 0)
    before = flash.programs, sum(flash.erases)
    for volume_ml in range(0, 999_001, 100):
        ring.reached(volume_ml)
    ring.exact(999_000)
    assert (flash.programs - before[0], sum(flash.erases) - before[1]) == (1_998 + 1, 0)
    assert open_ring(flash).volume_ml == 999_000


@pytest.mark.parametrize("tear", range(5))
def test_d15_a_checkpoint_torn_anywhere_never_claims_more_than_flowed(tear: int) -> None:
    for cut in range(1, 200):
        flash = RamFlash(2)
        flash.cut_at, flash.tear = cut, tear
        flowed_ml = seq = 0
        ring = open_ring(flash)
        try:
            for seq in range(1, 200):
                flowed_ml = 0
                ring.begin(seq, 0)
                for flowed_ml in range(0, 64_500, 500):
                    ring.reached(flowed_ml)
                ring.exact(flowed_ml)
                ring.keep_acked(seq * 100)
        except PowerCut:
            pass
        again = open_ring(flash)
        assert again.sale_seq in (seq, seq - 1)
        if again.sale_seq == seq:
            assert flowed_ml - 500 <= again.volume_ml <= flowed_ml


def test_how_far_the_station_has_acknowledged_outlives_power_and_a_new_sector() -> None:
    flash = RamFlash(2)
    ring = open_ring(flash)
    for seq in range(1, 400):
        ring.begin(seq, 0)
        ring.keep_acked(seq * 4)
        assert seq * 4 - checkpoint.ACK_EVERY <= open_ring(flash).acked <= seq * 4


@pytest.mark.parametrize("tear", range(5))
def test_d15_d16_what_was_learned_outlives_a_cut_at_every_operation_and_every_new_sector(tear: int) -> None:
    for cut in range(1, 120):
        flash = RamFlash(2)
        ring = open_ring(flash)
        ring.begin(1, 0)
        kept = {}
        flash.cut_at, flash.tear = cut, tear
        try:
            for seq in range(2, 60):
                key, value = seq % 5, (seq, 1 << 31 | seq)
                ring.learn(key, *value) or ring.make_room()
                kept[key] = value
                ring.begin(seq, 0)
                for reached_ml in range(0, 30_000, 500):
                    ring.reached(reached_ml)
        except PowerCut:
            pass
        found = open_ring(flash).learned
        for key, value in kept.items():
            assert found[key] == value or found[key][0] == value[0] + 5  # the next of this key was being written
