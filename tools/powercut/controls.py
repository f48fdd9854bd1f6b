"""Controllers that are broken on purpose, each in one of the ways in which such things are usually broken.

The very same checks must catch every one of them: a check that passes these would pass anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from pump.core import journal, records, recovery
from pump.core.controller import Controller
from tools.powercut.exhaust import Result, exhaust
from tools.powercut.stories import STORIES, Told

_NAMED = {told.name: told for told in STORIES}


@dataclass(frozen=True)
class Control:
    """what: how it is broken; story: where that shows; changes: of the story's setup; checked: False: no CRC."""

    what: str
    story: str
    changes: dict[str, Any]
    checked: bool = True

    def run(self, every: int = 1) -> Result:
        told = _NAMED[self.story]
        broken = Told(told.name, replace(told.setup, **self.changes), told.opening, told.story)
        with _crc(self.checked):
            return exhaust(broken, every, again=False)


class _StartAfterCard(Controller):
    """Takes the money off the card first and writes START down afterwards."""

    _held: tuple[Any, ...] | None = None

    def append(self, kind: int, fields: tuple[Any, ...]) -> int:
        if kind == records.START:
            self._held = fields
            return int(self.journal.head)
        if self._held is not None:
            held, self._held = self._held, None
            super().append(records.START, held)  # type: ignore[no-untyped-call]
        return int(super().append(kind, fields))  # type: ignore[no-untyped-call]


class _EndAfterCard(Controller):
    """Gives the unused money back first and writes END down afterwards."""

    _held: tuple[Any, ...] | None = None

    def append(self, kind: int, fields: tuple[Any, ...]) -> int:
        if kind == records.END:
            self._held = fields
            return int(self.journal.head)
        if kind == records.SETTLED and self._held is not None:
            held, self._held = self._held, None
            super().append(records.END, held)  # type: ignore[no-untyped-call]
        return int(super().append(kind, fields))  # type: ignore[no-untyped-call]


class _FreesEarly(Controller):
    """Takes the checkpoint of the next sale's sector as free before this sale's end is written down."""

    def append(self, kind: int, fields: tuple[Any, ...]) -> int:
        if kind == records.END:
            self.checkpoint.begin(fields[0], fields[4])
        return int(super().append(kind, fields))  # type: ignore[no-untyped-call]


CONTROLS = (
    Control("no CRC check", "sale by slot", {}, checked=False),
    Control("no CRC check, ring", "ring wraps", {}, checked=False),
    Control("writes not flushed", "sale by slot", {"lazy": True}),
    Control("writes not read back", "hazards and wear", {"trusting": True}),
    Control("card before START", "sale by tap", {"make": _StartAfterCard}),
    Control("card before END", "sale by slot", {"make": _EndAfterCard}),
    Control("checkpoint freed before END", "sale by slot", {"make": _FreesEarly}),
)


@contextmanager
def _crc(checked: bool) -> Iterator[None]:
    """Without: journal and recovery take every slot of our version for a record. The checks keep their own eyes."""
    if checked:
        yield
        return
    rings: tuple[Any, ...] = journal, recovery
    credulous = SimpleNamespace(**vars(records))
    credulous.is_whole = lambda record: len(record) == records.SIZE and record[0] == records.VERSION
    for ring in rings:
        ring.records = credulous
    try:
        yield
    finally:
        for ring in rings:
            ring.records = records
