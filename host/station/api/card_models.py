"""What the API of the card desk takes and gives. Money in fen, volumes in ml, times in Unix seconds."""

from dataclasses import asdict
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from station import cards
from station.cards import Card, Contact, Order, Rules, Second
from station.sales import Shadow

CARD_NO = "6200000100000012"
Fen = Annotated[int, Field(gt=0, le=100_000_000, examples=[20_000])]
Why = Annotated[str, Field(max_length=200, examples=["不再使用 no longer used"])]
Drawer = Annotated[
    str, Field(max_length=40, pattern=r"^(gateway:)?[A-Za-z0-9_.-]+$", examples=["desk", "gateway:bank"])
]


class CardOut(BaseModel):
    """A card as registered. kind: 1 registered, 2 anonymous, 3 staff, 4 account, 5 manager, 6 test, 7 service, 8
    driver; state: active, blocked, replaced, closed, issuing, void; expiry 0: never."""

    card_no: str = Field(examples=[CARD_NO])
    kind: int = Field(examples=[1])
    state: str = Field(examples=["active"])
    holder: str = Field(examples=["张三"])
    plate: str = Field(examples=["京A12345"])
    company: int = Field(examples=[0])
    expiry: int = Field(examples=[0])
    issued_at: int = Field(examples=[1_790_000_000])
    block_reason: str = Field(examples=[""])
    replaces: str = Field(examples=[""])

    @classmethod
    def of(cls, card: Card) -> "CardOut":
        return cls(**{name: getattr(card, name) for name in cls.model_fields})


class CardPage(BaseModel):
    total: int = Field(examples=[1])
    rows: list[CardOut]


class ShadowOut(BaseModel):
    """How the card's purse as last seen and the books agree: `agrees`, `waiting` (missing records), `differs`."""

    state: str = Field(examples=["agrees"])
    missing: int = Field(examples=[0])
    seen_fen: int | None = Field(examples=[20_000])
    books_fen: int = Field(examples=[20_000])
    in_flight_fen: int = Field(examples=[0])
    pending_fen: int = Field(examples=[0])

    @classmethod
    def of(cls, shadow: Shadow) -> "ShadowOut":
        return cls(**{name: getattr(shadow, name) for name in cls.model_fields})


class CardDetail(BaseModel):
    card: CardOut
    shadow: ShadowOut | None
    waits_for: list[str] = Field(examples=[[]], description="补卡前尚缺 · what a replacement would wait for")


class LineOut(BaseModel):
    """A line of a card's history: sale, load, refund, replaced_in, replaced_out."""

    at: int = Field(examples=[1_790_000_000])
    kind: str = Field(examples=["sale"])
    change_fen: int = Field(examples=[-7_560])
    balance_fen: int = Field(examples=[12_440])
    place: str = Field(examples=["p1"])
    volume_ml: int = Field(examples=[10_000])
    grade: int = Field(examples=[1])
    sale: str = Field(examples=["257/12"])


class HistoryOut(BaseModel):
    agrees: bool = Field(description="与账一致 · adds up to the books", examples=[True])
    lines: list[LineOut]


class EventOut(BaseModel):
    at: int = Field(examples=[1_790_000_000])
    event: str = Field(examples=["issued"])
    by: str = Field(examples=["wang"])
    detail: str = Field(examples=[""])


class MovementOut(BaseModel):
    kind: int = Field(examples=[1])
    opening: dict[str, int] = Field(examples=[{"active": 10}])
    events: dict[str, int] = Field(examples=[{"issued": 2, "blocked": 1}])
    closing: dict[str, int] = Field(examples=[{"active": 11, "blocked": 1}])
    reconciles: bool = Field(examples=[True])


class StatisticsOut(BaseModel):
    disagreeing: list[str] = Field(description="状态与历史不符的卡 · cards not in their history's state", examples=[[]])
    kinds: list[MovementOut]


class FloatDayOut(BaseModel):
    day: int = Field(examples=[1_789_920_000])
    opening_fen: int = Field(examples=[0])
    loaded_fen: int = Field(examples=[20_000])
    sold_fen: int = Field(examples=[7_560])
    refunded_fen: int = Field(examples=[0])
    other_fen: int = Field(examples=[0])
    closing_fen: int = Field(examples=[12_440])


class FloatOut(BaseModel):
    """held_fen: by the books' roll-up; by_card_fen: added up card by card; they are equal."""

    held_fen: int = Field(examples=[12_440])
    by_card_fen: int = Field(examples=[12_440])
    days: list[FloatDayOut]


class EarnedOut(BaseModel):
    name: str = Field(examples=["wang"])
    cards: int = Field(examples=[12])
    taken_back: int = Field(examples=[1])
    fen: int = Field(examples=[6_000])


class BlockIn(BaseModel):
    """reason `lost` is a loss report, refused for anonymous cards."""

    model_config = ConfigDict(extra="forbid")
    reason: str = Field(min_length=1, max_length=200, examples=["lost"])


class EmptyIn(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{}]})


