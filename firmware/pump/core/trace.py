"""The pulse timeline (D30): both channels' edges per 50 ms of every sale, for a dispute about its litres.

Pages of 128 bytes in a small flash ring of their own (docs/metering.md): sale, page number, samples, flags, CRC-32,
then nibbles. A nibble below 9 is a sample near the one before: 3 * (change of A + 1) + (B - A + 1);
LATE stands for a reading that did not come in time (what flowed is in the next sample), FAR for a sample written out.
Written while fuel flows, so one program per page and never an erase; when no page is blank the rest of the sale is not
kept, and the page numbers tell. core/traces.py finds, reads and sends.
"""

import binascii
import struct

from pump.core import ticks

STEP_MS = 50
PAGE = 128
HEADER = "<IHBBI"  # sale, page, samples, flags, crc over the first eight bytes and all behind the crc
HEAD = 12
NIBBLES = 2 * (PAGE - HEAD)
LATE, FAR = 14, 15
OFFSET, LEAST, MOST = 16, -16, 239  # a sample far from the one before: two bytes, each edges + 16
LAST = 1  # flag: the sale ends with this page
PER_SECTOR = 32
AHEAD = 4 * PER_SECTOR  # blank pages before a sale: about 25 minutes at 100 pulses a litre, 5 at 1,000


class Trace:
    """slot: the next page of the flash, -1 until core/traces.py has found it; erased: blank pages from there on."""

    def __init__(self, flash):
        self.flash = flash
        self.slot = -1
        self.erased = self.sale = self.number = self.due_ms = self.used = self.count = self.nozzle = 0
        self.a = self.b = self.step = 0  # edges told so far, and the last sample of A
        self.page = bytearray(PAGE)

    def begin(self, sale, now_ms, nozzle, edges):
        """The valves open."""
        self.sale, self.number, self.nozzle = sale, 0, nozzle
        self.a, self.b = edges[2 * nozzle], edges[2 * nozzle + 1]
        self.step = self.used = self.count = 0
        self.due_ms = now_ms + STEP_MS & ticks.MASK

    def take(self, now_ms, edges):
        """Every control tick of a sale."""
        if self.sale:
            late_ms = ticks.diff(now_ms, self.due_ms)
            while late_ms >= 0:
                if late_ms >= STEP_MS:
                    self._room(1)
                    self._nibble(LATE)
                    self.count += 1
                else:
                    self._sample(edges)
                self.due_ms = self.due_ms + STEP_MS & ticks.MASK
                late_ms -= STEP_MS

    def end(self, edges):
        """The flow has ended: what is still to be told, and the last page."""
        if self.sale:
            self._sample(edges)
            while self.a != edges[2 * self.nozzle] or self.b != edges[2 * self.nozzle + 1]:
                self._sample(edges)
            self._write(LAST)
            self.sale = 0

    def _sample(self, edges):
        self._room(5)
        a = max(LEAST, min(MOST, edges[2 * self.nozzle] - self.a))
        b = max(LEAST, min(MOST, edges[2 * self.nozzle + 1] - self.b))
        if -1 <= a - self.step <= 1 and -1 <= b - a <= 1:
            self._nibble(3 * (a - self.step + 1) + b - a + 1)
        else:
            self._nibble(FAR)
            for edge in (a, b):
                self._nibble(edge + OFFSET >> 4)
                self._nibble(edge + OFFSET & 15)
        self.a += a
        self.b += b
        self.step = a
        self.count += 1

    def _nibble(self, value):
        at = HEAD + self.used // 2
        self.page[at] = self.page[at] & 0xF0 | value if self.used & 1 else value << 4
        self.used += 1

    def _room(self, nibbles):
        if self.used + nibbles > NIBBLES:
            self._write(0)

    def _write(self, flags):
        """Pages stand for themselves: each begins from a sample of nought."""
        page = self.page
        for at in range(HEAD + (self.used + 1) // 2, PAGE):
            page[at] = 0
        struct.pack_into("<IHBB", page, 0, self.sale, self.number, self.count, flags)
        struct.pack_into("<I", page, 8, checksum(page))
        if self.erased:
            self.flash.program(self.slot * PAGE, page)
            self.slot = (self.slot + 1) % (self.flash.sectors * PER_SECTOR)
            self.erased -= 1
        self.number += 1
        self.used = self.count = self.step = 0

    def idle_work(self):
        """Erase one sector ahead if one is due (about 45 ms). True if it did."""
        if self.slot < 0 or self.erased >= AHEAD or self.erased + PER_SECTOR > (self.flash.sectors - 1) * PER_SECTOR:
            return False
        self.flash.erase((self.slot + self.erased) // PER_SECTOR % self.flash.sectors)
        self.erased += PER_SECTOR
        return True


def checksum(page):
    """CRC-32 of a page without its own four bytes."""
    return binascii.crc32(page[HEAD:], binascii.crc32(page[:8]))
