"""What risk rules look at: sales, refusals, loads and refunds, reduced to whole numbers and names."""

from dataclasses import dataclass
from typing import NamedTuple

SALE, REFUSAL, LOAD, REFUND = "sale", "refusal", "load", "refund"


class Event(NamedTuple):
    """One thing that happened. Times are Unix seconds; 0 or "" where a kind has no such value."""

    kind: str
    at: int
    card_no: str
    station: str = ""
    device: int = 0
    since: int = 0  # a sale's start
    amount_fen: int = 0
    volume_ml: int = 0
    odometer_km: int = 0
    code: int = 0  # a refusal's codes.REFUSE_*
    staff: str = ""  # who loaded or refunded
    ref: int = 0  # the sale's id, the load's id


@dataclass(frozen=True, slots=True)
class Subject:
    """What is known of the card beforehand: kind (card_layout.KIND_*), the vehicle's tank, 0: unknown."""

    card_kind: int = 0
    tank_ml: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """A station's position in millionths of a degree (WGS 84)."""

    latitude_e6: int
    longitude_e6: int
