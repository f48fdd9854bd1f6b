"""The files of an emulated DESFire card, with the transaction that covers them (NXP MF3ICDx21, files and value files).

Nothing written to a backup, value or record file holds before commit(). Standard data files are written at once.
"""

from dataclasses import dataclass, field
from typing import Any

STANDARD, BACKUP, VALUE, LINEAR, CYCLIC = 0, 1, 2, 3, 4
PLAIN, MACED, FULL = 0, 1, 3

# Status codes.
OK, NO_CHANGES, OUT_OF_MEMORY, ILLEGAL_COMMAND, INTEGRITY = 0x00, 0x0C, 0x0E, 0x1C, 0x1E
NO_SUCH_KEY, LENGTH_ERROR, PERMISSION_DENIED, PARAMETER_ERROR = 0x40, 0x7E, 0x9D, 0x9E
NO_APPLICATION, AUTHENTICATION_ERROR, MORE, BOUNDARY_ERROR = 0xA0, 0xAE, 0xAF, 0xBE
ABORTED, COUNT_ERROR, DUPLICATE, NO_FILE = 0xCA, 0xCE, 0xDE, 0xF0

FREE, NEVER = 0xE, 0xF


class Refused(Exception):  # noqa: N818 - the card's answer, not a fault of this program
    """The card answers with a status code other than OK."""

    def __init__(self, status: int) -> None:
        super().__init__(f"DESFire status {status:02X}")
        self.status = status


@dataclass
class File:
    """What all kinds have: communication mode and access rights (four nibbles: read, write, read-write, change)."""

    kind: int
    comm: int
    access: int
    iso_id: int | None = None

    def mode_for(self, key_no: int | None, *rights: int) -> int:
        """The communication mode in which key_no may use any of the rights (0 read, 1 write, 2 both, 3 change).

        Refused PERMISSION_DENIED, or AUTHENTICATION_ERROR where an authentication would help.
        """
        granted = [self.access >> (12 - 4 * right) & 0xF for right in rights]
        if key_no is not None and key_no in granted:
            return self.comm
        if FREE in granted:
            return PLAIN
        raise Refused(PERMISSION_DENIED if all(nibble == NEVER for nibble in granted) else AUTHENTICATION_ERROR)

    def settings(self) -> bytes:
        return bytes((self.kind, self.comm)) + self.access.to_bytes(2, "little")

    def size(self) -> int:
        return 0

    def peek(self) -> bytes | int:
        """What holds now: a value, data, or all records one after the other."""
        return b""

    def dirty(self) -> bool:
        return False

    def commit(self) -> None:
        """Make the running transaction hold."""

    def abort(self) -> None:
        """Forget the running transaction."""

    def to_json(self) -> dict[str, Any]:
        return {"kind": self.kind, "comm": self.comm, "access": self.access, "iso_id": self.iso_id}


@dataclass
class DataFile(File):
    content: bytes = b""
    pending: bytes | None = None

    def settings(self) -> bytes:
        return super().settings() + len(self.content).to_bytes(3, "little")

    def size(self) -> int:
        return len(self.content) * (2 if self.kind == BACKUP else 1)

    def read(self, offset: int, length: int) -> bytes:
        if offset >= len(self.content) or offset + length > len(self.content):
            raise Refused(BOUNDARY_ERROR)
        return self.content[offset : offset + length] if length else self.content[offset:]

    def write(self, offset: int, data: bytes) -> None:
        old = self.content if self.pending is None else self.pending
        if offset + len(data) > len(old):
            raise Refused(BOUNDARY_ERROR)
        new = old[:offset] + data + old[offset + len(data) :]
        if self.kind == STANDARD:
            self.content = new
        else:
            self.pending = new

    def peek(self) -> bytes | int:
        return self.content

    def dirty(self) -> bool:
        return self.pending is not None

    def commit(self) -> None:
        if self.pending is not None:
            self.content, self.pending = self.pending, None

    def abort(self) -> None:
        self.pending = None

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"content": self.content.hex()}


