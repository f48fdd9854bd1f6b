"""What the routes of the tills take and answer. Money in fen, volumes in ml, times in Unix seconds."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Path
from pydantic import BaseModel, Field

from station import cards, tills

MOST_FEN = 100_000_000
Fen = Annotated[int, Field(gt=0, le=MOST_FEN, description="分 · fen", examples=[7_560])]
FenOrNought = Annotated[int, Field(ge=0, le=MOST_FEN, description="分 · fen", examples=[20_000])]
Why = Annotated[str, Field(max_length=200, examples=["找错零 wrong change"])]
TillName = Annotated[str, Field(min_length=1, max_length=16, pattern="^[a-z0-9]+$", examples=["t1"])]
GoodsCode = Annotated[str, Field(min_length=1, max_length=20, pattern="^[0-9A-Za-z]+$", examples=["6901"])]
Series = Annotated[str, Path(pattern="^[0-9]{4}$", examples=["2026"])]
Number = Annotated[int, Path(ge=1, le=0xFFFFFFFF, examples=[1])]
Name = Annotated[str, Path(pattern="^[a-z0-9]{1,16}$", examples=["t1"])]
Code = Annotated[str, Path(pattern="^[0-9A-Za-z]{1,20}$", examples=["6901"])]
Day = Annotated[str, Path(pattern=r"^\d{4}-\d{2}-\d{2}$", examples=["2026-11-21"])]


class SecondBody(BaseModel):
    """The second person of what is above a cap, with the proof that they stand there."""

    name: Annotated[str, Field(min_length=1, max_length=40, examples=["lihua"])]
    password: Annotated[str, Field(max_length=200, examples=["correct horse battery"])]
    code: Annotated[str, Field(max_length=8, examples=["123456"])] = ""

    def second(self) -> cards.Second:
        return cards.Second(self.name, self.password, self.code)


class TillBody(BaseModel):
    """A new till; its drawer has its name."""

    till: TillName
    title: Annotated[str, Field(max_length=40, examples=["便利店 shop"])] = ""


class FloatBody(BaseModel):
    """The change that the drawer begins with, out of the safe."""

    float_fen: FenOrNought


class CountBody(BaseModel):
    """What was counted in the drawer; why and second: above the cap `cap.adjust`."""

    counted_fen: FenOrNought
    why: Why = ""
    second: SecondBody | None = None


class HandOverBody(CountBody):
    """A counted drawer goes on to the next cashier."""

    to: Annotated[str, Field(min_length=1, max_length=40, examples=["zhao"])]


class SafeBody(BaseModel):
    """Money that the owner puts into the safe, or that is taken from it to the bank."""

    amount_fen: Fen
    to_bank: Annotated[bool, Field(examples=[False])] = False
    why: Why


class SafeOut(BaseModel):
    """What the safe holds by the books."""

    fen: Annotated[int, Field(examples=[480_000])]


class GoodsBody(BaseModel):
    """The name and price of goods from now on."""

    name: Annotated[str, Field(min_length=1, max_length=60, examples=["矿泉水 550 ml"])]
    price_fen: Fen
    active: Annotated[bool, Field(examples=[True])] = True


class PiecesBody(BaseModel):
    """Pieces that came in, or that a stocktake counted."""

    pieces: Annotated[int, Field(ge=0, le=100_000, examples=[24])]
    why: Why = ""


class LineBody(BaseModel):
    """Fuel by the name of its sale (device, seq), or pieces of goods by their code."""

    device: Annotated[int | None, Field(ge=0, lt=1 << 31, examples=[None])] = None
    seq: Annotated[int | None, Field(ge=0, lt=1 << 32, examples=[None])] = None
    code: Annotated[str | None, Field(max_length=20, examples=["6901"])] = None
    pieces: Annotated[int, Field(ge=1, le=1_000, examples=[2])] = 1

    def wanted(self) -> tills.FuelWanted | tills.GoodsWanted:
        if self.code is not None:
            return tills.GoodsWanted(self.code, self.pieces)
        if self.device is None or self.seq is None:
            raise ValueError("每行须有商品编码或交易号 a line names goods or a sale")
        return tills.FuelWanted(self.device, self.seq)


class PaymentBody(BaseModel):
    """kind: cash, bank_card, account. ref: the terminal's trace number, the account's number."""

    kind: Annotated[str, Field(max_length=32, examples=["cash"])]
    handed_fen: Fen
    ref: Annotated[str, Field(max_length=64, examples=[""])] = ""

    def payment(self) -> tills.Payment:
        return tills.Payment(self.kind, self.handed_fen, self.ref)


class BillBody(BaseModel):
    """A bill; with payments it must be paid in full, without it is left open (a phone is to pay it, say)."""

    till: TillName
    lines: Annotated[list[LineBody], Field(min_length=1, max_length=100)]
    payments: Annotated[list[PaymentBody], Field(max_length=10)] = []


class WhyBody(BaseModel):
    why: Annotated[str, Field(min_length=1, max_length=200, examples=["顾客取消 the customer left"])]


class LineOut(BaseModel):
    """quantity: pieces, or ml of fuel; price_fen: of a piece or a litre."""

    line: Annotated[int, Field(examples=[1])]
    kind: Annotated[str, Field(examples=["goods"])]
    name: Annotated[str, Field(examples=["矿泉水 550 ml"])]
    code: Annotated[str | None, Field(examples=["6901"])]
    device: int | None
    seq: int | None
    grade: int | None
    account: int | None
    quantity: Annotated[int, Field(examples=[2])]
    price_fen: Annotated[int, Field(examples=[200])]
    amount_fen: Annotated[int, Field(examples=[400])]
    returned_fen: Annotated[int, Field(examples=[0])]
    returned_pieces: Annotated[int, Field(examples=[0])]


class TenderOut(BaseModel):
    """line: the one that the pump itself had settled, none: paid at the till."""

    bill: Annotated[int, Field(examples=[17])]
    number: Annotated[int, Field(examples=[1])]
    kind: Annotated[str, Field(examples=["cash"])]
    amount_fen: Annotated[int, Field(examples=[400])]
    handed_fen: Annotated[int, Field(examples=[1_000])]
    ref: Annotated[str, Field(examples=[""])]
    line: int | None
    returned_fen: Annotated[int, Field(examples=[0])]
    at: Annotated[int, Field(examples=[1_795_000_000])]
    by: Annotated[str, Field(examples=["wang"])]


class BillOut(BaseModel):
    """state: open, paid, void."""

    bill: Annotated[int, Field(examples=[17])]
    till: Annotated[str, Field(examples=["t1"])]
    shift: Annotated[int, Field(examples=[4])]
    made_at: Annotated[int, Field(examples=[1_795_000_000])]
    made_by: Annotated[str, Field(examples=["wang"])]
    state: Annotated[str, Field(examples=["paid"])]
    total_fen: Annotated[int, Field(examples=[400])]
    due_fen: Annotated[int, Field(examples=[0])]
    change_fen: Annotated[int, Field(examples=[600])]
    paid_at: Annotated[int | None, Field(examples=[1_795_000_000])]
    pump: str | None
    released_at: int | None
    lines: list[LineOut]
    tenders: list[TenderOut]


class AtHandOut(BaseModel):
    """Fuel that stands on no bill; due_fen: 0 if the pump has the money."""

    device: Annotated[int, Field(examples=[257])]
    seq: Annotated[int, Field(examples=[41])]
    pump: Annotated[str, Field(examples=["p1"])]
    ended: Annotated[int | None, Field(examples=[1_795_000_000])]
    volume_ml: Annotated[int | None, Field(examples=[10_000])]
    amount_fen: Annotated[int | None, Field(examples=[7_560])]
    due_fen: Annotated[int, Field(examples=[7_560])]


def bill_out(bill: tills.Bill) -> dict[str, Any]:
    """A bill with its sums, as JSON has it."""
    return asdict(bill) | {"due_fen": bill.due_fen, "change_fen": bill.change_fen}


class RefundBody(BaseModel):
    """Money back for (part of) a line, and pieces back on the shelf. till: whose drawer pays cash."""

    line: Annotated[int, Field(ge=1, le=100, examples=[1])]
    amount_fen: Fen
    pieces: Annotated[int, Field(ge=0, le=1_000, examples=[1])] = 0
    till: TillName
    why: Annotated[str, Field(min_length=1, max_length=200, examples=["漏液 it leaks"])]


class DecisionBody(BaseModel):
    """The second person's word on a refund above the cap."""

    approve: Annotated[bool, Field(examples=[True])]
    why: Why = ""
    second: SecondBody


