"""Bodies and answers of the fleets' routes. Money in fen, volumes in ml, times in Unix seconds."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from station import fleets

MOST_FEN = 10_000_000_000
Number = Annotated[int, Path(ge=1, le=0xFFFFFFFF, examples=[1])]
Subject = Annotated[str, Path(pattern="^(unit|vehicle):[0-9]{1,10}$", examples=["unit:1"])]
Fen = Annotated[int, Field(ge=0, le=MOST_FEN, examples=[3_000_000])]
Paid = Annotated[int, Field(gt=0, le=MOST_FEN, examples=[500_000])]
Name = Annotated[str, Field(min_length=1, max_length=80, examples=["顺达物流"])]
Short = Annotated[str, Field(max_length=80, examples=[""])]
Why = Annotated[str, Field(min_length=1, max_length=200, examples=["合同 2026-17"])]
CardNo = Annotated[str, Field(max_length=19, examples=["6200000100000020"])]
Time = Annotated[int, Field(ge=0, lt=1 << 40, examples=[0])]
Grade = Annotated[int, Field(ge=0, le=15, examples=[1])]


class TermsIn(BaseModel):
    """limit_fen: the credit line, 0: prepaid. offline_*: what each pump is lent ahead."""

    limit_fen: Fen
    sale_fen: Annotated[int, Field(gt=0, le=MOST_FEN, examples=[200_000])] = 200_000
    offline_fen: Annotated[int, Field(ge=0, le=MOST_FEN, examples=[50_000])] = 50_000
    offline_count: Annotated[int, Field(ge=1, le=1000, examples=[5])] = 5
    offline_hours: Annotated[int, Field(ge=1, le=744, examples=[72])] = 72


class CompanyIn(BaseModel):
    """A company to open."""

    name: Name
    terms: TermsIn
    tax_no: Short = ""
    contact: Short = ""


class DetailsIn(BaseModel):
    """due_days: from a statement until it must be paid."""

    tax_no: Annotated[str, Field(max_length=80, examples=["91110000MA0000000X"])]
    contact: Short
    due_days: Annotated[int, Field(ge=0, le=365, examples=[30])]


class PartIn(BaseModel):
    """limit_fen: a credit line of its own beside what is allocated to it."""

    name: Annotated[str, Field(min_length=1, max_length=80, examples=["运输部"])]
    limit_fen: Annotated[int, Field(ge=0, le=MOST_FEN, examples=[0])] = 0


class TopUpIn(BaseModel):
    """source: a drawer, or `gateway:` and the name of a bank."""

    amount_fen: Paid
    source: Annotated[str, Field(pattern=r"^([^:\s]+|gateway:\S+)$", max_length=40, examples=["gateway:icbc"])]


class MoveIn(BaseModel):
    """Below nought: back to the parent."""

    amount_fen: Annotated[int, Field(ge=-MOST_FEN, le=MOST_FEN, examples=[100_000])]


class LoadIn(BaseModel):
    """A purse card of the company to load."""

    card_no: CardNo
    amount_fen: Paid


class LoadOut(BaseModel):
    """The load waits for its card."""

    card_no: CardNo
    amount_fen: int
    state: Annotated[str, Field(examples=["pending"])]


class UnitOut(BaseModel):
    """A company or a part of one. own_fen: its money, neither spent nor lent; available_fen: what may still be lent."""

    account: Annotated[int, Field(examples=[1])]
    parent: int | None
    name: Name
    state: Annotated[str, Field(examples=["active"])]
    tax_no: str
    contact: str
    due_days: int
    limit_fen: int
    owed_fen: int
    lent_fen: int
    own_fen: int
    available_fen: int


class TreeOut(BaseModel):
    """A company, itself first, with the sum of what all owe."""

    owed_fen: int
    overdue_fen: int
    units: list[UnitOut]


class VehicleIn(BaseModel):
    """0: not known, or any. state gone: it left the fleet, its card buys nothing."""

    plate: Annotated[str, Field(min_length=1, max_length=12, examples=["京A10001"])]
    tank_ml: Annotated[int, Field(ge=0, le=5_000_000, examples=[60_000])] = 0
    grade: Grade = 0
    norm_ml_per_100km: Annotated[int, Field(ge=0, le=200_000, examples=[9_500])] = 0
    card_no: CardNo | None = None
    state: Annotated[str, Field(pattern="^(active|gone)$", examples=["active"])] = "active"


class VehicleOut(VehicleIn):
    """unit: who pays."""

    id: int
    unit: int
    is_behind: bool


class DriverIn(BaseModel):
    """A driver and their card."""

    name: Annotated[str, Field(min_length=1, max_length=40, examples=["李雷"])]
    card_no: CardNo | None = None


class DriverOut(DriverIn):
    """unit: where they work."""

    id: int
    unit: int


class RulesBody(BaseModel):
    """0, empty or false: no such rule; sums by day and calendar month of China; stations by number, hours 0 to 23."""

    fill_ml: Annotated[int, Field(ge=0, examples=[80_000])] = 0
    fill_fen: Annotated[int, Field(ge=0, examples=[0])] = 0
    day_ml: Annotated[int, Field(ge=0, examples=[0])] = 0
    day_fen: Annotated[int, Field(ge=0, examples=[50_000])] = 0
    day_fills: Annotated[int, Field(ge=0, examples=[2])] = 0
    month_ml: Annotated[int, Field(ge=0, examples=[0])] = 0
    month_fen: Annotated[int, Field(ge=0, examples=[500_000])] = 0
    grades: Annotated[tuple[int, ...], Field(max_length=15, examples=[[1]])] = ()
    stations: Annotated[tuple[int, ...], Field(max_length=4, examples=[[1]])] = ()
    hours: Annotated[tuple[int, ...], Field(max_length=24, examples=[[6, 7, 8]])] = ()
    odometer_km: Annotated[int, Field(ge=0, examples=[0])] = 0
    only_listed: bool = True
    needs_driver: bool = False


class RulesIn(BaseModel):
    """New rules and why."""

    rules: RulesBody
    why: Why


class RulesOut(BaseModel):
    """A version of a subject's rules."""

    subject: Annotated[str, Field(examples=["unit:1"])]
    version: int
    rules: RulesBody
    at: int
    by: str
    why: str


