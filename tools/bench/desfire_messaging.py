"""Secure messaging as the card does it, in both generations (NXP MF3ICDx21): legacy (D40) and EV1.

EV1 moves a chained CMAC with every command and answer; legacy starts each message afresh and MACs only where asked to.
"""

from dataclasses import dataclass

from tools.bench import desfire_crypto as crypto
from tools.bench.desfire_files import FULL, INTEGRITY, LENGTH_ERROR, MACED, Refused


@dataclass
class Messaging:
    """An authenticated session: with which key (its number) and how far the chain has come."""

    key: crypto.Key
    key_no: int
    legacy: bool
    iv: bytes

    @classmethod
    def begin(cls, key: crypto.Key, key_no: int, legacy: bool) -> "Messaging":
        return cls(key, key_no, legacy, bytes(key.block))

    def mac_size(self) -> int:
        return 4 if self.legacy else 8

    def sealed_length(self, length: int, mode: int) -> int:
        """How many bytes `length` bytes of data take on the way to the card."""
        if mode == MACED:
            return length + self.mac_size()
        if mode == FULL:
            total = length + (2 if self.legacy else 4)
            return total + -total % self.key.block
        return length

    def note(self, message: bytes) -> None:
        """A command without protection of its own still moves the EV1 chain."""
        if not self.legacy:
            self.iv = crypto.cmac(self.key, self.iv, message)

    def open(self, message: bytes, header: int, length: int, mode: int) -> bytes:
        """The data of a command: `length` bytes after a clear header. Refused INTEGRITY if our key did not seal it."""
        if len(message) != header + self.sealed_length(length, mode):
            raise Refused(LENGTH_ERROR)
        if mode == MACED:
            covered = message[: header + length]
            if self.legacy:
                mac = crypto.legacy_mac(self.key, covered[header:])
            else:
                self.iv = crypto.cmac(self.key, self.iv, covered)
                mac = self.iv[:8]
            if mac != message[header + length :]:
                raise Refused(INTEGRITY)
            return covered[header:]
        if mode == FULL:
            clear = self.decipher(message[header:])
            data = clear[:length]
            checksum = crypto.crc16(data) if self.legacy else crypto.crc32(message[:header] + data)
            if clear[length:] != checksum.ljust(len(clear) - length, b"\0"):
                raise Refused(INTEGRITY)
            return data
        self.note(message)
        return message[header:]

    def decipher(self, data: bytes) -> bytes:
        """Enciphered data as sent by the reader, in clear, checksum and padding still on it."""
        if not data or len(data) % self.key.block:
            raise Refused(LENGTH_ERROR)
        if self.legacy:
            return crypto.receive(self.key, bytes(self.key.block), data, legacy=True)
        clear = crypto.receive(self.key, self.iv, data)
        self.iv = data[-self.key.block :]
        return clear

    def seal(self, data: bytes, mode: int) -> bytes:
        """An answer's data with its protection, status OK."""
        if mode == FULL:
            checked = data + (crypto.crc16(data) if self.legacy else crypto.crc32(data + b"\0"))
            padded = checked + bytes(-len(checked) % self.key.block)
            sealed = crypto.send(self.key, bytes(self.key.block) if self.legacy else self.iv, padded)
            self.iv = sealed[-self.key.block :]
            return sealed
        if self.legacy:
            return data + crypto.legacy_mac(self.key, data) if mode == MACED and data else data
        self.iv = crypto.cmac(self.key, self.iv, data + b"\0")
        return data + self.iv[:8]
