"""Signing of what the station sends down to a pump, with the very code by which the pump checks it (docs/mqtt.md)."""

import json
from collections.abc import Mapping
from typing import Any

from pump.core import signed

NotSigned: type[ValueError] = signed.NotSigned


def sign(link_key: bytes, topic: str, message: Mapping[str, Any], data: bytes = b"") -> bytes:
    """The bytes to publish on `topic` (whole topic, from `pumpside/v1/` on); link_key: the device's 32 bytes;
    data: a part of a file that goes with the message."""
    if len(link_key) != 32:
        raise ValueError("the link key has 32 bytes")
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    payload: bytes = signed.sign(link_key, topic, text, data)
    return payload


def verify(link_key: bytes, topic: str, payload: bytes) -> dict[str, Any]:
    """The message in a signed payload. Raises NotSigned (a ValueError) if key, topic or content do not fit."""
    message: dict[str, Any] = signed.verify(link_key, topic, payload)
    return message
