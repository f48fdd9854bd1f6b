"""D26: time has a quality, and one answer does not move a clock that is right by hours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump.core.records import TIME_ESTIMATED, TIME_SYNCED, TIME_UNKNOWN
from pump.core.timekeeping import AGREE_S, BACK_S, SYNCED_S, judge

NOW = 1_800_000_000


@pytest.mark.parametrize(
    ("quality", "told", "taken"),
    [
        (TIME_UNKNOWN, 5, True),
        (TIME_SYNCED, NOW + SYNCED_S, True),
        (TIME_SYNCED, NOW - SYNCED_S, True),
        (TIME_SYNCED, NOW + SYNCED_S + 1, False),
        (TIME_SYNCED, NOW - 3600, False),
        (TIME_ESTIMATED, NOW + 40 * 86_400, True),
        (TIME_ESTIMATED, NOW - BACK_S, True),
        (TIME_ESTIMATED, NOW - BACK_S - 1, False),
    ],
)
def test_d26_what_is_believed_at_once(quality: int, told: int, taken: bool) -> None:
    good, doubts = judge(NOW, quality, told, ())
    assert good == taken and len(doubts) == (not taken)


def test_d26_only_the_third_answer_that_says_the_same_moves_the_clock() -> None:
    doubts: tuple[int, ...] = ()
    for told, taken in ((7200, False), (7202, False), (-50, True), (7200, False), (7203, False), (7201, True)):
        good, doubts = judge(NOW, TIME_SYNCED, NOW + told, doubts)
        assert good == taken
    for told in (7200, 90_000, 7200, 90_000, 7200):
        good, doubts = judge(NOW, TIME_SYNCED, NOW + told, doubts)
        assert not good, "answers that contradict each other convince nobody"


@given(st.lists(st.integers(-(10**9), 10**9), max_size=12))
def test_d26_no_two_answers_alone_move_a_synced_clock_far(answers: list[int]) -> None:
    doubts: tuple[int, ...] = ()
    for at, told in enumerate(answers):
        good, doubts = judge(NOW, TIME_SYNCED, NOW + told, doubts)
        if good and abs(told) > SYNCED_S:
            last = answers[at - 2 : at + 1]
            assert len(last) == 3 and max(last) - min(last) <= AGREE_S
