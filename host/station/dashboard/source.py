"""What the pages show, as plain values, and where they get it: a `Source`.

`reads.StationSource` answers from the fields' read functions; tests answer from fixed values. Pages know nothing else.
All volumes in ml, money in fen, times in Unix seconds; None means "not known", never "zero".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from station.accounts import Account, Lease
from station.cards import Finding, Load
from station.forecourt import Release, Tariff, Timeline, UpdateState
from station.ledger import Check
from station.sales import (
    EndPulses,
    Invariant,
    Measure,
    MeterEvent,
    MeterState,
    Period,
    ProverState,
    QuarantineRow,
    SaleRow,
)
from station.wetstock import TankRow

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class PumpView:
    """A pump as it stands now."""

    pump: str
    online: bool
    state: str  # a key of texts.STATES
    nozzle: int | None = None
    grade: int | None = None
    price_fen_per_l: int | None = None
    volume_ml: int | None = None
    amount_fen: int | None = None
    limit_fen: int | None = None
    flow_ml_s: int | None = None
    card_no: str | None = None
    nozzles: tuple[tuple[int, int, int | None], ...] = ()  # (nozzle, grade, price)
    alarms: tuple[int, ...] = ()
    unsent: int | None = None  # journal records that the station has not acknowledged
    seen_s_ago: int | None = None  # only while it is silent


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as issued, and its shadow: what was last seen on it beside what the books make of it."""

    card_no: str
    holder: str
    plate: str
    state: str  # a key of texts.CARD_STATES
    expiry_s: int | None  # None: never
    books_fen: int | None = None
    seen_fen: int | None = None
    in_flight_fen: int = 0
    pending_fen: int = 0
    shadow: str = ""  # a key of texts.SHADOW_STATES, empty before the card was first seen
    missing: int = 0  # records still out
    seen_s: int | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The slow half of the home page; asked once a second for all viewers together."""

    sales: tuple[SaleRow, ...] = ()
    tanks: tuple[TankRow, ...] = ()
    invariant: Invariant | None = None
    quarantined: int = 0  # rows nobody has decided about
    suspects: tuple[Finding, ...] = ()  # cards blocked by the station itself, or waiting for records too long
    check: Check | None = None  # of the books, the last one
    reviews: int = 0  # findings of risk that wait for a decision


@dataclass(frozen=True, slots=True)
class SaleFilter:
    """None does not filter. since <= time < until, Unix seconds."""

    pump: str | None = None
    grade: int | None = None
    card_no: str | None = None
    since: int | None = None
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    rows: Sequence[Row] = field(default_factory=tuple)
    total: int = 0


@dataclass(frozen=True, slots=True)
class SaleTimeline:
    """A sale's pulse timeline as far as it has come (None: nothing yet) beside what its END says of its pulses."""

    pump: str
    sale_seq: int
    line: Timeline | None
    end: EndPulses | None


@dataclass(frozen=True, slots=True)
class Metering:
    """What the metering page shows."""

    meters: Sequence[MeterState] = ()
    measures: Sequence[Measure] = ()
    events: Sequence[MeterEvent] = ()
    provers: Sequence[ProverState] = ()


@dataclass(frozen=True, slots=True)
class Shifts:
    """What the shifts' page shows. holders: card number -> name; duty: pump -> card number."""

    shifts: tuple[Period, ...] = ()
    days: tuple[Period, ...] = ()
    duty: Mapping[str, str] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accounts:
    """What the accounts' page shows. pumps: device -> name."""

    accounts: tuple[Account, ...] = ()
    leases: tuple[Lease, ...] = ()
    loads: tuple[Load, ...] = ()
    pumps: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A tariff; state: in_force, planned, past or void (a later version came into force before it)."""

    tariff: Tariff
    state: str


@dataclass(frozen=True, slots=True)
class PumpIssued:
    """What a pump has: versions of tariff and lists (0: not told), and how its update stands."""

    tariff: int
    lists: int
    update: UpdateState


@dataclass(frozen=True, slots=True)
class Issued:
    """What is issued to the pumps. lists: version, cards blocked, cards allowed; releases: the newest first."""

    plans: tuple[Plan, ...] = ()
    pumps: tuple[PumpIssued, ...] = ()
    lists: tuple[int, int, int] = (0, 0, 0)
    releases: tuple[Release, ...] = ()


class Source(Protocol):
    """Every function but `forecourt` may take some milliseconds (database): call it off the event loop."""

    def forecourt(self) -> tuple[PumpView, ...]:
        """The pumps in the order of the islands; from memory, cheap enough for ten looks a second."""

    def overview(self) -> Overview: ...

    def sales(self, wanted: SaleFilter, offset: int, limit: int) -> Page[SaleRow]: ...

    def tanks(self) -> Sequence[TankRow]: ...

    def shifts(self) -> Shifts: ...

    def accounts(self) -> Accounts: ...

    def top_up(self, card_no: str, amount_fen: int) -> str:
        """A payment from afar for a card, at the bench; why it cannot be (Chinese, then English), or nothing."""

    def metering(self) -> Metering: ...

    def issued(self) -> Issued: ...

    def order_update(self, version: int) -> None:
        """All pumps are to run this release."""

    def timeline(self, pump: str, sale_seq: int) -> SaleTimeline:
        """ValueError: there is no such pump."""

    def ask_timeline(self, pump: str, sale_seq: int) -> None:
        """Asks the pump for it. ValueError, in words for people: it cannot be asked."""

    def cards(self, search: str, offset: int, limit: int) -> Page[CardRow]: ...

    def quarantine(self, offset: int, limit: int) -> Page[QuarantineRow]: ...
