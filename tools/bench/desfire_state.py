"""What an emulated DESFire card is: its applications, keys and files, and the session a reader has opened.

The commands work on this (desfire_admin.py, desfire_data.py, desfire_iso.py); frames are in desfire_card.py.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from tools.bench import desfire_crypto as crypto
from tools.bench.desfire_files import (
    AUTHENTICATION_ERROR,
    LENGTH_ERROR,
    NO_FILE,
    PERMISSION_DENIED,
    PLAIN,
    File,
    Refused,
    file_from_json,
)
from tools.bench.desfire_messaging import Messaging

PICC = b"\0\0\0"
MEMORY = 4864  # bytes an EV1 4K card reports free when blank


@dataclass
class Application:
    """One application; the card itself (PICC level) is the one with AID 000000."""

    aid: bytes
    settings: int
    kind: str
    keys: list[crypto.Key]
    iso_id: int | None = None
    name: bytes = b""
    files: dict[int, File] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "aid": self.aid.hex(),
            "settings": self.settings,
            "kind": self.kind,
            "keys": [[key.kind, key.data.hex(), key.version] for key in self.keys],
            "iso_id": self.iso_id,
            "name": self.name.hex(),
            "files": {str(number): file.to_json() for number, file in self.files.items()},
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Application":
        return cls(
            bytes.fromhex(data["aid"]),
            data["settings"],
            data["kind"],
            [crypto.Key(kind, bytes.fromhex(key), version) for kind, key, version in data["keys"]],
            data["iso_id"],
            bytes.fromhex(data["name"]),
            {int(number): file_from_json(file) for number, file in data["files"].items()},
        )


@dataclass
class CardState:
    """The card. `changes` counts what was made to hold, so that an owner knows when to save it."""

    uid: bytes
    applications: dict[bytes, Application]
    default_key: crypto.Key = field(default_factory=lambda: crypto.blank_key(crypto.DES))
    random: Callable[[int], bytes] = os.urandom
    changes: int = 0

    def __post_init__(self) -> None:
        self.reset()

    @classmethod
    def blank(cls, uid: bytes, random: Callable[[int], bytes] = os.urandom) -> Self:
        """A card as it leaves the factory: default DES key of zeros, nothing on it. uid: 7 bytes, 04 first (NXP)."""
        if len(uid) != 7:
            raise ValueError("uid must be 7 bytes")
        picc = Application(PICC, 0x0F, crypto.DES, [crypto.blank_key(crypto.DES)])
        return cls(uid, {PICC: picc}, random=random)

    def reset(self) -> None:
        """Out of the field and back in: nothing selected, nothing authenticated, no transaction."""
        for application in self.applications.values():
            for file in application.files.values():
                file.abort()
        self.selected = self.applications[PICC]
        self.session: Messaging | None = None
        self.iso_file: int | None = None

    def select(self, application: Application) -> None:
        """Select an application: authentication and transaction of the one before are gone."""
        self.forget()
        self.selected, self.iso_file = application, None

    def forget(self) -> None:
        """An error ends the authentication and the running transaction."""
        self.session = None
        for file in self.selected.files.values():
            file.abort()

    @property
    def key_no(self) -> int | None:
        """The key that is authenticated, None: none."""
        return self.session.key_no if self.session else None

    def require_master(self, unless_setting: int = 0) -> None:
        """Only with the master key of what is selected, unless the key settings set that bit free."""
        if self.key_no != 0 and not self.selected.settings & unless_setting:
            raise Refused(AUTHENTICATION_ERROR if self.key_no is None else PERMISSION_DENIED)

    def note(self, message: bytes, *lengths: int) -> None:
        """Check a clear command's length and move the session's chain past it."""
        if lengths and len(message) not in lengths:
            raise Refused(LENGTH_ERROR)
        if self.session:
            self.session.note(message)

    def seal(self, data: bytes = b"", mode: int = PLAIN) -> bytes:
        """An answer's data, protected as the session asks."""
        return self.session.seal(data, mode) if self.session else data

    def file(self, number: int) -> File:
        """The selected application's file. Refused NO_FILE."""
        try:
            return self.selected.files[number]
        except KeyError:
            raise Refused(NO_FILE) from None

    def peek(self, aid: bytes) -> dict[int, bytes | int]:
        """What stands in an application's files, without asking anyone: values as numbers, the rest as bytes."""
        application = self.applications.get(aid)
        return {number: file.peek() for number, file in application.files.items()} if application else {}

    def free_memory(self) -> int:
        """Bytes left, in blocks of 32 as the card gives them out."""
        used = 0
        for application in self.applications.values():
            used += 0 if application.aid == PICC else 32 * (2 + len(application.keys) // 2)
            used += sum(32 + (file.size() + 31) // 32 * 32 for file in application.files.values())
        return MEMORY - used

    def to_json(self) -> dict[str, Any]:
        """Everything that outlives the field."""
        return {
            "uid": self.uid.hex(),
            "default_key": [self.default_key.kind, self.default_key.data.hex(), self.default_key.version],
            "applications": [application.to_json() for application in self.applications.values()],
        }

    @classmethod
    def from_json(cls, data: dict[str, Any], random: Callable[[int], bytes] = os.urandom) -> Self:
        applications = [Application.from_json(item) for item in data["applications"]]
        kind, key, version = data["default_key"]
        by_aid = {application.aid: application for application in applications}
        return cls(bytes.fromhex(data["uid"]), by_aid, crypto.Key(kind, bytes.fromhex(key), version), random=random)

    def __getstate__(self) -> dict[str, Any]:
        return self.to_json()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(type(self).from_json(state).__dict__)


@dataclass(frozen=True)
class Incomplete:
    """The command's data is not all there yet: the reader is asked for the next frame."""

    message: bytes