class RefundOut(BaseModel):
    """state: open (waits for a second person), done, refused. parts: (tender's number, fen). late: past due_at."""

    refund: Annotated[int, Field(examples=[3])]
    bill: Annotated[int, Field(examples=[17])]
    line: Annotated[int, Field(examples=[1])]
    amount_fen: Annotated[int, Field(examples=[200])]
    pieces: Annotated[int, Field(examples=[1])]
    till: Annotated[str, Field(examples=["t1"])]
    asked_at: Annotated[int, Field(examples=[1_795_000_000])]
    asked_by: Annotated[str, Field(examples=["wang"])]
    why: Annotated[str, Field(examples=["漏液 it leaks"])]
    state: Annotated[str, Field(examples=["done"])]
    decided_at: Annotated[int | None, Field(examples=[1_795_000_000])]
    decided_by: Annotated[str | None, Field(examples=["wang"])]
    decision: Annotated[str, Field(examples=[""])]
    due_at: Annotated[int, Field(examples=[1_795_086_400])]
    parts: Annotated[list[tuple[int, int]], Field(examples=[[(1, 200)]])]
    late: Annotated[bool, Field(examples=[False])]


class InvoiceBody(BaseModel):
    """amounts: fen by subject, `bill:17` or what another field offers."""

    buyer: Annotated[str, Field(min_length=1, max_length=100, examples=["物流有限公司"])]
    tax_no: Annotated[str, Field(max_length=30, examples=["91110000123456789X"])] = ""
    amounts: Annotated[dict[str, Fen], Field(min_length=1, max_length=100, examples=[{"bill:17": 400}])]