class PriceIn(BaseModel):
    """discount: fen off each litre (0 ends an agreement); fixed: fen per litre. until 0: open."""

    grade: Annotated[int, Field(ge=1, le=15, examples=[1])]
    kind: Annotated[str, Field(pattern="^(discount|fixed)$", examples=["discount"])]
    fen_per_l: Annotated[int, Field(ge=0, le=99_999, examples=[20])]
    since: Time = 0
    until: Time = 0
    why: Why


class PriceOut(PriceIn):
    """A version of a company's agreements."""

    company: int
    version: int
    at: int
    by: str


class StatementIn(BaseModel):
    """until 0: now."""

    until: Time = 0


class StatementOut(BaseModel):
    """opening + delivered - rebate + loaded - paid + other = closing: above nought what the company owes."""

    company: int
    number: int
    since: int
    until: int
    due_at: int
    made_at: int
    by: str
    opening_fen: int
    delivered_fen: Annotated[int, Field(examples=[151_200])]
    rebate_fen: Annotated[int, Field(examples=[5_800])]
    loaded_fen: int
    paid_fen: int
    other_fen: int
    closing_fen: int
    volume_ml: int
    invoice_fen: int
    unpaid_fen: int


class LineOut(BaseModel):
    """kind: delivery, rebate, load, payment, other. The last figures are of a delivery."""

    key: Annotated[str, Field(examples=["fuel:1103806595073"])]
    unit: int
    at: int
    kind: Annotated[str, Field(examples=["delivery"])]
    owed_fen: int
    rebate_fen: int
    memo: str
    plate: str = ""
    card_no: str = ""
    pump: str = ""
    odometer_km: int = 0
    grade: int = 0
    price_fen_per_l: int = 0
    volume_ml: int = 0


class LinesOut(BaseModel):
    """A statement and what stands on it."""

    statement: StatementOut
    lines: list[LineOut]


class OfferIn(BaseModel):
    """Nothing to say."""


class OfferOut(BaseModel):
    """Under which name the tills may invoice it."""

    subject: Annotated[str, Field(examples=["statement:1:3"])]


class OddityOut(BaseModel):
    """kind: odometer_back, odometer_jump, above_norm, unusual, above_tank, off_hours; value and expected as it says."""

    kind: Annotated[str, Field(examples=["above_tank"])]
    plate: str
    card_no: str
    at: int
    pump: str
    volume_ml: int
    odometer_km: int
    value: int
    expected: int


class RefusalOut(BaseModel):
    """code: as the pump shows it (docs/codes.md); rule: what declined it, with its sums."""

    at: int
    device: int
    account: int
    card_no: str
    plate: str
    code: Annotated[int, Field(examples=[20])]
    rule: Annotated[str, Field(examples=["day_fen"])]
    allowed: int
    used: int


def unit_out(one: fleets.Unit) -> UnitOut:
    """A unit as it is told."""
    money = one.money
    return UnitOut(
        account=one.account, parent=one.parent, name=one.name, state=money.state, tax_no=one.tax_no,
        contact=one.contact, due_days=one.due_days, limit_fen=money.terms.limit_fen, owed_fen=money.owed_fen,
        lent_fen=money.lent_fen, own_fen=one.own_fen, available_fen=money.available_fen,
    )  # fmt: skip


def rules_out(one: fleets.Version) -> RulesOut:
    """A version as it is told."""
    rules = RulesBody(**asdict(one.rules))
    return RulesOut(subject=one.subject, version=one.version, rules=rules, at=one.at, by=one.by, why=one.why)


def line_out(line: fleets.Line) -> LineOut:
    """A line as it is told."""
    said: dict[str, Any] = {name: getattr(line, name) for name in ("key", "unit", "at", "kind", "owed_fen", "memo")}
    names = ("plate", "card_no", "pump", "odometer_km", "grade", "price_fen_per_l", "volume_ml")
    said |= {name: getattr(line.sale, name) for name in names} if line.sale else {}
    return LineOut(**said, rebate_fen=line.rebate_fen)


def oddity_out(one: fleets.Report) -> OddityOut:
    """An exception as it is told."""
    fill, odd = one.oddity.fill, one.oddity
    return OddityOut(
        kind=odd.kind, plate=one.vehicle.plate, card_no=fill.card_no, at=fill.ended, pump=fill.pump,
        volume_ml=fill.volume_ml, odometer_km=fill.odometer_km, value=odd.value, expected=odd.expected,
    )  # fmt: skip
