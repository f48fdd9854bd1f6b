"""A station with both gateways' settings, and the local gateway over a real socket."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, insert, text

from pump.core import card_layout
from station import ledger, payments
from station.cards.tables import cards
from station.payments import Gateway as Face
from station.payments import Payment
from station.platform import clock, database
from station.platform.settings import Settings, load
from station.setup import prepare
from tests.station.conftest import _admin, postgres_server
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.callbacks import Sent, of_payment
from tools.bench.gateway.keys import equip
from tools.bench.gateway.trades import Trade
from tools.ports import free_port

__all__ = ["postgres_server"]

FACES = ("wechat", "alipay")
_databases = count(1)
_cards = count(6200_0001_0000_0001)


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The address of an application in a thread of this process."""
    port = port or free_port()
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Gateway, str]]:
    """The local gateway and its address, without proxies in between."""
    gateway = Gateway(tmp_path_factory.mktemp("gateway"))
    with pytest.MonkeyPatch.context() as environment, serving(gateway.app) as url:
        environment.setenv("NO_PROXY", "127.0.0.1")
        yield gateway, url


@dataclass(frozen=True)
class Shop:
    """A station that takes payments, and the other side of its gateways; a card of its own for each test."""

    engine: Engine
    settings: Settings
    gateways: dict[str, Face]
    bench: Gateway
    card: str

    def order(self, face: str, amount_fen: int = 20_000, purpose: str = "") -> Payment:
        """A payment whose code the customer sees."""
        with database.write(self.engine) as conn:
            made = payments.make(conn, face, purpose or f"load:{self.card}", amount_fen, "wang", clock.now())
        return payments.present(self.engine, self.gateways, made.order_no, clock.now())

    def pays(self, order: Payment) -> Trade:
        """The customer pays; no callback goes out by itself."""
        trade = self.bench.trades.get(order.gateway, order.order_no)
        self.bench.trades.pay(trade, clock.now())
        return trade

    def told(self, face: str, sent: Sent, now: int | None = None) -> payments.Reply:
        """One callback arrives."""
        headers = {name.lower(): value for name, value in sent[0].items()}
        at = clock.now() if now is None else now
        return payments.receive(self.engine, self.gateways[face], headers, sent[1], at)

    def paid(self, face: str, amount_fen: int = 20_000, purpose: str = "") -> Payment:
        """A payment that is paid and told."""
        order = self.order(face, amount_fen, purpose)
        self.told(face, of_payment(self.bench.keys, self.pays(order), clock.now()))
        return self.read(order.order_no)

    def read(self, order_no: str) -> Payment:
        with database.read(self.engine) as conn:
            return payments.known(conn, order_no)

    def books(self, face: str, order_no: str) -> tuple[int, int, int]:
        """(came in through the gateway, stands at the payment, pending for the card), fen."""
        with database.read(self.engine) as conn:
            posted = ledger.posted_by_prefix(conn, [f"payment:{order_no}"])
            came_in = sum(line.amount for _, line in posted if line.debit == ledger.gateway(face))
            stands = ledger.balance(conn, ledger.paid_in(order_no))
            return came_in, stands, ledger.balance(conn, ledger.pending(self.card))


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def station(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Settings]]:
    """One station for all these tests, on each database."""
    home = tmp_path_factory.mktemp("station")
    url = f"sqlite:///{home}/station.db"
    if request.param == "postgresql":
        name = f"payments{next(_databases)}"
        url = f"{request.getfixturevalue('postgres_server')}/{name}"
        with _admin(url.rpartition("/")[0]) as admin, admin.connect() as conn:
            conn.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated"))
    settings = load(data_dir=home / "var", bench=True, database_url=url)
    engine = prepare(settings)
    yield engine, settings
    engine.dispose()


@pytest.fixture
def shop(station: tuple[Engine, Settings], bench: tuple[Gateway, str]) -> Shop:
    engine, settings = station
    gateway, url = bench
    equip(settings.data_dir / "payments", gateway.keys, url, "http://none")
    card_no = str(next(_cards))
    with database.write(engine) as conn:
        issue(conn, card_no)
    return Shop(engine, settings, dict(payments.gateways(settings.data_dir).ready), gateway, card_no)


def issue(conn: Connection, card_no: str, upper_fen: int = 500_000) -> None:
    """A registered card in the books of the desk."""
    row = {
        "card_no": card_no, "uid": card_no[2:], "kind": card_layout.KIND_REGISTERED, "state": "active", "grades": 255,
        "expiry": 0, "upper_fen": upper_fen, "key_version": 1, "issued_at": 1,
    }  # fmt: skip
    conn.execute(insert(cards), row)
