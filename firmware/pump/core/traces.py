"""Pulse timelines in flash: where the ring goes on after power-on, and the pages of one sale for the station (D30).

A board loads this module at start and when a timeline is asked for.
"""

import struct

from pump.core import trace

LEAF = "trace"
PAGES = 7  # in one message
NONE = 0xFFFF  # page number of the one page that says: nothing of this sale is kept


def find(ring):
    """Set ring.slot to the page after the newest. What lies ahead of its sector is erased again, blank or not."""
    buf = bytearray(trace.PAGE)
    newest, at = (-1, -1), -1
    pages = ring.flash.sectors * trace.PER_SECTOR
    for slot in range(pages):
        head = _read(ring, slot, buf)
        if head and head > newest:
            newest, at = head, slot
    ring.slot = (at + 1) % pages
    ring.erased = 0
    while (ring.slot + ring.erased) % trace.PER_SECTOR:
        ring.flash.readinto((ring.slot + ring.erased) * trace.PAGE, buf)
        if buf != b"\xff" * trace.PAGE:
            ring.slot = (ring.slot + ring.erased + 1) % pages
            ring.erased = 0
        else:
            ring.erased += 1


def _read(ring, slot, buf):
    """(sale, page) of a whole page in buf, else None."""
    ring.flash.readinto(slot * trace.PAGE, buf)
    sale, number, _, _, crc = struct.unpack_from(trace.HEADER, buf, 0)
    return (sale, number) if sale and sale != 0xFFFFFFFF and crc == trace.checksum(buf) else None


def upload(ring, sale):
    """Generator of (leaf, pages of this sale in one piece); None between sectors, because reading takes its time."""
    buf, some, found = bytearray(trace.PAGE), b"", False
    pages = ring.flash.sectors * trace.PER_SECTOR
    first = ring.slot  # the oldest pages come right after the head: a sale that wraps comes in order
    for i in range(pages):
        head = _read(ring, (first + i) % pages, buf)
        if head and head[0] == sale:
            some += bytes(buf)
            found = True
        if len(some) == PAGES * trace.PAGE:
            yield LEAF, some
            some = b""
        elif i % trace.PER_SECTOR == 0:
            yield None
    if not found:
        struct.pack_into("<IHBB", buf, 0, sale, NONE, 0, trace.LAST)
        struct.pack_into("<I", buf, 8, trace.checksum(buf))
        some = bytes(buf)
    if some:
        yield LEAF, some
