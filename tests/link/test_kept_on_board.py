"""The real firmware in the real heap: what it was told outlives a power cut while the network is away (D2, D22)."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from pump.core import codes, fetch, records
from pump.core.record_fields import body_dict
from station import forecourt
from station.cards.numbers import make
from station.platform import database
from tests.link.conftest import wait_for
from tests.link.test_kept import kept
from tools.bench import acts
from tools.bench.rig import Rig
from tools.bench.small_station import SmallStation

pytestmark = pytest.mark.timeout(180)
PUMP = "p1"
FULL = 180
MARK_AT = 47 * fetch.SECTOR + fetch.HEAD_SIZE + 4  # of the first slot: the base is there and its digest is right


@pytest.fixture
def station(tmp_path: Path) -> Iterator[SmallStation]:
    with SmallStation(tmp_path, pumps=(PUMP,)) as made:
        yield made


def rig_of(station: SmallStation) -> Rig:
    return station.world.pumps[PUMP]


def told(station: SmallStation, kind: int) -> list[dict[str, object]]:
    """Bodies of this kind in the board's flash, whether the station has them or not."""
    data = (rig_of(station).board.home / "journal.bin").read_bytes()[: 32 * 8 * records.SIZE]
    slots = (data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE))
    return [body_dict(slot) for slot in slots if records.is_whole(slot) and slot[1] == kind]


def until(station: SmallStation, look: Callable[[], object], timeout_s: float = 40.0) -> None:
    wait_for(look, station.logs, timeout_s)


def publish(station: SmallStation, cards: list[str], effective: int | None = None) -> None:
    """A new blacklist, and with `effective` a new tariff in which everything costs 1 fen more."""
    engine = database.open_engine(database.url_for(station.settings))
    try:
        with database.write(engine) as conn:
            forecourt.set_blacklist(conn, cards, int(time.time()))
            if effective is not None:
                prices = {grade: fen + 1 for grade, fen in station.settings.prices.items()}
                forecourt.set_tariff(conn, prices, effective, "test", int(time.time()))
    finally:
        engine.dispose()


def restart(station: SmallStation) -> None:
    """Power cut, power back; returns when the board has started."""
    boots = len(told(station, records.BOOT))
    station.world.do(acts.power(PUMP, False))
    time.sleep(1)
    station.world.do(acts.power(PUMP, True))
    until(station, lambda: len(told(station, records.BOOT)) == boots + 1)


def knows_the_time(station: SmallStation) -> bool:
    """Everything has gone up since the last start; the question for the time goes before."""
    arrived = station.read(lambda conn: conn.execute(text("SELECT count(*) FROM records")).scalar())
    return arrived == sum(len(told(station, kind)) for kind in records.BODIES)


def is_refused(station: SmallStation, card: str) -> bool:
    """At the pump, nozzle up, trigger squeezed: nothing flows, and the refusal says why."""
    before = len(told(station, records.REFUSAL))
    station.world.do(acts.insert(PUMP, card))
    station.world.do(acts.lift(PUMP, 0))
    station.world.do(acts.trigger(PUMP, "full", 0))
    until(station, lambda: len(told(station, records.REFUSAL)) > before)
    time.sleep(1)
    pump = station.world.state()["pumps"][0]
    assert not pump["permit"] and pump["nozzles"][0]["sale_ml"] == 0
    station.world.do(acts.hang(PUMP, 0))
    station.world.do(acts.remove(PUMP))
    return told(station, records.REFUSAL)[-1]["code"] == codes.REFUSE_BLACKLISTED


def fuels(station: SmallStation, card: str) -> None:
    """A whole sale without the station, with the longest list in memory."""
    before = len(told(station, records.SETTLED))
    station.world.do(acts.insert(PUMP, card))
    station.world.do(acts.lift(PUMP, 0))
    station.world.do(acts.trigger(PUMP, "full", 0))
    until(station, lambda: station.world.state()["pumps"][0]["nozzles"][0]["sale_ml"] > 1500)
    station.world.do(acts.hang(PUMP, 0))
    until(station, lambda: len(told(station, records.SETTLED)) > before)
    station.world.do(acts.remove(PUMP))


def test_d2_a_blacklisted_card_is_refused_after_a_power_cut_with_the_network_away(station: SmallStation) -> None:
    """D19: a list with a base, fetched over TLS in the heap of 50wK; and a price change that falls due."""
    until(station, lambda: told(station, records.PRICE))
    restart(station)  # its first question for the time may have been asked before anybody listened
    card, good = station.issue(load_fen=30_000), station.issue(load_fen=30_000)
    number = next(one["card_no"] for one in station.world.wallet.states({}) if one["card"] == card)
    assert number is not None
    until(station, lambda: knows_the_time(station))
    others = [make(100, serial) for serial in range(1, FULL)]
    due = int(time.time()) + 20
    publish(station, [*others, number], due)
    files = rig_of(station).board.home / "flash"
    until(station, lambda: told(station, records.LIST))
    assert told(station, records.LIST)[-1]["entries"] == FULL
    until(station, lambda: rig_of(station).board.home.joinpath("lists.bin").read_bytes()[MARK_AT] == 0, 60)
    until(station, lambda: kept(files, "lists").exists() and kept(files, "tariff").exists())
    until(station, lambda: b'"version":2' in kept(files, "tariff").read_bytes())
    assert told(station, records.PRICE)[-1]["tariff"] == 1 and time.time() < due, "this bench is too slow"

    station.world.do(acts.network(PUMP, "cut"))
    restart(station)
    assert is_refused(station, card)
    assert not station.world.state()["pumps"][0]["linked"] and told(station, records.TAMPER) == []
    until(station, lambda: told(station, records.PRICE)[-1]["tariff"] == 2)
    assert told(station, records.PRICE)[-1]["new_fen_per_l"] in {fen + 1 for fen in station.settings.prices.values()}

    fuels(station, good)
    file = kept(files, "lists")
    file.write_bytes(file.read_bytes().replace(number.encode(), others[0].encode()))
    restart(station)
    until(station, lambda: told(station, records.TAMPER))
    assert not file.exists(), "a forged list is not believed"
    station.world.do(acts.network(PUMP, "up"))
    until(station, file.exists, 60)
    assert is_refused(station, card), "and the true one came back over the line"
