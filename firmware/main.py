"""Builds the pump and runs it. Ends only at the console's Ctrl-C; every other end is a restart with the outputs off."""

import gc

gc.threshold(2048)  # while the parts are loaded, so that what they leave behind does not cut the heap into pieces

try:
    from pump import supervisor
except Exception as error:  # noqa: BLE001 - a damaged image, or no memory: the next start may choose another
    import sys
    import time

    import machine

    sys.print_exception(error)
    time.sleep(3)  # Ctrl-C leads to the console
    machine.reset()

supervisor.main()
