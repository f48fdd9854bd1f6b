"""For all tests: examples are not timed (machines differ), and a failing one prints what replays it."""

from hypothesis import settings

settings.register_profile("pumpside", deadline=None, print_blob=True)
settings.load_profile("pumpside")
