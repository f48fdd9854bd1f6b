"""What the chip's start-up does: flash mounted as /, ROMFS as /rom, then boot.py, main.py, and the REPL.

    micropython -X heapsize=50wK -i power_on.py HOME CAUSE RAW TICKS

The chip's interpreter maps the ROMFS partition into memory and gives it out as vfs.rom_ioctl(2, 0); so does this one,
for as long as boot.py chooses which half of it to run.

Byte code in the ROMFS partition is executed in place, so it must lie outside the heap, as it does on the chip. The
bench hands both images over in the environment, which the kernel lays into memory of its own; zeros cannot stand there
and come as the pair 1 1, ones as 1 2. They are decoded where they lie.

This file stands in a folder of its own, because the interpreter looks for modules beside the script first.
"""

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
        def __getitem__(self, part):
            return memoryview(roms["T" if part.start else "R"])

    class Chip:
        mount, umount, VfsRom = vfs.mount, vfs.umount, vfs.VfsRom

        def rom_ioctl(command, partition):
            return Partition()

    sys.modules["vfs"] = Chip


def _start(home, cause, raw, ticks):
    import os

    import vfs

    host = vfs.VfsPosix("/")
    roms = _roms()  # noqa: F821
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(home + "/flash"), "/")
    vfs.mount(host, "/host")
    vfs.mount(vfs.VfsRom(memoryview(roms["S"])), "/shims")
    sys.path[:] = ["/shims", "", ".frozen", "/lib"]
    if roms.get("R"):
        vfs.mount(vfs.VfsRom(memoryview(roms["R"])), "/rom")
    if roms.get("R") or roms.get("T"):
        sys.path[4:] = ["/rom", "/rom/lib"]
        _map_slots(roms)  # noqa: F821
    os.chdir("/")

    import time

    import wired

    time.ticks_start = int(ticks)
    wired.connect("/host" + home, int(cause))
    sys.argv[:] = []
    return ("boot.py",) if raw == "1" else ("boot.py", "main.py")


_names = _start(*sys.argv[1:5])
del _start, _roms, _map_slots, asyncio  # noqa: F821  they cost heap
for _name in _names:
    try:
        with open("/" + _name) as _file:
            _code = _file.read()
    except OSError:
        continue  # a board fresh from the factory
    exec(_code)
    sys.modules.pop("vfs", None)
