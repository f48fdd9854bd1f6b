"""Boards without a world around them: real image, real interpreter, wires set by hand."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from station.first_start import prepare
from station.platform.settings import load
from tools.bench.board import SimBoard
from tools.bench.wires import SUPPLY_MV, Wires

HEALTHY_MV = 24_000


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A station whose pumps are provisioned."""
    directory = tmp_path_factory.mktemp("provisioned")
    prepare(load(data_dir=directory, bench=True), lambda line: None)
    return directory


@pytest.fixture
def commissioned(data_dir: Path) -> dict[str, Any]:
    """What makes a board pump p1, as SimBoard takes it. Nobody answers at its broker's port."""
    identity = json.loads((data_dir / "devices/p1/identity.json").read_text())
    identity["broker"] |= {"host": "127.0.0.1", "port": 9}
    return {"identity": identity, "ca_der": (data_dir / "devices/p1/ca.der").read_bytes()}


@pytest.fixture
def make_board(tmp_path: Path) -> Iterator[Callable[..., SimBoard]]:
    """make_board(name="p1", identity=..., ca_der=..., heap=...): supply is healthy, power is off."""
    made: list[SimBoard] = []

    def make(name: str = "p1", **settings: Any) -> SimBoard:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        wires = Wires(home / "wires")
        wires.put("H", SUPPLY_MV, HEALTHY_MV)
        wires.close()
        board = SimBoard(name, home, **settings)
        made.append(board)
        return board

    yield make
    for board in made:
        board.close()
