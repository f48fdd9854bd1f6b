"""Pumps and cards for tests of the station: whole, chained records, made with the product's own format code."""

from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, select

from pump.core import codes, money, records
from station import ledger, sales
from station.ledger.book import transfers
from station.platform.secrets import Secrets
from station.sales import tables

UID = bytes.fromhex("04112233445566")
CARD = bytes.fromhex("6200010000000017")
T0 = 1_790_000_000


@dataclass
class PumpJournal:
    """Writes records as the device would, one after the other."""

    key: bytes
    device: int = 257
    seq: int = 0
    mac: bytes = records.CHAIN_START
    boot: int = 1
    at: int = T0
    total_ml: int = 1_000_000
    written: list[bytes] = field(default_factory=list)

    def write(self, kind: int, fields: tuple[object, ...], quality: int = records.TIME_SYNCED) -> bytes:
        self.seq += 1
        self.at += 7
        wall = self.at if quality else 0
        record = records.build(
            self.key, self.mac, kind, self.device, self.seq, self.boot, self.at - T0, wall, quality, fields
        )
        self.mac = record[records.MAC_AT : records.CRC_AT]
        self.written.append(record)
        return record

    def start(self, card: "TestCard", reserved_fen: int, grade: int = 1, price: int = 756) -> int:
        """A START; returns the sale's sequence."""
        self.write(
            records.START,
            (
                card.uid,
                card.card_no,
                card.counter + 1,
                reserved_fen,
                0,
                grade,
                price,
                1,
                self.total_ml,
                card.fen,
                0,
                0,
                "京A12345".encode(),
                1,
                0,
                bytes(8),
                0,
            ),
        )
        return self.seq

    def reserved(self, sale: tuple[int, int], card: "TestCard", reserved_fen: int) -> None:
        """The card gives the money and the pump notes it."""
        card.counter += 1
        card.fen -= reserved_fen
        self.write(records.RESERVED, (*sale, card.counter, reserved_fen, card.fen, self.total_ml, card.uid))

    def end(
        self,
        seq: int,
        card: "TestCard",
        reserved_fen: int,
        volume_ml: int,
        grade: int = 1,
        price: int = 756,
        flags: int = 0,
        reason: int = codes.STOP_NOZZLE,
        amount_fen: int | None = None,
    ) -> int:
        """An END; returns its amount in fen."""
        amount = min(money.amount_fen(volume_ml, price), reserved_fen - 1) if amount_fen is None else amount_fen
        before, self.total_ml = self.total_ml, self.total_ml + volume_ml
        counter = card.counter + (1 if flags & records.FLAG_UNCERTAIN else 0)
        self.write(
            records.END,
            (
                seq,
                card.uid,
                card.card_no,
                counter,
                0,
                grade,
                reason,
                flags,
                price,
                1,
                reserved_fen,
                amount,
                volume_ml,
                before,
                self.total_ml,
                volume_ml // 10,
                volume_ml // 10,
                0,
                60,
                700,
                1,
                0,
            ),
        )
        return amount

    def settled(
        self, sale: tuple[int, int], card: "TestCard", reserved_fen: int, amount_fen: int, how: int = records.HOW_SALE
    ) -> None:
        """The rest goes back to the card and the pump notes it."""
        card.fen += reserved_fen - amount_fen
        self.write(
            records.SETTLED,
            (*sale, card.uid, card.counter, reserved_fen, amount_fen, reserved_fen - amount_fen, card.fen, how),
        )

    def sale(
        self, card: "TestCard", volume_ml: int, reserved_fen: int = 20_001, grade: int = 1, price: int = 756
    ) -> int:
        """A whole sale: START, RESERVED, END, SETTLED; returns its sequence."""
        seq = self.start(card, reserved_fen, grade, price)
        self.reserved((self.device, seq), card, reserved_fen)
        amount = self.end(seq, card, reserved_fen, volume_ml, grade, price)
        self.settled((self.device, seq), card, reserved_fen, amount)
        return seq


@dataclass
class TestCard:
    """The truth of a card: what a real one would hold."""

    __test__ = False
    uid: bytes = UID
    card_no: bytes = CARD
    counter: int = 0
    fen: int = 100_000

    @property
    def number(self) -> str:
        return self.card_no.hex()


def issue(conn: Connection, card: TestCard, at: int = T0) -> None:
    """Issues a card and loads what it holds, through the books."""
    sales.open_shadow(conn, card.number, card.uid.hex(), at)
    load_id = f"{card.number}:{at}"
    paid = ledger.Transfer(ledger.cash("desk"), ledger.pending(card.number), card.fen)
    ledger.post(conn, f"load:{load_id}", at, [paid])
    loaded = ledger.Transfer(ledger.pending(card.number), ledger.purse(card.number), card.fen)
    ledger.post(conn, f"loaded:{load_id}", at, [loaded])
    sales.observe(conn, card.number, card.counter, card.fen, at)


def send(conn: Connection, secrets: Secrets, *records_of: bytes, pump: str = "p1", now: int = T0 + 100_000) -> int:
    """One message from a pump; returns the acknowledged sequence (-1: none)."""
    acks = sales.ingest(conn, secrets, [sales.Batch("s1", pump, b"".join(records_of))], now)
    return acks[0].seq if acks else -1


def card_number(number: int) -> TestCard:
    """The nth card of a pool, with a uid of its own."""
    return TestCard(uid=bytes([4]) + number.to_bytes(6, "big"), card_no=bytes.fromhex(f"6200{number:012d}"))


def books(conn: Connection) -> dict[str, object]:
    """All that the books, sales, stock and shadows say, for comparing two histories."""
    posted = conn.execute(
        select(transfers.c.key, transfers.c.debit, transfers.c.credit, transfers.c.amount).order_by(transfers.c.key)
    ).all()
    return {
        "transfers": [tuple(row) for row in posted],
        "sales": sorted(tuple(row) for row in conn.execute(select(tables.sales))),
        "hours": [tuple(row) for row in conn.execute(select(tables.hours).order_by(*tables.hours.primary_key))],
        "balances": {asset: ledger.balances(conn, "", asset) for asset in (ledger.FEN, ledger.ML)},
        "shadows": [replace(shadow, waiting_since=None) for shadow in sales.shadows(conn)],
        "records": sorted(bytes(row[0]) for row in conn.execute(select(tables.records.c.raw))),
    }
