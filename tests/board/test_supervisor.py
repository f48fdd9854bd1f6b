"""The supervisor on the real firmware: whatever goes wrong, the outputs are off and the board comes back. D13, D26."""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from pump import pins
from pump.core import records
from tools.bench import wires as w
from tools.bench.board import SimBoard, relays

Make = Callable[..., SimBoard]
SET_CLOCK_S = 850_000_000  # from 2000 on: December 2026


def until(look: Callable[[], object], timeout_s: float, board: SimBoard) -> None:
    deadline = time.monotonic() + timeout_s
    while not look():
        assert time.monotonic() < deadline, board.log()
        time.sleep(0.02)


def ticking(board: SimBoard) -> bool:
    """The control tick runs: it alone feeds the watchdog."""
    return board.wires.get("I", w.WDT_FED) > 20


def test_d13_a_relay_that_does_not_do_as_told_starves_the_watchdog(make_board: Make, commissioned: Any) -> None:
    board = make_board(**commissioned)
    board.power_on()
    until(lambda: ticking(board), 20, board)
    board.wires.put("Q", w.LEVELS, 1 << pins.MOTOR)  # the pin reads back high although the core wants it low
    until(lambda: "watchdog" in board.log(), 10, board)
    assert not relays(board.wires).motor
    until(lambda: ticking(board), 20, board)


def test_d13_a_hang_ends_in_the_watchdog_with_everything_off(make_board: Make, commissioned: Any) -> None:
    board = make_board(**commissioned)
    board.power_on()
    until(lambda: ticking(board), 20, board)
    assert board.pid is not None
    os.kill(board.pid, signal.SIGSTOP)
    until(lambda: "watchdog" in board.log(), 10, board)
    until(lambda: ticking(board), 20, board)
    assert relays(board.wires) == (False, 0, 0, False)


def test_d13_a_board_that_cannot_run_says_why_and_restarts_with_its_outputs_off(
    make_board: Make, commissioned: Any
) -> None:
    board = make_board(**commissioned, heap="38wK")  # too little for the firmware: an exception at every start
    seen = set()
    board.power_on()

    def restarted() -> bool:
        assert relays(board.wires) == (False, 0, 0, False)
        seen.add(board.pid)
        return len(seen - {None}) >= 3

    until(restarted, 20, board)
    assert "MemoryError" in board.log()


def test_a_board_that_was_never_commissioned_waits_at_its_prompt(make_board: Make, commissioned: Any) -> None:
    board = make_board(**commissioned)
    (board.home / "flash/identity.json").write_text('{"device": 257}')
    board.power_on()
    until(lambda: "not commissioned" in board.log() and board.log().endswith(">>> "), 10, board)
    assert relays(board.wires) == (False, 0, 0, False)
    assert board.wires.get("I", w.WDT_TIMEOUT_MS) == 0  # nobody resets it while it is being set up


def test_a_board_without_our_partitions_keeps_its_journal_in_files(make_board: Make, commissioned: Any) -> None:
    board = make_board(**commissioned)
    for name in ("journal.bin", "checkpoint.bin"):
        (board.home / name).unlink()
    board.power_on()
    until(lambda: ticking(board), 30, board)
    journal = (board.home / "flash/journal.bin").read_bytes()
    assert journal[:2] == b"\x01\x01"  # version 1, BOOT: the first record is there


def test_d26_the_clock_goes_on_from_the_journal_after_power_was_away(make_board: Make, commissioned: Any) -> None:
    """Without the station a restarted board takes its last record's time as an estimate, never 1970 or 2000."""
    board = make_board(**commissioned)
    board.wires.put("i", w.CLOCK_OFFSET_S, SET_CLOCK_S)  # as if somebody had set the chip's clock
    board.power_on()
    until(lambda: ticking(board), 20, board)
    board.power_off()
    board.wires.put("i", w.CLOCK_OFFSET_S, 0)
    board.power_on()
    until(lambda: ticking(board), 20, board)
    board.wires.put("I", w.SWITCHES, 1 << w.ESTOP)

    def journal() -> list[tuple[int, ...]]:
        data = (board.home / "journal.bin").read_bytes()[: 32 * records.SIZE]
        slots = [data[at : at + records.SIZE] for at in range(0, len(data), records.SIZE)]
        return [records.header(slot) for slot in slots if records.is_whole(slot)]

    until(lambda: journal()[-1][0] == records.ALARM, 10, board)
    first, second = (head for head in journal() if head[0] == records.BOOT)
    alarm = journal()[-1]
    assert first[1] == records.TIME_ESTIMATED and second[1] == records.TIME_UNKNOWN
    assert alarm[1] == records.TIME_ESTIMATED and 0 <= alarm[6] - first[6] < 60
