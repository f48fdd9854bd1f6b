"""A pump of the imagined year: its journal, who is on duty at it, and the records that wait to be sent."""

from dataclasses import dataclass, field

from pump.core import codes, records
from station import sales
from station.forecourt import Pump
from station.sales.intake import BATCH_LIMIT
from tools.journals import Card, Fill, Journal

CHUNK = BATCH_LIMIT * records.SIZE


@dataclass(slots=True)
class SeedPump:
    """free_at: when the next customer can begin, Unix seconds."""

    pump: Pump
    journal: Journal
    free_at: int = 0
    shift: int = 0
    _duty: Card | None = None
    _sold: list[int] = field(default_factory=lambda: [0, 0, 0])  # sales, ml, fen of the shift
    _out: bytearray = field(default_factory=bytearray)

    def nozzle_of(self, grade: int) -> int | None:
        """The nozzle that gives a grade, if there is one."""
        return next((nozzle.nozzle for nozzle in self.pump.nozzles if nozzle.grade == grade), None)

    def sell(self, card: Card, fill: Fill) -> None:
        """A whole sale."""
        self._out += self.journal.sale(card, fill)
        self.free_at = fill.began + fill.seconds + 45  # hang up, close the cap, drive off
        self._sold[0] += 1
        self._sold[1] += fill.volume_ml
        self._sold[2] += fill.amount_fen

    def refuse(self, card: Card, at: int, code: int, grade: int) -> None:
        """A card turned away."""
        self._out += self.journal.refusal(card, at, code, self.nozzle_of(grade) or 0, grade)
        self.free_at = at + 20

    def relieve(self, staff: Card, at: int, day_ends: bool) -> None:
        """One goes off duty and the next on; once a day the day is closed."""
        if self._duty is not None:
            self._mark(self._duty, codes.SHIFT_OFF, at)
        if day_ends:
            self._mark(staff, codes.SHIFT_DAY, at + 5)
        self.shift, self._duty, self._sold = self.shift + 1, staff, [0, 0, 0]
        self._mark(staff, codes.SHIFT_ON, at + 10)

    def reprice(self, at: int, tariff: int, old: dict[int, int], new: dict[int, int]) -> None:
        """A tariff comes into force."""
        for nozzle in self.pump.nozzles:
            prices = (old[nozzle.grade], new[nozzle.grade])
            self._out += self.journal.write(records.PRICE, at, tariff, nozzle.nozzle, nozzle.grade, *prices, at)

    def alarm(self, code: int, at: int, seconds: int) -> None:
        """Something that went by itself, or that somebody put right."""
        for raised, when in ((1, at), (0, at + seconds)):
            total_ml = self.journal.totals_ml[0]
            self._out += self.journal.write(records.ALARM, when, code, 0, raised, 0, 0, total_ml)
        self.free_at = at + seconds

    def batches(self) -> list[sales.Batch]:
        """What has not been sent yet."""
        raw, self._out = bytes(self._out), bytearray()
        parts = (raw[at : at + CHUNK] for at in range(0, len(raw), CHUNK))
        return [sales.Batch(self.pump.station, self.pump.pump, part) for part in parts]

    def _mark(self, staff: Card, event: int, at: int) -> None:
        duty = (staff.card_no, self.shift, *self._sold)
        self._out += self.journal.write(records.SHIFT, at, staff.uid, event, *self.journal.totals_ml, *duty)
