"""The card's side of DESFire cryptography: keys, chaining modes, MACs and checksums (NXP MF3ICDx21, AN0945).

Written apart from firmware/lib on purpose: a mistake there must not find its twin here.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BlockFunction = Callable[[bytes], bytes]

DES, THREE_KEY, AES = "DES", "3K3DES", "AES"
KEY_LENGTH = {DES: 16, THREE_KEY: 24, AES: 16}


@dataclass(frozen=True)
class Key:
    """A DESFire key. kind DES covers single DES (both halves equal) and two-key triple DES, as on the card."""

    kind: str
    data: bytes
    version: int = 0

    @property
    def block(self) -> int:
        return 16 if self.kind == AES else 8

    @property
    def single(self) -> bool:
        """True for single DES: the halves differ at most in their parity bits, which carry the key version."""
        return self.kind == DES and bytes(b & 0xFE for b in self.data[:8]) == bytes(b & 0xFE for b in self.data[8:])


def blank_key(kind: str) -> Key:
    """The factory key of that kind: all zeros."""
    return Key(kind, bytes(KEY_LENGTH[kind]))


@lru_cache(maxsize=4096)
def encipherer(kind: str, data: bytes) -> BlockFunction:
    """Enciphers one block."""
    return _cipher(kind, data).encryptor().update


@lru_cache(maxsize=4096)
def decipherer(kind: str, data: bytes) -> BlockFunction:
    """Deciphers one block."""
    return _cipher(kind, data).decryptor().update


def _cipher(kind: str, data: bytes) -> Cipher[modes.ECB]:
    if kind == AES:
        return Cipher(algorithms.AES(data), modes.ECB())
    return Cipher(TripleDES(data + data[:8] if len(data) == 16 else data), modes.ECB())


def xor(a: bytes, b: bytes) -> bytes:
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(len(a), "big")


def send(key: Key, iv: bytes, data: bytes) -> bytes:
    """What the card does to data it sends: CBC encipherment."""
    encipher = encipherer(key.kind, key.data)
    size, number, out = key.block, int.from_bytes, []
    for i in range(0, len(data), size):
        iv = encipher((number(iv, "big") ^ number(data[i : i + size], "big")).to_bytes(size, "big"))
        out.append(iv)
    return b"".join(out)


def receive(key: Key, iv: bytes, data: bytes, legacy: bool = False) -> bytes:
    """What the card does to data it receives: CBC decipherment.

    In legacy (D40) mode a reader only ever deciphers, so the card has to encipher to undo that.
    """
    function = (encipherer if legacy else decipherer)(key.kind, key.data)
    out = []
    for i in range(0, len(data), key.block):
        block = data[i : i + key.block]
        out.append(xor(function(block), iv))
        iv = block
    return b"".join(out)


@lru_cache(maxsize=4096)
def _subkeys(kind: str, data: bytes) -> tuple[bytes, bytes]:
    size = 16 if kind == AES else 8
    reduction = 0x87 if size == 16 else 0x1B
    mask = (1 << 8 * size) - 1

    def double(value: int) -> int:
        shifted = value << 1 & mask
        return shifted ^ reduction if value >> (8 * size - 1) else shifted

    k1 = double(int.from_bytes(encipherer(kind, data)(bytes(size)), "big"))
    return k1.to_bytes(size, "big"), double(k1).to_bytes(size, "big")


def cmac(key: Key, iv: bytes, message: bytes) -> bytes:
    """CMAC (NIST SP 800-38B) that goes on from iv; one block long."""
    k1, k2 = _subkeys(key.kind, key.data)
    size = key.block
    if message and len(message) % size == 0:
        head, last = message[:-size], xor(message[-size:], k1)
    else:
        cut = len(message) // size * size
        head, last = message[:cut], xor((message[cut:] + b"\x80").ljust(size, b"\0"), k2)
    return send(key, iv, head + last)[-size:]


def legacy_mac(key: Key, data: bytes) -> bytes:
    """The four bytes of D40 MACed communication: CBC-MAC over zero-padded data."""
    padded = data + bytes(-len(data) % 8)
    return send(key, bytes(8), padded)[-8:-4]


def crc32(data: bytes) -> bytes:
    """CRC32 of EV1 secure messaging: the reflected polynomial without the final complement."""
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")


def crc16(data: bytes) -> bytes:
    """CRC_A of ISO 14443-3, as D40 secure messaging uses it."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte ^= byte << 4 & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc.to_bytes(2, "little")


def session_key(key: Key, rnd_a: bytes, rnd_b: bytes) -> Key:
    """The key of a session from both sides' random numbers."""
    if key.kind == AES:
        return Key(AES, rnd_a[:4] + rnd_b[:4] + rnd_a[12:16] + rnd_b[12:16])
    if key.kind == THREE_KEY:
        middle = rnd_a[6:10] + rnd_b[6:10]
        return Key(THREE_KEY, rnd_a[:4] + rnd_b[:4] + middle + rnd_a[12:16] + rnd_b[12:16])
    half = rnd_a[:4] + rnd_b[:4]
    return Key(DES, half + half if key.single else half + rnd_a[4:8] + rnd_b[4:8])
