"""The live board: what every pump shows right now, in memory. Fed by the MQTT face, read by the pages and the API."""

from dataclasses import dataclass, field
from typing import Any

OFFLINE_AFTER_S = 15


@dataclass(frozen=True, slots=True)
class PumpLive:
    """state and live are the last payloads (docs/mqtt.md); online is False after the last will or 15 s of silence."""

    station: str
    pump: str
    online: bool
    silent_s: float | None  # since anything was heard; None: never
    state: dict[str, Any] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    version: int = 0  # rises with every change, for pages that push only what changed


class LiveBoard:
    """Thread-safe. Times are monotonic seconds given by the caller, so that tests need no waiting."""

    def heard_state(self, station: str, pump: str, payload: dict[str, Any], monotonic_s: float) -> None:
        """Takes a `state` payload (or the last will)."""
        raise NotImplementedError

    def heard_live(self, station: str, pump: str, payload: dict[str, Any], monotonic_s: float) -> None:
        """Takes a `live` payload."""
        raise NotImplementedError

    def snapshot(self, monotonic_s: float | None = None) -> dict[str, PumpLive]:
        """Every pump heard of, by pump name. None: time.monotonic() now."""
        raise NotImplementedError
