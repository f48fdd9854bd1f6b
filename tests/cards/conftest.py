"""A station's desk with its books in a temporary directory, and cards with a random source that follows a seed."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from station.cards import CardInHand, Desk, Order
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import load
from tests.databases import opened
from tools.bench.desfire_card import DesfireCard

NOW = 1_790_000_000
UID = bytes.fromhex("04112233445566")


def seeded(seed: int) -> Callable[[int], bytes]:
    """A random source that gives the same bytes for the same seed."""
    return random.Random(seed).randbytes


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty station's database."""
    engine = opened(load(data_dir=tmp_path, bench=True))
    yield engine
    engine.dispose()


@pytest.fixture
def secrets(tmp_path: Path) -> Secrets:
    return Secrets.load(tmp_path / "secrets.json")


@pytest.fixture
def desk(engine: Engine, secrets: Secrets) -> Desk:
    return Desk(engine, secrets, station_no=1, issuer=1, by="tester", now=lambda: NOW, random=seeded(1))


@pytest.fixture
def blank() -> DesfireCard:
    """A card as the factory leaves it."""
    return DesfireCard.blank(UID, seeded(2))


@pytest.fixture
def issued(desk: Desk, blank: DesfireCard) -> CardInHand:
    """A registered card with an empty purse, in hand."""
    link = CardInHand(blank)
    desk.issue(link, Order(holder="张三", document="110101199001011234", plate="京A12345"))
    return link


@pytest.fixture
def balances(engine: Engine) -> Callable[[], dict[str, int]]:
    """The money balances of the books by account, zeros left out."""
    from station import ledger

    def read() -> dict[str, int]:
        with database.read(engine) as conn:
            return {name: fen for name, fen in ledger.balances(conn, "").items() if fen}

    return read
