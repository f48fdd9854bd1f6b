"""What a station and head office say to each other, one exchange at a time: JSON both ways (docs/network.md).

The station tells how far it got, so a lost answer is only asked for again.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

RECORDS = 256  # of 128 bytes in one exchange
EVENTS = 200
MOVES = 500
CARDS = 200

Name = Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,16}$")]
Count = Annotated[int, Field(ge=0, lt=1 << 62)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nozzle(_Part):
    grade: Annotated[int, Field(ge=1, le=15)]
    pulses_per_l: Annotated[int, Field(ge=1, le=1000)]


class PumpTold(_Part):
    """A pump; key: of its journal, 64 hex digits, only when head office asked for it."""

    device: Annotated[int, Field(ge=256, lt=1 << 24)]
    pump: Name
    mode: Annotated[str, Field(pattern="^(slot|tap)$")]
    nozzles: Annotated[list[Nozzle], Field(max_length=4)]
    key: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


class EventTold(_Part):
    """Something happened to a card: the card as it stands, and the money that came onto it."""

    event: Count
    at: Count
    loaded_fen: Count = 0
    card: dict[str, Any]


class Sighting(_Part):
    """A purse as the desk saw it last, for head office's shadow of the card."""

    card_no: Annotated[str, Field(pattern="^[0-9]{16}$")]
    counter: Count
    fen: Count
    at: Count


class Report(_Part):
    """Station to head office. records: pump -> base64 of whole records, in order; whole: it has nothing more to tell;
    have_*: how far it has heard."""

    pumps: Annotated[list[PumpTold], Field(max_length=64)] = []
    records: dict[Name, Annotated[str, Field(max_length=RECORDS * 176)]] = {}
    events: Annotated[list[EventTold], Field(max_length=EVENTS)] = []
    sightings: Annotated[list[Sighting], Field(max_length=EVENTS)] = []
    whole: bool = True
    have_cards: Count = 0
    have_moves: Count = 0
    have_tariffs: Count = 0


class TariffTold(_Part):
    version: Count
    effective: Count
    prices: dict[int, Annotated[int, Field(ge=1, le=99_999)]]


class Answer(_Part):
    """Head office to station. heads: device -> last sequence it has; wanted: devices whose keys it needs; others_upto:
    all other stations have told everything up to then."""

    heads: dict[int, Count] = {}
    wanted: list[int] = []
    event: Count = 0
    cards: list[dict[str, Any]] = []
    cards_upto: Count = 0
    moves: list[dict[str, Any]] = []
    tariffs: list[TariffTold] = []
    others_upto: Count = 0
