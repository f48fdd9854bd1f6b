"""The watch over the cards beside the ingest: its own thread and connections, so that records never wait for it."""

import threading

import structlog
from sqlalchemy import Engine

from station import cards
from station.platform import clock, database

log = structlog.get_logger()
EVERY_S = 10.0  # found, blocked and sent to the pumps well within a minute


class CardWatch:
    """Looks every `every_s` seconds while the `with` block runs."""

    def __init__(self, engine: Engine, now: clock.Clock = clock.now, every_s: float = EVERY_S) -> None:
        self.engine, self.now, self.every_s = engine, now, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="card-watch", daemon=True)

    def __enter__(self) -> "CardWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def look(self) -> list[cards.Finding]:
        """One look. Writers are held up only where something was found.

        What a reader finds is looked at again as a writer: on PostgreSQL a reader's queries may stand on both sides of
        a commit, and would then set a card seen before it against books after it.
        """
        with database.read(self.engine) as conn:
            if not cards.findings(conn):
                return []
        with database.write(self.engine) as conn:
            found = cards.watch(conn, self.now())
        for one in found:
            log.warning("card suspected", card_no=one.card_no, kind=one.kind, what=one.what)
        return found

    def _run(self) -> None:
        while not self._stop.wait(self.every_s):
            try:
                self.look()
            except Exception:  # noqa: BLE001 - whatever is wrong now, the watch goes on
                log.exception("card watch failed, looking again")
