"""What the station says to a pump's question (docs/mqtt.md): one function for each kind of question."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from station import forecourt, sales
from station.mqtt import card_questions
from station.mqtt.messages import MalformedError, hex_digits, is_count
from station.platform.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a pump; message: the whole payload, of which only `id` and `ask` have been looked at."""

    conn: Connection
    secrets: Secrets
    pump: forecourt.Pump
    id: str
    message: dict[str, Any]
    now: int


Answer = tuple[dict[str, Any], bytes]  # content without `id`; bytes of a file that follow it, mostly none
Handler = Callable[[Question], Answer]


def answer(question: Question, kind: str) -> Answer:
    """The answer to a question of this kind. Raises MalformedError for one that is none of ours."""
    handler = HANDLERS.get(kind)
    if handler is None:
        raise MalformedError("ask")
    return handler(question)


def _time(question: Question) -> Answer:
    return {"time": question.now}, b""


def _unfinished(question: Question) -> Answer:
    """What became of the sale that a card holds open."""
    message = question.message
    uid, sale = hex_digits(message, "uid", 14, 14).lower(), message.get("sale")
    if not (isinstance(sale, list) and len(sale) == 2 and all(is_count(part) for part in sale)):
        raise MalformedError("sale")
    found = sales.unfinished(question.conn, *sale)
    if found is None or found.amount_fen is None or found.uid not in (None, uid):
        return {"unknown": True}, b""
    content = {
        "sale": [found.device, found.seq],
        "amount_fen": found.amount_fen,
        "volume_ml": found.volume_ml or 0,
        "grade": found.grade or 0,
        "price": found.price_fen_per_l or 0,
        "reason": found.reason or 0,
    }
    return content, b""


def _part(question: Question) -> Answer:
    """A part of a file that a pump fetches while it is idle."""
    of, version, at = (question.message.get(name) for name in ("of", "version", "at"))
    if of not in FILES or not is_count(version) or not is_count(at):
        raise MalformedError("part")
    assert isinstance(of, str) and isinstance(version, int) and isinstance(at, int)
    return {"at": at}, FILES[of](question.conn, version, at)


FILES: dict[str, Callable[[Connection, int, int], bytes]] = {
    "lists": forecourt.list_part,
    "image": forecourt.image_part,
}
HANDLERS: dict[str, Handler] = {"time": _time, "unfinished": _unfinished, "part": _part, **card_questions.HANDLERS}
