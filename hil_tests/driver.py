"""What a bench test may do with a pump, simulated or real: use its console, act on it with hands, look into the books.

Nothing here looks behind the board's back: what a test sees is what the console, the broker and the database tell, so
the same test means the same on both.
"""

import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection

from pump import pins
from pump.core import card_layout
from station import sales
from station.forecourt import LiveBoard
from station.mqtt.live import LiveSubscriber
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from tools.bench.acts import Act

T = TypeVar("T")
OUTPUTS = tuple(pins.OUTPUTS)
READ_OUTPUTS = f"import machine\nprint([machine.Pin(n).value() for n in {OUTPUTS}])"


class Driver(ABC):
    """One pump under test. `port` is its console, `pump` its name, `patience` stretches time-outs (human hands)."""

    pump: str
    port: str
    patience = 1.0

    def __init__(self, settings: Settings) -> None:
        self.secrets = Secrets.load(settings.secrets_path)
        self._board = LiveBoard()
        self._ear = LiveSubscriber(settings, self.secrets, self._board)
        self._ear.start()

    def close(self) -> None:
        self._ear.stop()

    @abstractmethod
    def do(self, act: Act) -> None:
        """Let hands (a thread's, a rig's or a person's) do this."""

    @abstractmethod
    def prover_ml(self) -> int:
        """What a prover under nozzle 0 shows: the millilitres since that nozzle was last lifted."""

    @abstractmethod
    def new_card(
        self, load_fen: int, grades: tuple[int, ...] = (), pin: str = "", kind: int = card_layout.KIND_REGISTERED
    ) -> str:
        """A freshly issued card with that much on it; grades () means all. Returns what acts call it by."""

    @abstractmethod
    def blank_card(self) -> str:
        """A factory-blank DESFire card."""

    @abstractmethod
    def card_no(self, card: str) -> str:
        """The 16 digits of an issued card."""

    @abstractmethod
    def read(self, query: Callable[[Connection], T]) -> T:
        """A question to the station's database."""

    @abstractmethod
    def write(self, act: Callable[[Connection], T]) -> T:
        """Something done at the station, as a person at the desk or the dashboard does it."""

    @abstractmethod
    def explain(self) -> str:
        """Logs, for a failed test."""

    # -- the console

    def mpremote(self, *words: str, timeout_s: float = 60.0) -> str:
        """`mpremote connect <port> <words>`; AssertionError with its words if it fails."""
        tool = Path(sys.executable).parent / "mpremote"
        command = [str(tool), "connect", self.port, *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s)
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}\n{self.explain()}"
        return done.stdout.replace("\r\n", "\n")

    def restart(self) -> None:
        """The pump runs again after a visit at its console, and has told the station so."""
        boot = self.state().get("boot", 0)
        self.mpremote("reset")
        self.until(lambda: self.state().get("boot", 0) > boot, 40, "the board restarted")

    # -- what the pump tells

    def live(self) -> dict[str, Any]:
        """The last `live` message ({} before the first)."""
        known = self._board.snapshot().get(self.pump)
        return known.live if known else {}

    def state(self) -> dict[str, Any]:
        """The last `state` message."""
        known = self._board.snapshot().get(self.pump)
        return known.state if known else {}

    def online(self) -> bool:
        known = self._board.snapshot().get(self.pump)
        return known is not None and known.online

    def flowing(self) -> bool:
        return self.live().get("s") in ("fuelling", "slow")

    # -- the books

    def sales_of(self, card: str) -> list[sales.SaleRow]:
        """Newest first."""
        number = self.card_no(card)
        return self.read(lambda conn: sales.recent(conn, card_no=number))

    def settled(self, card: str, timeout_s: float = 40.0) -> sales.SaleRow:
        """The only sale of a fresh card, once it is settled in the books."""

        def look() -> sales.SaleRow | None:
            rows = self.sales_of(card)
            return rows[0] if len(rows) == 1 and rows[0].state == "settled" else None

        found = self.until(look, timeout_s, "the sale is settled in the books")
        assert found is not None
        return found

    def until(self, look: Callable[[], T], timeout_s: float, what: str) -> T:
        """The first true value that `look` returns."""
        deadline = time.monotonic() + timeout_s * self.patience
        while not (value := look()):
            assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}; {self.live()}\n{self.explain()}"
            time.sleep(0.05)
        return value
