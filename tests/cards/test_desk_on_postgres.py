"""The desk's books on PostgreSQL: the same stories in short (C3, D20)."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from pump.core import card_layout as layout
from station import cards, forecourt, ledger
from station.cards import CardInHand, Desk, DeskError, Order, TornError
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import load
from station.setup import prepare
from tests.cards.conftest import NOW, seeded
from tests.cards.pumps import Pump
from tests.station.world import PumpJournal
from tools import postgres
from tools.bench.desfire_card import DesfireCard

NUMBER = "6200000100000012"


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """An empty station's database in a cluster of its own."""
    missing = postgres.why_missing()
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(prefix="pumpside-pg-") as directory, postgres.cluster(Path(directory)) as url:
        server = url.replace("postgresql://", "postgresql+psycopg://")
        admin = create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
        with admin.connect() as conn:
            conn.execute(text("CREATE DATABASE cards"))
        admin.dispose()
        engine = prepare(load(data_dir=tmp_path, bench=True, database_url=f"{url}/cards"), NOW)
        yield engine
        engine.dispose()


def test_a_card_is_issued_loaded_torn_settled_and_blocked(desk: Desk, engine: Engine, secrets: Secrets) -> None:
    card = DesfireCard.blank(bytes.fromhex("04112233445566"), seeded(3))
    link = CardInHand(card)
    card.tear_at(20)
    with pytest.raises(TornError):
        desk.issue(link, Order(holder="张三", document="1101"))
    assert desk.issue(link, Order(holder="张三", document="1101")).card_no == NUMBER
    desk.load(link, 50_000)
    before = card.frames
    desk.show(link)
    card.tear_at(card.frames - before + 5)  # after the contact, before the commit of the credit
    with pytest.raises(TornError):
        desk.load(link, 10_000)
    with pytest.raises(DeskError, match="未写入卡"):
        desk.load(link, 10_000)
    assert desk.cancel(link).waiting is not None
    card.reset()
    pump = Pump(engine, secrets, card, NUMBER, PumpJournal(secrets.device(257).journal))
    card.tear_at(10)
    assert pump.visit(20_001, 10_000) == "lost"
    pump.upload(8)
    settled = desk.show(link).settled
    assert settled is not None and settled[1] == 7_560
    desk.block(NUMBER, "lost")
    with database.read(engine) as conn:
        assert forecourt.blacklist(conn).cards == (NUMBER,)
        assert ledger.balance(conn, ledger.purse(NUMBER)) == card.peek(layout.AID)[layout.FILE_PURSE] == 50_000 - 7_560
        assert ledger.verify(conn) == []
        assert cards.counts(conn) == {(layout.KIND_REGISTERED, "blocked"): 1}
        assert [card.card_no for card in cards.listing(conn, "张")] == [NUMBER] and cards.listing(conn, "%") == []
