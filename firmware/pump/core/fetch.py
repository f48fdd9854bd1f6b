"""A file from the station into a slot of flash, part by part while the pump is idle, and taken up again after a cut.

A slot is some sectors; the last one is its head: what is to stand in the slot, written before the first part, and a
mark programmed over it once the whole was read back and its SHA-256 found right. So a slot counts wholly or not at all,
and who was cut goes on with the sector that was under way. ctl.errand is the running fetch; the link asks for parts.
"""

import binascii
import hashlib
import struct

SECTOR = 4096
PART = 512
HEAD = "<4sII32s32s"  # magic, version, size, SHA-256, what the file's reader needs; then CRC-32
HEAD_SIZE = 76
MAGIC = b"PSF1"
MARK = b"\0\0\0\0"
PROGRESS = 128  # in the head: one byte a sector of the file, 0 once it is there


def head(flash, first, sectors):
    """(version, size, sha, extra, is_marked) of a slot, or None if nothing was begun in it."""
    buf = bytearray(HEAD_SIZE + 8)
    flash.readinto((first + sectors - 1) * SECTOR, buf)
    magic, version, size, sha, extra = struct.unpack_from(HEAD, buf)
    if magic != MAGIC or struct.unpack_from("<I", buf, HEAD_SIZE)[0] != binascii.crc32(memoryview(buf)[:HEAD_SIZE]):
        return None
    return version, size, sha, extra, buf[HEAD_SIZE + 4 :] == MARK


class Fetch:
    """at: bytes that are there. done(ok) is called once: True when the slot is whole and marked."""

    def __init__(self, flash, first, sectors, of, version, size, sha, extra, done):
        """flash as core/controller.py says; first: the slot's first sector; of: what it is called in the question;
        size: bytes, at most (sectors - 1) * 4096, ValueError otherwise; sha: 32 bytes; extra: at most 32."""
        if not 0 < size <= (sectors - 1) * SECTOR or len(sha) != 32:
            raise ValueError("size")
        self.flash, self.of, self.version, self.size, self.at = flash, of, version, size, 0
        self._first, self._head = first * SECTOR, (first + sectors - 1) * SECTOR
        self._intent = (version, size, sha, (extra + bytes(32))[:32])
        self._found = head(flash, first, sectors)
        self._begun = self._ready = False  # head is written; the sector at `at` is erased
        self._digest, self._checked = None, 0
        self._done = done

    def ask(self):
        """The question for the next part, without its id, or None."""
        if self._ready and self.at < self.size:
            return {"ask": "part", "of": self.of, "version": self.version, "at": self.at}
        return None

    def part(self, at, data):
        """What the station answered; anything but the part that is due is ignored."""
        if not self._ready or at != self.at or len(data) != min(PART, self.size - at):
            return
        self.flash.program(self._first + at, bytes(data))
        self.at += len(data)
        if not self.at % SECTOR or self.at == self.size:
            self.flash.program(self._head + PROGRESS + at // SECTOR, b"\0")
            self._ready = False

    def work(self):
        """One slow act, of at most an erase (45 ms). True if there was one to do."""
        if not self._begun:
            self._begin()
        elif self.at >= self.size:
            self._check()
        elif not self._ready:
            self.flash.erase((self._first + self.at) // SECTOR)
            self._ready = True
        else:
            return False
        return True

    def _begin(self):
        if self._found and self._found[:4] == self._intent:
            if self._found[4]:
                self.at = self.size
                self._done(True)
                return
            self.at = self._resume()
        else:
            self.flash.erase(self._head // SECTOR)
            data = struct.pack(HEAD, MAGIC, *self._intent)
            self.flash.program(self._head, data + struct.pack("<I", binascii.crc32(data)))
        self._begun = True

    def _resume(self):
        """How far whole sectors are there; the one that was under way may be torn and is fetched again."""
        buf = bytearray((self.size + SECTOR - 1) // SECTOR)
        self.flash.readinto(self._head + PROGRESS, buf)
        whole = 0
        while whole < len(buf) and not buf[whole]:
            whole += 1
        return min(whole * SECTOR, self.size)

    def _check(self):
        if self._digest is None:
            self._digest, self._checked = hashlib.sha256(), 0
        buf = bytearray(PART)
        end = min(self.size, self._checked + SECTOR)
        while self._checked < end:
            self.flash.readinto(self._first + self._checked, buf)
            self._digest.update(memoryview(buf)[: end - self._checked])
            self._checked = min(end, self._checked + PART)
        if self._checked < self.size:
            return
        good = self._digest.digest() == self._intent[2]
        if good:
            self.flash.program(self._head + HEAD_SIZE + 4, MARK)
        else:
            self.flash.erase(self._head // SECTOR)
        self._done(good)
