"""AES-128 in CBC mode and AES-CMAC (NIST SP 800-38B, RFC 4493), on the board and on a computer.

Keys, initial vectors and blocks are 16 bytes.
"""

ZERO = bytes(16)

try:
    from cryptolib import aes

    def cbc_encrypt(key, iv, data):
        """data (whole blocks) enciphered."""
        return aes(key, 2, iv).encrypt(data)

    def cbc_decrypt(key, iv, data):
        """data (whole blocks) deciphered."""
        return aes(key, 2, iv).decrypt(data)

except ImportError:
    from aes_cpython import cbc_decrypt, cbc_encrypt  # noqa: F401


def _double(block):
    """Multiplication by x in GF(2^128), SP 800-38B section 6.1; the block is taken as a number."""
    block <<= 1
    return block ^ (block >> 128 << 128 | 0x87) if block >> 128 else block


class Cmac:
    """CMAC under one key; the subkeys are worked out once."""

    def __init__(self, key):
        self._key = key
        self.k1 = _double(int.from_bytes(cbc_encrypt(key, ZERO, ZERO), "big"))
        self.k2 = _double(self.k1)

    def of(self, message, iv=ZERO, size=16):
        """The 16-byte CMAC of message.

        iv chains it to the message before (DESFire does that). The message is padded to `size` bytes at least
        (AN10922 pads to 32).
        """
        padded = bytes(message)
        subkey = self.k1
        if len(padded) % 16 or len(padded) < size:
            subkey = self.k2
            padded += b"\x80"
            padded += bytes(max(size - len(padded), -len(padded) % 16))
        subkey ^= int.from_bytes(padded[-16:], "big")
        return cbc_encrypt(self._key, iv, padded[:-16] + subkey.to_bytes(16, "big"))[-16:]


def mac(key, message):
    """The 16-byte AES-CMAC of message under key."""
    return Cmac(key).of(message)