@dataclass
class ValueFile(File):
    lower: int = 0
    upper: int = 0
    value: int = 0
    limited: int = 0  # bit 0: LimitedCredit enabled, bit 1: GetValue free
    allowance: int = 0  # what LimitedCredit may still return
    credited: int = 0
    debited: int = 0
    returned: bool = False

    def settings(self) -> bytes:
        numbers = (self.lower, self.upper, self.allowance)
        return (
            super().settings()
            + b"".join(n.to_bytes(4, "little", signed=True) for n in numbers)
            + bytes((self.limited,))
        )

    def credit(self, amount: int) -> None:
        if amount < 0:
            raise Refused(PARAMETER_ERROR)
        if self.value + self.credited - self.debited + amount > self.upper:
            raise Refused(BOUNDARY_ERROR)
        self.credited += amount

    def debit(self, amount: int) -> None:
        if amount < 0:
            raise Refused(PARAMETER_ERROR)
        # Money credited in the same transaction cannot be spent in it.
        if self.value - self.debited - amount < self.lower:
            raise Refused(BOUNDARY_ERROR)
        self.debited += amount

    def limited_credit(self, amount: int) -> None:
        if not self.limited & 1:
            raise Refused(PERMISSION_DENIED)
        if amount < 0:
            raise Refused(PARAMETER_ERROR)
        if self.returned or amount > self.allowance:
            raise Refused(BOUNDARY_ERROR)
        self.credit(amount)
        self.returned = True

    def peek(self) -> bytes | int:
        return self.value

    def dirty(self) -> bool:
        return bool(self.credited or self.debited or self.returned)

    def commit(self) -> None:
        self.value += self.credited - self.debited
        if self.debited:
            self.allowance = self.debited
        elif self.returned:
            self.allowance = 0  # whatever was returned, the rest of the allowance is gone
        self.abort()

    def abort(self) -> None:
        self.credited, self.debited, self.returned = 0, 0, False

    def to_json(self) -> dict[str, Any]:
        names = ("lower", "upper", "value", "limited", "allowance")
        return super().to_json() | {name: getattr(self, name) for name in names}


@dataclass
class RecordFile(File):
    record_size: int = 1
    max_records: int = 1
    records: list[bytes] = field(default_factory=list)  # oldest first
    pending: bytes | None = None
    cleared: bool = False

    def settings(self) -> bytes:
        numbers = (self.record_size, self.max_records, len(self.records))
        return super().settings() + b"".join(n.to_bytes(3, "little") for n in numbers)

    def size(self) -> int:
        return self.record_size * self.max_records

    def read(self, newest: int, count: int) -> bytes:
        """count records that end `newest` before the newest, oldest first; count 0: all up to there."""
        end = len(self.records) - newest
        if end <= 0 or count > end:
            raise Refused(BOUNDARY_ERROR)
        return b"".join(self.records[end - count if count else 0 : end])

    def write(self, offset: int, data: bytes) -> None:
        if offset + len(data) > self.record_size:
            raise Refused(BOUNDARY_ERROR)
        if self.kind == LINEAR and self.pending is None and len(self.records) >= self.max_records:
            raise Refused(BOUNDARY_ERROR)
        old = self.pending or bytes(self.record_size)
        self.pending = old[:offset] + data + old[offset + len(data) :]

    def clear(self) -> None:
        self.cleared, self.pending = True, None

    def peek(self) -> bytes | int:
        return b"".join(self.records)

    def dirty(self) -> bool:
        return self.cleared or self.pending is not None

    def commit(self) -> None:
        if self.cleared:
            self.records = []
        if self.pending is not None:
            kept = self.max_records - 1 if self.kind == CYCLIC else self.max_records
            self.records = [*self.records, self.pending][-kept:]
        self.abort()

    def abort(self) -> None:
        self.pending, self.cleared = None, False

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {
            "record_size": self.record_size,
            "max_records": self.max_records,
            "records": [record.hex() for record in self.records],
        }


def file_from_json(data: dict[str, Any]) -> File:
    """The file that to_json() described."""
    kind = data["kind"]
    if kind in (STANDARD, BACKUP):
        return DataFile(**(data | {"content": bytes.fromhex(data["content"])}))
    if kind == VALUE:
        return ValueFile(**data)
    return RecordFile(**(data | {"records": [bytes.fromhex(record) for record in data["records"]]}))
