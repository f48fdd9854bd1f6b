"""Where journal and checkpoints live: a flash partition, or a file on boards without our partition table.

Both offer what pump/core/journal.py asks of a flash: sectors, readinto(addr, buf), program(addr, data), erase(sector).
"""

import esp32

_SECTOR = 4096
_ERASED = b"\xff" * 256


def open_flash(label, file_sectors):
    """The partition of that name, else /<label>.bin with so many sectors."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    return PartitionFlash(found[0]) if found else FileFlash("/" + label + ".bin", file_sectors)


class PartitionFlash:
    """Raw flash: a program clears bits and costs one flash operation, an erase sets a sector to 0xFF."""

    def __init__(self, partition):
        self._partition = partition
        self.sectors = partition.ioctl(4, 0)

    def readinto(self, addr, buf):
        self._partition.readblocks(addr // _SECTOR, buf, addr % _SECTOR)

    def program(self, addr, data):
        self._partition.writeblocks(addr // _SECTOR, data, addr % _SECTOR)

    def erase(self, sector):
        self._partition.ioctl(6, sector)


class FileFlash:
    """The same in one preallocated file; slower, and the file system adds erases of its own."""

    def __init__(self, path, sectors):
        try:
            self._file = open(path, "r+b")
        except OSError:
            with open(path, "wb") as file:
                for _ in range(sectors * (_SECTOR // len(_ERASED))):
                    file.write(_ERASED)
            self._file = open(path, "r+b")
        self.sectors = self._file.seek(0, 2) // _SECTOR

    def readinto(self, addr, buf):
        self._file.seek(addr)
        self._file.readinto(buf)

    def program(self, addr, data):
        old = bytearray(len(data))
        self.readinto(addr, old)
        for i in range(len(data)):
            old[i] &= data[i]
        self._file.seek(addr)
        self._file.write(old)
        self._file.flush()

    def erase(self, sector):
        self._file.seek(sector * _SECTOR)
        for _ in range(_SECTOR // len(_ERASED)):
            self._file.write(_ERASED)
        self._file.flush()
