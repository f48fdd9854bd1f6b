"""Flash in memory, true to NOR: programs clear bits, erases set a sector; counted; power may go at any operation."""

SECTOR = 4096


class PowerCut(BaseException):
    """The supply went in the middle of a flash operation. No code of the board may catch it."""


class RamFlash:
    """cut_at: the operation (1: the next) at which power goes; tear: how much of it still happens, 0 to 4 quarters."""

    def __init__(self, sectors: int) -> None:
        self.sectors = sectors
        self.data = bytearray(b"\xff" * (sectors * SECTOR))
        self.programs = 0
        self.erases = [0] * sectors
        self.cut_at = 0
        self.tear = 0

    def readinto(self, addr: int, buf: bytearray) -> None:
        buf[:] = self.data[addr : addr + len(buf)]

    def _cut(self) -> bool:
        if self.cut_at:
            self.cut_at -= 1
            return self.cut_at == 0
        return False

    def program(self, addr: int, data: bytes) -> None:
        if addr // SECTOR != (addr + len(data) - 1) // SECTOR:
            raise ValueError("a program must stay within a sector")
        self.programs += 1
        cut = self._cut()
        end = len(data) * self.tear // 4 if cut else len(data)
        kept = int.from_bytes(self.data[addr : addr + end]) & int.from_bytes(data[:end])
        self.data[addr : addr + end] = kept.to_bytes(end)
        if cut:
            raise PowerCut

    def erase(self, sector: int) -> None:
        self.erases[sector] += 1
        cut = self._cut()
        end = SECTOR * self.tear // 4 if cut else SECTOR
        at = sector * SECTOR
        self.data[at : at + end] = b"\xff" * end
        if cut:
            raise PowerCut
