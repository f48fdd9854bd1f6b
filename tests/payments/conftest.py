"""A station with both gateways' settings, and the local gateway over a real socket."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import uvicorn
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, insert

from pump.core import card_layout
from station import payments
from station.cards.tables import cards
from station.payments import Gateway as Face
from station.payments import Payment
from station.platform import clock, database
from station.platform.settings import Settings
from tests.station.conftest import backend, engine, postgres_server, secrets, settings
from tools.bench.gateway.app import Gateway
from tools.bench.gateway.callbacks import Sent
from tools.bench.gateway.keys import equip
from tools.ports import free_port

__all__ = ["backend", "engine", "postgres_server", "secrets", "settings"]

FACES = ("wechat", "alipay")
CARD = "6200000100000012"


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """The address of an application in a thread of this process."""
    port = free_port()
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
    """A station that takes payments: its database, its gateways, and the gateway's other side."""

    engine: Engine
    settings: Settings
    gateways: dict[str, Face]
    bench: Gateway

    def order(self, face: str, amount_fen: int = 20_000, purpose: str = f"load:{CARD}") -> Payment:
        """A payment whose code the customer sees."""
        with database.write(self.engine) as conn:
            made = payments.make(conn, face, purpose, amount_fen, "wang", clock.now())
        return payments.present(self.engine, self.gateways, made.order_no, clock.now())

    def told(self, face: str, sent: Sent, now: int | None = None) -> payments.Reply:
        """One callback arrives."""
        headers = {name.lower(): value for name, value in sent[0].items()}
        at = clock.now() if now is None else now
        return payments.receive(self.engine, self.gateways[face], headers, sent[1], at)

    def read(self, order_no: str) -> Payment:
        with database.read(self.engine) as conn:
            return payments.known(conn, order_no)


def shop_of(engine: Engine, settings: Settings, gateway: Gateway, url: str, station_url: str = "http://none") -> Shop:
    equip(settings.data_dir / "payments", gateway.keys, url, station_url)
    return Shop(engine, settings, payments.connect_all(settings.data_dir), gateway)


@pytest.fixture
def shop(engine: Engine, settings: Settings, bench: tuple[Gateway, str]) -> Shop:
    with database.write(engine) as conn:
        issue(conn, CARD)
    return shop_of(engine, settings, *bench)


def issue(conn: Connection, card_no: str, upper_fen: int = 500_000) -> None:
    """A registered card in the books of the desk."""
    row = {
        "card_no": card_no, "uid": card_no[2:], "kind": card_layout.KIND_REGISTERED, "state": "active", "grades": 255,
        "expiry": 0, "upper_fen": upper_fen, "key_version": 1, "issued_at": 1,
    }  # fmt: skip
    conn.execute(insert(cards), row)
