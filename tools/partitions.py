"""The ESP32's partition table: from CSV to the bytes at flash address 0x8000.

Format (ESP-IDF programming guide, "Partition Tables"): entries of 32 bytes, little endian: magic AA 50, type, subtype,
offset, size, name (16 bytes), flags; then EB EB, 14 x FF and the MD5 of all entries; the rest is FF up to 0xC00.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

ADDRESS = 0x8000
SIZE = 0xC00
FLASH_SIZE = 0x400000
_SECTOR = 0x1000
_APP_ALIGNMENT = 0x10000
_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {"factory": 0x00, "phy": 0x01, "nvs": 0x02, "fat": 0x81}


@dataclass(frozen=True)
class Partition:
    name: str
    type: int
    subtype: int
    offset: int
    size: int

    def packed(self) -> bytes:
        return struct.pack(
            "<2sBBII16sI", b"\xaa\x50", self.type, self.subtype, self.offset, self.size, self.name.encode(), 0
        )


def parse(text: str) -> list[Partition]:
    """The partitions of a CSV. ValueError names a line that is malformed, unaligned, overlapping or off the flash."""
    found: list[Partition] = []
    end = ADDRESS + _SECTOR
    for number, line in enumerate(text.splitlines(), 1):
        cells = [cell.strip() for cell in line.split("#")[0].split(",")]
        if cells == [""]:
            continue
        try:
            name, kind, subtype, offset, size = cells[:5]
            one = Partition(name, _TYPES[kind], _number(subtype, _SUBTYPES), int(offset, 0), int(size, 0))
        except (ValueError, KeyError) as error:
            raise ValueError(f"line {number}: {error}") from None
        alignment = _APP_ALIGNMENT if one.type == 0 else _SECTOR
        if one.offset % alignment or one.size % _SECTOR or not one.size:
            raise ValueError(f"line {number}: {name} is not aligned to {alignment:#x}")
        if one.offset < end or one.offset + one.size > FLASH_SIZE:
            raise ValueError(f"line {number}: {name} overlaps or lies beyond the flash")
        if len(name) > 15:
            raise ValueError(f"line {number}: name {name} is too long")
        end = one.offset + one.size
        found.append(one)
    return found


def _number(text: str, names: dict[str, int]) -> int:
    return names[text] if text in names else int(text, 0)


def binary(partitions: list[Partition]) -> bytes:
    """The table as it is flashed. ValueError if there are too many entries."""
    entries = b"".join(one.packed() for one in partitions)
    table = entries + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries, usedforsecurity=False).digest()
    if len(table) > SIZE:
        raise ValueError("too many partitions")
    return table + b"\xff" * (SIZE - len(table))


def ours() -> list[Partition]:
    """The board's own table, partitions.csv beside this file."""
    return parse(Path(__file__).with_name("partitions.csv").read_text())
