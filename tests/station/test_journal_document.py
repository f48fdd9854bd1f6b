"""docs/journal.md says what records.py does, offset by offset (D27, contract)."""

import hmac
import re
import struct
import zlib
from pathlib import Path

import pytest

from pump.core import records
from pump.core.record_fields import FIELDS
from station.sales.chain import mac_of

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "journal.md").read_text("utf-8")
SIZES = {"u8": "B", "u16": "H", "u32": "I", "u64": "Q", "i32": "i", "i64": "q"}
KINDS = {
    int(number): (name, section)
    for number, name, section in re.findall(r"^### (\d+) (\w+)\n(.*?)(?=^### |^## )", TEXT, re.M | re.S)
}


def rows(section: str) -> list[tuple[int, str, str]]:
    """(offset, struct code, field) of the section's table."""
    found = re.findall(r"^\| (\d+) \| ([^|]+?) \| (.*?) \|$", section, re.M)
    return [(int(at), SIZES.get(kind) or kind.replace(" B", "s"), text) for at, kind, text in found]


def test_the_page_lists_every_kind_under_its_number_and_no_other() -> None:
    assert {number: getattr(records, name) for number, (name, _) in KINDS.items()} == {kind: kind for kind in FIELDS}


@pytest.mark.parametrize("kind", sorted(FIELDS))
def test_the_fields_of_a_kind_stand_where_the_page_says(kind: int) -> None:
    table = rows(KINDS[kind][1])
    assert [text.strip("`") for _, _, text in table] == list(FIELDS[kind])
    values = tuple(
        bytes(range(1, int(code[:-1]) + 1)) if code.endswith("s") else number + 1
        for number, (_, code, _) in enumerate(table)
    )
    record = records.build(b"k" * 32, records.CHAIN_START, kind, 257, 1, 1, 5, 9, 2, values)
    assert tuple(struct.unpack_from("<" + code, record, at)[0] for at, code, _ in table) == values
    end = table[-1][0] + struct.calcsize("<" + table[-1][1])
    assert end <= records.MAC_AT and record[end : records.MAC_AT] == bytes(records.MAC_AT - end)


def test_the_frame_stands_where_the_page_says() -> None:
    table = rows(TEXT[TEXT.index("## Frame") : TEXT.index("## Kinds")])
    body = (1, 2, 3)
    record = records.build(b"k" * 32, b"p" * 16, records.TAMPER, 257, 7, 3, 50, 1_790_000_000, 2, body)
    read = [struct.unpack_from("<" + code, record, at)[0] for at, code, _ in table]
    mac = hmac.digest(b"k" * 32, b"p" * 16 + record[:108], "sha256")[:16]
    expected = [1, records.TAMPER, 2, 0, 257, 7, 3, 50, 1_790_000_000, record[24:108], mac, zlib.crc32(record[:124])]
    assert read == expected
    assert table[-1][0] + 4 == records.SIZE == len(record)


def test_the_stations_own_mac_is_the_boards() -> None:
    record = records.build(b"k" * 32, b"p" * 16, records.TAMPER, 257, 7, 3, 50, 9, 2, (1, 2, 3))
    assert mac_of(b"k" * 32)(b"p" * 16, record) == records.mac(b"k" * 32, b"p" * 16, record) == record[108:124]
