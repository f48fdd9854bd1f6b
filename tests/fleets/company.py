"""A company at a station: its cards fuel at pumps that keep real journals."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from pump.core import card_layout, codes, money, records
from station import accounts, fleets, sales
from station.accounts import Terms
from station.cards import numbers
from station.cards.tables import cards
from station.platform.secrets import Secrets
from tests.station.world import T0, PumpJournal, send

DEVICE = 257  # pump p1 of station 1
LINE_FEN, SALE_FEN = 3_000_000, 200_000
WANT_FEN = 200_000


def company(conn: Connection, name: str = "顺达物流", limit_fen: int = LINE_FEN) -> int:
    """A company that is lent nothing ahead."""
    return fleets.open_company(conn, name, Terms(limit_fen, SALE_FEN, offline_fen=0), "test", T0).account


def card(
    conn: Connection, number: int, company_no: int, plate: str = "", kind: int = card_layout.KIND_ACCOUNT
) -> bytes:
    """A card of the company in the books, without a chip; its uid."""
    uid, card_no = bytes([4]) + number.to_bytes(6, "big"), numbers.make(1, number + 1)
    row = {"card_no": card_no, "uid": uid.hex(), "kind": kind, "state": "active", "holder": "顺达物流", "plate": plate}
    row |= {"company": company_no, "grades": 0xFFFF, "expiry": 0, "upper_fen": 500_000, "key_version": 1}
    conn.execute(insert(cards).values(**row, issued_at=T0))
    sales.open_shadow(conn, card_no, uid.hex(), T0, on_account=kind == card_layout.KIND_ACCOUNT)
    return uid


def number_of(uid: bytes) -> str:
    """The card's number."""
    return numbers.make(1, int.from_bytes(uid[1:], "big") + 1)


@dataclass
class Pump:
    """A pump that asks for each sale and writes what a board writes."""

    conn: Connection
    secrets: Secrets
    device: int = DEVICE
    name: str = "p1"
    counters: dict[bytes, int] = field(default_factory=dict)  # of the cards: what a card itself would hold

    def __post_init__(self) -> None:
        self.journal = PumpJournal(self.secrets.device(self.device).journal, self.device)
        self.sent = self.asked = self.asked_at = 0

    def beside(self, device: int, name: str) -> "Pump":
        """Another pump at which the same cards fuel."""
        return Pump(self.conn, self.secrets, device, name, self.counters)

    def ask(self, uid: bytes, now: int, grade: int = 1, want_fen: int = WANT_FEN) -> fleets.Word:
        if self.asked_at == self.journal.seq + 1:  # that customer went away, and something else was written
            self.journal.write(records.TAMPER, (1, 1, 0))
        self.asked, self.asked_at = self.asked + 1, self.journal.seq + 1
        question = accounts.Question(f"{self.device:x}-{self.asked:x}", self.device, want_fen, 0, self.asked_at)
        return fleets.authorise(self.conn, uid, question, grade, now)

    def fuel(
        self, uid: bytes, volume_ml: int, now: int, grade: int = 1, price: int = 756, km: int = 0, upload: bool = True
    ) -> int:
        """Asks and fuels; the sale's id. AssertionError if the station declines."""
        word = self.ask(uid, now, grade)
        assert word.grant is not None, word
        return self.sell(
            uid, word.grant.sale.lease, word.grant.sale.amount_fen, volume_ml, now, grade, price, km, upload
        )

    def sell(
        self, uid: bytes, lease: int, fen: int, volume_ml: int, now: int, grade: int, price: int, km: int, upload: bool
    ) -> int:
        journal, card_no = self.journal, bytes.fromhex(number_of(uid))
        counter = self.counters[uid] = self.counters.get(uid, 0) + 1
        journal.at = now
        volume_ml = min(volume_ml, money.volume_for_amount_ml(fen, price))
        reserved, amount = fen + 1, money.amount_fen(volume_ml, price)
        plate = self.conn.execute(select(cards.c.plate).where(cards.c.card_no == number_of(uid))).scalar_one()
        body = (uid, card_no, counter, reserved, 0, grade, price, 1, journal.total_ml, reserved, 0, 0, plate.encode())
        journal.write(records.START, (*body, card_layout.KIND_ACCOUNT, lease, bytes(8), km))
        seq = journal.seq
        journal.write(records.RESERVED, (self.device, seq, counter, reserved, 0, journal.total_ml, uid))
        before, journal.total_ml = journal.total_ml, journal.total_ml + volume_ml
        journal.write(
            records.END,
            (seq, uid, card_no, counter, 0, grade, codes.STOP_NOZZLE, 0, price, 1, reserved, amount, volume_ml, before,
             journal.total_ml, 0, 0, 0, 60, 700, card_layout.KIND_ACCOUNT, lease),
        )  # fmt: skip
        settled = (self.device, seq, uid, counter, reserved, amount, reserved - amount, reserved - amount)
        journal.write(records.SETTLED, (*settled, records.HOW_SALE))
        if upload:
            self.upload(now + 60)
        return self.device << 32 | seq

    def upload(self, now: int) -> None:
        """All that is not at the station yet."""
        waiting, self.sent = self.journal.written[self.sent :], len(self.journal.written)
        for at in range(0, len(waiting), 64):
            send(self.conn, self.secrets, *waiting[at : at + 64], pump=self.name, now=now)
