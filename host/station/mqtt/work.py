"""What a handful of messages makes of the database, and what is to be sent once it is committed. No network here."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError

from station import forecourt, sales
from station.mqtt import messages, questions
from station.mqtt.messages import MalformedError
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.topics import PREFIX

log = structlog.get_logger()
UP = ("journal", "ask", "state", "live", "done", "trace")
STATE_EVERY_S = 10  # an unchanged state is written no oftener


class Message(NamedTuple):
    """One message from a pump."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """To be signed with the pump's key and published on its topic `leaf`."""

    station: str
    pump: str
    leaf: str
    message: dict[str, Any]
    data: bytes = b""  # a part of a file, behind the message


def work(engine: Engine, secrets: Secrets, some: Sequence[Message], now: int) -> list[Reply]:
    """One transaction for all messages; if one of them breaks it, each gets its own and the culprit goes to quarantine.

    Raises OperationalError (nothing is lost: nothing was acknowledged) if the database cannot be written.
    """
    try:
        with database.write(engine) as conn:
            return _work(conn, secrets, some, now)
    except OperationalError:
        raise
    except Exception:  # noqa: BLE001 - a message nobody thought of must not stop the queue
        log.exception("batch failed, taking its messages one by one", messages=len(some))
    replies: list[Reply] = []
    for message in some:
        try:
            with database.write(engine) as conn:
                replies += _work(conn, secrets, [message], now)
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001
            log.exception("message failed", topic=message.topic)
            with database.write(engine) as conn:
                sales.isolate_message(conn, message.topic, message.payload, type(error).__name__, now)
    return replies


@lru_cache(maxsize=1024)
def split(topic: str) -> tuple[str, str, str] | None:
    """(station, pump, leaf) of an upward topic, else None."""
    parts = topic.split("/")
    if "/".join(parts[:2]) != PREFIX or len(parts) != 5 or parts[4] not in UP or not parts[2] or not parts[3]:
        return None
    return parts[2], parts[3], parts[4]


def _work(conn: Connection, secrets: Secrets, some: Sequence[Message], now: int) -> list[Reply]:
    batches: list[sales.Batch] = []
    later: list[tuple[tuple[str, str, str], Message]] = []
    for message in some:
        place = split(message.topic)
        if place is None:
            sales.isolate_message(conn, message.topic, message.payload, "topic", now)
        elif place[2] == "journal":
            batches.append(sales.Batch(place[0], place[1], message.payload))
        else:
            later.append((place, message))
    replies: list[Reply] = []
    if batches:
        for ack in sales.ingest(conn, secrets, batches, now):
            replies.append(Reply(ack.station, ack.pump, "ack", {"seq": ack.seq, "device": ack.device}))
    for place, message in later:
        try:
            replies += _other(conn, secrets, place, message, now)
        except MalformedError as error:
            log.warning("malformed", topic=message.topic, why=str(error))
            sales.isolate_message(conn, message.topic, message.payload, str(error), now)
    return replies


def _other(conn: Connection, secrets: Secrets, place: tuple[str, str, str], message: Message, now: int) -> list[Reply]:
    station, pump, leaf = place
    if leaf == "live":
        messages.parse_live(message.payload)  # shown by the web process; here it is only held to the contract
        return []
    known = forecourt.pump_named(conn, station, pump)
    if known is None:
        raise MalformedError("unknown pump")
    if leaf == "state":
        _keep_state(conn, known, messages.parse_state(message.payload), now)
        return []
    if leaf == "done":
        done = messages.parse_done(message.payload)
        forecourt.command_done(conn, known.device, done.id, done.ok, done.why, now)
        return []
    if leaf == "trace":
        try:
            forecourt.keep_timeline(conn, known.device, message.payload, now)
        except ValueError as error:
            raise MalformedError(str(error)) from None
        return []
    ask = messages.parse_ask(message.payload)
    content, data = questions.answer(questions.Question(conn, secrets, known, ask.id, ask.message, now), ask.ask)
    return [Reply(station, pump, "answer", {"id": ask.id, **content}, data)]


def _keep_state(conn: Connection, pump: forecourt.Pump, state: dict[str, Any], now: int) -> None:
    telling = ("online", "state", "alarms", "locked", "boot", "nozzles", "tariff", "sw", "lists", "fetch", "update")
    if state["online"]:  # what is not under way is not told of
        state = {"fetch": None, "update": None, **state}
    news = any(pump.state.get(name) != state.get(name) for name in telling)
    if news or now - (pump.state_at or 0) >= STATE_EVERY_S:
        forecourt.mark_state(conn, pump.device, {**pump.state, **state}, now)
