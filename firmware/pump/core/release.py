"""What a release of the firmware is signed over, and whether its maker did: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017,
8.2.2), verifying only, in plain integers."""

import hashlib

EXPONENT = 65537
LEAST_BYTES = 256  # 2,048 bits
_SHA256 = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"  # DigestInfo, RFC 8017, 9.2


def text(manifest):
    """What the maker signs, of a dict with version, sw, size, sha, loader and older (docs/update.md): bytes."""
    names = ("version", "sw", "size", "sha", "loader", "older")
    return ("pumpside release\n" + "\n".join([str(manifest[name]) for name in names])).encode()


def verified(modulus, text, signature):
    """Did the holder of the private key to modulus (bytes, big endian) sign text (bytes)? Some 50 ms on an ESP32."""
    size = len(modulus)
    if size < LEAST_BYTES or len(signature) != size:
        return False
    n = int.from_bytes(modulus, "big")
    s = int.from_bytes(signature, "big")
    if s >= n:
        return False
    expected = b"\0\1" + b"\xff" * (size - 3 - len(_SHA256) - 32) + b"\0" + _SHA256 + hashlib.sha256(text).digest()
    return pow(s, EXPONENT, n).to_bytes(size, "big") == expected
