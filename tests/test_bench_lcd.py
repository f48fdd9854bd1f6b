"""The bench reads the pump's display off the I2C bus, as the real chips would (HD44780U behind a PCF8574)."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.bench.lcd import Lcd

RS, E, BACKLIGHT = 1, 4, 8


class Backpack:
    """A driver as the data sheet describes it, written apart from the firmware's."""

    def __init__(self, fifo: Path) -> None:
        self.fd = os.open(fifo, os.O_WRONLY)

    def frame(self, data: bytes, address: int = 0x27) -> None:
        os.write(self.fd, bytes((address, len(data))) + data)

    def nibble(self, value: int, flags: int) -> bytes:
        pins = value << 4 | flags | BACKLIGHT
        return bytes((pins | E, pins))

    def send(self, value: int, rs: int = 0) -> None:
        self.frame(self.nibble(value >> 4, rs) + self.nibble(value & 15, rs))

    def start(self) -> None:
        for value in (3, 3, 3, 2):
            self.frame(self.nibble(value, 0))
        for command in (0x28, 0x0C, 0x06, 0x01):
            self.send(command)

    def write(self, text: bytes) -> None:
        for code in text:
            self.send(code, RS)


@pytest.fixture
def lcd(tmp_path: Path) -> Iterator[Lcd]:
    display = Lcd(tmp_path / "lcd.fifo")
    yield display
    display.close()


def test_text_written_to_each_row_stands_where_a_20x4_module_shows_it(lcd: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    for row, begin in enumerate((0x00, 0x40, 0x14, 0x54)):
        bus.send(0x80 | begin)
        bus.write(b"row %d" % row)
    assert lcd.poll()
    assert [line.rstrip() for line in lcd.state()["lines"]] == ["row 0", "row 1", "row 2", "row 3"]
    assert lcd.state()["backlight"]


def test_a_line_that_is_too_long_runs_on_in_the_third_row_as_on_the_real_module(lcd: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.write(b"12345678901234567890abc")
    lcd.poll()
    assert lcd.state()["lines"][2].startswith("abc")


def test_custom_glyphs_are_shown_with_their_dots(lcd: Lcd, tmp_path: Path) -> None:
    yuan = [0x1F, 0x00, 0x1F, 0x0A, 0x0A, 0x0A, 0x13, 0x00]
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.send(0x40 | 2 << 3)
    bus.write(bytes(yuan))
    bus.send(0x80)
    bus.write(b"12\x02")
    lcd.poll()
    assert lcd.state()["lines"][0].rstrip() == "12\ue002"
    assert lcd.state()["glyphs"][2] == yuan


def test_a_dark_display_shows_nothing_and_a_board_without_power_shows_nothing(lcd: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.write(b"visible")
    lcd.poll()
    assert lcd.state()["lines"][0].startswith("visible")
    bus.send(0x08)
    lcd.poll()
    assert lcd.state()["lines"][0].strip() == "" and not lcd.state()["on"]
    bus.send(0x0C)
    lcd.poll()
    assert lcd.state()["lines"][0].startswith("visible")
    lcd.power_off()
    assert not lcd.state()["on"] and not lcd.state()["backlight"]


def test_a_restarted_board_is_read_right_though_it_died_between_two_nibbles(lcd: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.frame(bus.nibble(4, RS))  # half a character, then a reset without power loss
    bus.start()
    bus.write(b"again")
    lcd.poll()
    assert lcd.state()["lines"][0].rstrip() == "again"


def test_frames_to_other_chips_and_frames_in_pieces_do_not_disturb(lcd: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.frame(b"\xff\xff\xff", address=0x20)
    whole = bytes((0x27, 4)) + bus.nibble(4, RS) + bus.nibble(1, RS)
    os.write(bus.fd, whole[:3])
    lcd.poll()
    os.write(bus.fd, whole[3:])
    lcd.poll()
    assert lcd.state()["lines"][0].rstrip() == "A"


@pytest.fixture
def glass(tmp_path: Path) -> Iterator[Lcd]:
    display = Lcd(tmp_path / "lcd.fifo", graphic=True)
    yield display
    display.close()


def test_chinese_written_to_each_row_of_the_graphic_display_stands_there(glass: Lcd, tmp_path: Path) -> None:
    """ST7920: rows begin at 0x80, 0x90, 0x88, 0x98; an address holds one Chinese or two Latin characters."""
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    for row, begin in enumerate((0x80, 0x90, 0x88, 0x98)):
        bus.send(begin)
        bus.write(f"第 {row}行 row {row}".encode("gb2312"))
    glass.poll()
    state = glass.state()
    assert [line.rstrip() for line in state["lines"]] == [f"第 {row}行 row {row}" for row in range(4)]
    assert state["kind"] == "graphic" and state["on"] and state["picture"] == []


def test_a_chinese_character_at_an_odd_column_is_seen_as_the_fault_it_is(glass: Lcd, tmp_path: Path) -> None:
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.write("1元".encode("gb2312"))
    glass.poll()
    assert "元" not in glass.state()["lines"][0] and "\u25af" in glass.state()["lines"][0]


def test_a_picture_is_shown_when_it_is_switched_on_and_noise_before_is_not(glass: Lcd, tmp_path: Path) -> None:
    """Extended instructions: row, then word, then two bytes a word; words 8..15 are the lower half of the glass."""
    bus = Backpack(tmp_path / "lcd.fifo")
    bus.start()
    bus.send(0x24)
    for row in range(32):
        bus.send(0x80 | row)
        bus.send(0x80)
        bus.write(bytes((row + 1,)) + bytes(15) + bytes((row + 33,)) + bytes(15))
    glass.poll()
    assert glass.state()["picture"] == []
    bus.send(0x26)
    bus.send(0x28)
    glass.poll()
    picture = glass.state()["picture"]
    assert [int(row[:2], 16) for row in picture] == list(range(1, 65))
    assert all(row[2:] == "0" * 30 for row in picture)
    bus.send(0x80)
    bus.write("文".encode("gb2312"))
    glass.poll()
    assert glass.state()["lines"][0].startswith("文"), "text goes on as before"
