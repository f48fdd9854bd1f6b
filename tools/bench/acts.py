"""What a person can do at the bench, as values: `client.do(acts.lift("p1", 0))`. One list for API, CLI, page and tests.

An act is a POST to its path; the answer is 200 and `{"ok": true}`, or 4xx and `{"error": {"zh": .., "en": ..}}`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tools.bench.state import Network, Pulser, Trigger


@dataclass(frozen=True)
class Act:
    path: str
    body: Mapping[str, object] = field(default_factory=dict)


def insert(pump: str, card: str) -> Act:
    """Puts a card (UID or card number) into the pump's slot, or holds it on the reader until `remove`."""
    return Act(f"/pumps/{pump}/card/insert", {"card": card})


def tap(pump: str, card: str, hold_ms: int = 1500) -> Act:
    """Holds a card on the pump's reader for hold_ms, then puts it back into the wallet."""
    return Act(f"/pumps/{pump}/card/tap", {"card": card, "hold_ms": hold_ms})


def remove(pump: str) -> Act:
    """Pulls the card away, whatever goes on."""
    return Act(f"/pumps/{pump}/card/remove")


def tear(pump: str, frames: int, done: bool = False) -> Act:
    """The card drops out of the field at so many frames from now (1: the next); done: it carries that one out."""
    return Act(f"/pumps/{pump}/card/tear", {"frames": frames, "done": done})


def keys(pump: str, text: str) -> Act:
    """Presses keys one after the other, e.g. "200A#"."""
    return Act(f"/pumps/{pump}/keys", {"keys": text})


def lift(pump: str, nozzle: int = 0) -> Act:
    return Act(f"/pumps/{pump}/nozzle/{nozzle}/lift")


def hang(pump: str, nozzle: int = 0) -> Act:
    return Act(f"/pumps/{pump}/nozzle/{nozzle}/hang")


def trigger(pump: str, squeeze: Trigger, nozzle: int = 0) -> Act:
    return Act(f"/pumps/{pump}/nozzle/{nozzle}/trigger", {"squeeze": squeeze})


def pulser(pump: str, kind: Pulser, nozzle: int = 0) -> Act:
    """Breaks (or mends, kind "ok") the pulser of a nozzle."""
    return Act(f"/pumps/{pump}/nozzle/{nozzle}/pulser", {"kind": kind})


def power(pump: str, on: bool) -> Act:
    return Act(f"/pumps/{pump}/power/{'on' if on else 'off'}")


def network(pump: str, kind: Network) -> Act:
    """up; cut: refused and closed; frozen: connected but nothing passes; slow: 400 ms each way."""
    return Act(f"/pumps/{pump}/network", {"kind": kind})


def estop(pump: str, pressed: bool) -> Act:
    return Act(f"/pumps/{pump}/estop", {"on": pressed})


def tamper(pump: str, opened: bool) -> Act:
    return Act(f"/pumps/{pump}/tamper", {"on": opened})


def seal(pump: str, opened: bool) -> Act:
    """Breaks or renews the seal over the calibration."""
    return Act(f"/pumps/{pump}/seal", {"on": opened})


def leak(pump: str, ml_s: int, nozzle: int = 0) -> Act:
    """Fuel past shut valves, millilitres a second; 0: tight."""
    return Act(f"/pumps/{pump}/nozzle/{nozzle}/leak", {"ml_s": ml_s})


def desk_put(card: str) -> Act:
    """Lays a card on the emulated desk reader."""
    return Act("/desk/put", {"card": card})


def desk_take() -> Act:
    return Act("/desk/take")


def new_card() -> Act:
    """A factory-blank card comes into the wallet; the answer names it in `card`."""
    return Act("/cards")


def broker(do: Literal["stop", "start", "kill"]) -> Act:
    """stop: the broker hangs (SIGSTOP) until start; kill: it dies and the supervisor starts it again."""
    return Act(f"/broker/{do}")


def traffic(on: bool, speed: float = 1.0) -> Act:
    """Automatic customers; speed 1.0 is about one every 40 s and pump, at most 5."""
    return Act(f"/traffic/{'on' if on else 'off'}", {"speed": speed} if on else {})
