"""D27: the QR code of the receipt is the one an independent maker makes, on both interpreters, and reads back."""

import subprocess
import sysconfig
from pathlib import Path

import pytest
import segno
from hypothesis import example, given
from hypothesis import strategies as st

import qr
from pump.core import receipt

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["A", "HTTP://127.0.0.1:8082/R/" + "A2" * 22 + "B", "0123456789" * 7, qr.ALPHABET + "AB", "Z" * qr.MOST]


def made(text: str) -> list[int]:
    *_, rows = qr.rows(text)
    assert isinstance(rows, list)
    return rows


def expected(text: str) -> list[int]:
    """By segno, an encoder written apart from ours."""
    code = segno.make(text, error="l", version=3, mode="alphanumeric", mask=0, boost_error=False)
    return [int("".join(str(int(module)) for module in row), 2) for row in code.matrix]


def ends_on_a_byte(text: str) -> bool:
    """Here segno puts a byte of zeros before the pad codewords, which the standard does not ask for; it reads alike."""
    return (13 + len(text) // 2 * 11 + len(text) % 2 * 6 + 4) % 8 == 0


def read_back(rows: list[int]) -> str:
    """What stands in the code: placement, mask and alphanumeric mode by the standard's text."""
    fixed = [[False] * 29 for _ in range(29)]
    for r in range(29):
        for c in range(29):
            finder = (r <= 8 and c <= 8) or (r <= 8 and c >= 21) or (r >= 21 and c <= 8)
            fixed[r][c] = finder or 6 in (r, c) or (abs(r - 22) <= 2 and abs(c - 22) <= 2)
    bits, up = "", True
    for right in (28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 5, 3, 1):
        for r in range(28, -1, -1) if up else range(29):
            for c in (right, right - 1):
                if not fixed[r][c]:
                    bits += str((rows[r] >> (28 - c) & 1) ^ ((r + c) % 2 == 0))
        up = not up
    assert bits[:4] == "0010"
    length, at, text = int(bits[4:13], 2), 13, ""
    while len(text) < length:
        wide = 11 if length - len(text) > 1 else 6
        value = int(bits[at : at + wide], 2)
        text += qr.ALPHABET[value // 45] + qr.ALPHABET[value % 45] if wide == 11 else qr.ALPHABET[value]
        at += wide
    return text


@given(st.text(qr.ALPHABET, min_size=1, max_size=qr.MOST))
@example("HTTPS://X.CN/R/" + "Z7" * 20)
@example(TEXTS[1])
def test_d27_every_code_is_the_independent_encoders_module_by_module(text: str) -> None:
    rows = made(text)
    assert read_back(rows) == text
    if not ends_on_a_byte(text):
        assert rows == expected(text)


def test_d27_the_board_makes_the_same_codes() -> None:
    script = f"import sys; sys.path[:0] = ['{ROOT}/firmware/lib']\nimport qr\n"
    script += "for text in TEXTS:\n    for rows in qr.rows(text):\n        pass\n    print(rows)\n"
    micropython = Path(sysconfig.get_path("scripts")) / "micropython"
    command = [str(micropython), "-X", "heapsize=30wK", "-c", f"TEXTS = {TEXTS}\n{script}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [str(made(text)) for text in TEXTS], done.stderr


@pytest.mark.parametrize("text", ["a", "A" * (qr.MOST + 1), "元"])
def test_what_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="QR"):
        made(text)


def test_the_receipt_fits_behind_an_address_of_a_station() -> None:
    assert len("HTTP://192.168.100.200:8082/R/") + receipt.LENGTH <= qr.MOST
