"""The simulated pump as a driver: real firmware, broker and ingest; plant and cards instead of steel and plastic."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from hil_tests.driver import Driver
from hil_tests.hands import SimulatedRig
from pump.core import card_layout
from station.cards.issuing import ALL_GRADES
from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.small_station import SmallStation

T = TypeVar("T")


class SimulatedDriver(Driver):
    def __init__(self, directory: Path, pump: str, rigged: bool = False) -> None:
        """rigged: pulses and switches come from the rig's firmware instead of the bench's plant."""
        heap = os.environ.get("PUMPSIDE_BENCH_HEAP", "50wK")
        self.pump = pump
        self.station = SmallStation(directory, pumps=(pump,), heap=heap)
        self.station.__enter__()
        self.port = str(self.station.world.pumps[pump].board.home / "console")
        self._hands: SimulatedRig | None = None
        if rigged:
            rig = self.station.world.pumps[pump]
            rig.hands_off = True
            self._hands = SimulatedRig(rig.board.home / "wires")
        super().__init__(self.station.settings)

    def close(self) -> None:
        super().close()
        if self._hands:
            self._hands.close()
        self.station.__exit__()

    def do(self, act: Act) -> None:
        if self._hands and self._hands.do(act):
            return
        self.station.world.do(act)

    def prover_ml(self) -> int:
        if self._hands:
            return self._hands.flowed_ml()
        (pump,) = self.station.world.state()["pumps"]
        return pump["nozzles"][0]["sale_ml"]

    def new_card(
        self, load_fen: int, grades: tuple[int, ...] = (), pin: str = "", kind: int = card_layout.KIND_REGISTERED
    ) -> str:
        return self.station.issue(load_fen, grades or ALL_GRADES, pin=pin, kind=kind)

    def blank_card(self) -> str:
        return str(self.station.world.do(acts.new_card())["card"])

    def card_no(self, card: str) -> str:
        states = self.station.world.wallet.states({})
        number = next(state["card_no"] for state in states if state["card"] == card)
        assert number is not None
        return number

    def read(self, query: Callable[[Connection], T]) -> T:
        return self.station.read(query)

    def write(self, act: Callable[[Connection], T]) -> T:
        return self.station.write(act)

    def explain(self) -> str:
        return self.station.logs()
