"""A card leaves a pump mid-sale and comes by the desk: firmware, broker, books and desk together (D20, D31)."""

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import pytest

from pump.core.money import amount_fen
from station import ledger, sales
from station.cards import Contact, Desk, DeskError, DeskReader
from station.platform import database
from station.platform.secrets import Secrets
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.bench.state import CardState

pytestmark = pytest.mark.timeout(180)
T = TypeVar("T")
LOADED = 50_000


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStation]:
    with SmallStation(tmp_path_factory.mktemp("station")) as station:
        yield station


def at_desk(station: SmallStation, card: str, act: Callable[[Desk, DeskReader], T]) -> T:
    """Does it with the card on the desk's reader, over the serial line."""
    settings = station.settings
    engine = database.open_engine(database.url_for(settings))
    station.world.do(acts.desk_put(card))
    try:
        with DeskReader(station.world.desk_port) as reader:
            return act(Desk(engine, Secrets.load(settings.secrets_path), 1, 1, by="tester"), reader)
    finally:
        station.world.do(acts.desk_take())
        engine.dispose()


def seen(station: SmallStation, card: str) -> CardState:
    return next(one for one in station.world.state()["cards"] if one["card"] == card)


def test_card_pulled_mid_sale_is_settled_at_the_desk_and_welcome_at_the_pump_again(station: SmallStation) -> None:
    world = station.world
    card = station.issue(load_fen=LOADED)
    fuel_and_pull(station, card)
    held = seen(station, card)
    assert held["open_fen"] > 0 and held["balance_fen"] == LOADED - held["open_fen"]

    def settle(desk: Desk, reader: DeskReader) -> Contact | None:
        """The pump's records are on their way; until they are in, the card is not loaded."""
        contact = desk.show(reader)
        if contact.settled is None:
            with pytest.raises(DeskError, match="未结算"):
                desk.load(reader, 1_000)
        return contact if contact.settled else None

    contact = until(lambda: at_desk(station, card, settle), 30)
    assert contact.settled is not None
    paid = contact.settled[1]
    row = station.read(lambda conn: sales.recent(conn, card_no=contact.view.card_no))[0]
    assert (row.state, row.amount_fen) == ("settled", paid) == ("settled", amount_fen(row.volume_ml or 0, 756))
    assert (seen(station, card)["open_fen"], seen(station, card)["balance_fen"]) == (0, LOADED - paid)

    # The pump does not know of the desk's settlement: it finds out from the card, and sells again.
    fuel(station, card, 1_000)
    world.do(acts.trigger("p1", "none"))
    world.do(acts.hang("p1"))
    world.wait(lambda state: seen(station, card)["open_fen"] == 0 and not state["pumps"][0]["motor"], 20)
    world.do(acts.remove("p1"))

    def all_in() -> bool:
        rows = station.read(lambda conn: sales.recent(conn, card_no=contact.view.card_no))
        return len(rows) == 2 and all(row.state == "settled" for row in rows)

    until(all_in, 30)
    shown = at_desk(station, card, lambda desk, reader: desk.show(reader))
    assert shown.shadow is not None and shown.shadow.state == "agrees"
    assert shown.shadow.books_fen == shown.view.balance_fen == seen(station, card)["balance_fen"]
    secrets = Secrets.load(station.settings.secrets_path)
    assert station.read(lambda conn: [*ledger.verify(conn), *sales.verify(conn, secrets)]) == []
    assert station.read(sales.money_invariant).difference_fen == 0


def fuel(station: SmallStation, card: str, volume_ml: int) -> None:
    """Card in, nozzle up, full squeeze, until so much has flowed. Before the first prices are in, cards are refused."""
    world = station.world
    for _ in range(4):
        world.do(acts.insert("p1", card))
        world.do(acts.lift("p1"))
        try:
            world.wait(lambda state: state["pumps"][0]["motor"], 5)
            break
        except TimeoutError:
            world.do(acts.hang("p1"))
            world.do(acts.remove("p1"))
            time.sleep(1)  # no hand is quicker; the pump takes a card that is back at once for one that never left
    world.do(acts.trigger("p1", "full"))
    world.wait(lambda state: state["pumps"][0]["nozzles"][0]["sale_ml"] > volume_ml, 30)


def fuel_and_pull(station: SmallStation, card: str) -> None:
    """A customer fuels at p1 and pulls the card out while fuel flows: the valve shuts."""
    world = station.world
    fuel(station, card, 1_500)
    world.do(acts.remove("p1"))
    world.wait(lambda state: not state["pumps"][0]["nozzles"][0]["big_valve"], 5)
    world.do(acts.trigger("p1", "none"))
    world.do(acts.hang("p1"))


def until(look: Callable[[], T | None], timeout_s: float) -> T:
    """What look() gives once it gives something."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {timeout_s} s")
