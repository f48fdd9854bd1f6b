"""The rig's pins on the wires of a simulated pump board (tools/bench/wires.py): what the rig drives the pump reads.

Pulses are counted where the pump's pulse counter would count them: each channel's edges directed by the other channel.
"""

import sys

_EDGES, _SWITCHES, _LEVELS, _DRIVEN = 8, 0, 64, 72
_PULSES = {4: 0, 13: 1}
_BITS = {23: (0, 0), 32: (4, 1), 33: (5, 1), 25: (6, 1)}  # rig's GPIO -> (bit of the switches, level that sets it)
# GPIO of the pump board behind each input: permit, motor, big, small, select of the nozzle (pump/pins.py).
_RELAYS = {34: 4, 35: 13, 36: 18, 39: 19, 27: None}
_SELECT = (23, 27, 2, 12)

_wires = open(sys.argv[1], "r+b")  # noqa: SIM115 - for as long as the rig runs
_nozzle = int(sys.argv[2])
_levels = [0, 0]
_RELAYS[27] = _SELECT[_nozzle]


def _read(at, size):
    _wires.seek(at)
    return int.from_bytes(_wires.read(size), "little")


def _write(at, value):
    _wires.seek(at)
    _wires.write((value & 0xFFFFFFFF).to_bytes(4, "little"))


class Pin:
    IN, OUT, OPEN_DRAIN = 1, 3, 7

    def __init__(self, id, mode=-1, pull=-1, *, value=None):
        self._id = id
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is None:
            return (_read(_LEVELS, 8) & _read(_DRIVEN, 8)) >> _RELAYS[self._id] & 1
        if self._id in _PULSES:
            self._count(_PULSES[self._id], x)
        elif self._id in _BITS:
            bit, on = _BITS[self._id]
            bit += _nozzle if bit == 0 else 0
            switches = _read(_SWITCHES, 4) & ~(1 << bit)
            _write(_SWITCHES, switches | (1 << bit if x == on else 0))
        return None

    def _count(self, channel, level):
        if _levels[channel] == level:
            return
        _levels[channel] = level
        # A rises while B is low, B rises while A is high: forward.
        forward = level != _levels[1] if channel == 0 else level == _levels[0]
        at = _EDGES + 8 * _nozzle + 4 * channel
        _write(at, _read(at, 4) + (1 if forward else -1))
