"""The live board: what every pump shows right now, in memory. Fed by the MQTT face, read by the pages and the API."""

import threading
import time
from dataclasses import dataclass, field, replace
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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pumps: dict[str, PumpLive] = {}
        self._heard_s: dict[str, float] = {}
        self._version = 0

    def heard_state(self, station: str, pump: str, payload: dict[str, Any], monotonic_s: float) -> None:
        """Takes a `state` payload (or the last will, which tells nothing but that the pump is gone)."""
        online = payload.get("online") is True
        with self._lock:
            old = self._old(station, pump)
            state = payload if online else {**old.state, "online": False}
            self._put(replace(old, online=online, state=state), monotonic_s)

    def heard_live(self, station: str, pump: str, payload: dict[str, Any], monotonic_s: float) -> None:
        """Takes a `live` payload."""
        with self._lock:
            self._put(replace(self._old(station, pump), online=True, live=payload), monotonic_s)

    def snapshot(self, monotonic_s: float | None = None) -> dict[str, PumpLive]:
        """Every pump heard of, by pump name. None: time.monotonic() now."""
        now_s = time.monotonic() if monotonic_s is None else monotonic_s
        with self._lock:
            return {
                name: replace(
                    pump,
                    silent_s=now_s - self._heard_s[name],
                    online=pump.online and now_s - self._heard_s[name] <= OFFLINE_AFTER_S,
                )
                for name, pump in sorted(self._pumps.items())
            }

    def _old(self, station: str, pump: str) -> PumpLive:
        return self._pumps.get(pump) or PumpLive(station, pump, False, None)

    def _put(self, pump: PumpLive, monotonic_s: float) -> None:
        self._version += 1
        self._pumps[pump.pump] = replace(pump, version=self._version)
        self._heard_s[pump.pump] = monotonic_s
