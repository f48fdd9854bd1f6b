"""Checkpoints of the running sale, and how far the station has acknowledged, in a small flash ring of 16-byte slots.

A sector starts with a slot that holds its generation. A sale takes a header slot, then tally slots: every further 0.5 L
clears one more bit in place (NOR flash clears bits without an erase), which is one program of one byte; a torn one is
harmless. When the supply monitor sees power fail, a slot with the exact volume is written at once. Room for the
longest sale is made before it begins, so that nothing is erased while fuel flows. What was learned (cut-off) is kept
in slots of its own and stands in every sector from its beginning. core/recovery.py reads it back.
"""

import binascii
import struct

SLOT = 16
SECTOR = 4096
PER_SECTOR = 256
STEP_ML = 500
TALLY_SLOTS = 16  # 16 x 128 x 0.5 L = 1,024 L: above settings' greatest maximum
TALLY_BITS = TALLY_SLOTS * SLOT * 8
LAYOUT = "<BBHII"  # kind, nozzle, zero, value, value; then CRC-32
# Kinds are none of the bytes that a tally slot can begin with (FF FE FC F8 F0 E0 C0 80 00).
KIND_SECTOR, KIND_SALE, KIND_EXACT, KIND_ACKED, KIND_LEARNED = 0xA1, 0xA2, 0xA3, 0xA4, 0xA5
ACK_EVERY = 64  # records after which the acknowledged sequence number is kept


class Checkpoint:
    """Public: sale_seq, nozzle, volume_ml of the last sale begun (0: none); acked as last kept; writes (counted);
    learned {key 0..255: (u32, u32)}, whose meaning is the cut-off's."""

    def __init__(self, flash):
        self.flash = flash
        self.generation = self.sector = 0
        self.next = PER_SECTOR  # next free slot of the sector; none before the first sale
        self._tally = 0  # address of the running sale's first tally slot
        self._bits = 0
        self.writes = 0
        self.sale_seq = self.nozzle = self.volume_ml = self.acked = 0
        self.learned = {}

    def _put(self, kind, first, second):
        self._write(self.next, kind, self.nozzle, first, second)
        self.next += 1

    def _write(self, slot, kind, key, first, second):
        data = struct.pack(LAYOUT, kind, key, 0, first, second)
        self.flash.program(self.sector * SECTOR + slot * SLOT, data + struct.pack("<I", binascii.crc32(data)))
        self.writes += 1

    def make_room(self):
        """Erase the next sector unless the longest sale fits into this one. Not while fuelling. True if it erased."""
        if self.next + TALLY_SLOTS + 3 <= PER_SECTOR:
            return False
        self.sector = (self.sector + 1) % self.flash.sectors
        self.flash.erase(self.sector)
        self.generation += 1
        self.next = 1
        for key, (first, second) in self.learned.items():
            self._write(self.next, KIND_LEARNED, key, first, second)
            self.next += 1
        # The head last: from then on the sector before, and what it says, count no more.
        self._write(0, KIND_SECTOR, self.nozzle, self.generation, self.acked)
        return True

    def learn(self, key, first, second):
        """Keep two 32-bit numbers under a key (0..255) for good. Not while fuelling. False: no room before a sale."""
        self.learned[key] = first, second
        if self.next + TALLY_SLOTS + 3 > PER_SECTOR:
            return False  # it will stand at the beginning of the next sector
        self._write(self.next, KIND_LEARNED, key, first, second)
        self.next += 1
        return True

    def begin(self, sale_seq, nozzle):
        """Before the valve opens."""
        self.make_room()
        self.sale_seq, self.nozzle, self.volume_ml = sale_seq, nozzle, 0
        self._put(KIND_SALE, sale_seq, 0)
        self._tally = self.next * SLOT
        self._bits = 0
        self.next += 1

    @property
    def next_ml(self):
        """Volume at which reached() has a bit to clear."""
        return (self._bits + 1) * STEP_ML

    def reached(self, volume_ml):
        """Keep every whole half litre up to volume_ml."""
        while volume_ml >= self.next_ml and self._bits < TALLY_BITS:
            at = self._tally + self._bits // 8
            self.flash.program(self.sector * SECTOR + at, bytes((0xFE << self._bits % 8 & 0xFF,)))
            self._bits += 1
            self.next = max(self.next, at // SLOT + 1)
            self.writes += 1

    def exact(self, volume_ml):
        """Power is failing: keep the volume to the millilitre."""
        self._put(KIND_EXACT, self.sale_seq, volume_ml)

    def keep_acked(self, acked):
        """While idle: keep how far the station has acknowledged, every ACK_EVERY records."""
        if acked - self.acked >= ACK_EVERY and self.next + 1 < PER_SECTOR:
            self.acked = acked
            self._put(KIND_ACKED, 0, acked)
