"""libnfc and libfreefare's own tools take the emulated reader and card for genuine ones (D29)."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from station.cards import CardInHand, CardKeys, Desk, DeskReader, Order
from station.platform.secrets import Secrets
from tests.cards.conftest import UID
from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_reader import Reader

TOOLS = ("nfc-list", *(f"mifare-desfire-{act}" for act in ("info", "format", "create-ndef", "write-ndef", "read-ndef")))
Tool = Callable[..., str]


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    with Reader(tmp_path / "reader", realistic=False) as reader:
        yield reader


@pytest.fixture
def tool(reader: Reader) -> Tool:
    """Runs one of the tools on the reader; its output. libnfc-bin and libfreefare-bin bring them."""
    missing = [name for name in TOOLS if shutil.which(name) is None]
    if missing:
        if os.environ.get("CI") == "true":
            pytest.fail(f"missing: {missing}")
        pytest.skip(f"未安装 not installed: {', '.join(missing)}")

    def run(*command: str) -> str:
        environment = os.environ | {"LIBNFC_DEVICE": f"pn532_uart:{reader.link_path}", "LIBNFC_LOG_LEVEL": "0"}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def test_nfc_list_sees_a_desfire(tool: Tool, reader: Reader, blank: DesfireCard) -> None:
    assert "passive target" not in tool("nfc-list")
    reader.put(blank)
    seen = " ".join(tool("nfc-list").split())
    assert "1 ISO14443A passive target(s) found" in seen
    assert "UID (NFCID1): 04 11 22 33 44 55 66" in seen
    assert "ATS: 75 77 81 02 80" in seen


def test_desfire_info_sees_a_blank_card(tool: Tool, reader: Reader, blank: DesfireCard) -> None:
    reader.put(blank)
    info = tool("mifare-desfire-info")
    assert f"UID:                      0x{UID.hex()}" in info
    assert "Storage size:         0x18 (=4096 bytes)" in info
    assert "Master Key settings (0x0f)" in info
    assert "Free memory: 4864 bytes" in info


def test_a_note_written_by_libfreefare_is_read_back(
    tool: Tool, reader: Reader, blank: DesfireCard, tmp_path: Path
) -> None:
    """Format, create, write and read: D40 authentication, ISO files, frames of all lengths."""
    reader.put(blank)
    note, back = tmp_path / "note", tmp_path / "back"
    note.write_bytes(bytes(i * 7 & 0xFF for i in range(700)))
    tool("mifare-desfire-format", "-y")
    tool("mifare-desfire-create-ndef", "-y")
    tool("mifare-desfire-write-ndef", "-y", "-i", str(note))
    tool("mifare-desfire-read-ndef", "-y", "-o", str(back))
    assert back.read_bytes() == note.read_bytes()
    assert as_a_phone_reads_it(blank) == note.read_bytes()
    tool("mifare-desfire-format", "-y")
    assert list(blank.applications) == [b"\0\0\0"]


def as_a_phone_reads_it(card: DesfireCard) -> bytes:
    """The note by ISO 7816 commands, as NFC Forum's Type 4 Tag specification has it."""
    card.reset()

    def apdu(text: str) -> bytes:
        answer = card.exchange(bytes.fromhex(text))
        assert answer[-2:] == b"\x90\x00", answer.hex()
        return answer[:-2]

    apdu("00a4040007d276000085010100")
    apdu("00a4000c02e103")
    capabilities = apdu("00b000000f")
    apdu("00a4000c02" + capabilities[9:11].hex())
    length = int.from_bytes(apdu("00b0000002"), "big")
    note = b""
    while len(note) < length:
        note += apdu(f"00b0{2 + len(note):04x}{min(48, length - len(note)):02x}")
    return note


def test_a_card_of_ours_is_a_desfire_that_strangers_cannot_format(
    tool: Tool, reader: Reader, blank: DesfireCard, desk: Desk, secrets: Secrets
) -> None:
    reader.put(blank)
    with DeskReader(str(reader.link_path)) as link:
        desk.issue(link, Order(holder="张三", document="1101"))
    info = tool("mifare-desfire-info")
    assert "Master Key settings (0x0b)" in info
    environment = os.environ | {"LIBNFC_DEVICE": f"pn532_uart:{reader.link_path}", "LIBNFC_LOG_LEVEL": "0"}
    subprocess.run(["mifare-desfire-format", "-y"], env=environment, capture_output=True, timeout=30)
    assert desk.show(CardInHand(blank)).view.uid == CardKeys.of(secrets, UID).uid
