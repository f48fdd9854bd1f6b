"""A pump that fails at every start neither wears itself out nor shuts people out. D13."""

import time
from collections.abc import Callable
from typing import Any

from tests.board.test_supervisor import ticking, until
from tools.bench import wires as w
from tools.bench.board import SimBoard, relays
from tools.flash import mpremote

Make = Callable[..., SimBoard]


def test_d13_after_five_failed_starts_a_pump_waits_with_its_outputs_off_and_its_console_open(
    make_board: Make, commissioned: Any
) -> None:
    board = make_board(**commissioned)
    board.wires.put("I", w.FAULT, w.TICK_RAISES)  # at every start
    board.power_on()
    until(lambda: "5 starts have failed, waiting 10 s" in board.log(), 40, board)
    waits_since, pid = time.monotonic(), board.pid
    board.wires.put("I", w.FAULT, 0)
    while time.monotonic() - waits_since < 3:
        assert relays(board.wires) == (False, 0, 0, False)
        assert board.pid == pid, "it does not start again meanwhile"
        time.sleep(0.05)
    assert mpremote(str(board.home / "console"), "resume", "exec", "print(6 * 7)").strip() == "42"
    board.reset()
    until(lambda: "6 starts have failed, waiting 20 s" in board.log(), 10, board)
    board.power_off()  # somebody switches it off and on: it starts at once
    board.power_on()
    until(lambda: ticking(board), 6, board)
