"""A small shop at a station for the tests: two tills, water and oil on the shelf, fuel by purse, fleet and walk-in."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from sqlalchemy import Connection, Engine, update

from station import accounts, ledger, sales, tills
from station.platform import database, parameters
from station.platform.secrets import Secrets
from station.sales import tables
from station.tills import CASH, FuelWanted, GoodsWanted, Payment, TillError
from tests.station.world import T0, PumpJournal, TestCard, issue, send

NOW = T0 + 3_600
T = TypeVar("T")


class Shop:
    """Commands in a transaction each; `fuel` makes a real sale of a pump and returns its name."""

    def __init__(self, engine: Engine, secrets: Secrets) -> None:
        self.engine, self.secrets = engine, secrets
        self.pump = PumpJournal(secrets.device(257).journal)
        self.card = TestCard()
        self.keys = 0
        with self.writing() as conn:
            issue(conn, self.card)
            tills.put_in_safe(conn, 500_000, "first", "boss", "备用金", NOW)
            for name in ("t1", "t2"):
                tills.add_till(conn, name, "", "boss", NOW)
                tills.open_shift(conn, name, 20_000, "wang", NOW)
            for code, name, price, pieces in (("6901", "矿泉水", 200, 100), ("6902", "机油", 15_800, 10)):
                tills.put_good(conn, code, name, price, "boss", NOW)
                tills.receive(conn, code, pieces, f"first-{code}", "boss", NOW)

    def writing(self) -> AbstractContextManager[Connection]:
        return database.write(self.engine)

    def do(self, act: Callable[[Connection], T]) -> T:
        with self.writing() as conn:
            return act(conn)

    def fuel(self, volume_ml: int, account: int = 0) -> FuelWanted:
        """Fuel from the card's purse, or booked on an account."""
        seq = self.pump.sale(self.card, volume_ml)
        with self.writing() as conn:
            send(conn, self.secrets, *self.pump.written, now=NOW)
            self.pump.written.clear()
            if account:
                self._book_on(conn, seq, account)
        return FuelWanted(self.pump.device, seq)

    def _book_on(self, conn: Connection, seq: int, account: int) -> None:
        """As if an account's card had been used: the sale owes, and the purse has its money back."""
        row = sales.sale(conn, self.pump.device, seq)
        assert row is not None and row.amount_fen is not None
        line = ledger.Transfer(ledger.receivable(account), ledger.purse(self.card.number), row.amount_fen)
        ledger.post(conn, f"test-on-account:{seq}", NOW, [line])
        mine = tables.sales.c.id == tables.record_id(self.pump.device, seq)
        conn.execute(update(tables.sales).where(mine).values(on_account=1, account=account))
        self.card.fen += row.amount_fen
        sales.observe(conn, self.card.number, self.card.counter, self.card.fen, NOW)

    def walk_in(self) -> int:
        """The account of walk-in fuel."""
        with self.writing() as conn:
            number = accounts.open_account(conn, "散客", accounts.Terms(10_000_000), NOW).account
            parameters.change(conn, "till.account", number, "boss", "散客加油", NOW)
        return number

    def ring(self, wanted: list[FuelWanted | GoodsWanted], *payments: Payment, till: str = "t1") -> tills.Bill:
        return self.do(lambda conn: tills.ring_up(conn, till, wanted, payments, "wang", NOW))

    def water(self, pieces: int = 1) -> GoodsWanted:
        return GoodsWanted("6901", pieces)

    def balance(self, account: str, asset: str = ledger.FEN) -> int:
        with database.read(self.engine) as conn:
            return ledger.balance(conn, account, asset)

    def sound(self) -> None:
        with database.read(self.engine) as conn:
            sound(conn)


def sound(conn: Connection) -> None:
    """The books, the bills and the money invariant agree."""
    assert tills.verify(conn) == []
    assert ledger.verify(conn) == []
    assert sales.money_invariant(conn, 0).holds


@contextmanager
def trying(conn: Connection) -> Iterator[None]:
    """One step of a story in one long transaction: what the till refuses leaves no trace."""
    try:
        with conn.begin_nested():
            yield
    except TillError:
        pass


def cash(fen: int) -> Payment:
    return Payment(CASH, fen)
