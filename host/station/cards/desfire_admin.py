"""DESFire commands that only the issuing desk needs: a blank card's own authentication, applications, files, keys.

Kept off the boards: they neither carry this code nor a key that it would work with (NXP MF3ICDx21, AN12343).
"""
# mypy: allow-untyped-calls

import struct
import zlib
from collections.abc import Generator
from typing import TypeVar

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

import cmac
import desfire

T = TypeVar("T")
Conversation = Generator[bytes, bytes, T]

PICC = b"\0\0\0"
BLANK_AES = bytes(16)
AES_KEYS = 0x80


def crc32(data: bytes) -> bytes:
    """EV1's CRC32: without the final complement."""
    return (zlib.crc32(data) ^ 0xFFFFFFFF).to_bytes(4, "little")


def crc16(data: bytes) -> bytes:
    """CRC_A of ISO 14443-3, for the legacy mode."""
    crc = 0x6363
    for byte in data:
        byte ^= crc & 0xFF
        byte = (byte ^ byte << 4) & 0xFF
        crc = crc >> 8 ^ byte << 8 ^ byte << 3 ^ byte >> 4
    return crc.to_bytes(2, "little")


class AdminSession(desfire.Session):
    """A session that can also make a card what it is to be."""

    def authenticate_default(self, rnd_a: bytes) -> Conversation[bytes]:
        """Authenticate (0A) with key 0 as the factory leaves it, DES of zeros; rnd_a: 8 random bytes.

        Returns the legacy session key. DesfireError if the card has another key.
        """
        self.key = None
        answer = yield b"\x0a\x00"
        if len(answer) != 9 or answer[0] != desfire.MORE:
            raise desfire.DesfireError(answer[0] if answer else desfire.AUTHENTICATION_ERROR)
        key = bytes(8)
        rnd_b = _legacy(key, answer[1:])
        token = _legacy_send(key, rnd_a + rnd_b[1:] + rnd_b[:1])
        answer = yield b"\xaf" + token
        if len(answer) != 9 or answer[0] != desfire.OK or _legacy(key, answer[1:]) != rnd_a[1:] + rnd_a[:1]:
            raise desfire.DesfireError(answer[0] or desfire.AUTHENTICATION_ERROR)
        return rnd_a[:4] + rnd_b[:4]

    def own_picc(self, session_key: bytes, new: bytes, version: int) -> Conversation[None]:
        """In a legacy session: give the card itself an AES master key. Ends the authentication."""
        data = new + bytes((version,))
        data += crc16(data)
        yield from self._plain(b"\xc4\x80" + _legacy_send(session_key, data + bytes(-len(data) % 8)))

    def change_key(self, key_no: int, new: bytes, version: int, old: bytes | None = None) -> Conversation[None]:
        """ChangeKey to an AES key. old: the key's present value where it is not the one authenticated with.

        Changing the authenticated key ends the authentication.
        """
        header = bytes((0xC4, key_no))
        data = (bytes(a ^ b for a, b in zip(new, old, strict=True)) if old else new) + bytes((version,))
        data += crc32(header + data) + (crc32(new) if old else b"")
        answer = yield from self._enciphered(header, data)
        if old:
            self._verified(answer)
        else:
            self.key = None

    def change_key_settings(self, settings: int) -> Conversation[None]:
        """ChangeKeySettings of the card or the selected application."""
        message = bytes((0x54, settings))
        self._verified((yield from self._enciphered(message[:1], message[1:] + crc32(message))))

    def _enciphered(self, header: bytes, data: bytes) -> Conversation[bytes]:
        sealed = cmac.cbc_encrypt(self.key, self._iv, data + bytes(-len(data) % 16))
        self._iv = sealed[-16:]
        answer: bytes = yield from self._plain(header + sealed)
        return answer

    def empty_answer(self) -> bytes:
        """What the card will say to the command just made if it carries it out and has nothing to tell."""
        assert self._cmac is not None  # authenticated
        return b"\0" + bytes(self._cmac.of(b"\0", self._iv)[:8])

    def version(self) -> Conversation[bytes]:
        """GetVersion: 28 bytes; the UID is [14:21]."""
        data: bytes = yield from self.command(b"\x60")
        return data

    def credit(self, file: int, amount: int) -> Conversation[None]:
        """Add amount to a value file (needs the file's read-and-write key); holds after commit()."""
        yield from self.command(struct.pack("<BBi", 0x0C, file, amount), True)

    def read_records(self, file: int, size: int) -> Conversation[list[bytes]]:
        """All records of `size` bytes, oldest first; none for a file that is empty."""
        try:
            data: bytes = yield from self.command(bytes((0xBB, file)) + bytes(6))
        except desfire.DesfireError as error:
            if error.status == desfire.BOUNDARY_ERROR:
                return []
            raise
        return [data[i : i + size] for i in range(0, len(data), size)]

    def abort(self) -> Conversation[None]:
        """AbortTransaction: forget the changes since the last commit."""
        yield from self.command(b"\xa7")

    def create_application(self, aid: bytes, settings: int, keys: int) -> Conversation[None]:
        """CreateApplication with `keys` AES keys of zeros."""
        yield from self.command(b"\xca" + aid + bytes((settings, AES_KEYS | keys)))

    def delete_application(self, aid: bytes) -> Conversation[None]:
        yield from self.command(b"\xda" + aid)

    def create_data_file(self, file: int, comm: int, access: int, size: int, backup: bool) -> Conversation[None]:
        """A standard data file, or one with backup (covered by transactions)."""
        yield from self.command(_file(0xCB if backup else 0xCD, file, comm, access) + size.to_bytes(3, "little"))

    def create_value_file(self, file: int, comm: int, access: int, lower: int, upper: int) -> Conversation[None]:
        """A value file at 0 with LimitedCredit enabled."""
        yield from self.command(_file(0xCC, file, comm, access) + struct.pack("<iiiB", lower, upper, 0, 1))

    def create_cyclic_file(self, file: int, comm: int, access: int, size: int, records: int) -> Conversation[None]:
        numbers = size.to_bytes(3, "little") + records.to_bytes(3, "little")
        yield from self.command(_file(0xC0, file, comm, access) + numbers)


def _file(code: int, file: int, comm: int, access: int) -> bytes:
    return struct.pack("<BBBH", code, file, comm, access)


def _legacy(key: bytes, block: bytes) -> bytes:
    """One DES block deciphered: all that a reader ever does in the legacy mode."""
    return Cipher(TripleDES(key * 3), modes.ECB()).decryptor().update(block)


def _legacy_send(key: bytes, data: bytes) -> bytes:
    out, last = b"", bytes(8)
    for i in range(0, len(data), 8):
        last = _legacy(key, bytes(a ^ b for a, b in zip(data[i : i + 8], last, strict=True)))
        out += last
    return out
