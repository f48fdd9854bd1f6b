"""A journal as it looks after months of work: thousands of sealed records in a board's flash image."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pump.core import codes, journal, records
from pump.core.config import Config
from pump.core.journal import Journal
from tools.sim.flash import RamFlash

_BOOT = (codes.CAUSE_POWER, bytes(8), 0, 0, 0, 0, 0, 0)
_STATEMENT = (bytes(7), codes.SHIFT_RESTATED, 0, 0, 0, 0, bytes(8), 0, 0, 0, 0)
_REFUSAL = (b"\x04\x11\x22\x33\x44\x55\x66", bytes(8), codes.REFUSE_BALANCE, 0, 1, 0, 0, 1)


def fill(file: Path, identity: Mapping[str, Any], count: int, size: int, acked: bool) -> None:
    """`count` records (a BOOT, refusals, a statement where one is due) into a partition image of `size` bytes.

    acked: the station is to have them, so that old ones may make room for new ones. ValueError if they do not fit.
    """
    config = Config(identity)
    flash = RamFlash(size // journal.SECTOR)
    ring = Journal(flash, config.device, config.journal_key)
    for n in range(count):
        kind, fields = _what(n, ring.restate_every)
        if acked:
            ring.acked = ring.head - 1
        elif not ring.free:
            raise ValueError(f"{count} records do not fit into {size} bytes")
        ring.append(kind, 1, n, 0, records.TIME_UNKNOWN, fields)
    file.write_bytes(bytes(flash.data))


def _what(n: int, restate_every: int) -> tuple[int, tuple[object, ...]]:
    if not n:
        return records.BOOT, _BOOT
    if n % restate_every == restate_every - 1:
        return records.SHIFT, _STATEMENT
    return records.REFUSAL, _REFUSAL
