"""D27: a journal in a file is verified offline; one turned bit is found and named, torn slots are told from altered."""

import json
import random
from binascii import crc32
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from typer.testing import CliRunner, Result

from pump.core import records, recovery
from pump.core.journal import Journal
from station import sales
from station.cli import journal as journal_command
from station.cli import verify_journal as command
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.sales import journal_file
from station.sales.journal_file import ALTERED, DISORDER, FORGED, MISSING, examine
from station.texts import journal as words
from tests.station.world import PumpJournal, TestCard, issue, send
from tools.sim.flash import PowerCut, RamFlash

KEY = bytes(range(32))
DEVICE = 257


def put(journal: Journal, value: int = 0) -> None:
    journal.append(records.SETTING, 1, 2, 3, 2, (1, b"no_flow_s", value, value + 1))


def ring(count: int, sectors: int = 3, tears: int = 0, seed: int = 1) -> RamFlash:
    """The flash of a pump that wrote so many records; tears: power went that often in the middle of a program."""
    rng, flash = random.Random(seed), RamFlash(sectors)
    journal = Journal(flash, DEVICE, KEY)
    torn_at = set(rng.sample(range(1, count), tears))
    while journal.head <= count:
        journal.ack(journal.head - 1)
        journal.idle_work()
        if journal.head in torn_at:
            torn_at.discard(journal.head)
            flash.cut_at, flash.tear = 1, rng.choice((1, 2, 3))
            try:
                put(journal, journal.head)
            except PowerCut:
                journal = Journal(flash, DEVICE, KEY)
                recovery.find_head(journal, 0)
        else:
            put(journal, journal.head)
    return flash


RINGS = {
    "young": bytes(ring(20).data),
    "round": bytes(ring(150).data),
    "torn": bytes(ring(150, tears=9).data),
    "export": b"".join(bytes(ring(90, sectors=4).data)[at : at + 128] for at in range(0, 90 * 128, 128)),
}


@pytest.mark.parametrize("name", RINGS)
def test_d27_a_sound_journal_is_sound(name: str) -> None:
    report = examine(RINGS[name], KEY)
    assert report.faults == []
    assert (report.device, report.is_chained) == (DEVICE, True)
    assert report.last == {"young": 20, "export": 90}.get(name, 150)
    assert report.unproven == (report.first > 1)
    assert (len(report.torn) > 0) == (name == "torn")


def whole_at(image: bytes | bytearray) -> list[int]:
    return [at for at in range(0, len(image), 128) if records.is_whole(image[at : at + 128])]


@given(st.sampled_from(sorted(RINGS)), st.data())
def test_d27_one_turned_bit_anywhere_is_found_and_named(name: str, data: st.DataObject) -> None:
    image = bytearray(RINGS[name])
    slot = data.draw(st.sampled_from(whole_at(image)))
    at, bit = slot + data.draw(st.integers(0, 127)), data.draw(st.integers(0, 7))
    _, _, _, seq, _, _, _ = records.header(image[slot : slot + 128])
    image[at] ^= 1 << bit
    report = examine(bytes(image), KEY)
    assert [(fault.what, fault.offset, fault.seq, fault.kind, fault.bit) for fault in report.faults] == [
        (ALTERED, slot, seq, records.SETTING, (at, bit))
    ]


@given(st.sampled_from(sorted(RINGS)), st.data())
def test_d27_a_changed_record_with_a_new_crc_breaks_the_chain_there(name: str, data: st.DataObject) -> None:
    image = bytearray(RINGS[name])
    slots = whole_at(image)
    first = min(slots, key=lambda at: records.header(image[at : at + 128])[3])
    slot = data.draw(st.sampled_from([at for at in slots if at != first or name in ("young", "export")]))
    image[slot + data.draw(st.sampled_from((12, 20, 44, 60, 100)))] ^= data.draw(st.integers(1, 255))
    image[slot + 124 : slot + 128] = crc32(image[slot : slot + 124]).to_bytes(4, "little")
    faults = examine(bytes(image), KEY).faults
    assert [(fault.what, fault.offset) for fault in faults] == [(FORGED, slot)]


def test_d27_the_oldest_record_is_held_against_what_the_station_has() -> None:
    image = bytearray(RINGS["round"])
    first = min(whole_at(image), key=lambda at: records.header(image[at : at + 128])[3])
    copies = {records.header(image[at : at + 128])[3]: bytes(image[at : at + 128]) for at in whole_at(image)}
    image[first + 44] ^= 1
    image[first + 124 : first + 128] = crc32(image[first : first + 124]).to_bytes(4, "little")
    assert examine(bytes(image), KEY).faults == []  # nothing in the file gives it away, and the report says so:
    assert examine(bytes(image), KEY).unproven
    faults = examine(bytes(image), KEY, known=copies.get).faults
    assert [(fault.what, fault.offset) for fault in faults] == [(journal_file.DIFFERS, first)]


def test_d27_records_cut_out_swapped_or_said_twice_are_found() -> None:
    export = RINGS["export"]
    without = export[: 30 * 128] + export[32 * 128 :]
    assert [(f.what, f.seq) for f in examine(without, KEY).faults] == [(MISSING, 31), (MISSING, 32)]
    blanked = export[: 30 * 128] + b"\xff" * 128 + export[31 * 128 :]
    assert [(f.what, f.seq) for f in examine(blanked, KEY).faults] == [(MISSING, 31)]
    twice = export[: 31 * 128] + export[30 * 128 :]
    assert [(f.what, f.seq) for f in examine(twice, KEY).faults] == [(DISORDER, 31)]
    swapped = export[: 30 * 128] + export[31 * 128 : 32 * 128] + export[30 * 128 : 31 * 128] + export[32 * 128 :]
    assert {f.what for f in examine(swapped, KEY).faults} == {MISSING, DISORDER}


