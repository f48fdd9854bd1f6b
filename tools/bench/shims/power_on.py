"""What the chip's ROM and MicroPython's start-up do: flash mounted as /, then boot.py, then main.py, then the REPL.

    micropython -X heapsize=50wK -i power_on.py HOME SHIMS CAUSE RAW TICKS
"""

import asyncio  # noqa: F401  before `time` is replaced: asyncio keeps the interpreter's own ticks, as the C side does
import os
import sys
import vfs


def _mount(home, shims):
    host = vfs.VfsPosix("/")
    vfs.umount("/")
    vfs.mount(vfs.VfsPosix(home + "/flash"), "/")
    vfs.mount(host, "/host")
    os.chdir("/")
    sys.path[:] = ["/host" + shims, "", ".frozen", "/lib"]


def _start(home, shims, cause, raw, ticks):
    _mount(home, shims)
    import time

    import wired

    time.ticks_start = int(ticks)
    wired.connect("/host" + home, int(cause))
    sys.argv[:] = []
    return ("boot.py",) if raw == "1" else ("boot.py", "main.py")


for _name in _start(*sys.argv[1:6]):
    with open("/" + _name) as _file:
        _code = _file.read()
    exec(_code)
    del _code, _file
