"""What the station says while a card lies on a pump's reader: loading it through the pump, authorising an account."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from station import accounts, cards, fleets
from station.mqtt.messages import MalformedError, hex_digits, is_count

if TYPE_CHECKING:
    from station.mqtt.questions import Answer, Question

RELAYS = cards.Relays()  # what this process is loading just now: sessions with cards live in memory alone
REPLIES, REPLY_DIGITS = 4, 2 * 64


def load(question: "Question") -> "Answer":
    """Is money waiting for this card? Then its first frames."""
    uid = bytes.fromhex(hex_digits(question.message, "uid", 14, 14))
    begun = RELAYS.begin(question.conn, question.secrets, question.pump.device, question.id, uid, question.now)
    return _carried(begun), b""


def relay(question: "Question") -> "Answer":
    """What the card said to the frames before; the next ones."""
    message = question.message
    name, step, replies = hex_digits(message, "relay", 1, 32), message.get("step"), message.get("replies")
    if not is_count(step) or not isinstance(replies, list) or len(replies) > REPLIES:
        raise MalformedError("step or replies")
    assert isinstance(step, int)
    said = [bytes.fromhex(hex_digits({"reply": one}, "reply", 2, REPLY_DIGITS)) for one in replies if _even(one)]
    by = question.pump.pump
    return _carried(RELAYS.go_on(question.conn, question.pump.device, name, step, said, by, question.now)), b""


def authorise(question: "Question") -> "Answer":
    """May this card of an account fuel, for how much, and what is lent ahead to the pump?"""
    message = question.message
    uid = bytes.fromhex(hex_digits(message, "uid", 14, 14))
    want, held, head = (message.get(name) for name in ("want", "held", "head"))
    grade = message.get("grade", 0)  # older pumps do not tell it
    if not (is_count(want) and is_count(held) and is_count(head) and is_count(grade)):
        raise MalformedError("want, held, head or grade")
    assert isinstance(want, int) and isinstance(held, int) and isinstance(head, int)
    asked = accounts.Question(question.id, question.pump.device, want, held, head)
    word = fleets.authorise(question.conn, uid, asked, grade, question.now)
    if word.grant is None:
        return {word.why: word.code if word.why == fleets.REFUSED else True}, b""
    content: dict[str, Any] = {"lease": word.grant.sale.lease, "fen": word.grant.sale.amount_fen}
    ahead = word.grant.offline
    if ahead is not None:
        content["offline"] = [ahead.lease, ahead.amount_fen, ahead.count, ahead.expires]
    return content, b""


def _carried(answer: cards.RelayAnswer) -> dict[str, Any]:
    if answer.frames:
        return {"frames": [frame.hex() for frame in answer.frames]}
    return {"loaded": answer.loaded.amount_fen} if answer.loaded else {"unknown": True}


def _even(text: object) -> bool:
    if not isinstance(text, str) or len(text) % 2:
        raise MalformedError("replies")
    return bool(text)


HANDLERS: "dict[str, Callable[[Question], Answer]]" = {"load": load, "relay": relay, "authorise": authorise}
