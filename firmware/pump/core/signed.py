"""Signed downward messages: JSON, a line feed, 64 hex characters of HMAC-SHA256 over topic, line feed, JSON. Where a
part of a file goes with a message, a line feed and its bytes follow the JSON and are signed with it.

The rules stand in docs/mqtt.md. The topic is part of what is signed, so that a payload replayed on
another topic or to another device does not pass.
"""

import binascii
import hashlib
import json

SIGNATURE_SIZE = 64


class NotSigned(ValueError):  # noqa: N818 - says what the payload is
    """The payload is not what the holder of the link key wrote for this topic."""


def hmac_sha256(key, *parts):
    """HMAC-SHA256 (RFC 2104) of the parts one after the other, 32 bytes; key of at most 64 bytes."""
    inner = bytearray(b"\x36" * 64)
    outer = bytearray(b"\x5c" * 64)
    for i, b in enumerate(key):
        inner[i] ^= b
        outer[i] ^= b
    digest = hashlib.sha256(inner)
    for part in parts:
        digest.update(part)
    seal = hashlib.sha256(outer)
    seal.update(digest.digest())
    return seal.digest()


def sign(key, topic, text, data=b""):
    """The payload for text (str, JSON) and data (of a file) on topic (str): bytes."""
    body = text.encode() + (b"\n" + data if data else b"")
    return body + b"\n" + binascii.hexlify(hmac_sha256(key, topic.encode(), b"\n", body))


def text(key, topic, payload):
    """What was signed for this topic (str): the JSON as a slice of payload, not copied. NotSigned for anything else."""
    at = len(payload) - SIGNATURE_SIZE - 1
    if at < 2 or payload[at] != 10:
        raise NotSigned("form")
    body = payload[:at]
    expected = binascii.hexlify(hmac_sha256(key, topic.encode(), b"\n", body))
    # Every byte is compared, so that time tells nothing about how much of a guess was right.
    difference = 0
    for a, b in zip(expected, bytes(payload[at + 1 :])):
        difference |= a ^ b
    if difference:
        raise NotSigned("signature")
    return body


def verify(key, topic, payload):
    """The dict that was signed for this topic (str). NotSigned for anything else, ValueError for broken JSON."""
    return parse(text(key, topic, payload))


def parse(body):
    """The dict that the JSON text is; ValueError for anything else."""
    value = json.loads(bytes(body))
    if not isinstance(value, dict):
        raise ValueError("not an object")
    return value
