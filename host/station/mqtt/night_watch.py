"""The nightly check of the books beside the ingest: a thread and connections of its own, so that no record waits."""

import threading

import structlog
from sqlalchemy import Engine

from station import ledger
from station.platform import clock, database

log = structlog.get_logger()
EVERY_S = 60.0  # how often it is asked whether the night's check is due


class NightWatch:
    """Checks once a night while the `with` block runs; a station that was off at that hour checks when it starts."""

    def __init__(self, engine: Engine, now: clock.Clock = clock.now, every_s: float = EVERY_S) -> None:
        self.engine, self.now, self.every_s = engine, now, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="night-watch", daemon=True)

    def __enter__(self) -> "NightWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> ledger.Check | None:
        """The check that was made, None if none is due."""
        with database.read(self.engine) as conn:
            last = ledger.newest_check(conn)
        if not ledger.is_due(last.at if last else 0, self.now()):
            return None
        made = ledger.run_check(self.engine, ledger.SYSTEM, self.now())
        for found in made.seen.found:
            log.error("check of the books", check=found.check, what=found.text)
        return made

    def _run(self) -> None:
        while not self._stop.wait(self.every_s):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - whatever is wrong now, the watch goes on
                log.exception("check of the books failed, trying again")
