"""What the journal costs the flash: python -m tools.bench_flash. Ends with one JSON line.

The real journal and checkpoint code runs sales on counted flash in memory, with the board's own partition sizes. The
mix: fills around 30 L, a checkpoint bit each 0.5 L, one refusal in twenty customers, acknowledgements every few sales,
idle work between sales, a restart now and then. Counted are all programs and all erases, of both rings:

programs_per_record             all programs / (journal records + checkpoints written)
programs_per_journal_record     the same programs / journal records alone
erases_per_1000                 all erases / 1,000 journal records
years_...                       50,000 erases of the sector erased most, at 1,000 sales a day
unsent_sales_capacity           sales that fit with no acknowledgement at all before the pump refuses
"""

import json
import random
import sys

from pump.core import records, recovery
from pump.core.checkpoint import Checkpoint
from pump.core.journal import RESERVE, Journal, JournalFull
from tools.sim.flash import RamFlash

JOURNAL_SECTORS, CHECKPOINT_SECTORS = 272, 8  # tools/partitions.csv
SALES = 12_000
DEVICE, KEY = 257, bytes(32)
ENDURANCE = 50_000
SALES_PER_YEAR = 365_000
_UID, _NO = bytes(7), bytes(8)


class Board:
    """Journal and checkpoint ring of one pump, without the rest of the controller."""

    def __init__(self) -> None:
        self.flash, self.small = RamFlash(JOURNAL_SECTORS), RamFlash(CHECKPOINT_SECTORS)
        self.records = self.checkpoints = 0
        self.start()

    def start(self) -> None:
        self.journal, self.ring = Journal(self.flash, DEVICE, KEY), Checkpoint(self.small)
        recovery.find_checkpoint(self.ring)
        recovery.find_head(self.journal, self.ring.acked)

    def append(self, kind: int, *fields: object) -> int:
        self.records += 1
        seq: int = self.journal.append(kind, 1, 0, 0, 2, fields)
        return seq

    def idle(self) -> None:
        while self.journal.idle_work() or self.ring.make_room():
            pass
        self.checkpoints -= self.ring.writes
        self.ring.keep_acked(self.journal.acked)
        self.checkpoints += self.ring.writes

    def sale(self, volume_ml: int) -> None:
        seq = self.append(records.START, _UID, _NO, 1, 20_000, 0, 1, 756, 1, 0, 50_000, 0, 0, b"", 1, 0, bytes(8), 0)
        self.append(records.RESERVED, DEVICE, seq, 1, 20_000, 30_000, 0, _UID)
        before = self.ring.writes
        self.ring.begin(seq, 0)
        for reached_ml in range(0, volume_ml, 250):
            self.ring.reached(reached_ml)
        self.checkpoints += self.ring.writes - before
        self.append(
            records.END,
            seq,
            _UID,
            _NO,
            1,
            0,
            1,
            1,
            0,
            756,
            1,
            20_000,
            100,
            volume_ml,
            0,
            volume_ml,
            0,
            0,
            0,
            60,
            600,
            1,
            0,
        )
        self.append(records.SETTLED, DEVICE, seq, _UID, 1, 20_000, 100, 19_900, 30_000, records.HOW_SALE)

    @property
    def programs(self) -> int:
        return self.flash.programs + self.small.programs

    @property
    def erases(self) -> list[int]:
        return self.flash.erases + self.small.erases


def wear(sales: int) -> dict[str, float]:
    """The figures over so many sales."""
    rng, board = random.Random(2), Board()
    for number in range(sales):
        if number % 1000 == 999:
            board.start()
        board.idle()
        if rng.random() < 0.05:
            board.append(records.REFUSAL, _UID, _NO, 7, 0, 1, 0, 0, 1)
        board.sale(max(2_000, round(rng.gauss(30_000, 10_000))))
        if board.journal.stalls:
            raise RuntimeError("a commit had to wait for an erase")
        if rng.random() < 0.3:
            board.journal.ack(board.journal.head - 1)
    most = max(board.erases)
    return {
        "records": 1000,
        "programs_per_record": round(board.programs / (board.records + board.checkpoints), 3),
        "programs_per_journal_record": round(board.programs / board.records, 2),
        "erases_per_1000": round(1000 * sum(board.erases) / board.records, 1),
        "years_to_50k_erases_at_1000_sales_per_day": round(ENDURANCE * sales / most / SALES_PER_YEAR, 1),
    }


def capacity() -> int:
    """Sales that fit before one is refused, with no link from the first day on."""
    board = Board()
    sales = 0
    try:
        while board.journal.free > RESERVE:
            board.idle()
            board.sale(30_000)
            sales += 1
    except JournalFull:
        raise RuntimeError(
            f"full in the middle of sale {sales}, but {board.journal.free} were said to be free"
        ) from None
    return sales


def main() -> int:
    print(f"{SALES} sales on {JOURNAL_SECTORS} + {CHECKPOINT_SECTORS} sectors of 4 KiB ...", flush=True)
    result = wear(SALES) | {"unsent_sales_capacity": capacity()}
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
