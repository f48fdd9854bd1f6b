"""One seed again, with every record as it is committed, so that a violation can be read like a story."""

from typing import Any

from pump.core import records
from pump.core.controller import Controller
from pump.core.record_fields import FIELDS
from tools.sim.pump import ViolationError
from tools.sim.seeds import run_seed

_NAMES = "BOOT START RESERVED END SETTLED VOID REFUSAL TEST_MEASURE SHIFT PRICE LIST SETTING ALARM UPDATE TAMPER "
_NAMES += "CALIBRATION LEASE"
_KINDS = {getattr(records, name): name for name in _NAMES.split()}


class _Told(Controller):
    """A controller that tells what it writes down and when it starts."""

    def start(self, now_ms: int, now_s: int, quality: int, cause: int, software: bytes) -> None:
        print(f"{self.config.device}: power on")
        super().start(now_ms, now_s, quality, cause, software)  # type: ignore[no-untyped-call]

    def append(self, kind: int, fields: tuple[Any, ...]) -> int:
        seq: int = super().append(kind, fields)  # type: ignore[no-untyped-call]
        shown = (value.hex() if isinstance(value, bytes) else value for value in fields)
        body = " ".join(f"{name}={value}" for name, value in zip(FIELDS[kind], shown, strict=True))
        print(f"{self.config.device} {self.uptime_ms / 1000:9.2f} s  {seq:4} {_KINDS[kind]:8} {body}")
        return seq


def replay(seed: int) -> int:
    """Returns the exit status: 1 if an invariant does not hold."""
    try:
        world = run_seed(seed, make=_Told)
    except ViolationError as violation:
        print(f"violation: {violation}")
        return 1
    print(f"seed {seed}: {world.sales} sales, all accounted for")
    return 0
