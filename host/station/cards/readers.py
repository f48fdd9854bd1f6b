"""The card readers at the counter: each has a name and a port, and does one job at a time (C5).

The port is opened for a job and closed after it, so that the command line, or another program, can use the reader in
between. A job that waits for its card can be given up.
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from station.cards.reader import CardLink, DeskReader, ReaderUnavailableError, wait_for_card

T = TypeVar("T")
WAIT_S = 60.0  # how long a job waits for its card


@dataclass
class Progress:
    """Where a job stands, for who looks on: `queued`, `waiting` for a card, `working`. give_up() ends the waiting."""

    stage: str = "queued"
    _given_up: threading.Event = field(default_factory=threading.Event)

    def give_up(self) -> None:
        self._given_up.set()

    @property
    def given_up(self) -> bool:
        return self._given_up.is_set()


class Readers:
    """ports: by the readers' names."""

    def __init__(self, ports: Mapping[str, str]) -> None:
        self.ports = dict(ports)
        self._locks = {name: threading.Lock() for name in ports}

    def do(
        self, name: str, act: Callable[[CardLink], T], progress: Progress | None = None, wait_s: float = WAIT_S
    ) -> T:
        """act(reader) once a card lies on it; raises what act raises.

        ReaderUnavailableError: no such reader, none answers, no card came, or the job was given up.
        """
        told = progress or Progress()
        with self._mine(name, told, wait_s), DeskReader(self.ports[name]) as reader:
            told.stage = "waiting"
            wait_for_card(reader, wait_s, lambda: told.given_up)
            told.stage = "working"
            return act(reader)

    @contextmanager
    def _mine(self, name: str, told: Progress, wait_s: float) -> Iterator[None]:
        if name not in self.ports:
            raise ReaderUnavailableError(f"没有名为 {name} 的读卡器 there is no reader of that name")
        if not self._locks[name].acquire(timeout=wait_s):
            raise ReaderUnavailableError("读卡器正忙 the reader is busy")
        try:
            yield
        finally:
            self._locks[name].release()


_shared: dict[tuple[tuple[str, str], ...], Readers] = {}


def shared(ports: Mapping[str, str]) -> Readers:
    """The readers of this process: pages and API take turns at the same ones."""
    return _shared.setdefault(tuple(sorted(ports.items())), Readers(ports))
