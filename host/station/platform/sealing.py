"""Fields that must not lie open on the disk: AES-256-GCM under the station's data keys, the newest first (X2).

A sealed value is: key number (1 byte), nonce (12), ciphertext, tag. What it belongs to (its context) is authenticated
with it, so a sealed value copied to another row does not open there. NIST SP 800-38D.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class SealError(Exception):
    """The value was not sealed under one of these keys for this context."""


class Sealer:
    """keys: {number 1..255: 32 bytes}; the highest number seals, any of them opens."""

    def __init__(self, keys: dict[int, bytes]) -> None:
        if not keys or not all(0 < number < 256 and len(key) == 32 for number, key in keys.items()):
            raise ValueError("data keys: numbers 1 to 255, 32 bytes each")
        self._ciphers = {number: AESGCM(key) for number, key in keys.items()}
        self.newest = max(keys)

    def seal(self, value: bytes, context: str) -> bytes:
        nonce = os.urandom(_NONCE)
        return bytes([self.newest]) + nonce + self._ciphers[self.newest].encrypt(nonce, value, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """The value. SealError if it is not ours, was changed, or belongs elsewhere."""
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise SealError("密封数据的密钥不存在 the key of the sealed value is not known")
        try:
            return cipher.decrypt(sealed[1 : 1 + _NONCE], sealed[1 + _NONCE :], context.encode())
        except InvalidTag:
            raise SealError("密封数据被改动 the sealed value was changed or belongs elsewhere") from None

    def is_newest(self, sealed: bytes) -> bool:
        """False: it opens, but should be sealed again (key rotation)."""
        return bool(sealed) and sealed[0] == self.newest
