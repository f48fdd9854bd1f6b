"""A real board as a driver. `make hil PORT=/dev/ttyUSB0 [RIG_PORT=/dev/ttyUSB1] [PUMP=p1] [DESK=/dev/ttyUSB2]`

The station it talks to is the one of this machine's settings (`pumpside run`). Hands: the rig at RIG_PORT makes pulses
and presses switches; cards, keys and whatever else is the person's at the terminal, who is told what to do. DESK is a
PN532 at the desk.
"""

import json
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from hil_tests.driver import Driver
from hil_tests.hands import RigBoard
from pump.core import card_layout
from station.cards.desk import Desk
from station.cards.issuing import ALL_GRADES, Order
from station.cards.reader import DeskReader, wait_for_card
from station.platform import database
from station.platform.settings import load
from tools.bench.acts import Act

T = TypeVar("T")
HAND_PATIENCE = 10.0
CARD_WAIT_S = 120.0


class RealDriver(Driver):
    def __init__(self, port: str, pump: str, rig_port: str | None, desk_port: str | None) -> None:
        self.port, self.pump = port, pump
        self._rig = RigBoard(rig_port) if rig_port else None
        self._desk_port = desk_port
        self._settings = load()
        self._engine = database.open_engine(database.url_for(self._settings))
        self._numbers: dict[str, str] = {}
        self.patience = HAND_PATIENCE
        super().__init__(self._settings)

    def close(self) -> None:
        super().close()
        self._engine.dispose()
        if self._rig:
            self._rig.close()

    def do(self, act: Act) -> None:
        if not self._rig or not self._rig.do(act):
            self._ask(f"{act.path} {json.dumps(dict(act.body), ensure_ascii=False)}")

    def prover_ml(self) -> int:
        if self._rig:
            return self._rig.flowed_ml()
        return int(self._ask("量器读数，毫升 · what the prover shows, in millilitres"))

    def new_card(
        self, load_fen: int, grades: tuple[int, ...] = (), pin: str = "", kind: int = card_layout.KIND_REGISTERED
    ) -> str:
        self._ask("把空白卡放在发卡读卡器上 · put a blank card on the desk reader")
        desk = Desk(self._engine, self.secrets, self._settings.station_no, self._settings.issuer, by="hil")
        with DeskReader(self._desk()) as reader:
            uid = wait_for_card(reader, CARD_WAIT_S).hex()
            order = Order(
                kind,
                holder="台架",
                document=f"HIL-{uid}",
                plate="",
                grades=grades or ALL_GRADES,
                pin=pin,
            )
            self._numbers[uid] = desk.issue(reader, order).card_no
            if load_fen:
                desk.load(reader, load_fen)
        return uid

    def blank_card(self) -> str:
        self._ask("准备一张空白卡 · have a blank card ready")
        return "blank"

    def card_no(self, card: str) -> str:
        return self._numbers[card]

    def read(self, query: Callable[[Connection], T]) -> T:
        with database.read(self._engine) as conn:
            return query(conn)

    def write(self, act: Callable[[Connection], T]) -> T:
        with database.write(self._engine) as conn:
            return act(conn)

    def explain(self) -> str:
        return f"port {self.port}, pump {self.pump}, state {self.state()}"

    def _desk(self) -> str:
        assert self._desk_port, "DESK=/dev/... 没有给出 · the desk reader's port is needed for this test"
        return self._desk_port

    @staticmethod
    def _ask(what: str) -> str:
        """What the person typed, when they have done it."""
        with open("/dev/tty", "r+") as person:
            person.write(f"\n>>> {what}  [Enter] ")
            person.flush()
            return person.readline().strip()
