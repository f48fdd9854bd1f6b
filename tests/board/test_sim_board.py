"""The simulated board is true to the chip: power, flash, watchdog, ticks, counters. D13, D14, D15, D29."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pump import pins
from tools import flash
from tools.bench import board as simulated
from tools.bench import wires as w
from tools.bench.board import SimBoard

Make = Callable[..., SimBoard]
SECTOR = 4096


def run(board: SimBoard, code: str) -> str:
    """Runs code at the board's console, without restarting it first."""
    return flash.mpremote(str(board.home / "console"), "resume", "exec", code).replace("\r\n", "\n").strip()


def leave_running(board: SimBoard, code: str) -> None:
    """Starts code that will not come back."""
    flash.mpremote(str(board.home / "console"), "resume", "exec", "--no-follow", code)


def until(look: Callable[[], object], timeout_s: float, board: SimBoard) -> None:
    deadline = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < deadline, board.log()
        time.sleep(0.02)


@pytest.fixture
def bare(make_board: Make) -> SimBoard:
    """A board with nothing on its flash: it comes up at its prompt."""
    board = make_board(identity=None)
    board.power_on()
    return board


def test_flash_only_clears_bits_and_erases_whole_sectors(bare: SimBoard) -> None:
    run(
        bare,
        "from esp32 import Partition\n"
        "p = Partition.find(Partition.TYPE_DATA, label='ckpt')[0]\n"
        "p.writeblocks(0, b'\\xf0', 10)\n"
        "p.writeblocks(0, b'\\x3c', 10)\n"
        "p.writeblocks(1, b'\\x00', 0)\n"
        "p.ioctl(6, 1)\n",
    )
    data = (bare.home / "checkpoint.bin").read_bytes()
    assert data[10] == 0xF0 & 0x3C and data[:10] == b"\xff" * 10
    assert data[SECTOR : 2 * SECTOR] == b"\xff" * SECTOR
    assert (bare.wires.get("I", w.PROGRAMS), bare.wires.get("I", w.ERASES)) == (3, 1)
    with pytest.raises(flash.FlashError, match="OSError"):
        run(bare, "p.writeblocks(8, b'x', 0)")  # beyond the partition


@pytest.mark.parametrize("seed", [1, 2, 77, 123456])
def test_d15_power_fails_inside_a_program_and_tears_it(bare: SimBoard, seed: int) -> None:
    data = bytes(range(1, 129))
    bare.arm_power_cut(2, seed)
    leave_running(
        bare,
        "from esp32 import Partition\n"
        "p = Partition.find(Partition.TYPE_DATA, label='ckpt')[0]\n"
        f"p.writeblocks(0, {data!r}, 0)\n"
        f"p.writeblocks(0, {data!r}, 256)\n"
        "print('never')\n",
    )
    until(lambda: not bare.running, 5, bare)
    kept = (bare.home / "checkpoint.bin").read_bytes()
    assert kept[:128] == data  # the first operation was whole
    torn = kept[256:384]
    same = next((n for n in range(128) if torn[n] != data[n]), 128)
    assert torn[same + 1 :] == b"\xff" * (127 - same)  # a beginning, at most one byte half done, the rest untouched
    assert "never" not in bare.log()
    bare.power_on()
    assert run(bare, "print('up again')") == "up again"


def test_d13_power_off_leaves_every_relay_open_at_once(bare: SimBoard) -> None:
    run(bare, f"import machine\nfor n in {pins.OUTPUTS}: machine.Pin(n, machine.Pin.OUT, value=1)")
    assert simulated.relays(bare.wires) == (True, 15, 15, True)
    bare.power_off()
    assert simulated.relays(bare.wires) == (False, 0, 0, False)


