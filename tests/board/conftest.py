"""Boards without a world around them: real image, real interpreter, wires set by hand."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.bench.board import SimBoard
from tools.bench.wires import SUPPLY_MV, Wires

HEALTHY_MV = 24_000


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
