"""What MicroPython's cryptolib does, on a computer: AES-128 CBC over the `cryptography` package. Boards do without."""

from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


@lru_cache(maxsize=512)
def _block_functions(key):
    # Keeping the block functions is 20 times faster than a new CBC object per message; ECB has no state.
    cipher = Cipher(algorithms.AES(bytes(key)), modes.ECB())
    return cipher.encryptor().update, cipher.decryptor().update


def _xor(a, b):
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).to_bytes(16, "big")


def cbc_encrypt(key, iv, data):
    encrypt = _block_functions(bytes(key))[0]
    number, out = int.from_bytes, []
    for i in range(0, len(data), 16):
        iv = encrypt((number(iv, "big") ^ number(data[i : i + 16], "big")).to_bytes(16, "big"))
        out.append(iv)
    return b"".join(out)


def cbc_decrypt(key, iv, data):
    decrypt = _block_functions(bytes(key))[1]
    out = []
    for i in range(0, len(data), 16):
        block = bytes(data[i : i + 16])
        out.append(_xor(decrypt(block), iv))
        iv = block
    return b"".join(out)
