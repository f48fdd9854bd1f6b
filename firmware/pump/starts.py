"""Counts the starts that did not last a minute, so that a pump that fails each time neither wears itself out nor keeps
people away from its console.

A start counts as failed until `healthy` takes the count away. From the fifth in a row on it waits first, twice as long
each time, with the outputs off; Ctrl-C leads to the console. Switching the power or a soft reset begins anew: that is
somebody's doing.
"""

import os

from pump.core.codes import CAUSE_HARD, CAUSE_WATCHDOG

PATIENCE = 5  # failed starts in a row
FIRST_S, LONGEST_S = 10, 600
_COUNT = "starts"  # a byte for each failed start


def begin(cause):
    """How many starts in a row have failed; this one is counted with them. cause: codes.CAUSE_*."""
    failed = 0
    if cause == CAUSE_HARD or cause == CAUSE_WATCHDOG:
        try:
            failed = os.stat(_COUNT)[6]
        except OSError:
            failed = 1 if cause == CAUSE_WATCHDOG else 0
    try:
        with open(_COUNT, "ab" if failed else "wb") as file:
            file.write(b"\0")
    except OSError:
        pass  # a file system that takes nothing must not keep the pump from selling
    return failed


def wait_s(failed):
    """Seconds to wait after so many failed starts."""
    return min(LONGEST_S, FIRST_S << min(failed - PATIENCE, 6)) if failed >= PATIENCE else 0


def healthy():
    """The pump has run for long enough, or restarts because somebody wants it to: nothing has failed."""
    try:
        os.remove(_COUNT)
    except OSError:
        pass
