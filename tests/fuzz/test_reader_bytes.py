"""D9, D1: a PN532 that sends anything, without end if need be: the driver gives up in time and says so."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import pytest

import pn532
from desfire import CardLost
from tests.fuzz.seeds import seeds

MOST_READS = 2_000  # of one operation, noise included: a serial line at 115,200 baud gives them in a second


class Babbler:
    """A line that gives these bytes, and after them for ever what `then` gives; None: silence."""

    def __init__(self, data: bytes, then: Iterator[int] | None) -> None:
        self.data, self.then = bytearray(data), then
        self.reads = 0

    def read(self, count: int) -> bytes:
        self.reads += 1
        assert self.reads < MOST_READS, "the driver reads for ever"
        while self.then is not None and len(self.data) < count:
            self.data.append(next(self.then))
        if len(self.data) < count:
            raise OSError(110)
        taken = bytes(self.data[:count])
        del self.data[:count]
        return taken


def drive(operation: Any, line: Babbler) -> Any:
    """As pn532.run, without a clock."""
    try:
        want = next(operation)
        while True:
            try:
                got = None if isinstance(want, bytes) else line.read(want[0])
            except OSError as gone:
                want = operation.throw(gone)
            else:
                want = operation.send(got)
    except StopIteration as end:
        return end.value


def answer(payload: bytes) -> bytes:
    """What a sound chip says: ACK, then the frame."""
    body = b"\xd5" + payload
    return pn532.ACK + b"\x00\x00\xff" + bytes((len(body), -len(body) & 255)) + body + bytes((-sum(body) & 255, 0))


GOOD = {
    "start": answer(b"\x15") + answer(b"\x03\x32\x01\x06\x07") + answer(b"\x33") + answer(b"\x33"),
    "poll": answer(b"\x4b\x01\x01\x03\x44\x20\x07\x04\x11\x22\x33\x44\x55\x66\x06\x75\x77\x81\x02\x80"),
    "exchange": answer(b"\x41\x00\x00" + bytes(40)),
    "present": answer(b"\x01\x00"),
}


def operation(chip: pn532.Pn532, name: str) -> Any:
    return chip.exchange(b"\x5a\x50\x53\x31") if name == "exchange" else getattr(chip, name)()


def test_the_good_answers_are_good() -> None:
    for name, data in GOOD.items():
        chip = pn532.Pn532()
        chip.target = 1
        assert drive(operation(chip, name), Babbler(data, None)) is not None


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("seed", seeds(8))
def test_d9_spoiled_answers_end_in_the_drivers_own_words(name: str, seed: int) -> None:
    rng = random.Random(f"{name} {seed}")
    for _ in range(60):
        data = bytearray(GOOD[name])
        for _ in range(rng.randrange(1, 4)):
            how, at = rng.randrange(4), rng.randrange(len(data))
            if how == 0:
                data[at] ^= 1 << rng.randrange(8)
            elif how == 1:
                del data[at:]
            elif how == 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 9))
            else:
                data[at:] = data[rng.randrange(len(data)) :]
            data = data or bytearray(b"\0")
        chip = pn532.Pn532()
        chip.target = 1
        line = Babbler(bytes(data), None)
        with contextlib.suppress(pn532.ReaderError, CardLost):
            drive(operation(chip, name), line)


def noise(rng: random.Random, what: str) -> Iterator[int]:
    while True:
        if what == "noise":
            yield rng.randrange(256)
        elif what == "zeros":
            yield 0
        elif what == "preambles":
            yield from b"\x00\x00\xff"
        elif what == "acks":
            yield from pn532.ACK
        elif what == "others":
            yield from answer(b"\x99" + rng.randbytes(rng.randrange(8)))[6:]


@pytest.mark.parametrize("what", ["noise", "zeros", "preambles", "acks", "others"])
@pytest.mark.parametrize("name", GOOD)
def test_d9_a_chip_that_never_stops_talking_is_given_up(name: str, what: str) -> None:
    chip = pn532.Pn532()
    chip.target = 1
    line = Babbler(b"", noise(random.Random(1), what))
    with pytest.raises((pn532.ReaderError, CardLost)):
        drive(operation(chip, name), line)


CODES = {"start": (0x15, 0x03, 0x33, 0x33), "poll": (0x4B,), "exchange": (0x41,), "present": (0x01,)}


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("seed", seeds(4))
def test_d9_well_framed_nonsense_is_no_card(name: str, seed: int) -> None:
    """Right checksums, and content of any length: a foreign chip, or another protocol's target."""
    rng = random.Random(f"{name} {seed}")
    for _ in range(200):
        said = b"".join(answer(bytes((code,)) + rng.randbytes(rng.randrange(12))) for code in CODES[name])
        chip = pn532.Pn532()
        chip.target = 1
        try:
            told = drive(operation(chip, name), Babbler(said, None))
        except (pn532.ReaderError, CardLost):
            continue
        if name == "poll":
            assert told is None or isinstance(told, bytes)
