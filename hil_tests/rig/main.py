"""Starts the rig when its board has power."""

from rig import Rig

Rig().run()
