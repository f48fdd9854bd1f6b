"""Flash that shows each way in which an operation could be cut short, before it carries the operation out."""

from collections.abc import Callable, Iterator

from tools.sim.flash import SECTOR, RamFlash

Watch = Callable[["WatchedFlash", int, list[bytes]], None]


class WatchedFlash(RamFlash):
    """watch(flash, addr, images): `images` are what the bytes from addr on may be after a cut in this operation: from
    nothing done to all of it. lazy: a program reaches the cells only with the next one, though reads see it at once.
    trusting: right after a program, reads give what was meant instead of what the cells hold. Both are broken on
    purpose. worn: {address: bits that no erase brings back}."""

    def __init__(self, sectors: int, lazy: bool = False, trusting: bool = False) -> None:
        super().__init__(sectors)
        self.watch: Watch | None = None
        self.worn: dict[int, int] = {}
        self._lazy, self._trusting = lazy, trusting
        self._pending: tuple[int, bytes] | None = None
        self._meant: tuple[int, bytes] | None = None

    @property
    def image(self) -> bytes:
        """What outlives the supply."""
        return bytes(self.data)

    def wear(self, addr: int, bits: int) -> None:
        """From now on these bits of a byte read as nought."""
        self.worn[addr] = bits
        self.data[addr] &= ~bits & 0xFF

    def readinto(self, addr: int, buf: bytearray) -> None:
        super().readinto(addr, buf)
        for late in (self._pending, self._meant):
            if late and late[0] <= addr and addr + len(buf) <= late[0] + len(late[1]):
                buf[:] = late[1][addr - late[0] : addr - late[0] + len(buf)]
        self._meant = None

    def program(self, addr: int, data: bytes) -> None:
        if addr // SECTOR != (addr + len(data) - 1) // SECTOR:
            raise ValueError("a program must stay within a sector")
        if self._lazy:
            late, self._pending = self._pending, (addr, bytes(data))
            if late is None:
                return
            addr, data = late
        if self._trusting:
            self._meant = addr, bytes(data)
        self.programs += 1
        old = bytes(self.data[addr : addr + len(data)])
        if self.watch:
            self.watch(self, addr, list(dict.fromkeys(_torn_program(old, data))))
        self.data[addr : addr + len(data)] = _and(old, data)

    def erase(self, sector: int) -> None:
        if self._pending:
            (addr, data), self._pending = self._pending, None
            self.data[addr : addr + len(data)] = _and(bytes(self.data[addr : addr + len(data)]), data)
        self.erases[sector] += 1
        at = sector * SECTOR
        old = bytes(self.data[at : at + SECTOR])
        if self.watch:
            self.watch(self, at, list(dict.fromkeys(_torn_erase(old))))
        self.data[at : at + SECTOR] = b"\xff" * SECTOR
        for addr, bits in self.worn.items():
            self.data[addr] &= ~bits & 0xFF


def _and(old: bytes, data: bytes) -> bytes:
    """What a program makes of the cells: it clears bits."""
    return (int.from_bytes(old) & int.from_bytes(data)).to_bytes(len(data))


def _torn_program(old: bytes, data: bytes) -> Iterator[bytes]:
    """Nothing; the first byte, half, all but the last byte; half of the bits of all; everything."""
    new = _and(old, data)
    yield old
    for done in (1, len(new) // 2, len(new) - 1):
        yield new[:done] + old[done:]
    yield bytes(n | (o & 0x55) for n, o in zip(new, old, strict=True))
    yield new


def _torn_erase(old: bytes) -> Iterator[bytes]:
    """Nothing; the first quarter, the first half, all but the last record; the second half alone; everything."""
    yield old
    for done in (SECTOR // 4, SECTOR // 2, SECTOR - 128):
        yield b"\xff" * done + old[done:]
    yield old[: SECTOR // 2] + b"\xff" * (SECTOR // 2)
    yield b"\xff" * SECTOR
