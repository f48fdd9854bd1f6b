"""A simulated board's serial console: a pseudo-terminal that mpremote takes for a real board's.

The interpreter speaks the raw REPL itself. Three things a chip does and a process does not are done here: Ctrl-C
reaches running code (as SIGINT, but only while it is caught, otherwise it would end the process), a soft reset is
announced in the words mpremote waits for, and after one out of the raw REPL the board is in the raw REPL again.
"""

import contextlib
import os
import pty
import signal
import tty
from collections import deque
from pathlib import Path

CTRL_A, CTRL_C = b"\x01", b"\x03"
_RAW_PROMPT = b"raw REPL; CTRL-B to exit\r\n>"
_PROMPT = b">>> "
_LOG_CHUNKS = 400


class Console:
    """The outer terminal (for people and mpremote) and the inner one (for the interpreter)."""

    def __init__(self, link: Path) -> None:
        self.outer, self._outer_slave = pty.openpty()
        tty.setraw(self._outer_slave)
        os.set_blocking(self.outer, False)
        self.inner, self.inner_slave = pty.openpty()
        tty.setraw(self.inner_slave)
        os.set_blocking(self.inner, False)
        self._link = link
        link.unlink(missing_ok=True)
        link.symlink_to(os.ttyname(self._outer_slave))
        self._log: deque[bytes] = deque(maxlen=_LOG_CHUNKS)
        self._tail = b""
        self._pending = bytearray()
        self.raw = False
        self._enter_raw = False

    def board_started(self, raw: bool) -> None:
        """A new process runs on the inner terminal; raw: bring its REPL into raw mode at its first prompt."""
        self._pending.clear()
        self._tail = b""
        self.raw, self._enter_raw = False, raw

    def from_board(self) -> None:
        """Pass on what the interpreter has written."""
        data = _read(self.inner)
        if not data:
            return
        self.say(data)
        seen = self._tail + data
        self._tail = seen[-len(_RAW_PROMPT) :]
        raw_at, friendly_at = seen.rfind(_RAW_PROMPT), seen.rfind(_PROMPT)
        if raw_at > friendly_at:
            self.raw = True
        elif friendly_at >= 0:
            self.raw = False
            if self._enter_raw:
                self._enter_raw = False
                self._pending += CTRL_A

    def from_user(self, pid: int | None) -> None:
        """Pass on what the person or tool has typed; pid is the interpreter's."""
        data = _read(self.outer)
        if pid is None:
            return
        while data:
            at = data.find(CTRL_C)
            if at < 0 or not _catches_sigint(pid):
                self._pending += data
                return
            self._pending += data[:at]
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            data = data[at + 1 :]

    def flush(self) -> bool:
        """Write what waits for the interpreter; True if something still waits."""
        if self._pending:
            with contextlib.suppress(BlockingIOError):
                del self._pending[: os.write(self.inner, self._pending[:2048])]
        return bool(self._pending)

    def say(self, data: bytes) -> None:
        """To the outer terminal and the log. With nobody listening a full terminal loses text, like a serial line."""
        self._log.append(data)
        with contextlib.suppress(BlockingIOError):
            while data:
                data = data[os.write(self.outer, data) :]

    def log(self) -> str:
        return b"".join(self._log).decode(errors="replace")

    def close(self) -> None:
        self._link.unlink(missing_ok=True)
        for fd in (self.outer, self._outer_slave, self.inner, self.inner_slave):
            os.close(fd)


def _read(fd: int) -> bytes:
    try:
        return os.read(fd, 4096)
    except (BlockingIOError, OSError):
        return b""


def _catches_sigint(pid: int) -> bool:
    """True if the process has a handler for SIGINT now: at its prompt the interpreter reads Ctrl-C as a character."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (signal.SIGINT - 1) & 1)
