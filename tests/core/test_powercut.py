"""D15: power cut at every flash operation and every card command, torn, and cut again in what follows.

The whole of it is `make bench-powercut`; here: one story at all its moments, the others at some, and every controller
that is broken on purpose.
"""

import json

import pytest

from tools import bench_powercut
from tools.powercut.controls import CONTROLS, Control
from tools.powercut.exhaust import exhaust
from tools.powercut.flash import WatchedFlash
from tools.powercut.stories import STORIES, Told

EVERY = 43


def test_d15_d20_a_sale_survives_a_cut_at_each_of_its_moments_and_another_in_what_follows() -> None:
    result = exhaust(STORIES[0])
    assert result.texts == []
    assert result.cuts > 500


@pytest.mark.parametrize("told", STORIES[1:], ids=lambda told: told.name)
def test_d15_d20_every_story_survives_cuts(told: Told) -> None:
    result = exhaust(told, EVERY)
    assert result.texts == []
    assert result.cuts > 0


@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.what)
def test_d15_what_is_broken_on_purpose_is_caught_by_the_same_checks(control: Control) -> None:
    assert control.run(7).faults > 0


def test_a_story_keeps_what_it_keeps_without_the_break() -> None:
    """The controls' stories are sound when nothing is broken: it is the break that is caught."""
    for name in {control.story for control in CONTROLS}:
        told = next(told for told in STORIES if told.name == name)
        assert exhaust(told, 11, again=False).texts == []


def test_the_bench_ends_with_its_figures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_powercut, "CONTROLS", CONTROLS[-2:])
    assert bench_powercut.main(["--every", "9", "--story", "settings and lists"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert sum(line.startswith("broken on purpose") and ": caught" in line for line in said) == 2
    told = json.loads(said[-1])
    assert told.pop("cut_points") > 5
    assert told == {"records_lost": 0, "money_lost_fen": 0, "double_charged": 0, "controls_failed": True}


def test_torn_operations_leave_what_nor_flash_can_leave() -> None:
    """A program only clears bits, in the order of its bytes; an erase only sets them."""
    flash = WatchedFlash(1)
    flash.data[0:4] = b"\xff\xff\x0f\xff"
    left: list[bytes] = []
    flash.watch = lambda its, addr, images: left.extend(images)
    flash.program(0, b"\x01\x02\x03\x04")
    assert left == [
        b"\xff\xff\x0f\xff", b"\x01\xff\x0f\xff", b"\x01\x02\x0f\xff", b"\x01\x02\x03\xff", b"\x55\x57\x07\x55",
        b"\x01\x02\x03\x04",
    ]  # fmt: skip
    left.clear()
    flash.data[:] = bytes(4096)
    flash.erase(0)
    assert len(left) == 6 and left[0] == bytes(4096) and left[-1] == b"\xff" * 4096
    assert all(image[:1024] == b"\xff" * 1024 for image in left[1:4]) and left[4][:2048] == bytes(2048)
