"""Journal and checkpoints in a file, for boards without our partition table; loaded only there."""

_SECTOR = 4096
_ERASED = b"\xff" * 256


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
