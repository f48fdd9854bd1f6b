"""Before anything else: every output off. Then the slot of the firmware is chosen (docs/update.md).

`/slot` holds: slot, `ok` or the starts left to one on trial or `failed`, and of what is on trial or has failed the
software id and version. At the end the watchdog of a soft-reset board is fed while a person is at the console.
"""

from machine import Pin

for _gpio in (4, 13, 18, 19, 23, 27, 2, 12):  # pump/pins.py OUTPUTS, repeated here so that nothing need be loaded first
    Pin(_gpio, Pin.OUT, value=0)
del _gpio, Pin

import machine  # noqa: E402


def _choose():
    import os

    try:
        with open("/slot") as file:
            words = file.read().split()
        if words[1].isdigit():
            if words[1] == "0":
                words[:2] = "a" if words[0] == "b" else "b", "failed"
                words.append("new")
            else:
                words[1] = str(int(words[1]) - 1)
                machine.WDT(timeout=30000)  # one that does not come as far as its own watchdog has failed as well
            with open("slot.new", "w") as file:
                file.write(" ".join(words))
            os.rename("slot.new", "slot")
        if words[0] != "b":
            return
        import vfs

        rom = vfs.rom_ioctl(2, 0)
        rom = vfs.VfsRom(rom[len(rom) // 2 :])  # type: ignore[attr-defined]
        try:
            vfs.umount("/rom")
        except OSError:  # what is in the first slot is not whole, and was not mounted
            pass
        vfs.mount(rom, "/rom")
    except Exception:  # noqa: BLE001 - whatever is wrong with the choice, the first slot is mounted already
        pass


_choose()
del _choose

if machine.reset_cause() == machine.SOFT_RESET:
    # A watchdog once started cannot be stopped. main.py takes it over again; until then the outputs are off.
    service_dog = machine.Timer(0)
    service_dog.init(mode=machine.Timer.PERIODIC, period=1000, callback=lambda _: machine.WDT(timeout=8000).feed())
