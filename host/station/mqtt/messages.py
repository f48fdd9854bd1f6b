"""Reading what pumps send as JSON: strict, bounded, and never raising anything but Malformed."""

import json
from dataclasses import dataclass
from typing import Any

JSON_LIMIT = 4096  # bytes; the longest message of a pump is below 600


class MalformedError(Exception):
    """The payload is not what its topic carries; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A pump's question: what it asks for (docs/mqtt.md), and the whole message for whoever answers that."""

    id: str
    ask: str
    message: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The outcome of a command."""

    id: str
    ok: bool
    why: str


def parse_object(payload: bytes) -> dict[str, Any]:
    """A JSON object, UTF-8. Raises MalformedError."""
    if len(payload) > JSON_LIMIT:
        raise MalformedError(f"{len(payload)} bytes")
    try:
        message = json.loads(payload.decode("utf-8"), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise MalformedError(f"not JSON: {error}") from None
    if not isinstance(message, dict):
        raise MalformedError("not an object")
    return message


def parse_state(payload: bytes) -> dict[str, Any]:
    """A `state` payload or last will. Raises MalformedError."""
    message = parse_object(payload)
    if message.get("v") != 1 or not isinstance(message.get("online"), bool):
        raise MalformedError("v or online")
    if message["online"]:
        for name in ("device", "boot", "time", "tariff"):
            if name in message and not is_count(message[name]):
                raise MalformedError(name)
        alarms = message.get("alarms", [])
        if not isinstance(alarms, list) or not all(is_count(alarm) for alarm in alarms):
            raise MalformedError("alarms")
        if not isinstance(message.get("nozzles", []), list) or not isinstance(message.get("state", ""), str):
            raise MalformedError("nozzles or state")
    return message


def parse_live(payload: bytes) -> dict[str, Any]:
    """A `live` payload. Raises MalformedError."""
    message = parse_object(payload)
    for name, value in message.items():
        if name in ("s", "card"):
            if not isinstance(value, str):
                raise MalformedError(name)
        elif name == "a":
            if not isinstance(value, list):
                raise MalformedError(name)
        elif value is not None and not (isinstance(value, int) and abs(value) < 1 << 63):
            raise MalformedError(name[:20])
    return message


def parse_ask(payload: bytes) -> Ask:
    """An `ask` payload. Raises MalformedError."""
    message = parse_object(payload)
    name, ask = hex_digits(message, "id", 1, 32), message.get("ask")
    if not isinstance(ask, str):
        raise MalformedError("ask")
    return Ask(name, ask, message)


def parse_done(payload: bytes) -> Done:
    """A `done` payload. Raises MalformedError."""
    message = parse_object(payload)
    name, ok, why = hex_digits(message, "id", 1, 32), message.get("ok"), message.get("why", "")
    if not isinstance(ok, bool) or not isinstance(why, str):
        raise MalformedError("ok or why")
    return Done(name, ok, why[:200])


def is_count(value: object) -> bool:
    """A whole number of 32 bits."""
    return type(value) is int and 0 <= value < 1 << 32


def hex_digits(message: dict[str, Any], name: str, least: int, most: int) -> str:
    """The hex digits under `name`, least to most of them. Raises MalformedError."""
    value = message.get(name)
    if not isinstance(value, str) or not least <= len(value) <= most or set(value) - set("0123456789abcdefABCDEF"):
        raise MalformedError(name)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)
