"""Builds the pump and runs it. Ends only at the console's Ctrl-C; every other end is a restart with the outputs off."""

from pump import supervisor

supervisor.main()
