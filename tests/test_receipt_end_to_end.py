"""D27 from pump to phone: the real firmware draws a QR code after a sale; what it says is genuine and in the books."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text

from pump.core import records
from station import sales
from station.platform.secrets import Secrets
from tests.board.test_qr import read_back
from tools.bench import acts
from tools.bench.small_station import SmallStation
from tools.bench.state import LcdState, State

TOP = 3  # dots above and left of the code; a module is two dots


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SmallStation]:
    with SmallStation(tmp_path_factory.mktemp("receipt")) as made:
        yield made


def has_price(conn: Connection) -> bool:
    """The PRICE record of the first tariff has arrived: the pump can sell."""
    return conn.execute(text("SELECT 1 FROM records WHERE kind = :kind"), {"kind": records.PRICE}).first() is not None


def glass(state: State) -> LcdState:
    return state["pumps"][0]["lcd"]


def scanned(picture: list[str]) -> str:
    """The code as a phone sees it: one look into the middle of each module's first dot."""
    dots = [f"{int(row, 16):0128b}" for row in picture]
    rows = [int("".join(dots[TOP + 2 * r][TOP + 2 * c] for c in range(29)), 2) for r in range(29)]
    return read_back(rows)


def test_d27_after_a_sale_the_display_shows_a_code_that_proves_it(station: SmallStation) -> None:
    world = station.world
    world.wait(lambda state: state["ready"], 40)
    device = world.pumps["p1"].device
    world.wait(lambda _: station.read(has_price), 40)
    card = station.issue(load_fen=20_000)
    world.do(acts.insert("p1", card))
    world.do(acts.keys("p1", "B2#"))
    world.do(acts.lift("p1"))
    world.wait(lambda state: state["pumps"][0]["permit"], 20)
    world.do(acts.trigger("p1", "full"))
    world.wait(lambda state: not state["pumps"][0]["permit"], 30)
    assert glass(world.state())["picture"] == [], "while fuel flows the figures are large"
    world.do(acts.hang("p1"))
    shown = glass(world.wait(lambda state: glass(state)["picture"], 40))
    address = scanned(shown["picture"])
    assert address.startswith(station.settings.receipt_url)
    found = sales.read_receipt(address, Secrets.load(station.settings.secrets_path))
    assert found is not None and found.genuine and found.device == device
    assert f"{found.amount_fen // 100}.{found.amount_fen % 100:02d}元" in shown["lines"][0]
    assert "扫码" in shown["lines"][2]
    world.wait(lambda _: station.read(lambda conn: sales.in_the_books(conn, found)) == "agrees", 20)
    world.do(acts.lift("p1"))
    after = glass(world.wait(lambda state: not glass(state)["picture"], 10))
    assert after["kind"] == "graphic", "the next customer's display is not disturbed"
