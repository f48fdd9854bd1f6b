"""Pages of a pulse timeline (firmware/pump/core/trace.py) read back into samples; pure."""

import struct
from dataclasses import dataclass

from pump.core import trace, traces

Sample = tuple[int, int] | None  # edges of A and B in one step; None: no reading, its edges are in the next sample


@dataclass(frozen=True, slots=True)
class TimelinePage:
    """One whole page: `number` counts from 0 in its sale; the last says so."""

    sale: int
    number: int
    samples: tuple[Sample, ...]
    is_last: bool


def read_page(raw: bytes) -> TimelinePage:
    """A page of 128 bytes. Raises ValueError if it is none, or damaged."""
    if len(raw) != trace.PAGE:
        raise ValueError(f"{len(raw)} bytes")
    sale, number, count, flags, crc = struct.unpack_from(trace.HEADER, raw)
    if crc != trace.checksum(raw):
        raise ValueError("crc")
    return TimelinePage(sale, number, tuple(_samples(raw, count)), bool(flags & trace.LAST))


def _samples(raw: bytes, count: int) -> list[Sample]:
    nibbles = [half for byte in raw[trace.HEAD :] for half in (byte >> 4, byte & 15)]
    samples: list[Sample] = []
    at = step = 0
    while len(samples) < count:
        if at >= len(nibbles):
            raise ValueError("samples")
        code = nibbles[at]
        at += 1
        if code == trace.LATE:
            samples.append(None)
            continue
        if code == trace.FAR:
            if at + 4 > len(nibbles):
                raise ValueError("samples")
            one, two, three, four = nibbles[at : at + 4]
            at += 4
            a, b = (one << 4 | two) - trace.OFFSET, (three << 4 | four) - trace.OFFSET
        elif code < 9:
            a = step + code // 3 - 1
            b = a + code % 3 - 1
        else:
            raise ValueError("code")
        samples.append((a, b))
        step = a
    return samples


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is kept of one sale. pages: by number; missing: numbers below the last that did not come; is_ended: the last
    page is there; edges_a, edges_b: their sums over what is kept."""

    sale: int
    pages: tuple[TimelinePage, ...]
    missing: tuple[int, ...]
    is_ended: bool

    @property
    def is_whole(self) -> bool:
        return self.is_ended and not self.missing

    @property
    def edges_a(self) -> int:
        return sum(sample[0] for page in self.pages for sample in page.samples if sample)

    @property
    def edges_b(self) -> int:
        return sum(sample[1] for page in self.pages for sample in page.samples if sample)


def assemble(sale: int, raw_pages: list[bytes]) -> Timeline:
    """A timeline from its pages in any order; the page that says "nothing kept" counts as none. Raises ValueError for
    a damaged page or one of another sale."""
    pages = {}
    for raw in raw_pages:
        page = read_page(raw)
        if page.sale != sale:
            raise ValueError("another sale")
        if page.number != traces.NONE:
            pages[page.number] = page
    ordered = tuple(pages[number] for number in sorted(pages))
    top = ordered[-1].number if ordered else -1
    missing = tuple(number for number in range(top) if number not in pages)
    return Timeline(sale, ordered, missing, bool(ordered) and ordered[-1].is_last)