class RedBody(WhyBody):
    """Takes an invoice back; amounts: by subject, none: all that is left of it."""

    amounts: Annotated[dict[str, Fen] | None, Field(max_length=100, examples=[{"bill:17": 400}])] = None


class PartOut(BaseModel):
    """What an invoice says of a subject; red_fen: taken back since."""

    subject: Annotated[str, Field(examples=["bill:17"])]
    amount_fen: Annotated[int, Field(examples=[400])]
    red_fen: Annotated[int, Field(examples=[0])]


class InvoiceOut(BaseModel):
    """A numbered invoice; below nought: a red letter, which takes back red_of. instead_of: a lost one."""

    series: Annotated[str, Field(examples=["2026"])]
    number: Annotated[int, Field(examples=[1])]
    at: Annotated[int, Field(examples=[1_795_000_000])]
    by: Annotated[str, Field(examples=["wang"])]
    buyer: Annotated[str, Field(examples=["物流有限公司"])]
    tax_no: Annotated[str, Field(examples=["91110000123456789X"])]
    amount_fen: Annotated[int, Field(examples=[400])]
    red_series: str | None
    red_of: int | None
    instead_series: str | None
    instead_of: int | None
    why: Annotated[str, Field(examples=[""])]
    parts: list[PartOut]


class DayOut(BaseModel):
    """A day's report, and who closed it when (none: as it stands now)."""

    day: Annotated[str, Field(examples=["2026-11-21"])]
    closed_at: Annotated[int | None, Field(examples=[1_795_000_000])]
    closed_by: Annotated[str | None, Field(examples=["wang"])]
    report: Annotated[dict[str, Any], Field(examples=[{"bills": 214, "bills_fen": 3_614_760}])]


def refund_out(refund: tills.Refund, now: int) -> dict[str, Any]:
    """A refund, and whether it is late."""
    return asdict(refund) | {"late": refund.is_late(now)}
