"""What the chip's start-up does: flash mounted as /, ROMFS as /rom, then boot.py, main.py, and the REPL.

    micropython -X heapsize=50wK -i power_on.py HOME CAUSE RAW TICKS

The chip's interpreter maps the ROMFS partition into memory and gives it out as vfs.rom_ioctl(2, 0); so does this one,
for as long as boot.py chooses which half of it to run.

Byte code in the ROMFS partition is executed in place, so it must lie outside the heap, as it does on the chip. The
bench hands both images over in the environment, which the kernel lays into memory of its own; zeros cannot stand there
and come as the pair 1 1, ones as 1 2. They are decoded where they lie.

This file and start_up.mpy stand in a folder of their own: the interpreter looks for modules beside the script first.
"""

import sys

from start_up import start

_names = start(*sys.argv[1:5])
del sys.modules["start_up"], start
for _name in _names:
    try:
        with open("/" + _name) as _file:
            _name = _file.read()
    except OSError:
        continue  # a board fresh from the factory
    exec(_name)
    sys.modules.pop("vfs", None)
