"""The journal: a raw ring of 128-byte records in its own flash partition. A commit is one program of one slot.

A sector holds 32 records. Sectors ahead of the head are erased while idle, so that a commit never waits for an erase.
No sector is erased that holds a record the station has not acknowledged. A torn slot is skipped: the same sequence
number goes into the next one, so sequence numbers have no gaps, slots may. After power-on core/recovery.py finds the
head.
"""

from pump.core import records

SECTOR = 4096
PER_SECTOR = 32
RESERVE = 64  # slots that only a sale already begun may use
RESTATE_EVERY = 1000  # records after which totalizers, prices and locks are stated again
RESTATE_SLACK = 88  # records that may come before a statement that is due
_SEARCH = 64  # torn slots between a record and the head that read() can pass


class JournalFull(Exception):  # noqa: N818 - a state, not a fault
    """The ring holds nothing but records that the station has not acknowledged."""


class Journal:
    """Public: head (sequence number of the next record), acked, torn (slots skipped), stalls (erases that a commit had
    to wait for). slot is the next slot to be written, erased the number of blank slots from there on."""

    def __init__(self, flash, device, key):
        self.flash = flash
        self.device = device
        self._key = key
        self.slots = flash.sectors * PER_SECTOR
        self.restate_every = min(RESTATE_EVERY, self.slots // 4)
        self.head = 1
        self.slot = self.erased = self.acked = self.torn = self.stalls = 0
        self.mac = records.CHAIN_START
        self._buf = bytearray(records.SIZE)

    @property
    def free(self):
        """Records that fit before an unacknowledged one would have to go."""
        unsent = self.head - 1 - self.acked + self.torn
        return max(0, self.slots - unsent - (self.slot - unsent) % PER_SECTOR)

    def append(self, kind, boot, uptime_s, wall_s, quality, fields):
        """Commit one record; returns its sequence number. JournalFull if there is no room for it."""
        record = records.build(
            self._key, self.mac, kind, self.device, self.head, boot, uptime_s, wall_s, quality, fields
        )
        while True:
            if not self.erased:
                self._erase_next()
                self.stalls += 1
            at = self.slot * records.SIZE
            self.flash.program(at, record)
            self.slot = (self.slot + 1) % self.slots
            self.erased -= 1
            self.flash.readinto(at, self._buf)
            if self._buf == record:
                break
            self.torn += 1  # a worn cell: the next slot takes it
        self.mac = record[records.MAC_AT : records.CRC_AT]
        self.head += 1
        return self.head - 1

    def _erase_next(self):
        sector = (self.slot + self.erased) % self.slots // PER_SECTOR
        for i in range(PER_SECTOR - 1, -1, -1):
            self.flash.readinto(sector * SECTOR + i * records.SIZE, self._buf)
            if records.is_whole(self._buf):
                if records.header(self._buf)[3] > self.acked:
                    raise JournalFull()
                break
        self.flash.erase(sector)
        self.erased += PER_SECTOR

    def read(self, seq, buf):
        """Copy record seq into buf (128 bytes). False if the ring does not hold it (any more)."""
        back = self.head - seq
        slot = self.slot - back
        if not 0 < back <= self.slots:
            return False
        for _ in range(_SEARCH):
            self.flash.readinto(slot % self.slots * records.SIZE, buf)
            ahead = 1
            if records.is_whole(buf):
                ahead = records.header(buf)[3] - seq
                if ahead <= 0:
                    return ahead == 0
            slot -= ahead
        return False

    def ack(self, seq):
        """The station has everything up to and with seq. Nonsense (back, or beyond what was written) is ignored."""
        if self.acked < seq < self.head:
            self.acked = seq
            return True
        return False

    def idle_work(self):
        """Erase one sector ahead if one is due (about 45 ms). True if it did."""
        if self.erased < PER_SECTOR:
            try:
                self._erase_next()
                return True
            except JournalFull:
                pass
        return False
