"""D27: a receipt says what its sale's END record says, and nobody without the device's key can make or change one."""

import subprocess
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump.core import receipt, records

ROOT = Path(__file__).resolve().parents[2]
KEY = bytes(range(32))
FIGURES = st.tuples(
    st.integers(0, 2**32 - 1),  # device
    st.integers(0, 2**32 - 1),  # sequence
    st.integers(0, 2**32 - 1),  # time
    st.integers(0, 15),  # grade
    st.integers(0, 2**20 - 1),  # ml
    st.integers(0, 2**20 - 1),  # fen
    st.integers(0, 2**17 - 1),  # price
)


@given(FIGURES)
def test_d27_what_was_written_is_read_and_proves_itself(figures: tuple[int, ...]) -> None:
    text = receipt.encode(KEY, *figures)
    assert len(text) == receipt.LENGTH and set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
    found = receipt.decode(text)
    assert found is not None and found[:7] == figures
    assert receipt.is_genuine(KEY, *found[7:])
    assert not receipt.is_genuine(bytes(32), *found[7:])


@given(FIGURES, st.integers(0, receipt.LENGTH - 1), st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"))
def test_d27_one_changed_character_is_found(figures: tuple[int, ...], at: int, other: str) -> None:
    text = receipt.encode(KEY, *figures)
    forged = text[:at] + other + text[at + 1 :]
    found = receipt.decode(forged)
    assert forged == text or found is None or not receipt.is_genuine(KEY, *found[7:])


@given(st.text(max_size=60))
def test_d27_nonsense_is_no_receipt_and_no_error(text: str) -> None:
    found = receipt.decode(text)
    assert found is None or not receipt.is_genuine(KEY, *found[7:])


@pytest.mark.parametrize("at, value", [(3, 16), (4, 2**20), (5, 2**20), (6, 2**17)])
def test_figures_beyond_a_receipt_are_refused_rather_than_cut(at: int, value: int) -> None:
    figures = [257, 1, 1_790_000_000, 1, 1, 1, 1]
    figures[at] = value
    with pytest.raises(ValueError, match="too large"):
        receipt.encode(KEY, *figures)


def test_a_records_mac_is_never_a_receipts() -> None:
    """Both are made with the journal key: what is hashed differs in length, whatever stands in it."""
    signed = bytes(20)
    same_bytes = records.mac(KEY, receipt.PURPOSE, signed + bytes(records.MAC_AT - 20))
    assert not receipt.is_genuine(KEY, signed, same_bytes[:8])


def test_d27_the_board_writes_the_same_text() -> None:
    figures = (257, 12345, 1_790_000_000, 2, 6_607, 4_995, 806)
    script = (
        f"import sys; sys.path[:0] = ['{ROOT}/firmware', '{ROOT}/firmware/lib']\n"
        f"from pump.core import receipt\nprint(receipt.encode({KEY!r}, *{figures}))"
    )
    micropython = Path(sysconfig.get_path("scripts")) / "micropython"
    done = subprocess.run([str(micropython), "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == receipt.encode(KEY, *figures), done.stderr
