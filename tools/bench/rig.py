"""One pump at the bench: its board, its plant, its reader, its display and everything a hand can do to it.

Everything here runs on the world's thread, except that the board and the reader have threads of their own.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.bench import wires as w
from tools.bench.board import SimBoard, relays
from tools.bench.lcd import Lcd
from tools.bench.netproxy import NetProxy
from tools.bench.plant import Plant
from tools.bench.pn532_reader import Reader
from tools.bench.state import KEYS, NozzleState, Pulser, PumpState, Trigger

SUPPLY_MV = 24_000
HOLD_UP_MS = 40  # what the capacitors of the board's supply last after the mains has gone
KEY_DOWN_MS, KEY_UP_MS = 90, 90
_EDGE_MODULUS = 1 << 32

Later = Callable[[int, Callable[[], None]], None]  # (delay in ms, what to do then)


class Rig:
    """`later` schedules on the world's thread; `background` runs slow things (starting a process) off it."""

    def __init__(
        self,
        name: str,
        home: Path,
        identity: dict[str, Any],
        ca_der: bytes,
        proxy: NetProxy,
        *,
        seed: int,
        heap: str,
        later: Later,
        background: Callable[[Callable[[], None]], object],
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.name, self.mode, self.device = name, identity["mode"], int(identity["device"])
        self.grades = [int(nozzle["grade"]) for nozzle in identity["nozzles"]]
        self.proxy = proxy
        self.card: str | None = None
        self.power = False
        self.hands_off = False  # True: a rig of hil_tests drives pulses and switches
        self._later, self._background = later, background
        self._totals = home / "true_totals.json"
        self._saved_totals = self._before_ul = self._load_totals()
        self._triggers: list[Trigger] = ["none"] * len(self.grades)
        self._pulsers: list[Pulser] = ["ok"] * len(self.grades)
        self._lifted_at_ul = [0] * len(self.grades)
        self._switches = 0
        self._boots, self._pid = 0, 0
        self.wires = w.Wires(home / "wires")
        self.wires.power_off()
        self._put_inputs()
        self.lcd = Lcd(home / "lcd.fifo", identity.get("display") != "character")
        self.reader = Reader(home / "reader")
        self.reader.start()
        self.plant = Plant([int(nozzle["pulses_per_l"]) for nozzle in identity["nozzles"]], seed=seed)
        board_identity = identity | {"broker": identity["broker"] | {"host": "127.0.0.1", "port": proxy.port}}
        self.board = SimBoard(name, home, identity=board_identity, ca_der=ca_der, heap=heap)

    # -- the world's clock

    def step(self, now_us: int) -> None:
        """Lets the plant run up to now with the valves as the board drives them, unless a rig's pulses come instead."""
        if self.hands_off:
            return
        self.plant.advance(now_us)
        out = relays(self.wires)
        self.plant.set_outputs(out.motor, out.big, out.small)
        for nozzle in range(len(self.grades)):
            a, b = self.plant.edges(nozzle)
            self.wires.put("ii", w.EDGES + 8 * nozzle, _wrapped(a), _wrapped(b))

    def look(self) -> None:
        """The slower things: the display, whether the board started anew, whether the card was torn away."""
        self.lcd.poll()
        if (pid := self.board.pid) and pid != self._pid:
            self._boots, self._pid = self._boots + 1, pid
        if self.reader.card is None:
            self.card = None

    # -- hands

    def insert(self, uid: str, card: Any) -> None:
        self.card = uid
        self.reader.put(card)

    def remove(self) -> str | None:
        uid, self.card = self.card, None
        self.reader.take()
        return uid

    def keys(self, text: str) -> int:
        """Presses the keys in turn; returns how long that takes in ms."""
        for place, key in enumerate(text):
            begin = place * (KEY_DOWN_MS + KEY_UP_MS)
            bit = 1 << KEYS.index(key)
            self._later(begin, lambda bit=bit: self.wires.put("H", w.KEYS, bit))  # type: ignore[misc]
            self._later(begin + KEY_DOWN_MS, lambda: self.wires.put("H", w.KEYS, 0))
        return len(text) * (KEY_DOWN_MS + KEY_UP_MS)

    def lift(self, nozzle: int) -> None:
        self._lifted_at_ul[nozzle] = self.plant.true_ul(nozzle)
        self._switch(nozzle, True)

    def hang(self, nozzle: int) -> None:
        self.trigger(nozzle, "none")  # it cannot be squeezed in its boot
        self._switch(nozzle, False)

    def lifted(self, nozzle: int) -> bool:
        return bool(self._switches >> nozzle & 1)

    def trigger(self, nozzle: int, squeeze: Trigger) -> None:
        self._triggers[nozzle] = squeeze
        self.plant.set_trigger(nozzle, squeeze)

    def pulser(self, nozzle: int, kind: Pulser) -> None:
        self._pulsers[nozzle] = kind
        self.plant.set_pulser(nozzle, kind)

    def estop(self, on: bool) -> None:
        self._switch(w.ESTOP, on)

    def tamper(self, on: bool) -> None:
        self._switch(w.TAMPER, on)

    def seal(self, opened: bool) -> None:
        self._switch(w.SEAL, opened)

    def power_on(self) -> None:
        self.power = True
        self._put_inputs()
        self._background(self.board.power_on)

    def power_off(self, hold_up_ms: int = HOLD_UP_MS) -> None:
        """The mains goes: the supply monitor sees it at once, the board dies when the capacitors are empty."""
        self.power = False
        self.wires.put("H", w.SUPPLY_MV, 0)
        self._later(hold_up_ms, lambda: None if self.power else self._dead())

    def _dead(self) -> None:
        self.board.power_off()
        self.lcd.power_off()

    def _switch(self, bit: int, on: bool) -> None:
        self._switches = self._switches | 1 << bit if on else self._switches & ~(1 << bit)
        self.wires.put("I", w.SWITCHES, self._switches)

    def _put_inputs(self) -> None:
        if not self.hands_off:
            self.wires.put("I", w.SWITCHES, self._switches)
        self.wires.put("H", w.KEYS, 0)
        self.wires.put("H", w.SUPPLY_MV, SUPPLY_MV)

    # -- eyes

    def total_ul(self, nozzle: int) -> int:
        """True microlitres through this nozzle since the bench was made."""
        return self._before_ul[nozzle] + self.plant.true_ul(nozzle)

    def state(self) -> PumpState:
        from pump import pins

        out = relays(self.wires)
        return {
            "pump": self.name,
            "device": self.device,
            "mode": self.mode,
            "power": self.power,
            "boots": self._boots,
            "network": self.proxy.kind,
            "linked": self.proxy.linked,
            "estop": bool(self._switches >> w.ESTOP & 1),
            "tamper": bool(self._switches >> w.TAMPER & 1),
            "seal": bool(self._switches >> w.SEAL & 1),
            "permit": out.permit,
            "motor": out.motor,
            "buzzer": self.wires.level(pins.BUZZER),
            "card": self.card,
            "lcd": self.lcd.state(),
            "nozzles": [self._nozzle_state(nozzle, out.big, out.small) for nozzle in range(len(self.grades))],
        }

    def _nozzle_state(self, nozzle: int, big: int, small: int) -> NozzleState:
        return {
            "nozzle": nozzle,
            "grade": self.grades[nozzle],
            "lifted": self.lifted(nozzle),
            "trigger": self._triggers[nozzle],
            "big_valve": bool(big >> nozzle & 1),
            "small_valve": bool(small >> nozzle & 1),
            "flow_ml_s": self.plant.flow_ml_s(nozzle),
            "sale_ml": (self.plant.true_ul(nozzle) - self._lifted_at_ul[nozzle]) // 1000,
            "total_ml": self.total_ul(nozzle) // 1000,
            "pulser": self._pulsers[nozzle],
        }

    # -- what lasts

    def _load_totals(self) -> list[int]:
        try:
            totals = [int(value) for value in json.loads(self._totals.read_text())]
        except (OSError, ValueError, TypeError):
            totals = []
        return (totals + [0] * len(self.grades))[: len(self.grades)]

    def save(self) -> None:
        """Keeps the true totals if they have moved."""
        totals = [self.total_ul(nozzle) for nozzle in range(len(self.grades))]
        if totals == self._saved_totals:
            return
        self._saved_totals = totals
        fresh = self._totals.with_suffix(".new")
        fresh.write_text(json.dumps(totals))
        fresh.replace(self._totals)

    def close(self) -> None:
        self.board.close()
        self.reader.stop()
        self.save()
        self.lcd.close()
        self.wires.close()


def _wrapped(count: int) -> int:
    """As a signed 32-bit register shows it."""
    return (count + (_EDGE_MODULUS >> 1)) % _EDGE_MODULUS - (_EDGE_MODULUS >> 1)
