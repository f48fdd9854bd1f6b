"""What the bench keeps between two runs, and how it sees the broker: cards, tanks, processes."""

import json
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import event

from pump.core import card_layout as layout
from station.platform import database
from station.platform.settings import load
from station.setup import prepare
from tools.bench import gauge
from tools.bench.brokerproc import BrokerProcess
from tools.bench.desfire_card import DesfireCard
from tools.bench.desfire_files import BACKUP, STANDARD, VALUE, DataFile, ValueFile
from tools.bench.gauge import Gauge
from tools.bench.refusal import Refused
from tools.bench.tanks import Tanks
from tools.bench.wallet import Wallet, balance_of, number_of, open_of

NUMBER = "6200010000000017"


def issue(card: DesfireCard, balance_fen: int, open_fen: int = 0) -> None:
    """Puts our application into the card's memory directly: how a desk does it is tested with the desk."""
    from tools.bench.desfire_crypto import AES, blank_key
    from tools.bench.desfire_state import Application

    application = Application(layout.AID, 0x0B, AES, [blank_key(AES)] * layout.KEY_COUNT)
    identity = layout.pack_identity(layout.KIND_REGISTERED, 1, bytes.fromhex(NUMBER), 0, 0x1E, 2_000_000_000, 0, 1)
    application.files[layout.FILE_IDENTITY] = DataFile(STANDARD, 1, 0, content=identity + bytes(16))
    application.files[layout.FILE_PURSE] = ValueFile(VALUE, 1, 0, upper=500_000, value=balance_fen, limited=1)
    state = layout.pack_state(7, 257 if open_fen else 0, 12, open_fen)
    application.files[layout.FILE_STATE] = DataFile(BACKUP, 1, 0, content=state)
    card.applications[layout.AID] = application
    card.changes += 1


def test_a_card_in_the_wallet_keeps_its_money_over_a_restart(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    uid = wallet.new_blank("张三")
    issue(wallet.cards[uid], 123_45, open_fen=500)
    wallet.save_changed()
    again = Wallet(tmp_path)
    card = again.cards[uid]
    assert (number_of(card), balance_of(card), open_of(card)) == (NUMBER, 123_45, 500)
    assert again.states({uid: "p1"})[0]["holder"] == "张三"
    assert again.states({uid: "p1"})[0]["where"] == "p1"


def test_only_what_changed_is_written_again(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    uid = wallet.new_blank()
    path = tmp_path / f"{uid}.json"
    before = path.stat().st_mtime_ns
    wallet.save_changed()
    assert path.stat().st_mtime_ns == before
    wallet.cards[uid].changes += 1
    wallet.save_changed()
    assert path.stat().st_mtime_ns > before


def test_a_card_is_found_by_its_number_as_people_write_it_and_by_its_uid(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    uid = wallet.new_blank()
    issue(wallet.cards[uid], 0)
    assert wallet.find("6200 0100 0000 0017") == wallet.find(uid.upper()) == uid
    with pytest.raises(Refused) as refused:
        wallet.find("6200010000000025")
    assert refused.value.status == 404


def test_a_damaged_card_file_is_left_alone_and_the_other_cards_work(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    good = wallet.new_blank()
    for name, content in (("a.json", "{"), ("b.json", "[]"), ("c.json", json.dumps({"card": {"uid": 5}}))):
        (tmp_path / name).write_text(content)
    again = Wallet(tmp_path)
    assert list(again.cards) == [good]
    assert again.broken == ["a.json", "b.json", "c.json"]
    assert (tmp_path / "a.json").read_text() == "{"


def test_a_blank_card_has_no_number_and_no_purse(tmp_path: Path) -> None:
    wallet = Wallet(tmp_path)
    wallet.new_blank()
    (state,) = wallet.states({})
    assert (state["card_no"], state["balance_fen"], state["open_fen"]) == (None, None, 0)


class _Rig:
    grades = (1, 4)

    def total_ul(self, nozzle: int) -> int:
        return (1_500_900, 250_000)[nozzle]


def test_a_tank_falls_by_what_truly_flowed_and_is_there_after_a_restart(tmp_path: Path) -> None:
    tanks = Tanks(tmp_path / "tanks.json")
    tanks.fill(1, 9_000_000, 10_000_000)
    tanks.draw([_Rig(), _Rig()])  # type: ignore[list-item]  # all that tanks ask of a rig
    by_grade = {tank["grade"]: tank for tank in tanks.states()}
    assert by_grade[1]["true_ml"] == 9_000_000 - 3001
    assert by_grade[4]["true_ml"] == 20_000_000 - 500
    tanks.save()
    again = Tanks(tmp_path / "tanks.json")
    again.fill(1, 1, 1)  # a tank that exists is not filled again
    again.draw([_Rig(), _Rig()])  # type: ignore[list-item]
    assert again.states() == tanks.states()


def test_the_gauge_tells_the_station_the_true_levels_and_outlives_a_locked_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """I1: what really is in the tanks reaches the station by itself, whoever sits on the database for a while."""
    monkeypatch.setattr(gauge, "EVERY_S", 0.02)
    settings = load(data_dir=tmp_path / "var", bench=True, database_url="")
    prepare(settings).dispose()
    engine = database.open_engine(database.url_for(settings))

    @event.listens_for(engine, "connect")
    def _impatient(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")  # instead of half a minute

    tanks = Tanks(tmp_path / "tanks.json")
    for tank in settings.tanks:
        tanks.fill(tank.grade, tank.opening_ml, tank.capacity_ml)
    tanks.draw([_Rig()])  # type: ignore[list-item]
    world = SimpleNamespace(closing=threading.Event(), tanks=tanks)  # all that the gauge asks of the world
    thread = threading.Thread(target=Gauge(engine).run, args=(world,))
    blocker = sqlite3.connect(settings.data_dir / "station.db", isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")

    def written() -> list[tuple[object, ...]]:
        return blocker.execute(
            "SELECT grade, source, volume_ml - book_ml FROM gauge_readings ORDER BY grade"
        ).fetchall()

    try:
        thread.start()
        until(lambda: "database is locked" in caplog.text)
        assert written() == []
        blocker.execute("ROLLBACK")
        until(lambda: bool(written()))
        time.sleep(0.2)  # ten more looks at a tank in which nothing moves
        assert written() == [(1, "gauge", -1_500), (2, "gauge", 0), (3, "gauge", 0), (4, "gauge", -250)]
    finally:
        world.closing.set()
        thread.join(10)
        blocker.close()
    assert not thread.is_alive()


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "did not happen"
        time.sleep(0.01)


@pytest.fixture
def sleeper() -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


def test_the_broker_can_be_hung_woken_and_killed_and_is_seen_so(
    tmp_path: Path, sleeper: "subprocess.Popen[bytes]"
) -> None:
    (tmp_path / "broker.pid").write_text(f"{sleeper.pid}\n")
    broker = BrokerProcess(tmp_path / "broker.pid", ("127.0.0.1", 1))
    assert broker.state() == "running"
    broker.freeze()
    time.sleep(0.05)
    assert broker.state() == "stopped"
    broker.resume()
    time.sleep(0.05)
    assert broker.state() == "running"
    broker.kill()
    sleeper.wait(5)
    assert broker.state() == "down"
    with pytest.raises(Refused):
        broker.freeze()


def test_a_broker_that_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    broker = BrokerProcess(tmp_path / "broker.pid", ("127.0.0.1", 1))
    assert broker.state() == "down"
    with pytest.raises(Refused) as refused:
        broker.kill()
    assert refused.value.status == 409
