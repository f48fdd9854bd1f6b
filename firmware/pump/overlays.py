"""Code that is in memory only while it is needed: dialogs, wizards, set-up.

A module named here is imported inside the functions that need it, never at the head of a module that is always there.
In the tree and in the simulation that is an ordinary import. For the board tools/image.py makes files of their own of
them, one of all those in one text, and the supervisor drops them when no card is talked to and nobody is asked a thing;
the next import loads them again, a few milliseconds. So such a module keeps nothing in itself: what must last stands in
the controller or in a dialog. Whatever still runs or is referred to simply stays alive.
"""

import sys

VISIT = "an10922 desfire pump.core.purse pump.core.visit"  # needed by every card, as long as one is talked to
OVERLAYS = (
    "an10922 desfire pump.core.purse pump.core.visit",
    "pump.core.recovery",
    "pump.core.dialog",
    "pump.core.prompts",
    "pump.core.roles",
    "pump.core.usage",
    "pump.core.prover",
    "pump.core.traces",
    "pump.core.lists",
    "pump.core.fetch",
    "pump.core.release",
    "pump.update",
    "pump.kept",
    "pump.core.standing",
    "pump.core.account",
    "pump.core.relay",
    "pump.pages",
    "pump.guide",
    "pump.starts",
    "pump.config",
    "pump.core.config",
    "pump.filestore",
    "pump.qr_receipt",
    "pump.core.receipt",
    "qr",
)


def drop(names=OVERLAYS, spared=()):
    """Let go of them, all or those named, but not of those spared."""
    spared = " ".join(spared).split()
    for name in " ".join(names).split():
        if name not in spared and sys.modules.pop(name, None) is not None:
            package, _, last = name.rpartition(".")
            if package in sys.modules:
                delattr(sys.modules[package], last)