def test_d27_another_key_another_device_and_a_file_cut_short_are_told() -> None:
    export = RINGS["export"]
    assert {f.what for f in examine(export, bytes(32)).faults} == {FORGED}
    assert {f.what for f in examine(export, KEY, device=258).faults} == {journal_file.FOREIGN}
    assert [f.what for f in examine(export[:-5], KEY).faults] == [journal_file.CUT_SHORT]
    assert examine(b"", KEY).faults == []
    assert {f.what for f in examine(b"no journal at all " * 64, KEY).faults} == {ALTERED}


@pytest.mark.parametrize("tear", range(1, 128))
def test_d15_d27_a_record_torn_at_any_byte_is_harmless_and_told_from_an_altered_one(tear: int) -> None:
    flash = ring(20)
    image = bytearray(flash.data)
    journal = Journal(flash, DEVICE, KEY)
    recovery.find_head(journal, 0)
    put(journal, 21)
    image[20 * 128 : 20 * 128 + tear] = flash.data[20 * 128 : 20 * 128 + tear]
    report = examine(bytes(image), KEY)
    last = journal.read(21, bytearray(128)) and flash.data[20 * 128 + tear : 21 * 128].strip(b"\xff") == b""
    assert report.faults == []
    assert report.torn == ([] if last else [20 * 128])


@pytest.mark.parametrize("tear", range(5))
def test_d15_d27_whatever_a_cut_erase_leaves_is_not_taken_for_a_forgery(tear: int) -> None:
    flash = ring(150)
    sector = (flash.data.find(b"\xff" * 128) // 4096 + 1) % 3
    flash.cut_at, flash.tear = 1, tear
    with pytest.raises(PowerCut):
        flash.erase(sector)
    assert examine(bytes(flash.data), KEY).faults == []


# -- the command


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command.app, list(arguments))


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with no station in it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(tmp_path / "none"))
    (tmp_path / "identity.json").write_text(json.dumps({"keys": {"journal": KEY.hex()}}))
    (tmp_path / "key.hex").write_text(KEY.hex() + "\n")
    return tmp_path


def test_d27_the_command_needs_no_station_and_names_the_first_bad_record(offline: Path) -> None:
    image = bytearray(RINGS["torn"])
    (offline / "p1.bin").write_bytes(image)
    for key in ("identity.json", "key.hex"):
        told = run("p1.bin", "--key-file", key)
        assert told.exit_code == 0 and "日志完好 · the journal is sound" in told.output, told.output
        assert "无害" in told.output
    slot = sorted(whole_at(image))[40]
    seq = records.header(image[slot : slot + 128])[3]
    image[slot + 50] ^= 4
    (offline / "p1.bin").write_bytes(image)
    told = run("p1.bin", "--key-file", "key.hex")
    assert told.exit_code == 1
    assert f"offset {slot} " in told.output and f"record {seq}" in told.output and "设置 setting" in told.output
    assert f"bit 2 of byte {slot + 50}" in told.output
    assert not (offline / "none").exists()


def test_d27_without_a_key_the_command_says_what_it_could_not_check(offline: Path) -> None:
    (offline / "p1.bin").write_bytes(RINGS["young"])
    assert run("p1.bin").exit_code == 2
    told = run("p1.bin", "--no-key")
    assert told.exit_code == 0 and "the chain was not checked" in told.output
    assert run("p1.bin", "--key-file", "p1.bin").exit_code == 2
    assert run("absent.bin", "--no-key").exit_code == 2
    (offline / "empty.bin").write_bytes(b"\xff" * 8192)
    assert run("empty.bin", "--no-key").exit_code == 1


def test_d27_what_a_station_exports_it_verifies_with_its_own_keys_and_copies(
    settings: Settings, engine: Engine, secrets: Secrets, monkeypatch: pytest.MonkeyPatch
) -> None:
    pump, card = PumpJournal(secrets.device(257).journal), TestCard()
    with database.write(engine) as conn:
        issue(conn, TestCard())
        for _ in range(12):
            pump.sale(card, 3_000)
        send(conn, secrets, *pump.written)
        seal = sales.sealed_sale(conn, secrets, 257, 5)
    assert [(one.seq, one.kind, one.holds) for one in seal] == [
        (5, records.START, True), (6, records.RESERVED, True), (7, records.END, True), (8, records.SETTLED, True),
    ]  # fmt: skip
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("PUMPSIDE_BENCH", "1")
    if settings.database_url:
        monkeypatch.setenv("PUMPSIDE_DATABASE_URL", settings.database_url)
    exported = CliRunner().invoke(
        journal_command.app, ["export", "p1.jnl", "--pump", "p1", "--first", "9", "--last", "40"]
    )
    assert exported.exit_code == 0, exported.output
    told = run("p1.jnl")
    assert told.exit_code == 0, told.output
    assert "9–40" in told.output and "not in the file" not in told.output
    raw = bytearray(Path("p1.jnl").read_bytes())
    raw[60] ^= 1  # the oldest, with a new CRC and even a new mac: it still is not what the station has
    raw[124:128] = crc32(raw[:124]).to_bytes(4, "little")
    Path("p1.jnl").write_bytes(raw)
    told = run("p1.jnl")
    assert told.exit_code == 1 and "record 9" in told.output
    assert CliRunner().invoke(journal_command.app, ["export", "x", "--pump", "p9"]).exit_code == 1


def test_every_kind_and_every_fault_has_its_words_in_both_languages() -> None:
    assert set(words.KINDS) == set(records.BODIES)
    faults = {value for name, value in vars(journal_file).items() if name.isupper() and isinstance(value, str)}
    assert set(words.FAULTS) == faults
