"""What is really in the tanks: opening stock less every true microlitre through the nozzles of that grade."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tools.bench.state import TankState

if TYPE_CHECKING:
    from tools.bench.rig import Rig

CAPACITY_ML, OPENING_ML = 30_000_000, 20_000_000


class Tanks:
    """Opening stock and capacity in ml by grade, kept in a file made at first start; `draw` books what has flowed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tanks: dict[int, tuple[int, int]] = {}  # grade -> opening stock, capacity
        self._drawn_ul: dict[int, int] = {}
        try:
            for grade, (opening_ml, capacity_ml) in json.loads(path.read_text()).items():
                self._tanks[int(grade)] = (int(opening_ml), int(capacity_ml))
        except (OSError, ValueError, TypeError):
            self._tanks = {}

    def fill(self, grade: int, opening_ml: int, capacity_ml: int) -> None:
        """Sets up a tank unless it exists already."""
        self._tanks.setdefault(grade, (opening_ml, capacity_ml))

    def draw(self, rigs: "Iterable[Rig]") -> None:
        drawn: dict[int, int] = {}
        for rig in rigs:
            for nozzle, grade in enumerate(rig.grades):
                drawn[grade] = drawn.get(grade, 0) + rig.total_ul(nozzle)
                self._tanks.setdefault(grade, (OPENING_ML, CAPACITY_ML))
        self._drawn_ul = drawn

    def states(self) -> list[TankState]:
        return [
            {"grade": grade, "true_ml": opening - self._drawn_ul.get(grade, 0) // 1000, "capacity_ml": capacity}
            for grade, (opening, capacity) in sorted(self._tanks.items())
        ]

    def save(self) -> None:
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps({str(grade): values for grade, values in self._tanks.items()}))
        fresh.replace(self._path)
