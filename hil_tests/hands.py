"""The rig as a pair of hands: a real board over its serial port, or its firmware on a simulated pump's wires."""

import json
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

import serial

from tools.bench.acts import Act
from tools.image import micropython

RIG = Path(__file__).parent / "rig"
ANSWER_S = 5.0
COUNTS_PER_L = 400  # the rig plays a pulser of 100 pulses a litre, four counts each
_BAUD = 115200
# What stands last in an act's path -> the rig's word for it. Everything else is not the rig's: cards, keys, network.
_WORDS = {"lift", "hang", "trigger", "pulser", "estop", "tamper", "seal", "leak", "on", "off"}


class RigError(Exception):
    """The rig did not answer, or did not understand."""


class Rig(ABC):
    """do() passes on an act that is the rig's; sale() asks it what flowed."""

    takes_power = True

    def do(self, act: Act) -> bool:
        """True if the act was the rig's and is done."""
        word = act.path.rsplit("/", 1)[-1]
        if word not in _WORDS or "/card/" in act.path:
            return False
        if word in ("on", "off"):
            if "/power/" not in act.path or not self.takes_power:
                return False
            self.ask({"do": "power", "on": word == "on"})
            return True
        self.ask({"do": word, **act.body})
        return True

    def sale(self) -> dict[str, Any]:
        """Relays, quarters of a pulse since the nozzle was lifted, microseconds from the last command until permit
        opened (-1)."""
        return self.ask({"do": "sale"})

    def flowed_ml(self) -> int:
        """What a prover under its nozzle would show: the millilitres since that was last lifted."""
        return int(self.sale()["quarters"]) * 1000 // COUNTS_PER_L

    def ask(self, command: dict[str, object]) -> dict[str, Any]:
        """A command and its answer. RigError."""
        self.send(json.dumps(command).encode() + b"\n")
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            line = self.receive()
            if line.startswith(b"{") and b'"ok"' in line:
                answer: dict[str, Any] = json.loads(line)
                if not answer["ok"]:
                    raise RigError(f"{command}: {answer.get('error')}")
                return answer
        raise RigError(f"台架没有应答 · the rig does not answer: {command}")

    @abstractmethod
    def send(self, line: bytes) -> None: ...

    @abstractmethod
    def receive(self) -> bytes:
        """The next line, b"" if none came for a while."""

    @abstractmethod
    def close(self) -> None: ...


class RigBoard(Rig):
    """A real board with hil_tests/rig on it; see docs/wiring.md."""

    def __init__(self, port: str) -> None:
        self._line = serial.Serial(port, _BAUD, timeout=0.5)

    def send(self, line: bytes) -> None:
        self._line.reset_input_buffer()
        self._line.write(line)

    def receive(self) -> bytes:
        return bytes(self._line.readline()).strip()

    def close(self) -> None:
        self._line.close()


class SimulatedRig(Rig):
    """The rig's firmware in the real interpreter, its pins on a simulated board's wires."""

    takes_power = False  # a simulated board's supply is the bench's

    def __init__(self, wires: Path, nozzle: int = 0) -> None:
        self._process = subprocess.Popen(
            [str(micropython()), "-X", "heapsize=100wK", str(RIG / "main.py"), str(wires), str(nozzle)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"MICROPYPATH": f"{RIG / 'simulated'}:{RIG}:.frozen"},
        )

    def send(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def receive(self) -> bytes:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def close(self) -> None:
        """Closing its input ends it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
