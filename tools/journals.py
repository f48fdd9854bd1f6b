"""Journals of pumps that nobody ever built: records chained and sealed as a board's, made as fast as may be.

For benches and demonstration data. The bytes are those that pump.core.records.build makes; a test holds both together.
"""

import struct
from binascii import crc32
from dataclasses import dataclass, field

from pump.core import card_layout, codes, money, records
from station.sales.chain import Mac, mac_of

NOBODY = bytes(8)
_HEADER = struct.Struct(records.HEADER)
_BODIES = {kind: struct.Struct(layout) for kind, layout in records.BODIES.items()}
_CRC = struct.Struct("<I")


@dataclass(slots=True)
class Card:
    """What a card holds: its purse in fen and how often it was debited. An account's card holds no money."""

    uid: bytes
    card_no: bytes
    fen: int = 0
    counter: int = 0
    kind: int = card_layout.KIND_REGISTERED
    plate: bytes = b""


@dataclass(frozen=True, slots=True)
class Fill:
    """One fill at a nozzle. began: Unix seconds; lease, driver and odometer only where the card wants them."""

    began: int
    seconds: int
    volume_ml: int
    nozzle: int
    grade: int
    price_fen_per_l: int
    tariff: int
    reserved_fen: int
    lease: int = 0
    driver: bytes = NOBODY
    odometer_km: int = 0
    reason: int = codes.STOP_NOZZLE

    @property
    def amount_fen(self) -> int:
        """What it costs, never more than was authorised."""
        cost_fen: int = min(money.amount_fen(self.volume_ml, self.price_fen_per_l), self.reserved_fen - 1)
        return cost_fen


@dataclass(slots=True)
class Journal:
    """One board's journal. `began`: when it was switched on, Unix seconds."""

    key: bytes
    device: int
    began: int
    seq: int = 0
    boot: int = 1
    totals_ml: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    _last: bytes = records.CHAIN_START
    _mac: Mac = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._mac = mac_of(self.key)

    def write(self, kind: int, at: int, *fields: object) -> bytes:
        """One record at a time of its own."""
        self.seq += 1
        record = bytearray(records.SIZE)
        head = (records.VERSION, kind, records.TIME_SYNCED, 0, self.device, self.seq, self.boot, at - self.began, at)
        _HEADER.pack_into(record, 0, *head)
        _BODIES[kind].pack_into(record, records.BODY_AT, *fields)
        record[records.MAC_AT : records.CRC_AT] = self._last = self._mac(self._last, bytes(record))
        _CRC.pack_into(record, records.CRC_AT, crc32(memoryview(record)[: records.CRC_AT]))
        return bytes(record)

    def sale(self, card: Card, fill: Fill) -> bytes:
        """START, RESERVED, END and SETTLED of one fill, as the card lived through it."""
        f, nozzle, seq = fill, fill.nozzle, self.seq + 1
        head = (card.uid, card.card_no, card.counter + 1)
        before_fen, before_ml, reserved_fen = card.fen, self.totals_ml[nozzle], fill.reserved_fen
        after_ml, amount_fen = before_ml + fill.volume_ml, fill.amount_fen
        payer = (card.kind, fill.lease)
        price = (f.price_fen_per_l, f.tariff)
        raw = self.write(
            records.START, f.began, *head, reserved_fen, nozzle, f.grade, *price, before_ml, before_fen, 0, 0,
            card.plate, *payer, f.driver, f.odometer_km,
        )  # fmt: skip
        card.counter += 1
        on_card_fen = reserved_fen if card.kind != card_layout.KIND_ACCOUNT else 0
        left_fen = before_fen - on_card_fen
        raw += self.write(
            records.RESERVED, f.began + 1, self.device, seq, card.counter, reserved_fen, left_fen, before_ml, card.uid
        )
        ended, pulses = f.began + f.seconds, f.volume_ml // 10
        raw += self.write(
            records.END, ended, seq, *head, nozzle, f.grade, f.reason, 0, *price, reserved_fen, amount_fen, f.volume_ml,
            before_ml, after_ml, pulses, pulses, 0, min(f.seconds, 0xFFFF), 700, *payer,
        )  # fmt: skip
        card.fen = left_fen + (on_card_fen - amount_fen if on_card_fen else 0)
        raw += self.write(
            records.SETTLED, ended + 2, self.device, seq, card.uid, card.counter, reserved_fen, amount_fen,
            reserved_fen - amount_fen, card.fen, records.HOW_SALE,
        )  # fmt: skip
        self.totals_ml[nozzle] = after_ml
        return raw

    def refusal(self, card: Card, at: int, code: int, nozzle: int, grade: int) -> bytes:
        """A card that was turned away, and why (codes.REFUSE_*)."""
        body = (card.uid, card.card_no, code, nozzle, grade, 0, card.fen, card.counter)
        return self.write(records.REFUSAL, at, *body)
