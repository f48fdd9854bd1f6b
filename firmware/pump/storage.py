"""Where journal and checkpoints live: a flash partition, or a file on boards without our partition table.

Both offer what pump/core/journal.py asks of a flash: sectors, readinto(addr, buf), program(addr, data), erase(sector).
"""

import esp32

_SECTOR = 4096


def open_flash(label, file_sectors):
    """The partition of that name, else /<label>.bin with so many sectors, else (0 sectors) None."""
    found = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)
    if found:
        return PartitionFlash(found[0])
    if not file_sectors:
        return None
    from pump.filestore import FileFlash

    return FileFlash("/" + label + ".bin", file_sectors)


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
