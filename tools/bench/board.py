"""A simulated board: the real firmware image under the real MicroPython interpreter, with flash, power and a watchdog.

    board = SimBoard("p1", home, identity={...}, ca_der=b"...")
    board.power_on(); ...; board.power_off(); board.close()

`home` holds what a board keeps (flash/, journal.bin, checkpoint.bin) and what is wired to it (wires, lcd.fifo, reader),
made by whoever plays the world, and the symlink `console`, on which `mpremote connect <home>/console` works.
"""

import contextlib
import ctypes
import json
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pump import pins
from pump.core.codes import CAUSE_HARD, CAUSE_POWER, CAUSE_SOFT, CAUSE_WATCHDOG
from tools import image, romfs
from tools.bench.console import Console
from tools.bench.wires import CUT_AT, DIED, ERASES, PROGRAMS, WDT_FED, WDT_TIMEOUT_MS, Wires

# The data partitions of tools/partitions.csv; romfs.bin holds two slots of half its size.
FLASH_FILES = {
    "journal.bin": 0x110000,
    "checkpoint.bin": 0x8000,
    "trace.bin": 0x10000,
    "lists.bin": 0x60000,
    "romfs.bin": 0x40000,
}
DIED_RESET, DIED_SOFT, DIED_POWER = 1, 2, 3  # why a board's process ended itself (shims/wired.py)


_LONGEST_VARIABLE = 131072 - 8  # execve(2): 32 pages for one string
_PR_SET_PDEATHSIG = 1


