"""`esp32`: flash partitions and pulse counters, with the chip's own limits."""

import array
import time

import wired

_SECTOR = 4096
_BLANK = b"\xff" * 64
_ERASE_MS = 45  # measured on boards: an erase stops everything, interrupts too
_FILES = {
    "journal": "/journal.bin",
    "ckpt": "/checkpoint.bin",
    "trace": "/trace.bin",
    "lists": "/lists.bin",
    "romfs": "/romfs.bin",
}
_COUNT, _LAST, _LOW, _HIGH, _THRESHOLD, _FLAGS = 0, 8, 16, 24, 32, 40
_UNSET = 99999
_units = array.array("i", bytes(4 * 48))
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
        for _ in range((_SECTOR if cut < 0 else cut) // 64):
            self._file.write(_BLANK)
        wired.board[wired.ERASES] += 1
        if cut >= 0:
            wired.die(wired.DIED_POWER)
        wired.write()
        time.sleep_ms(_ERASE_MS)


class PCNT:
    """A unit counts the directed edges that the plant puts on the wires. As on the chip: 16 bits, back to zero at a
    limit, setting a threshold clears the count, events reach Python when value() is read or the scheduler runs (here:
    only when value() is read). All units' registers stand in one array: eight small objects would cost 2 KB of heap."""

    IGNORE, INCREMENT, DECREMENT = 0, 1, 2
    NORMAL, REVERSE, HOLD = 0, 1, 2
    IRQ_ZERO, IRQ_THRESHOLD0, IRQ_THRESHOLD1, IRQ_MIN, IRQ_MAX = 1, 2, 4, 8, 16
    _handlers = {}

    def __init__(self, id, **settings):
        if not 0 <= id < 8:
            raise ValueError("invalid id")
        self.id = id
        for register, value in ((_LOW, -32768), (_HIGH, 32767), (_THRESHOLD, _UNSET), (_FLAGS, 0)):
            _units[register + id] = value
        self.init(value=0, **settings)

    def init(
        self,
        *,
        pin=None,
        rising=0,
        falling=0,
        mode_pin=None,
        mode_low=0,
        mode_high=0,
        min=None,
        max=None,
        filter=0,
        threshold0=None,
        value=None,
    ):
        if filter > 1023 or value:
            raise ValueError("filter" if filter > 1023 else "value")
        id = self.id
        if min is not None:
            _units[_LOW + id] = min
        if max is not None:
            _units[_HIGH + id] = max
        if threshold0 is not None:
            if not _units[_LOW + id] <= threshold0 <= _units[_HIGH + id]:
                raise ValueError("threshold0")
            _units[_THRESHOLD + id] = threshold0
        if threshold0 is not None or value == 0:
            _units[_LAST + id] = wired.read()[2 + id]
            _units[_COUNT + id] = 0

    def start(self):
        _units[_LAST + self.id] = wired.read()[2 + self.id]

    def value(self, reset=None):
        id = self.id
        edges = wired.read()[2 + id]
        before = _units[_COUNT + id]
        count = before + edges - _units[_LAST + id]
        _units[_LAST + id] = edges
        threshold = _units[_THRESHOLD + id]
        crossed = before < threshold <= count or count <= threshold < before
        if crossed and threshold != _UNSET and id in PCNT._handlers:
            _units[_FLAGS + id] |= 2
        while count >= _units[_HIGH + id]:
            count -= _units[_HIGH + id]
        while count <= _units[_LOW + id]:
            count -= _units[_LOW + id]
        _units[_COUNT + id] = count
        if _units[_FLAGS + id]:
            PCNT._handlers[id](self)
        if reset is not None:
            self.init(value=reset)
        return count

    def irq(self, handler=None, trigger=1):
        if handler:
            if trigger != 2:
                raise ValueError("only threshold 0 is wired here")
            PCNT._handlers[self.id] = handler
        return self

    def flags(self):
        flags = _units[_FLAGS + self.id]
        _units[_FLAGS + self.id] = 0
        return flags
