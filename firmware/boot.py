"""Before anything else: every output off.

Then keep the watchdog of a soft-reset board fed while a person is at the console.
"""

from machine import Pin

for _gpio in (4, 13, 18, 19, 23, 27, 2, 12):  # pump/pins.py OUTPUTS, repeated here so that nothing need be loaded first
    Pin(_gpio, Pin.OUT, value=0)
del _gpio, Pin

import machine  # noqa: E402

if machine.reset_cause() == machine.SOFT_RESET:
    # A watchdog once started cannot be stopped. main.py takes it over again; until then the outputs are off.
    service_dog = machine.Timer(0)
    service_dog.init(mode=machine.Timer.PERIODIC, period=1000, callback=lambda _: machine.WDT(timeout=8000).feed())
