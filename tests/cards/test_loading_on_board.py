"""D28 on the real firmware: simulated board, reader, broker and ingest; and what the board's memory and flash hold."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pump.core import card_layout, records
from station import accounts, cards, forecourt, ledger, sales
from station.accounts import Terms
from station.cards import CardKeys
from station.platform.secrets import Secrets
from tests.cards.test_desk_and_pump import seen, until
from tools.bench import acts
from tools.bench.small_station import SmallStation

pytestmark = pytest.mark.timeout(240)
FIRST, TOP_UP = 30_000, 20_000


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStation]:
    with SmallStation(tmp_path_factory.mktemp("station")) as station:
        until(lambda: linked(station), 60)
        yield station


def linked(station: SmallStation) -> bool:
    """p1 has its prices, and the time, without which a lease cannot be used."""
    states = [pump.state for pump in station.read(forecourt.pumps) if pump.pump == "p1"]
    return any(one.get("tariff") and one.get("quality") == records.TIME_SYNCED for one in states)


def top_up(station: SmallStation, card: str, amount_fen: int = TOP_UP) -> str:
    number = seen(station, card)["card_no"]
    assert number is not None
    station.write(lambda conn: cards.top_up(conn, number, amount_fen, "wechat", int(time.time())))
    return number


def memory_of(pid: int) -> Iterator[bytes]:
    """Every readable page of a process."""
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb", 0) as memory:
        for line in maps:
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) r", line)
            if found and "[v" not in line:  # [vvar], [vsyscall]
                start, end = (int(part, 16) for part in found.groups())
                memory.seek(start)
                try:
                    yield memory.read(end - start)
                except OSError:
                    continue


def forms(key: bytes) -> tuple[bytes, ...]:
    """A key as bytes, and as text as an identity file or a message would hold it."""
    return key, key.hex().encode(), key.hex().upper().encode()


def test_d28_a_top_up_reaches_the_card_at_a_tap_and_the_board_never_holds_the_credit_key(station: SmallStation) -> None:
    card = station.issue(load_fen=FIRST)
    number = top_up(station, card)
    rig = station.world.pumps["p1"]
    station.world.do(acts.insert("p1", card))
    station.world.wait(lambda state: seen(station, card)["balance_fen"] == FIRST + TOP_UP, 10)
    until(lambda: station.read(lambda conn: ledger.balance(conn, ledger.purse(number))) == FIRST + TOP_UP, 10)
    secrets = Secrets.load(station.settings.secrets_path)
    keys = CardKeys.of(secrets, bytes.fromhex(card))
    pid = rig.board.pid
    assert pid is not None
    held = b"".join(memory_of(pid))
    flash = b"".join(path.read_bytes() for path in sorted(rig.board.home.rglob("*")) if path.is_file())
    assert secrets.pump in held and len(flash) > 1_000_000  # the search finds what is there
    assert any(form in flash for form in forms(secrets.pump))
    for key in (secrets.credit, keys.credit, secrets.issuing, keys.master, keys.picc):
        for form in forms(key):
            assert form not in held and form not in flash
    station.world.do(acts.remove("p1"))


def test_an_account_card_fuels_on_the_real_firmware_with_and_without_the_station(station: SmallStation) -> None:
    terms = Terms(300_000, 200_000, 40_000, 3, 72)
    fleet = station.write(lambda conn: accounts.open_account(conn, "物流公司", terms, int(time.time())))
    card = station.issue(0, kind=card_layout.KIND_ACCOUNT, company=fleet.account)

    def fuel() -> None:
        station.world.do(acts.insert("p1", card))
        station.world.do(acts.lift("p1"))
        station.world.wait(lambda state: state["pumps"][0]["motor"], 10)
        station.world.do(acts.trigger("p1", "full"))
        station.world.wait(lambda state: state["pumps"][0]["nozzles"][0]["sale_ml"] > 1_500, 30)
        station.world.do(acts.trigger("p1", "none"))
        station.world.do(acts.hang("p1"))
        station.world.wait(lambda state: not state["pumps"][0]["motor"] and seen(station, card)["open_fen"] == 0, 15)
        station.world.do(acts.remove("p1"))
        time.sleep(1)

    def sold(count: int) -> bool:
        rows = station.read(lambda conn: sales.recent(conn, card_no=seen(station, card)["card_no"]))
        return len(rows) == count and all(row.state == "settled" for row in rows)

    fuel()
    until(lambda: sold(1), 20)
    station.world.do(acts.network("p1", "cut"))
    station.world.wait(lambda state: not state["pumps"][0]["linked"], 30)
    fuel()
    station.world.do(acts.network("p1", "up"))
    until(lambda: sold(2), 60)
    known = station.read(lambda conn: accounts.account(conn, fleet.account))
    rows = station.read(lambda conn: sales.recent(conn, card_no=seen(station, card)["card_no"]))
    assert known is not None and known.owed_fen == sum(row.amount_fen or 0 for row in rows) > 0
    secrets = Secrets.load(station.settings.secrets_path)
    assert station.read(lambda conn: [*ledger.verify(conn), *sales.verify(conn, secrets)]) == []
