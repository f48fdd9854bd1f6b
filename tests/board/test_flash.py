"""Flashing, all of it but esptool: a factory-fresh simulated board becomes pump p1 over its console. D25, D29."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tools import flash, image, partitions
from tools.bench.board import FLASH_FILES, SimBoard
from tools.bench.wires import WDT_FED


def until(look: Callable[[], object], timeout_s: float, board: SimBoard) -> None:
    deadline = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < deadline, board.log()
        time.sleep(0.05)


def test_a_factory_fresh_board_becomes_a_pump(make_board: Callable[..., SimBoard], data_dir: Path) -> None:
    board = make_board(identity=None, heap="90wK")  # without ROMFS the byte code is in the heap
    board.power_on()
    said: list[str] = []
    software = flash.flash(str(board.home / "console"), "p1", data_dir, say=said.append)
    until(lambda: board.wires.get("I", WDT_FED) > 20, 20, board)  # the control tick runs and feeds the watchdog
    on_board = board.home / "flash"
    assert json.loads((on_board / "identity.json").read_text())["pump"] == "p1"
    assert (on_board / "software").read_text() == software == image.cached().software_id
    assert (on_board / "lib/app.mpy").read_bytes() == image.cached().modules()["app.mpy"]
    assert said[-1].split()[1] == "/main.py", "main.py comes last, so that a torn flash never starts half a firmware"


def test_an_older_firmware_is_taken_away_and_the_journal_stays(
    make_board: Callable[..., SimBoard], data_dir: Path
) -> None:
    board = make_board(identity=None, heap="90wK")
    (board.home / "flash/pump").mkdir()
    (board.home / "flash/pump/supervisor.mpy").write_bytes(b"old")
    before = hashlib.sha256((board.home / "checkpoint.bin").read_bytes()).digest()
    board.power_on()
    flash.mpremote(str(board.home / "console"), "exec", "import machine")
    flash.write_files(str(board.home / "console"), {"/lib/app.mpy": b"new"}, lambda line: None)
    assert not (board.home / "flash/pump/supervisor.mpy").exists()
    assert (board.home / "flash/lib/app.mpy").read_bytes() == b"new"
    assert hashlib.sha256((board.home / "checkpoint.bin").read_bytes()).digest() == before


def test_a_pump_that_was_never_provisioned_is_refused_before_anything_is_written(
    data_dir: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(data_dir))
    assert flash.main(["--port", "/dev/null", "--pump", "p77", "--simulated"]) == 1
    assert "p77" in capsys.readouterr().err


def test_a_dead_port_is_an_error_in_words(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(flash.FlashError):
        flash.mpremote(str(tmp_path / "nothing"), "exec", "pass")


def test_the_partition_table_is_what_esp_idf_reads() -> None:
    table = partitions.binary(partitions.ours())
    assert len(table) == partitions.SIZE
    entries = [table[at : at + 32] for at in range(0, 9 * 32, 32)]
    assert all(entry[:2] == b"\xaa\x50" for entry in entries)
    assert table[9 * 32 : 9 * 32 + 16] == b"\xeb\xeb" + b"\xff" * 14
    assert table[9 * 32 + 16 : 10 * 32] == hashlib.md5(table[: 9 * 32]).digest()
    named = {one.name: one for one in partitions.ours()}
    assert (named["journal"].offset, named["journal"].size) == (0x200000, 0x110000)
    assert {
        name: one.size for name, one in named.items() if one.type == 1 and one.subtype >= 0x40 and name != "vfs"
    } == {
        "journal": FLASH_FILES["journal.bin"],
        "ckpt": FLASH_FILES["checkpoint.bin"],
        **{name: FLASH_FILES[f"{name}.bin"] for name in ("trace", "lists", "romfs")},
    }, "the simulated board has the same partitions"
    last = partitions.ours()[-1]
    assert last.offset + last.size == partitions.FLASH_SIZE


@pytest.mark.parametrize(
    "line",
    [
        "a, data, fat, 0x9001, 0x1000",
        "a, app, factory, 0x9000, 0x1000",
        "a, data, fat, 0x8000, 0x1000",
        "a, data, fat, 0x3ff000, 0x2000",
        "a, data, fat, 0x9000",
        "a, tape, fat, 0x9000, 0x1000",
        "a name far too long, data, fat, 0x9000, 0x1000",
        "a, data, fat, 0x9000, 0x0",
    ],
)
def test_a_table_that_would_brick_a_board_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="line 1"):
        partitions.parse(line)
