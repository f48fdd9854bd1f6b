"""The emulated card keeps the DESFire rules that the purse stands on (D20): rights, transactions, LimitedCredit."""

import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import desfire
from desfire_run import run
from pump.core import card_layout as layout
from station.cards.desfire_admin import AdminSession, Conversation
from station.cards.personalise import _files
from tools.bench.desfire_card import COMMANDS, DesfireCard

PUMP_KEY = bytes(range(16))
RANDOM = bytes(range(100, 116))


@pytest.fixture
def card(blank: DesfireCard) -> DesfireCard:
    """A card with the purse application, 500.00 yuan; the master and credit keys are zeros, the pump's is PUMP_KEY."""

    def make(session: AdminSession) -> Conversation[None]:
        yield from session.create_application(layout.AID, 0x0F, layout.KEY_COUNT)
        yield from session.select(layout.AID)
        yield from session.authenticate(layout.KEY_MASTER, bytes(16), RANDOM)
        yield from _files(session, 500_000)
        yield from session.change_key(layout.KEY_PUMP, PUMP_KEY, 1, bytes(16))
        yield from session.authenticate(layout.KEY_CREDIT, bytes(16), RANDOM)
        yield from session.credit(layout.FILE_PURSE, 50_000)
        yield from session.commit()

    run(make(AdminSession()), blank.exchange)
    blank.reset()
    return blank


def pump(card: DesfireCard) -> AdminSession:
    """A session with the pump's key."""
    return opened(card, layout.KEY_PUMP, PUMP_KEY)


def opened(card: DesfireCard, key_no: int, key: bytes = bytes(16)) -> AdminSession:
    session = AdminSession()
    run(session.select(layout.AID), card.exchange)
    run(session.authenticate(key_no, key, RANDOM), card.exchange)
    return session


def purse(card: DesfireCard) -> Any:
    return card.peek(layout.AID)[layout.FILE_PURSE]


def do(card: DesfireCard, *conversations: Conversation[Any]) -> None:
    for conversation in conversations:
        run(conversation, card.exchange)


def status(card: DesfireCard, conversation: Conversation[Any]) -> int:
    with pytest.raises(desfire.DesfireError) as refused:
        run(conversation, card.exchange)
    return int(refused.value.status)


def test_nothing_holds_before_the_commit(card: DesfireCard) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 100), session.write_data(layout.FILE_STATE, 0, b"open"))
    assert run(session.get_value(layout.FILE_PURSE), card.exchange) == 50_000
    card.reset()
    assert (purse(card), card.peek(layout.AID)[layout.FILE_STATE]) == (50_000, bytes(32))
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 100), session.write_data(layout.FILE_STATE, 0, b"open"), session.commit())
    card.reset()
    assert (purse(card), card.peek(layout.AID)[layout.FILE_STATE]) == (49_900, b"open" + bytes(28))


def test_limited_credit_gives_back_no_more_than_the_last_debits_and_only_once(card: DesfireCard) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 700), session.debit(layout.FILE_PURSE, 300), session.commit())
    assert status(card, session.limited_credit(layout.FILE_PURSE, 1_001)) == desfire.BOUNDARY_ERROR
    session = pump(card)
    do(card, session.limited_credit(layout.FILE_PURSE, 1), session.commit())
    assert purse(card) == 49_001
    assert status(card, session.limited_credit(layout.FILE_PURSE, 1)) == desfire.BOUNDARY_ERROR


def test_an_allowance_outlives_the_field_and_transactions_without_a_debit(card: DesfireCard) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 700), session.commit())
    card.reset()
    session = pump(card)
    do(card, session.write_data(layout.FILE_STATE, 0, b"x"), session.commit())
    do(card, session.limited_credit(layout.FILE_PURSE, 700), session.commit())
    assert purse(card) == 50_000


def test_a_limited_credit_that_is_not_committed_can_be_tried_again(card: DesfireCard) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 700), session.commit(), session.limited_credit(layout.FILE_PURSE, 700))
    card.reset()
    session = pump(card)
    do(card, session.limited_credit(layout.FILE_PURSE, 700), session.commit())
    assert purse(card) == 50_000


def test_the_pumps_key_makes_no_money(card: DesfireCard) -> None:
    assert status(card, pump(card).credit(layout.FILE_PURSE, 1)) == desfire.AUTHENTICATION_ERROR
    assert status(card, pump(card).limited_credit(layout.FILE_PURSE, 1)) == desfire.BOUNDARY_ERROR
    assert status(card, pump(card).write_data(layout.FILE_IDENTITY, 0, b"x")) == desfire.AUTHENTICATION_ERROR
    assert status(card, pump(card).write_data(layout.FILE_LIMITS, 0, b"x")) == desfire.AUTHENTICATION_ERROR
    assert status(card, pump(card).debit(layout.FILE_PURSE, -1)) == 0x9E
    assert purse(card) == 50_000


