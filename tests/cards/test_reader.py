"""The emulated PN532 at its serial port, and the driver that board and desk share (D1, D29)."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

import desfire
import pn532
from pump.core import card_layout as layout
from station.cards import CardInHand, CardKeys, Desk, DeskReader, ReaderUnavailableError
from station.cards.desfire_admin import AdminSession
from station.platform.secrets import Secrets
from tests.cards.conftest import UID
from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_reader import ACK, NACK, Reader


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    """A reader that answers at once."""
    with Reader(tmp_path / "reader", realistic=False) as reader:
        yield reader


def line(reader: Reader) -> serial.Serial:
    return serial.Serial(str(reader.link_path), 115_200, timeout=0.5)


FIRMWARE_ANSWER = bytes.fromhex("0000ff06fad50332010607e800")


def test_the_driver_finds_reader_and_card(reader: Reader, blank: DesfireCard) -> None:
    with DeskReader(str(reader.link_path)) as desk:
        assert desk.poll() is None
        reader.put(blank)
        assert desk.poll() == UID
        assert desk.converse(AdminSession().version())[14:21] == UID
        reader.take()
        with pytest.raises(desfire.CardLost):
            desk.converse(AdminSession().version())
        assert desk.poll() is None


def test_a_card_put_while_the_reader_looks_is_found_without_asking_again(reader: Reader, blank: DesfireCard) -> None:
    """InListPassiveTarget with endless retries, as the chip does by default."""
    with line(reader) as port:
        port.write(pn532.frame(b"\x4a\x01\x00"))
        assert port.read(6) == ACK
        assert port.read(1) == b""
        reader.put(blank)
        assert UID in port.read(32)


def test_what_cuts_a_frame_or_a_byte_is_passed_over(reader: Reader) -> None:
    whole = pn532.frame(b"\x02")
    wrong_sum, wrong_length = bytearray(whole), bytearray(whole)
    wrong_sum[-2] ^= 1
    wrong_length[4] ^= 1
    with line(reader) as port:
        for junk in (b"\x55" * 20, bytes(wrong_sum), bytes(wrong_length), whole[:4], b"\xff\x00\xff"):
            port.write(junk)
            time.sleep(0.02)
            port.reset_input_buffer()
            port.write(whole)
            time.sleep(0.02)
            port.write(whole)  # the first may have been taken for the rest of the junk
            assert FIRMWARE_ANSWER in port.read(64)


def test_a_frame_may_come_byte_by_byte(reader: Reader) -> None:
    with line(reader) as port:
        for byte in pn532.frame(b"\x02"):
            port.write(bytes((byte,)))
            time.sleep(0.001)
        assert port.read(19) == ACK + FIRMWARE_ANSWER


def test_a_nack_has_the_answer_said_again(reader: Reader) -> None:
    with line(reader) as port:
        port.write(pn532.frame(b"\x02"))
        assert port.read(19) == ACK + FIRMWARE_ANSWER
        port.write(NACK)
        assert port.read(13) == FIRMWARE_ANSWER


def test_an_unknown_command_is_a_syntax_error(reader: Reader) -> None:
    with line(reader) as port:
        port.write(pn532.frame(b"\x99"))
        assert port.read(14) == ACK + bytes.fromhex("0000ff01ff7f8100")


def test_an_answer_lost_on_the_line_is_a_lost_card_until_the_next_contact(reader: Reader, blank: DesfireCard) -> None:
    with DeskReader(str(reader.link_path)) as desk:
        reader.put(blank)
        assert desk.poll() == UID
        reader.drop_answer(1)
        with pytest.raises(desfire.CardLost):
            desk.converse(AdminSession().version())
        assert desk.poll() == UID
        assert desk.converse(AdminSession().version())[14:21] == UID


def test_a_torn_card_has_left_the_reader(reader: Reader, blank: DesfireCard) -> None:
    with DeskReader(str(reader.link_path)) as desk:
        reader.put(blank)
        assert desk.poll() == UID
        reader.tear_after(2)
        with pytest.raises(desfire.CardLost):
            desk.converse(AdminSession().version())
        assert reader.card is None
        assert desk.poll() is None
        reader.put(blank)
        assert desk.poll() == UID


def test_a_dead_reader_is_told_in_words(reader: Reader) -> None:
    reader.dead = True
    with pytest.raises(ReaderUnavailableError, match="PN532"):
        DeskReader(str(reader.link_path))
    reader.dead = False
    with DeskReader(str(reader.link_path)) as desk:
        assert desk.poll() is None


def test_a_port_that_is_not_there_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(ReaderUnavailableError, match="打不开读卡器"):
        DeskReader(str(tmp_path / "nothing"))


def test_the_link_goes_with_the_reader(tmp_path: Path) -> None:
    with Reader(tmp_path / "deep" / "reader") as reader:
        assert reader.link_path.is_symlink()
    assert not reader.link_path.is_symlink()
    with Reader(tmp_path / "deep" / "reader"), DeskReader(str(reader.link_path)) as desk:
        assert desk.poll() is None


@pytest.mark.parametrize("seed", range(5))
def test_noise_before_and_after_frames_does_not_stop_the_driver(seed: int) -> None:
    """On asyncio, as on the board."""
    noise = random.Random(seed)
    body = bytes.fromhex("d50332010607")
    answer = b"\x00\x00\xff\x06\xfa" + body + bytes((-sum(body) & 0xFF, 0))
    wire = bytearray(ACK + noise.randbytes(noise.randrange(8)).replace(b"\xff", b"\xfe") + answer)

    async def read(count: int, timeout_ms: int) -> bytes:
        if len(wire) < count:
            raise OSError(110)
        data, wire[:count] = bytes(wire[:count]), b""
        return data

    async def write(data: bytes) -> None:
        assert data == pn532.frame(b"\x02")

    assert asyncio.run(pn532.run(pn532.Pn532().command(b"\x02"), read, write)) == body[2:]


def test_from_tap_to_reservation_in_time_at_real_speed(
    tmp_path: Path, desk: Desk, issued: CardInHand, secrets: Secrets
) -> None:
    """D20 within a second: at 115,200 baud with a real card's times, all card work before the valve opens."""
    desk.load(issued, 50_000)
    keys = CardKeys.of(secrets, UID)

    def authorise(session: desfire.Session) -> Iterator[bytes]:
        yield from session.select(layout.AID)
        yield from session.authenticate(layout.KEY_PUMP, keys.pump, os.urandom(16))
        yield from session.read_data(layout.FILE_IDENTITY, 0, layout.IDENTITY_SIZE)
        yield from session.read_data(layout.FILE_LIMITS, 0, layout.LIMITS_SIZE)
        yield from session.read_data(layout.FILE_STATE, 0, layout.STATE_SIZE)
        yield from session.get_value(layout.FILE_PURSE)
        yield from session.debit(layout.FILE_PURSE, 20_001)
        yield from session.write_data(layout.FILE_STATE, 0, layout.pack_state(1, 257, 1, 20_001, 1_790_000_000))
        yield from session.commit()

    with Reader(tmp_path / "reader") as reader, DeskReader(str(reader.link_path)) as link:
        reader.put(issued.card)
        start = time.monotonic()
        assert link.poll() == UID
        link.converse(authorise(desfire.Session()))
        took_s = time.monotonic() - start
    assert 0.08 < took_s < 1.0  # faster would mean that the emulation keeps no time
