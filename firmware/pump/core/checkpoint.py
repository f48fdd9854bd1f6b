"""Checkpoints of the running sale, and how far the station has acknowledged, in a small flash ring of 16-byte slots.

A sector starts with a slot that holds its generation. A sale takes a header slot, then tally slots: every further 0.5 L
clears one more bit in place (NOR flash clears bits without an erase), which is one program of one byte; a torn one is harmless.
When the supply monitor sees power fail, a slot with the exact volume is written at once. Room for the longest sale is made
before the sale begins, so that nothing is erased while fuel flows.
"""

import binascii
import struct

SLOT = 16
SECTOR = 4096
PER_SECTOR = SECTOR // SLOT
STEP_ML = 500
TALLY_SLOTS = 16  # 16 x 128 x 0.5 L = 1,024 L: above settings' greatest maximum
_LAYOUT = "<BBHII"  # kind, nozzle, zero, value, value; then CRC-32
# Kinds are none of the bytes that a tally slot can begin with (FF FE FC F8 F0 E0 C0 80 00).
_SECTOR, _SALE, _EXACT, _ACKED = 0xA1, 0xA2, 0xA3, 0xA4
ACK_EVERY = 64  # records after which the acknowledged sequence number is kept


def _slot(kind, nozzle, first, second):
    data = struct.pack(_LAYOUT, kind, nozzle, 0, first, second)
    return data + struct.pack("<I", binascii.crc32(data))


def _tally(buf):
    """Bits cleared in a tally slot; 0 for anything that is none (a torn slot of another kind)."""
    zeros = 0
    while zeros < SLOT and buf[zeros] == 0:
        zeros += 1
    if zeros == SLOT:
        return SLOT * 8
    rest = 0x1FF - buf[zeros]  # FF FE FC .. 80 -> 100 101 103 .. 17F
    bits = 0
    while rest >> bits & 1:
        bits += 1
    if rest != 0x100 | (1 << bits) - 1 or buf[zeros + 1 :] != b"\xff" * (SLOT - 1 - zeros):
        return 0
    return zeros * 8 + bits


class Checkpoint:
    """Public after recover(): sale_seq, nozzle, volume_ml of the last sale begun (0: none); acked."""

    def __init__(self, flash):
        self.flash = flash
        self._generation = 0
        self._sector = 0
        self._next = PER_SECTOR  # next free slot of the sector; none before the first sale
        self._tally = 0  # address of the running sale's first tally slot
        self._bits = 0
        self.programs = 0
        self.sale_seq = self.nozzle = self.volume_ml = self.acked = 0

    def recover(self):
        """Find the newest sector, and in it the last sale and the last acknowledgement kept."""
        buf = bytearray(SLOT)
        for sector in range(self.flash.sectors):
            fields = self._read(sector * PER_SECTOR, buf)
            if fields and fields[0] == _SECTOR and fields[3] > self._generation:
                self._generation, self._sector = fields[3], sector
        if not self._generation:
            return
        used = in_tally = 0
        for i in range(PER_SECTOR):
            fields = self._read(self._sector * PER_SECTOR + i, buf)
            if fields:
                kind, nozzle, _, first, second = fields
                in_tally = kind == _SALE
                if kind == _SECTOR or kind == _ACKED:
                    self.acked = max(self.acked, second)
                elif kind == _SALE:
                    self.sale_seq, self.nozzle, self.volume_ml = first, nozzle, 0
                elif kind == _EXACT and first == self.sale_seq:
                    self.volume_ml = max(self.volume_ml, second)
            elif in_tally:
                cleared = _tally(buf)
                self.volume_ml += cleared * STEP_ML
                in_tally = cleared == SLOT * 8
            if buf != b"\xff" * SLOT:
                used = i + 1
        # One more slot is left alone: it may be the tally slot of a sale that had not yet come to its first bit.
        self._next = used + 1

    def _read(self, index, buf):
        """The slot's fields, or None (then it is blank, torn or a tally)."""
        self.flash.readinto(index * SLOT, buf)
        if 0xA1 <= buf[0] <= 0xA4 and struct.unpack_from("<I", buf, 12)[0] == binascii.crc32(memoryview(buf)[:12]):
            return struct.unpack_from(_LAYOUT, buf, 0)
        return None

    def _program(self, addr, data):
        self.flash.program(self._sector * SECTOR + addr, data)
        self.programs += 1

    def _put(self, kind, nozzle, first, second):
        self._program(self._next * SLOT, _slot(kind, nozzle, first, second))
        self._next += 1

    def make_room(self):
        """Erase the next sector unless the longest sale fits into this one. Not while fuelling. True if it erased."""
        if self._next + TALLY_SLOTS + 3 <= PER_SECTOR:
            return False
        self._sector = (self._sector + 1) % self.flash.sectors
        self.flash.erase(self._sector)
        self._generation += 1
        self._next = 0
        self._put(_SECTOR, 0, self._generation, self.acked)
        return True

    def begin(self, sale_seq, nozzle):
        """Before the valve opens."""
        self.make_room()
        self.sale_seq, self.nozzle, self.volume_ml = sale_seq, nozzle, 0
        self._put(_SALE, nozzle, sale_seq, 0)
        self._tally = self._next * SLOT
        self._bits = 0
        self._next += 1

    @property
    def next_ml(self):
        """Volume at which reached() has a bit to clear."""
        return (self._bits + 1) * STEP_ML

    def reached(self, volume_ml):
        """Keep every whole half litre up to volume_ml."""
        while volume_ml >= self.next_ml and self._bits < TALLY_SLOTS * SLOT * 8:
            byte, bit = divmod(self._bits, 8)
            self._program(self._tally + byte, bytes((0xFF << bit + 1 & 0xFF,)))
            self._bits += 1
            self._next = max(self._next, (self._tally + byte) // SLOT + 1)

    def exact(self, volume_ml):
        """Power is failing: keep the volume to the millilitre."""
        self._put(_EXACT, self.nozzle, self.sale_seq, volume_ml)

    def keep_acked(self, acked):
        """While idle: keep how far the station has acknowledged, every ACK_EVERY records."""
        if acked - self.acked >= ACK_EVERY and self._next + 1 < PER_SECTOR:
            self.acked = acked
            self._put(_ACKED, 0, 0, acked)