def test_d13_no_valve_without_permit_and_select(bare: SimBoard) -> None:
    run(bare, f"import machine\nmachine.Pin({pins.VALVE_BIG}, 3, value=1)\nmachine.Pin({pins.MOTOR}, 3, value=1)")
    assert simulated.relays(bare.wires) == (False, 0, 0, False)
    run(bare, f"import machine\nmachine.Pin({pins.PERMIT}, 3, value=1)")
    assert simulated.relays(bare.wires) == (True, 0, 0, True)
    run(bare, f"import machine\nmachine.Pin({pins.SELECT[2]}, 3, value=1)")
    assert simulated.relays(bare.wires) == (True, 0b100, 0, True)


def test_d13_a_watchdog_that_is_not_fed_bites(bare: SimBoard) -> None:
    run(bare, "import machine\nmachine.WDT(timeout=300)")
    until(lambda: "watchdog" in bare.log(), 5, bare)
    until(lambda: bare.running, 5, bare)
    assert run(bare, "import machine\nprint(machine.reset_cause() == machine.WDT_RESET)") == "True"


def test_ticks_wrap_and_the_clock_starts_in_2000(make_board: Make) -> None:
    board = make_board(identity=None)
    board.ticks_start = (1 << 30) - 200
    board.power_on()
    time.sleep(1)
    said = run(
        board, "import time\nprint(time.ticks_ms() < 60000, time.ticks_diff(50, (1 << 30) - 50), time.gmtime()[0])"
    )
    assert said == "True 100 2000"


def test_d14_counters_follow_the_wires_and_tell_when_a_threshold_is_passed(bare: SimBoard) -> None:
    prepare = (
        "from esp32 import PCNT\n"
        "c = PCNT(2, min=-30000, max=30000)\nc.start()\nhits = []\n"
        "c.init(threshold0=100)\n"
        "c.irq(lambda unit: hits.append(unit.irq().flags()), PCNT.IRQ_THRESHOLD0)\n"
    )
    run(bare, prepare)
    bare.wires.put("i", w.EDGES + 8, 99)
    assert run(bare, "print(c.value(), hits)") == "99 []"
    bare.wires.put("i", w.EDGES + 8, 130)
    assert run(bare, "print(c.value(), hits)") == "130 [2]"
    bare.wires.put("i", w.EDGES + 8, 30_005)
    assert run(bare, "print(c.value(), hits)") == "5 [2]"  # back to zero at the limit


def test_the_display_that_is_not_there_is_an_error_and_the_switches_are_read(bare: SimBoard) -> None:
    bare.wires.put("I", w.SWITCHES, 0b0010 | 1 << w.TAMPER)
    bare.wires.put("H", w.KEYS, 1 << 7)  # second row, fourth column: B
    code = (
        "from machine import I2C\ni = I2C(0)\nb = bytearray(2)\n"
        "i.writeto(0x20, bytes((0, 0xFD)))\ni.readfrom_mem_into(0x20, 0x12, b)\n"
        "print(b[0] >> 4, b[1] & 15, b[1] >> 4 & 1)"
    )
    assert run(bare, code) == "7 13 1"
    assert run(bare, "try:\n i.writeto(0x27, b'x')\nexcept OSError as e: print(e.errno)") == "19"


def test_a_killed_interpreter_comes_back_and_one_that_left_by_itself_is_restarted(bare: SimBoard) -> None:
    assert bare.pid is not None
    first = bare.pid
    leave_running(bare, "import machine\nmachine.reset()")
    until(lambda: bare.pid not in (None, first), 5, bare)
    assert run(bare, "import machine\nprint(machine.reset_cause())") == "2"


def test_boot_py_repeats_the_pins_of_pins_py() -> None:
    """boot.py loads nothing before the outputs are off, so it carries the list itself."""
    text = (Path(__file__).parents[2] / "firmware/boot.py").read_text()
    assert f"in ({', '.join(map(str, pins.OUTPUTS))}):" in text
    wired = {pins.PERMIT, pins.MOTOR, pins.VALVE_BIG, pins.VALVE_SMALL, *pins.SELECT}
    assert wired == set(pins.OUTPUTS)
