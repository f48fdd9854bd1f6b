"""Secrets of the station: made at random at the first start, kept in `secrets.json` (0600) in the data directory.

Nothing here is ever logged; `repr` shows no value.
"""

import fcntl
import json
import os
import secrets as random_source
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class SecretsError(Exception):
    """The secrets file is unreadable, damaged or open to others; the message is for people."""


@dataclass(frozen=True)
class DeviceSecrets:
    """Keys shared with one board: journal and link are 32 bytes, the password is for the broker."""

    journal: bytes = field(repr=False)
    link: bytes = field(repr=False)
    mqtt_password: str = field(repr=False)


_KEYS = ("issuing", "pump", "credit", "issuer")  # 16 bytes each, AES


class Secrets:
    """The loaded secrets. `issuing`, `pump`, `credit`: card master keys; `issuer`: CMAC key of card contents."""

    issuing: bytes
    pump: bytes
    credit: bytes
    issuer: bytes
    station_mqtt_password: str  # the station's own broker password
    web_secret: str  # signs the dashboard's session cookie
    data_keys: dict[int, bytes]  # seal fields in the database (platform/sealing.py); the highest number is in use

    def __init__(self, path: Path, data: dict[str, Any]) -> None:
        self.path = path
        self._take(data)

    def _take(self, data: dict[str, Any]) -> None:
        try:
            for name in _KEYS:
                setattr(self, name, _key(data[name], 16))
            self.station_mqtt_password = str(data["station_mqtt_password"])
            self.web_secret = str(data["web_secret"])
            self.data_keys = {int(number): _key(key, 32) for number, key in data["data_keys"].items()}
            self._devices = {
                int(device): DeviceSecrets(_key(one["journal"], 32), _key(one["link"], 32), str(one["mqtt_password"]))
                for device, one in data["devices"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SecretsError(
                f"密钥文件已损坏 The secrets file is damaged: {self.path} ({type(error).__name__})"
            ) from None

    @classmethod
    def load(cls, path: Path) -> "Secrets":
        """Reads the file, making it with random secrets if there is none. Raises SecretsError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            if not path.exists():
                fresh: dict[str, Any] = {name: random_source.token_hex(16) for name in _KEYS}
                fresh |= {"station_mqtt_password": random_source.token_urlsafe(24), "devices": {}}
                fresh["web_secret"] = random_source.token_urlsafe(32)
                _save(path, fresh)
            data = _read(path)
            if "data_keys" not in data:  # a file of an older program
                data["data_keys"] = {"1": random_source.token_hex(32)}
                _save(path, data)
            return cls(path, data)

    def device(self, device: int) -> DeviceSecrets:
        """The secrets of a board, made and saved at the first call (by whichever process asks first)."""
        if device not in self._devices:
            with _locked(self.path):
                data = _read(self.path)
                if str(device) not in data["devices"]:
                    data["devices"][str(device)] = {
                        "journal": random_source.token_hex(32),
                        "link": random_source.token_hex(32),
                        "mqtt_password": random_source.token_urlsafe(18),
                    }
                    _save(self.path, data)
                self._take(data)
        return self._devices[device]

    def adopt(self, device: int, journal: bytes) -> None:
        """Takes over the journal key of another station's board, so that its records can be proven here; its link and
        broker stay that station's. ValueError if the board is known already."""
        with _locked(self.path):
            data = _read(self.path)
            if str(device) in data["devices"]:
                raise ValueError(f"设备已登记 the device is known already: {device}")
            fresh = {"link": random_source.token_hex(32), "mqtt_password": random_source.token_urlsafe(18)}
            data["devices"][str(device)] = {"journal": journal.hex()} | fresh
            _save(self.path, data)
            self._take(data)

    def knows(self, device: int) -> bool:
        """True if this board has secrets; unlike device() it makes none, so that a stranger may ask."""
        if device not in self._devices:
            self._take(_read(self.path))
        return device in self._devices

    def __repr__(self) -> str:
        return f"Secrets({self.path}, {len(self._devices)} devices)"


def _key(text: str, size: int) -> bytes:
    key = bytes.fromhex(text)
    if len(key) != size or len(set(key)) < 2:
        raise ValueError("key size")
    return key


def _read(path: Path) -> dict[str, Any]:
    if path.stat().st_mode & 0o077:
        raise SecretsError(
            f"密钥文件须仅本人可读 The secrets file must be readable by its owner alone (chmod 600): {path}"
        )
    try:
        data = json.loads(path.read_text())
    except ValueError:
        raise SecretsError(f"密钥文件已损坏 The secrets file is damaged: {path}") from None
    if not isinstance(data, dict):
        raise SecretsError(f"密钥文件已损坏 The secrets file is damaged: {path}")
    return data


def _save(path: Path, data: dict[str, Any]) -> None:
    # A new file renamed over the old one: a crash leaves the one or the other, never half.
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")
    with os.fdopen(handle, "w") as file:
        json.dump(data, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    os.replace(name, path)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with (path.parent / ".secrets.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
