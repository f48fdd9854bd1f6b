"""The work of power_on.py; compiled, because each name in a script that is read as text stays in the heap."""

import asyncio  # noqa: F401  before `time` is replaced: asyncio keeps the interpreter's own ticks, as the C side does
import sys


def _roms():
    import uctypes

    with open("/proc/self/stat") as file:
        fields = file.read()
    start, end = [int(n) for n in fields[fields.rfind(")") + 2 :].split()[47:49]]
    memory = uctypes.bytearray_at(start, end - start)
    roms = {}
    at = 0
    while at < len(memory):
        name = chr(memory[at])
        at += 2
        begin = to = at
        while memory[at]:
            byte = memory[at]
            if byte == 1:
                at += 1
                byte = memory[at] - 1
            memory[to] = byte
            to += 1
            at += 1
        roms[name] = uctypes.bytearray_at(start + begin, to - begin)
        at += 1
    return roms


def _map_slots(roms):
    """Let `vfs` have rom_ioctl: the two halves of the ROMFS partition as one memory, of which slices can be taken."""
    import vfs

    class Partition:
        def __len__(self):
            return 2

        def __getitem__(self, part):
            return memoryview(roms["T" if part.start else "R"])

    class Chip:
        mount, umount, VfsRom = vfs.mount, vfs.umount, vfs.VfsRom

        def rom_ioctl(command, partition):
            return Partition()

    sys.modules["vfs"] = Chip


def start(home, cause, raw, ticks):
    import os

    import vfs

    host = vfs.VfsPosix("/")
    roms = _roms()
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(home + "/flash"), "/")
    vfs.mount(host, "/host")
    vfs.mount(vfs.VfsRom(memoryview(roms["S"])), "/shims")
    sys.path[:] = ["/shims", "", ".frozen", "/lib"]
    if roms.get("R"):
        vfs.mount(vfs.VfsRom(memoryview(roms["R"])), "/rom")
    if roms.get("R") or roms.get("T"):
        sys.path[4:] = ["/rom", "/rom/lib"]
        _map_slots(roms)
    os.chdir("/")

    import chip

    for name in ("time", "machine", "esp32"):
        sys.modules[name] = chip
    chip.ticks_start = int(ticks)
    chip.connect("/host" + home, int(cause))
    sys.argv[:] = []
    return ("boot.py",) if raw == "1" else ("boot.py", "main.py")
