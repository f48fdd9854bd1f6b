"""A simulated board: the real firmware image under the real MicroPython interpreter, with flash, power and a watchdog.

    board = SimBoard("p1", home, identity={...}, ca_der=b"...")
    board.power_on(); ...; board.power_off(); board.close()

`home` holds what a board keeps (flash/, journal.bin, checkpoint.bin) and what is wired to it (wires, lcd.fifo, reader), made
by whoever plays the world, and the symlink `console`, on which `mpremote connect <home>/console` works.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pump import pins
from tools.bench.wires import Wires


class Relays(NamedTuple):
    """What the board's outputs do to the dispenser; masks have a bit per nozzle."""

    motor: bool
    big: int
    small: int
    permit: bool


def relays(wires: Wires) -> Relays:
    """The relays as wired (docs/wiring.md): nothing moves without permit, a valve needs its stage and its select."""
    permit = wires.level(pins.PERMIT)
    select = sum(1 << n for n, gpio in enumerate(pins.SELECT) if wires.level(gpio)) if permit else 0
    return Relays(
        motor=permit and wires.level(pins.MOTOR),
        big=select if wires.level(pins.VALVE_BIG) else 0,
        small=select if wires.level(pins.VALVE_SMALL) else 0,
        permit=permit,
    )


class SimBoard:
    """One board. All methods are thread-safe; a thread of its own watches process, watchdog and console."""

    def __init__(self, name: str, home: Path, *, identity: Mapping[str, Any], ca_der: bytes, heap: str = "50wK") -> None:
        """Lay the firmware image onto home/flash (journal and checkpoints stay) without powering on."""
        raise NotImplementedError

    @property
    def running(self) -> bool:
        """True while the board has power and its interpreter runs."""
        raise NotImplementedError

    def power_on(self) -> None:
        """Give power; nothing happens if it has power."""

    def power_off(self) -> None:
        """Take power away at once: the process is killed where it stands, the pins float. Flash stays."""

    def reset(self) -> None:
        """Press the reset button: as power off and on, with cause `hard`."""

    def arm_power_cut(self, operation: int, seed: int = 0) -> None:
        """Power fails in the middle of the n-th flash operation from now (torn bytes by seed) and stays away."""

    def log(self) -> str:
        """The last console output, for test failures."""
        raise NotImplementedError

    def close(self) -> None:
        """Power off, remove the console."""
