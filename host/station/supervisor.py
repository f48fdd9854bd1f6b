"""Keeps the station's processes running: starts them in order, restarts crashed ones, stops all of them cleanly.

One process per job, so that a crash of a page never stops the ingest. A child that dies is started again after a pause
that doubles with each crash in a row and is forgotten after a minute of good running. What a child prints goes to
`<data>/log/<name>.log`; its process id stands in `<data>/run/<name>.pid` as long as it runs.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Self

FIRST_PAUSE_S, LONGEST_PAUSE_S, FORGIVEN_AFTER_S = 0.5, 30.0, 60.0
_LOG_LIMIT_BYTES = 5_000_000
_PR_SET_PDEATHSIG = 1  # prctl(2): the kernel tells us when our parent is gone


class AlreadyRunningError(Exception):
    """Another station runs on this data directory; `pid` is 0 if it did not say."""

    def __init__(self, path: Path) -> None:
        digits = path.read_text().strip() if path.exists() else ""
        self.pid = int(digits) if digits.isdigit() else 0
        super().__init__(
            f"此目录的油站已在运行（进程 {self.pid}），请直接使用它，或先用 Ctrl-C 停止它。\n"
            f"A station already runs on this directory (process {self.pid}): use it, or stop it first with Ctrl-C."
        )


class RunLock:
    """Only one station per data directory. The kernel frees the lock when the holder dies, however it dies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+")

    def __enter__(self) -> Self:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._file.close()
            raise AlreadyRunningError(self._path) from None
        self._file.truncate(0)
        self._file.write(f"{os.getpid()}\n")
        self._file.flush()
        return self

    def __exit__(self, *_: object) -> None:
        self._file.truncate(0)
        self._file.close()


@dataclass(frozen=True)
class Service:
    """One child: `argv` after `python -m station`; `ready` is asked until true before all is said to run."""

    name: str
    argv: Sequence[str]
    ready: Callable[[], bool] = lambda: True
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 8.0
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Child:
    service: Service
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    due_at: float = 0.0
    pause_s: float = FIRST_PAUSE_S


def _die_with_parent() -> None:
    """In the child: if the supervisor is killed hard, end too instead of holding ports and files for ever (Linux)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Supervisor:
    """run() blocks until a stop signal (or `stop()`); messages for people go to `say`."""

    def __init__(self, services: Sequence[Service], data_dir: Path, say: Callable[[str], None] = print) -> None:
        self._children = [_Child(service) for service in services]
        self._run_dir, self._log_dir = data_dir / "run", data_dir / "log"
        self._say = say
        self._stop = threading.Event()
        for directory in (self._run_dir, self._log_dir):
            directory.mkdir(parents=True, exist_ok=True)

    def stop(self) -> None:
        self._stop.set()

    def run(self, on_ready: Callable[[], None] = lambda: None) -> int:
        """0 after an asked-for stop, 1 if a service never got ready. Must run in the main thread."""

        def handle(_number: int, _frame: FrameType | None) -> None:
            self._stop.set()

        before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            if not self._start_all():
                return 0 if self._stop.is_set() else 1
            on_ready()
            while not self._stop.wait(0.2):
                self._look_after()
            return 0
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_all(self) -> bool:
        """All at once, so that they load side by side; whoever needs another one waits for it by itself."""
        began = time.monotonic()
        for child in self._children:
            self._start(child)
        for child in self._children:
            deadline = began + child.service.ready_timeout_s
            while not child.service.ready():
                if self._stop.wait(0.1):
                    return False
                self._look_after()
                if time.monotonic() > deadline:
                    log = self._log_dir / f"{child.service.name}.log"
                    self._say(
                        f"{child.service.name} 没有就绪，日志：{log}\n"
                        f"{child.service.name} did not get ready, see {log}:\n{last_lines(log)}"
                    )
                    return False
        return True

    def _start(self, child: _Child) -> None:
        service = child.service
        log_path = self._log_dir / f"{service.name}.log"
        if log_path.exists() and log_path.stat().st_size > _LOG_LIMIT_BYTES:
            log_path.replace(log_path.with_suffix(".log.1"))
        with log_path.open("ab") as log:
            child.process = subprocess.Popen(
                [sys.executable, "-m", "station", *service.argv],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **service.env},
                start_new_session=True,  # Ctrl-C at the terminal reaches the supervisor alone, which stops in order
                preexec_fn=_die_with_parent,
            )
        child.started_at = time.monotonic()
        fresh = self._run_dir / f"{service.name}.new"
        fresh.write_text(f"{child.process.pid}\n")
        fresh.replace(self._run_dir / f"{service.name}.pid")

    def _look_after(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if child.due_at and now >= child.due_at:
                    self._start(child)
                continue
            code = child.process.poll()
            if code is None:
                continue
            self._ended(child)
            if now - child.started_at > FORGIVEN_AFTER_S:
                child.pause_s = FIRST_PAUSE_S
            child.due_at = now + child.pause_s
            name = child.service.name
            self._say(
                f"{name} 意外退出（{code}），{child.pause_s:.1f} 秒后重新启动 · "
                f"{name} ended with {code}, starts again in {child.pause_s:.1f} s"
            )
            child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)

    def _ended(self, child: _Child) -> None:
        child.process = None
        (self._run_dir / f"{child.service.name}.pid").unlink(missing_ok=True)

    def _stop_all(self) -> None:
        for child in reversed(self._children):
            process = child.process
            if process is None:
                continue
            for number in (signal.SIGCONT, signal.SIGTERM):  # a frozen one must wake up to hear that it shall end
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
            try:
                process.wait(child.service.stop_timeout_s)
            except subprocess.TimeoutExpired:
                self._say(f"{child.service.name} 未能按时停止，强制结束 · {child.service.name} was ended by force")
                process.kill()
                process.wait()
            self._ended(child)


def last_lines(path: Path, count: int = 12) -> str:
    """The end of a log, for the person who has to know why something did not start."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
