"""The journal: a raw ring of 128-byte records in its own flash partition. A commit is one program of one slot.

A sector holds 32 records. Sectors ahead of the head are erased while idle, so that a commit never waits for an erase.
No sector is erased that holds a record the station has not acknowledged. A torn slot is skipped: the same sequence
number goes into the next one, so sequence numbers have no gaps, slots may.
"""

import struct

from pump.core import records

SECTOR = 4096
PER_SECTOR = SECTOR // records.SIZE
AHEAD = PER_SECTOR  # slots kept erased beyond the head: several sales
RESERVE = 64  # slots that only a sale already begun may use
RESTATE_EVERY = 1000  # records after which totalizers, prices and locks are stated again
RESTATE_SLACK = 88  # records that may come before a statement that is due
_SEARCH = 64  # torn slots between a record and the head that read() can pass


class JournalFull(Exception):  # noqa: N818 - a state, not a fault
    """The ring holds nothing but records that the station has not acknowledged."""


def _blank(data):
    return data == b"\xff" * len(data)


class Journal:
    """Public: head (sequence number of the next record), acked, torn (slots skipped at recovery), stalls (erases that a
    commit had to wait for)."""

    def __init__(self, flash, device, key):
        self.flash = flash
        self.device = device
        self._key = key
        self.slots = flash.sectors * PER_SECTOR
        self.restate_every = min(RESTATE_EVERY, self.slots // 4)
        self._slot = 0  # the next slot to be written
        self._erased = 0  # blank slots from there on
        self.head = 1
        self.acked = 0
        self.torn = 0
        self.stalls = 0
        self._mac = records.CHAIN_START
        self._buf = bytearray(records.SIZE)

    def recover(self, acked=0):
        """Find the head after power-on. acked: a lower bound of what the station has, from the checkpoint ring.

        What lies ahead of the head's sector is erased again even if it looks blank: an erase may have been torn.
        """
        newest, sector = 0, -1
        for i in range(self.flash.sectors):
            seq = self._edge(i, range(PER_SECTOR))
            if seq > newest:
                newest, sector = seq, i
        if sector < 0:
            return
        for i in range(PER_SECTOR):
            self._slot = sector * PER_SECTOR + i
            self._load(self._slot)
            if _blank(self._buf):
                self._erased = PER_SECTOR - i
                break
            if records.is_whole(self._buf):
                self.head = records.header(self._buf)[3] + 1
                self._mac = bytes(self._buf[records.MAC_AT : records.CRC_AT])
                self.torn = 0
            else:
                self.torn += 1
        else:
            self._slot = (self._slot + 1) % self.slots
        self.acked = min(acked, self.head - 1)

    def _load(self, slot):
        self.flash.readinto(slot * records.SIZE, self._buf)

    def _edge(self, sector, order):
        """Sequence number of the first whole record of a sector in that order of slots; 0: none."""
        for i in order:
            self._load(sector * PER_SECTOR + i)
            if records.is_whole(self._buf):
                return records.header(self._buf)[3]
            if i == 0 and _blank(self._buf):
                return 0
        return 0

    @property
    def free(self):
        """Records that fit before an unacknowledged one would have to go."""
        unsent = self.head - 1 - self.acked + self.torn
        return max(0, self.slots - unsent - (self._slot - unsent) % PER_SECTOR)

    def append(self, kind, boot, uptime_s, wall_s, quality, fields):
        """Commit one record; returns its sequence number. JournalFull if there is no room for it."""
        record = records.build(
            self._key, self._mac, kind, self.device, self.head, boot, uptime_s, wall_s, quality, fields
        )
        while True:
            if not self._erased:
                self._erase_next()
                self.stalls += 1
            slot = self._slot
            self.flash.program(slot * records.SIZE, record)
            self._slot = (slot + 1) % self.slots
            self._erased -= 1
            self._load(slot)
            if self._buf == record:
                break
            self.torn += 1  # a worn cell: the next slot takes it
        self._mac = record[records.MAC_AT : records.CRC_AT]
        self.head += 1
        return self.head - 1

    def _erase_next(self):
        sector = (self._slot + self._erased) % self.slots // PER_SECTOR
        if self._edge(sector, range(PER_SECTOR - 1, -1, -1)) > self.acked:
            raise JournalFull()
        self.flash.erase(sector)
        self._erased += PER_SECTOR

    def read(self, seq, buf):
        """Copy record seq into buf (128 bytes). False if the ring does not hold it (any more)."""
        back = self.head - seq
        if not 0 < back <= self.slots:
            return False
        slot = self._slot - back
        for _ in range(_SEARCH):
            self.flash.readinto(slot % self.slots * records.SIZE, buf)
            if records.is_whole(buf):
                ahead = struct.unpack_from("<I", buf, 8)[0] - seq
                if ahead == 0:
                    return True
                if ahead < 0:
                    return False
                slot -= ahead
            else:
                slot -= 1
        return False

    def ack(self, seq):
        """The station has everything up to and with seq. Nonsense (going back, or beyond what was written) is ignored."""
        if self.acked < seq < self.head:
            self.acked = seq
            return True
        return False

    def idle_work(self):
        """Erase one sector ahead if one is due (about 45 ms). True if it did."""
        if self._erased >= AHEAD:
            return False
        try:
            self._erase_next()
        except JournalFull:
            return False
        return True
