"""Money onto a card with the credit key, in bursts: frames that may go to the card one after the other without asking.

Whoever holds the card (the desk's reader, or a pump that relays) carries a burst and brings the answers back; it sees
challenges, MACs and a session it has no key of (docs/card-format.md, Loading). Three bursts do it, because most answers
are known beforehand: an answer without data is a status and a MAC that both sides can compute, so that the transaction
needs no word from the station between its commands.
"""
# mypy: allow-untyped-calls

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, TypeVar

import desfire
from pump.core import card_layout
from station.cards.desfire_admin import AdminSession, Conversation
from station.cards.keys import CardKeys
from station.cards.on_card import CardError, Random

T = TypeVar("T")
Bursts = Generator[list[bytes], list[bytes], T]
GOING_ON = (b"\x00", b"\xaf")  # first bytes of answers after which the rest of a burst is sent


@dataclass(frozen=True, slots=True)
class Credited:
    """The card has the load. balance_fen: the purse with it; is_new False: an earlier contact had done it.
    is_open: a sale is open on the card, its reservation out of the purse."""

    counter: int
    balance_fen: int
    is_new: bool
    is_open: bool = False


def credit(keys: CardKeys, random: Random, amount_fen: int, load_id: int, upper_fen: int) -> Bursts[Credited]:
    """Credit amount_fen unless the card's last load is load_id already; the id goes on in the same commit.

    CardError: nothing was done, because a reservation is open, the purse would hold more than upper_fen, or the card
    refused. desfire.CardLost: it left; whether it was done stands in its last load at the next contact.
    """
    session = AdminSession()
    select, proof = (
        session.select(card_layout.AID),
        session.authenticate(card_layout.KEY_CREDIT, keys.credit, random(16)),
    )
    opening = [next(select), next(proof)]
    # A command that only reads goes without a MAC, so its frame is the same before the session has a key.
    questions = [next(_state(desfire.Session())), next(_purse(desfire.Session()))]
    answers = yield opening
    try:
        _told(select, answers, 0)
        answers = yield [proof.send(_at(answers, 1)), *questions]
        _told(proof, answers, 0)
        state, purse = _state(session), _purse(session)
        next(state)
        counter, device, _, _, _, last_load, tries = card_layout.unpack_state(_told(state, answers, 1))
        next(purse)
        balance_fen = _told(purse, answers, 2)
    except (desfire.DesfireError, ValueError) as error:
        raise CardError(f"卡片拒绝充值 the card refused ({error})") from None
    if last_load == load_id:
        return Credited(counter, balance_fen, is_new=False, is_open=bool(device))
    if device:
        raise CardError("卡上有未结算的交易，不能充值 a sale is open on the card: settle it before loading")
    if balance_fen + amount_fen > upper_fen:
        raise CardError("超过卡内限额 above what the card may hold")
    frames, expected = _foreseen(session, _transaction(session, counter, amount_fen, load_id, tries))
    answers = yield frames
    for number, wanted in enumerate(expected):
        if _at(answers, number) != wanted:
            _refused(answers[number])
    return Credited(counter, balance_fen + amount_fen, is_new=True)


def one_by_one(bursts: Bursts[T]) -> Conversation[T]:
    """The same as a conversation of single frames, for a reader that is at hand."""
    try:
        burst = next(bursts)
        while True:
            answers: list[bytes] = []
            for frame in burst:
                answers.append((yield frame))
                if answers[-1][:1] not in GOING_ON:
                    break
            burst = bursts.send(answers)
    except StopIteration as end:
        value: T = end.value
        return value


def _state(session: desfire.Session) -> Conversation[bytes]:
    data: bytes = yield from session.read_data(card_layout.FILE_STATE, 0, card_layout.STATE_SIZE)
    return data


def _purse(session: desfire.Session) -> Conversation[int]:
    value: int = yield from session.get_value(card_layout.FILE_PURSE)
    return value


def _transaction(
    session: AdminSession, counter: int, amount_fen: int, load_id: int, tries: int
) -> Generator[bytes, bytes, None]:
    yield from session.credit(card_layout.FILE_PURSE, amount_fen)
    state = card_layout.pack_state(counter, last_load=load_id, tries=tries)
    yield from session.write_data(card_layout.FILE_STATE, 0, state)
    yield from session.commit()


def _foreseen(session: AdminSession, conversation: Generator[bytes, bytes, None]) -> tuple[list[bytes], list[bytes]]:
    """The frames of a conversation whose answers carry no data, and those answers."""
    frames, answers = [next(conversation)], []
    while True:
        answers.append(session.empty_answer())
        try:
            frames.append(conversation.send(answers[-1]))
        except StopIteration:
            return frames, answers


def _told(conversation: Generator[bytes, bytes, Any], answers: list[bytes], number: int) -> Any:
    """Give a conversation its last answer; its value."""
    try:
        conversation.send(_at(answers, number))
    except StopIteration as end:
        return end.value
    raise desfire.BadAnswer("frame")


def _at(answers: list[bytes], number: int) -> bytes:
    if number >= len(answers):
        raise desfire.CardLost("left")
    return answers[number]


def _refused(answer: bytes) -> None:
    """Not the answer that was foreseen: a refusal in the card's own words, or one that proves nothing."""
    if len(answer) == 1 and answer[:1] not in GOING_ON:
        raise CardError(f"卡片拒绝充值 the card refused ({answer.hex()})")
    raise desfire.BadAnswer("mac")
