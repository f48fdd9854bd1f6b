"""D2: what the pump says by ear is heard: the buzzer's own pin on the real firmware."""

import time
from collections.abc import Callable
from typing import Any

from pump import pins
from tools.bench import wires as w
from tools.bench.board import SimBoard


def sounded(board: SimBoard, within_s: float) -> bool:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if board.wires.level(pins.BUZZER):
            return True
        time.sleep(0.005)
    return False


def test_d2_a_key_that_means_something_is_heard_and_one_that_does_not_is_not(
    make_board: Callable[..., SimBoard], commissioned: dict[str, Any]
) -> None:
    board = make_board(**commissioned)
    board.power_on()
    end = time.monotonic() + 20
    while board.wires.get("I", w.WDT_FED) < 20:
        assert time.monotonic() < end, board.log()
        time.sleep(0.05)

    def press(key: str) -> bool:
        board.wires.put("H", w.KEYS, 1 << "123A456B789C*0#D".index(key))
        heard = sounded(board, 0.5)
        board.wires.put("H", w.KEYS, 0)
        time.sleep(0.3)
        return heard

    assert press("5")
    assert press("B")
    assert [press("1") for _ in range(4)] == [True, True, True, False], "four digits are all that a preset has"