def _die_with_bench() -> None:
    """In the child: a bench that was killed hard must not leave boards behind that hold its files (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


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

    def __init__(
        self, name: str, home: Path, *, identity: Mapping[str, Any] | None, ca_der: bytes = b"", heap: str = "50wK"
    ) -> None:
        """Lay the firmware image onto home/flash (journal and checkpoints stay) without powering on.

        identity None: leave the flash as it is; a new home is then a board fresh from the factory.
        """
        self.name, self.home, self.heap = name, home, heap
        self._shims = image.shims()
        (home / "flash").mkdir(parents=True, exist_ok=True)
        for file, size in FLASH_FILES.items():
            if not (home / file).exists():
                (home / file).write_bytes(b"\xff" * size)
        if identity is not None:
            self.install(identity, ca_der)
        self.wires = Wires(home / "wires")
        self.wires.power_off()
        self.console = Console(home / "console")
        self.ticks_start = 0  # where the 30-bit millisecond ticks stand at the next power-on
        self._lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._started_at = 0.0
        self._fed, self._fed_at = 0, 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"board-{name}", daemon=True)
        self._thread.start()

    def install(self, identity: Mapping[str, Any], ca_der: bytes) -> None:
        """What `make flash` does, without the serial line: image, identity, CA."""
        flash = self.home / "flash"
        board_image = image.cached()
        for old in ("pump", "lib"):  # modules in the file system would come before those in ROMFS
            shutil.rmtree(flash / old, ignore_errors=True)
        for name, data in board_image.files().items():
            (flash / name).write_bytes(data)
        (flash / "slot").unlink(missing_ok=True)
        (self.home / "romfs.bin").write_bytes(board_image.romfs.ljust(FLASH_FILES["romfs.bin"], b"\xff"))
        (flash / "identity.json").write_text(json.dumps(identity))
        (flash / "ca.der").write_bytes(ca_der)

    @property
    def running(self) -> bool:
        """True while the board has power and its interpreter runs."""
        with self._lock:
            return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """The interpreter's process id while the board has power."""
        process = self._process
        return process.pid if process else None

    @property
    def flash_operations(self) -> int:
        """Programs and erases since the board started."""
        return self.wires.get("I", PROGRAMS) + self.wires.get("I", ERASES)

    def power_on(self) -> None:
        """Give power; nothing happens if it has power."""
        with self._lock:
            if self._process is None:
                self._spawn(CAUSE_POWER)

    def power_off(self) -> None:
        """Take power away at once: the process is killed where it stands, the pins float. Flash stays."""
        with self._lock:
            self._kill()

    def reset(self) -> None:
        """Press the reset button: as power off and on, with cause `hard`."""
        with self._lock:
            self._kill()
            self._spawn(CAUSE_HARD)

    def arm_power_cut(self, operation: int, seed: int = 0) -> None:
        """Power fails in the middle of the n-th flash operation from now (torn bytes by seed) and stays away.

        Armed while the board is off, its start is counted in. operation 0 disarms.
        """
        with self._lock:
            self.wires.put("II", CUT_AT, operation and operation + self.flash_operations, seed & 0x7FFFFFFF)

    def log(self) -> str:
        """The last console output, for test failures."""
        return self.console.log()

    def close(self) -> None:
        """Power off, remove the console."""
        self._stop.set()
        self._thread.join()
        self.power_off()
        self.console.close()
        self.wires.close()

    def _spawn(self, cause: int, raw: bool = False) -> None:
        command = [str(image.micropython()), "-X", f"heapsize={self.heap}", "-i", str(self._shims / "power_on.py")]
        command += [str(self.home.resolve()), str(cause), "1" if raw else "0", str(self.ticks_start)]
        roms = {b"S": _as_environment((self._shims / "chip.romfs").read_bytes())} | _slots(self.home / "romfs.bin")
        self.console.board_started(raw)
        slave = self.console.inner_slave
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=roms,
            preexec_fn=_die_with_bench,
        )
        self._started_at = self._fed_at = time.monotonic()
        self._fed = 0

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self.wires.power_off()

    def _watch(self) -> None:
        while not self._stop.is_set():
            try:
                self._watch_once()
            except Exception as error:  # noqa: BLE001 - a board that nobody watches would be dead for good
                self.console.say(f"\r\nbench: {error!r}\r\n".encode())
                time.sleep(0.5)

    def _watch_once(self) -> None:
        console = self.console
        writers = [console.inner] if console.flush() else []
        ready, _, _ = select.select([console.inner, console.outer], writers, [], 0.05)
        if console.inner in ready:
            console.from_board()
        with self._lock:
            if console.outer in ready:
                console.from_user(self.pid)
            self._look_after()

    def _look_after(self) -> None:
        """Respawn what has ended, bite what has not fed its watchdog."""
        if self._process is None:
            return
        if self._process.poll() is not None:
            self._ended()
            return
        now = time.monotonic()
        fed, timeout_ms = self.wires.get("I", WDT_FED), self.wires.get("I", WDT_TIMEOUT_MS)
        if fed != self._fed or not timeout_ms:
            self._fed, self._fed_at = fed, now
        elif now - self._fed_at > timeout_ms / 1000:
            self.console.say(b"\r\nwatchdog\r\n")
            self._kill()
            self._spawn(CAUSE_WATCHDOG)

    def _ended(self) -> None:
        while select.select([self.console.inner], [], [], 0)[0]:
            self.console.from_board()
        died, raw = self.wires.get("I", DIED), self.console.raw
        crashed = self._process is not None and self._process.returncode != 0 and not died
        self._kill()
        if died == DIED_POWER:
            self.wires.put("II", CUT_AT, 0, 0)
            return
        if crashed and time.monotonic() - self._started_at < 1:
            time.sleep(0.5)  # a board that dies at once must not eat the machine
        if died == DIED_RESET or crashed:
            self._spawn(CAUSE_HARD)
        else:
            self.console.say(b"\r\nMPY: soft reboot\r\n")
            self._spawn(CAUSE_SOFT, raw)


def _slots(partition: Path) -> dict[bytes, bytes]:
    """The images in the two halves of the ROMFS partition, as start_up.py wants them: A in R, B in T."""
    try:
        whole = partition.read_bytes()
    except FileNotFoundError:
        return {}
    half = len(whole) // 2
    sizes = {b"R": romfs.size(whole[:half]), b"T": romfs.size(whole[half:])}
    return {
        name: _as_environment(whole[at : at + size])
        for at, (name, size) in zip((0, half), sizes.items(), strict=True)
        if size
    }


def _as_environment(rom: bytes) -> bytes:
    """A ROM image as shims/start/start_up.py wants it. ValueError if it is larger than Linux takes in one variable."""
    encoded = rom.replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01")
    if len(encoded) > _LONGEST_VARIABLE:
        raise ValueError(f"{len(rom)} bytes of ROM; a simulated board takes {_LONGEST_VARIABLE} at most")
    return encoded
