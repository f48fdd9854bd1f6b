"""The bench's level gauge: tells the station what is really in the tanks, as a probe in each would."""

import logging
from collections.abc import Iterable

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from station import wetstock
from station.platform import clock, database
from tools.bench.state import TankState
from tools.bench.world import World

EVERY_S = 10.0

_log = logging.getLogger("pumpside.bench")


class Gauge:
    """Writes readings for the tanks that the station knows; `run` is the body of a thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._told: dict[int, tuple[int, int]] = {}  # grade -> true level, book stock, ml, at its last reading

    def run(self, world: World) -> None:
        """Reads every ten seconds until the world closes. What the database refuses now is read again then."""
        try:
            while not world.closing.wait(EVERY_S):
                try:
                    self.read(world.tanks.states(), clock.now())
                except (SQLAlchemyError, ValueError) as error:  # locked or away for a while; a clock set back
                    _log.warning("gauge: %s", error)
        finally:
            self._engine.dispose()

    def read(self, levels: Iterable[TankState], at: int) -> int:
        """Writes one reading for each tank whose level or book stock is another than at its last; returns how many.

        The books count as well: a sale is booked when the nozzle is hung up, after its fuel has left the tank, and
        without a reading then the difference would stand until the next customer.
        """
        true_ml = {level["grade"]: level["true_ml"] for level in levels}
        with database.read(self._engine) as conn:
            if not self._news(true_ml, wetstock.tanks(conn)):
                return 0
        with database.write(self._engine) as conn:  # asked again: the books may have moved while we waited our turn
            news = self._news(true_ml, wetstock.tanks(conn))
            for grade, (level_ml, _) in news.items():
                wetstock.record_gauge(conn, grade, level_ml, at, "gauge", "bench")
        self._told.update(news)  # only once it is committed
        return len(news)

    def _news(self, true_ml: dict[int, int], tanks: Iterable[wetstock.TankRow]) -> dict[int, tuple[int, int]]:
        """The probe ends at the tank's bottom and top, whatever the bench believes to be in it."""
        seen = {
            tank.grade: (max(0, min(true_ml[tank.grade], tank.capacity_ml)), tank.stock_ml)
            for tank in tanks
            if tank.grade in true_ml
        }
        return {grade: found for grade, found in seen.items() if self._told.get(grade) != found}