def test_the_purse_never_goes_below_zero_nor_above_the_legal_maximum(card: DesfireCard) -> None:
    assert status(card, pump(card).debit(layout.FILE_PURSE, 50_001)) == desfire.BOUNDARY_ERROR
    session = opened(card, layout.KEY_CREDIT)
    assert status(card, session.credit(layout.FILE_PURSE, 450_001)) == desfire.BOUNDARY_ERROR


def test_a_wrong_key_is_refused_by_both_sides(card: DesfireCard) -> None:
    session = AdminSession()
    do(card, session.select(layout.AID))
    assert status(card, session.authenticate(layout.KEY_PUMP, bytes(16), RANDOM)) == desfire.AUTHENTICATION_ERROR
    # A copy that answers anything is found out by its answer to our random number.
    replies = iter([b"\xaf" + bytes(16), b"\x00" + bytes(16)])
    with pytest.raises(desfire.DesfireError):
        run(session.authenticate(layout.KEY_PUMP, PUMP_KEY, RANDOM), lambda frame: next(replies))


@pytest.mark.parametrize("bit", [8, 40, 100])
def test_a_command_changed_on_the_way_is_refused_and_changes_nothing(card: DesfireCard, bit: int) -> None:
    session = pump(card)

    def exchange(frame: bytes) -> bytes:
        changed = bytearray(frame)
        changed[bit // 8] ^= 1 << bit % 8
        return card.exchange(bytes(changed))

    with pytest.raises(desfire.DesfireError):
        run(session.debit(layout.FILE_PURSE, 1_000), exchange)
    assert status(card, session.commit()) in (0x0C, desfire.AUTHENTICATION_ERROR)
    assert purse(card) == 50_000


def test_a_replayed_debit_is_refused(card: DesfireCard) -> None:
    session, sent = pump(card), []

    def exchange(frame: bytes) -> bytes:
        sent.append(frame)
        return card.exchange(frame)

    run(session.debit(layout.FILE_PURSE, 1_000), exchange)
    assert card.exchange(sent[0]) == b"\x1e"


def test_the_log_keeps_the_newest_ten(card: DesfireCard) -> None:
    session = pump(card)
    assert run(session.read_records(layout.FILE_LOG, layout.LOG_SIZE), card.exchange) == []
    session = pump(card)
    for number in range(13):
        do(card, session.write_record(layout.FILE_LOG, number.to_bytes(32, "little")), session.commit())
    records = run(session.read_records(layout.FILE_LOG, layout.LOG_SIZE), card.exchange)
    assert [record[0] for record in records] == list(range(3, 13))


def test_long_data_goes_over_in_several_frames_both_ways(card: DesfireCard) -> None:
    session = opened(card, layout.KEY_CREDIT)
    content = bytes(range(96))
    before = card.frames
    do(card, session.write_data(layout.FILE_LIMITS, 0, content), session.commit())
    assert card.frames - before == 3
    assert run(session.read_data(layout.FILE_LIMITS, 0, 96), card.exchange) == content


@pytest.mark.parametrize("done", [False, True])
def test_a_torn_card_answers_no_more_until_it_comes_back(card: DesfireCard, done: bool) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 1_000))
    card.tear_at(1, done=done)
    for _ in range(2):
        with pytest.raises(desfire.CardLost):
            run(session.commit(), card.exchange)
    card.reset()
    assert purse(card) == (49_000 if done else 50_000)
    assert run(pump(card).get_value(layout.FILE_PURSE), card.exchange) == purse(card)


def by_json(card: DesfireCard) -> DesfireCard:
    return DesfireCard.from_json(json.loads(json.dumps(card.to_json())))


def by_pickle(card: DesfireCard) -> DesfireCard:
    kept: DesfireCard = pickle.loads(pickle.dumps(card))
    return kept


@pytest.mark.parametrize("keep", [by_json, by_pickle])
def test_a_card_survives_being_put_away(card: DesfireCard, keep: Callable[[DesfireCard], DesfireCard]) -> None:
    session = pump(card)
    do(card, session.debit(layout.FILE_PURSE, 1_000), session.write_record(layout.FILE_LOG, bytes(32)))
    do(card, session.commit())
    again = keep(card)
    assert again.to_json() == card.to_json()
    session = pump(again)
    do(again, session.limited_credit(layout.FILE_PURSE, 1_000), session.commit())
    assert (purse(again), purse(card)) == (50_000, 49_000)


def test_iso_wrapped_and_native_frames_say_the_same(blank: DesfireCard) -> None:
    native = blank.exchange(b"\x60")
    wrapped = blank.exchange(bytes.fromhex("9060000000"))
    assert wrapped == native[1:] + b"\x91\xaf"


CODES = sorted([*COMMANDS, 0x0A, 0x1A, 0xAA, 0xAF, 0x90, 0x00])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(CODES), st.binary(max_size=40)), max_size=6), st.booleans())
def test_junk_is_answered_with_a_status_and_moves_no_money(
    card: DesfireCard, frames: list[tuple[int, bytes]], authenticated: bool
) -> None:
    if authenticated:
        pump(card)
    for code, data in frames:
        assert card.exchange(bytes((code,)) + data)
    card.reset()
    assert purse(card) == 50_000
