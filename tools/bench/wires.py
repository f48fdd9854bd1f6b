"""The wires between a simulated board and the plant: one small shared file per board, read and written like registers.

The board's half is written by the shims in tools/bench/shims (machine, esp32), the plant's half by the bench service.
A file in memory costs the board about a microsecond per look, so the 10 ms control tick of the real firmware keeps its
timing. Little endian; each side writes only its own half.

    plant -> board                                   board -> plant
    0   u32 switches (bits below)                    64  u64 output level, bit = GPIO number
    4   u16 keys, bit = key index 0..15, row major   72  u64 pins configured as output, bit = GPIO number
    6   u16 supply in mV                             80  u32 watchdog: times fed
    8   i32 x 8 directed edges: A and B of nozzle 0, 84  u32 watchdog timeout in ms, 0: not started
        A and B of nozzle 1, ...                     88  u32 boots
    40  i32 clock offset in s (added to the board's  92  u32 worst control tick lateness in us since boot or since the
        wall clock)                                      bench wrote 0 there (telemetry of the shim)
    44  u32 power fails in this flash operation,     96  u32 flash programs since boot
        counted since boot; 0: never                100  u32 flash erases since boot
    48  u32 seed of the torn bytes                  104  u32 how the board ended: 1 reset, 2 soft reset, 3 power cut
    52  u32 not 0: collect garbage at every tick    108  u32 most heap in use at a control tick, in bytes, since boot or
        and say what is left in use                      since the bench wrote 0 there
    56  u32 what is broken on the board, FAULT_...
                                                    112  u32 heap in use after the last collection asked for, in bytes
"""

import mmap
import struct
import sys
from pathlib import Path

SIZE = 128
SWITCHES, KEYS, SUPPLY_MV, EDGES, CLOCK_OFFSET_S = 0, 4, 6, 8, 40
LEVELS, OUTPUTS, WDT_FED, WDT_TIMEOUT_MS, BOOTS, WORST_TICK_US = 64, 72, 80, 84, 88, 92
CUT_AT, CUT_SEED, COLLECT, FAULT = 44, 48, 52, 56
PROGRAMS, ERASES, DIED, HEAP_PEAK, HEAP_LIVE = 96, 100, 104, 108, 112

# FAULT: what happens inside the firmware's next call of the supply monitor (in the control tick) or of the display (in
# a task of its own): an exception that nobody expects, a loop without end, all memory taken, no answer, 0.5 s lost.
TICK_RAISES, TICK_HANGS, TICK_HOARDS = 1, 2, 3
DISPLAY_RAISES, DISPLAY_HANGS, DISPLAY_MUTE, DISPLAY_SLOW = 11, 12, 14, 15

# Bits of SWITCHES: 0..3 nozzle lifted, then
ESTOP, TAMPER, SEAL = 4, 5, 6


class Wires:
    """The plant's end of one board's wires."""

    def __init__(self, path: Path) -> None:
        if not path.exists() or path.stat().st_size != SIZE:
            path.write_bytes(bytes(SIZE))
        self._file = path.open("r+b")
        self._map = mmap.mmap(self._file.fileno(), SIZE)
        self._view = memoryview(self._map)
        self._words = {2: self._view.cast("H"), 4: self._view.cast("I"), 8: self._view.cast("Q")}

    def put(self, layout: str, at: int, *values: int) -> None:
        """Values of one size ("I", "ii", ...). Each, and a pair at a multiple of its size, arrives as a whole: struct
        writes byte by byte, and a board that looks in between would count 255 edges that never were."""
        data = struct.pack("<" + layout, *values)
        size = len(data) if len(data) in self._words and at % len(data) == 0 else len(data) // len(values)
        for n in range(0, len(data), size):
            self._words[size][(at + n) // size] = int.from_bytes(data[n : n + size], sys.byteorder)

    def get(self, layout: str, at: int) -> int:
        """One value, read as a whole."""
        size = struct.calcsize("<" + layout)
        value: int = struct.unpack("<" + layout, self._words[size][at // size].to_bytes(size, sys.byteorder))[0]
        return value

    def level(self, gpio: int) -> bool:
        """True if the board drives this pin high; an undriven pin reads low (pull-downs hold valves and motor off)."""
        driven = self.get("Q", LEVELS) & self.get("Q", OUTPUTS)
        return bool(driven >> gpio & 1)

    def power_off(self) -> None:
        """What a reset or power loss does to the pins: all of them float, so the pull-downs switch everything off."""
        self._map[64:SIZE] = bytes(SIZE - 64)

    def close(self) -> None:
        for words in self._words.values():
            words.release()
        self._view.release()
        self._map.close()
        self._file.close()