class SecondIn(BaseModel):
    """The second person above a cap (Y8), who proves on the spot who they are."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=40, examples=["leader"])
    password: str = Field(max_length=200, examples=["their own"], repr=False)
    code: str = Field("", max_length=8, examples=["123456"], repr=False)

    def person(self) -> Second:
        return Second(self.name, self.password, self.code)


class LoadIn(BaseModel):
    model_config = ConfigDict(extra="forbid")
    amount_fen: Fen
    drawer: Drawer = "desk"
    second: SecondIn | None = None


class RefundIn(BaseModel):
    """amount_fen absent: all of it, and the card is closed."""

    model_config = ConfigDict(extra="forbid")
    amount_fen: Fen | None = None
    why: Why
    drawer: Drawer = "desk"
    second: SecondIn | None = None


class ReplaceIn(BaseModel):
    """second and why: where a pump will never send its records."""

    model_config = ConfigDict(extra="forbid")
    old_card_no: str = Field(pattern="^[0-9]{16}$", examples=[CARD_NO])
    second: SecondIn | None = None
    why: str = Field("", max_length=200, examples=[""])


class LimitsIn(BaseModel):
    """0 or empty: not limited. stations: at most four numbers; hours: of the day, China time."""

    model_config = ConfigDict(extra="forbid")
    fill_ml: int = Field(0, ge=0, le=999_000, examples=[60_000])
    day_fen: int = Field(0, ge=0, le=9_999_999, examples=[50_000])
    day_fills: int = Field(0, ge=0, le=255, examples=[2])
    stations: list[int] = Field([], max_length=4, examples=[[1]])
    hours: list[int] = Field([], max_length=24, examples=[[6, 7, 8]])
    odometer_km: int = Field(0, ge=0, le=25_500, examples=[0])
    needs_driver: bool = Field(False, examples=[False])

    def rules(self) -> Rules:
        values = self.model_dump()
        return Rules(**values | {"stations": tuple(self.stations), "hours": tuple(self.hours)})


class IssueIn(BaseModel):
    """checked: document and person were held side by side, and the person consents to their being kept."""

    model_config = ConfigDict(extra="forbid")
    kind: int = Field(1, ge=1, le=8, examples=[1])
    holder: str = Field("", max_length=60, examples=["张三"])
    document: str = Field("", max_length=40, examples=["110101199001011234"], repr=False)
    phone: str = Field("", max_length=20, examples=["13800001111"], repr=False)
    checked: bool = Field(False, examples=[True])
    plate: str = Field("", max_length=8, examples=["京A12345"])
    company: int = Field(0, ge=0, le=999_999_999, examples=[0])
    pin: str = Field("", max_length=6, examples=[""], repr=False)
    limits: LimitsIn = Field(default_factory=lambda: LimitsIn.model_validate({}))
    purchase: str = Field("", max_length=40, examples=["2026-11-22/7"])
    planned_fen: int = Field(0, ge=0, le=100_000_000, examples=[0])

    def order(self) -> Order:
        values = self.model_dump(exclude={"limits"})
        return Order(**values, rules=self.limits.rules())


class PinIn(BaseModel):
    """pin absent: wrong ones are forgiven; empty: none any more."""

    model_config = ConfigDict(extra="forbid")
    pin: str | None = Field(None, max_length=6, examples=["4711"], repr=False)


class RenewIn(BaseModel):
    """expiry absent: for as long as a new card of its kind."""

    model_config = ConfigDict(extra="forbid")
    expiry: int | None = Field(None, ge=0, lt=1 << 32, examples=[1_900_000_000])


class ContactOut(BaseModel):
    """What the card on the reader says. loaded, refunded, settled: what was finished now, fen; waiting, refunding: what
    still waits for resume or cancel, fen; outstanding: sales on the card whose records are out."""

    card_no: str = Field(examples=[CARD_NO])
    balance_fen: int = Field(examples=[20_000])
    counter: int = Field(examples=[3])
    expiry: int = Field(examples=[0])
    card: CardOut | None
    shadow: ShadowOut | None
    waiting_fen: int | None = Field(examples=[None])
    loaded_fen: int | None = Field(examples=[20_000])
    refunding_fen: int | None = Field(examples=[None])
    refunded_fen: int | None = Field(examples=[None])
    pay_to: list[tuple[str, int]] = Field(examples=[[["desk", 20_000]]])
    settled_fen: int | None = Field(examples=[None])
    open_sale: str | None = Field(examples=[None])
    outstanding: list[str] = Field(examples=[["257/12"]])

    @classmethod
    def of(cls, found: Contact) -> "ContactOut":
        view, held = found.view, found.view.open
        return cls(
            card_no=view.card_no,
            balance_fen=view.balance_fen,
            counter=view.counter,
            expiry=view.expiry,
            card=CardOut.of(found.card) if found.card else None,
            shadow=ShadowOut.of(found.shadow) if found.shadow else None,
            waiting_fen=found.waiting.amount_fen if found.waiting else None,
            loaded_fen=found.loaded.amount_fen if found.loaded else None,
            refunding_fen=found.refunding.amount_fen if found.refunding else None,
            refunded_fen=found.refunded.amount_fen if found.refunded else None,
            pay_to=list(found.refunded.sources) if found.refunded else [],
            settled_fen=found.settled[1] if found.settled else None,
            open_sale=f"{held.device}/{held.seq}" if held else None,
            outstanding=[f"{entry.device}/{entry.seq}" for entry in found.outstanding],
        )


def rows(found: list[Any]) -> list[dict[str, Any]]:
    """Dataclasses as the models take them."""
    return [asdict(one) for one in found]


def movement(one: cards.Movement) -> MovementOut:
    return MovementOut(**asdict(one), reconciles=one.reconciles)
