"""Card numbers: unique over stations, and a slip of the finger is noticed (C5)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cards import numbers

NUMBERS = st.builds(numbers.make, st.integers(1, 65_535), st.integers(1, numbers.MAX_SERIAL))


def test_the_check_digit_is_that_of_the_standards_example() -> None:
    """ISO/IEC 7812-1, annex B: 4992 7398 71 is completed by 6."""
    assert numbers.check_digit("4992739871") == "6"


@given(NUMBERS)
def test_a_number_survives_typing_and_the_card(number: str) -> None:
    assert len(number) == 16
    assert numbers.parse(numbers.shown(number)) == number == numbers.from_bcd(numbers.to_bcd(number))
    assert numbers.make(int(number[3:8]), numbers.serial_of(number)) == number


@given(NUMBERS, st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_noticed(number: str, place: int, more: int) -> None:
    wrong = str((int(number[place]) + more) % 10)
    with pytest.raises(ValueError, match="校验位"):
        numbers.parse(number[:place] + wrong + number[place + 1 :])


@given(NUMBERS, st.integers(0, 14))
def test_two_digits_in_the_wrong_order_are_noticed(number: str, place: int) -> None:
    """All but 09 and 90, which the Luhn formula cannot tell apart."""
    pair = number[place : place + 2]
    if pair[0] == pair[1] or pair in ("09", "90"):
        return
    with pytest.raises(ValueError, match="校验位"):
        numbers.parse(number[:place] + pair[::-1] + number[place + 2 :])


@pytest.mark.parametrize(("station", "serial"), [(0, 1), (65_536, 1), (1, 0), (1, numbers.MAX_SERIAL + 1)])
def test_a_range_that_is_used_up_is_told(station: int, serial: int) -> None:
    with pytest.raises(ValueError, match="卡号"):
        numbers.make(station, serial)
