"""`esp32`: flash partitions and pulse counters, with the chip's own limits."""

import array
import time

import wired

_SECTOR = 4096
_BLANK = b"\xff" * 64
_ERASE_MS = 45  # measured on boards: an erase stops everything, interrupts too
_COUNTS, _SEEN, _BOTTOM, _TOP, _ALERT, _EVENTS = 0, 8, 16, 24, 32, 40  # registers of the eight units
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

    TYPE_DATA = 1

    def __init__(self, label, path):
        self._label = label
        self._file = open(path, "r+b")
        self._size = self._file.seek(0, 2)

    @classmethod
    def find(cls, type, *, label):
        try:
            return [cls(label, wired.home + "/" + ("checkpoint" if label == "ckpt" else label) + ".bin")]
        except OSError:
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
        _pause(_ERASE_MS)


class PCNT:
    """A unit counts the directed edges that the plant puts on the wires. As on the chip: 16 bits, back to zero at a
    limit, setting a threshold clears the count, events reach Python when value() is read or the scheduler runs (here:
    in time.sleep_ms). All units' registers stand in one array: eight small objects would cost 2 KB of heap."""

    INCREMENT, DECREMENT = 1, 2
    NORMAL, REVERSE = 0, 1
    IRQ_THRESHOLD0 = 2
    _handlers = {}

    def __init__(self, id, **settings):
        if not 0 <= id < 8:
            raise ValueError("invalid id")
        self.id = id
        for register, value in ((_BOTTOM, -32768), (_TOP, 32767), (_ALERT, _UNSET), (_EVENTS, 0)):
            _units[register + id] = value
        self.init(value=0, **settings)

    def init(self, **settings):
        """pin and mode_pin are wired already, rising, falling and the modes are always the same; a table of defaults
        would cost more heap than the rest of the class."""
        threshold, value = settings.get("threshold0"), settings.get("value")
        if settings.get("filter", 0) > 1023 or value:
            raise ValueError("filter or value")
        id = self.id
        _units[_BOTTOM + id] = settings.get("min", _units[_BOTTOM + id])
        _units[_TOP + id] = settings.get("max", _units[_TOP + id])
        if threshold is not None:
            if not _units[_BOTTOM + id] <= threshold <= _units[_TOP + id]:
                raise ValueError("threshold0")
            _units[_ALERT + id] = threshold
        if threshold is not None or value == 0:
            _units[_SEEN + id] = wired.read()[2 + id]
            _units[_COUNTS + id] = 0

    def start(self):
        _units[_SEEN + self.id] = wired.read()[2 + self.id]

    def value(self, reset=None):
        id = self.id
        edges = wired.read()[2 + id]
        before = _units[_COUNTS + id]
        count = before + edges - _units[_SEEN + id]
        _units[_SEEN + id] = edges
        threshold = _units[_ALERT + id]
        crossed = before < threshold <= count or count <= threshold < before
        if crossed and threshold != _UNSET and id in PCNT._handlers:
            _units[_EVENTS + id] |= 2
        while count >= _units[_TOP + id]:
            count -= _units[_TOP + id]
        while count <= _units[_BOTTOM + id]:
            count -= _units[_BOTTOM + id]
        _units[_COUNTS + id] = count
        if _units[_EVENTS + id]:
            PCNT._handlers[id][1](self)
        if reset is not None:
            self.init(value=reset)
        return count

    def irq(self, handler=None, trigger=1):
        if handler:
            if trigger != 2:
                raise ValueError("only threshold 0 is wired here")
            PCNT._handlers[self.id] = self, handler
        return self

    def flags(self):
        flags = _units[_EVENTS + self.id]
        _units[_EVENTS + self.id] = 0
        return flags


def run_events():
    """What the chip's scheduler does between two byte codes: counters that have crossed their threshold call back."""
    for unit, _ in PCNT._handlers.values():
        unit.value()


_pause = time.sleep_ms


def _sleep_ms(ms):
    while ms > 0:
        run_events()
        _pause(1)
        ms -= 1


time.sleep_ms = _sleep_ms
