"""`esp32`: flash partitions and pulse counters, with the chip's own limits."""

import time
import wired

_SECTOR = 4096
_ERASE_MS = 45  # measured on boards: an erase stops everything, interrupts too
_FILES = {"journal": "/journal.bin", "ckpt": "/checkpoint.bin"}
_operations = 0


def _cut(data_size):
    """Count a flash operation; returns how many bytes of it still happen, or -1 for all of them."""
    global _operations
    _operations += 1
    wires = wired.read()
    if wires[11] and _operations >= wires[11]:
        return (wires[12] * 2654435761 >> 7) % (data_size + 1)
    return -1


class Partition:
    """NOR flash: an erase sets a sector to 0xFF, a program only clears bits."""

    TYPE_APP, TYPE_DATA = 0, 1

    def __init__(self, label, path):
        self._label = label
        self._file = open(path, "r+b")
        self._size = self._file.seek(0, 2)

    @classmethod
    def find(cls, type=TYPE_APP, subtype=255, label=None, block_size=_SECTOR):
        try:
            return [cls(label, wired.home + _FILES[label])]
        except (KeyError, OSError):
            return []

    def info(self):
        return (1, 64, 0, self._size, self._label, False)

    def readblocks(self, block, buf, offset=0):
        at = block * _SECTOR + offset
        if at < 0 or at + len(buf) > self._size:
            raise OSError(22)
        self._file.seek(at)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            for n in range(block, block + (len(buf) + _SECTOR - 1) // _SECTOR):
                self._erase(n)
        self._program(block * _SECTOR + (offset or 0), buf)

    def ioctl(self, command, argument):
        if command == 4:
            return self._size // _SECTOR
        if command == 5:
            return _SECTOR
        if command == 6:
            self._erase(argument)
        return 0

    def _program(self, at, data):
        if at < 0 or at + len(data) > self._size:
            raise OSError(22)
        cut = _cut(len(data))
        self._file.seek(at)
        new = bytearray(self._file.read(len(data)))
        for n in range(len(new) if cut < 0 else cut):
            new[n] &= data[n]
        if 0 <= cut < len(new):
            new[cut] &= data[cut] | wired.plant[12] & 255  # the byte under way has some of its bits
        self._file.seek(at)
        self._file.write(new)
        wired.board[wired.PROGRAMS] += 1
        if cut >= 0:
            wired.die(wired.DIED_POWER)
        wired.write()

    def _erase(self, sector):
        if not 0 <= sector < self._size // _SECTOR:
            raise OSError(22)
        cut = _cut(_SECTOR)
        self._file.seek(sector * _SECTOR)
        self._file.write(b"\xff" * (_SECTOR if cut < 0 else cut))
        wired.board[wired.ERASES] += 1
        if cut >= 0:
            wired.die(wired.DIED_POWER)
        wired.write()
        time.sleep_ms(_ERASE_MS)


class PCNT:
    """A unit counts the directed edges that the plant puts on the wires. As on the chip: 16 bits, back to zero at a
    limit, setting a threshold clears the count, events reach Python when value() is read or the scheduler runs (here:
    only when value() is read)."""

    IGNORE, INCREMENT, DECREMENT = 0, 1, 2
    NORMAL, REVERSE, HOLD = 0, 1, 2
    IRQ_ZERO, IRQ_THRESHOLD0, IRQ_THRESHOLD1, IRQ_MIN, IRQ_MAX = 1, 2, 4, 8, 16

    def __init__(self, id, **settings):
        if not 0 <= id < 8:
            raise ValueError("invalid id")
        self._wire = 2 + id
        self._low, self._high = -32768, 32767
        self._threshold = self._handler = None
        self._flags = self._trigger = 0
        self.init(**settings)
        self._clear()

    def init(self, *, pin=None, rising=0, falling=0, mode_pin=None, mode_low=0, mode_high=0, min=None, max=None,
             filter=0, threshold0=None, value=None):
        if filter > 1023 or value:
            raise ValueError("filter" if filter > 1023 else "value")
        if min is not None:
            self._low = min
        if max is not None:
            self._high = max
        if threshold0 is not None:
            if not self._low <= threshold0 <= self._high:
                raise ValueError("threshold0")
            self._threshold = threshold0
        if threshold0 is not None or value == 0:
            self._clear()

    def _clear(self):
        self._last = wired.read()[self._wire]
        self._count = 0

    def start(self):
        self._last = wired.read()[self._wire]

    def value(self, reset=None):
        edges = wired.read()[self._wire]
        before = self._count
        count = before + edges - self._last
        self._last = edges
        t = self._threshold
        if t is not None and self._trigger & 2 and (before < t <= count or count <= t < before):
            self._flags |= 2
        while count >= self._high:
            count -= self._high
        while count <= self._low:
            count -= self._low
        self._count = count
        if self._flags and self._handler:
            self._handler(self)
        if reset is not None:
            self._clear()
        return count

    def irq(self, handler=None, trigger=1):
        if handler:
            self._handler, self._trigger = handler, trigger
        return self

    def flags(self):
        flags, self._flags = self._flags, 0
        return flags
