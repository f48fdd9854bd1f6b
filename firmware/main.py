"""Builds the pump and runs it. Ends only at the console's Ctrl-C; every other end is a restart with the outputs off."""

import gc

gc.threshold(2048)  # while the parts are loaded, so that what they leave behind does not cut the heap into pieces

from pump import supervisor  # noqa: E402

supervisor.main()
