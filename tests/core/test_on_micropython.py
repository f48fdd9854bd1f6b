"""The core is one source for two interpreters: a whole sale, torn and cut, runs on MicroPython as on CPython."""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SALES = Path(__file__).with_name("portable_sale.py")
CARDS = Path(__file__).with_name("portable_cards.py")
METER = Path(__file__).with_name("portable_meter.py")
ACCOUNT = Path(__file__).with_name("portable_account.py")


def _run(command: list[str], path: str) -> list[str]:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=ROOT, env=os.environ | {"MICROPYPATH": path}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    "script",
    [SALES, CARDS, METER, ACCOUNT],
    ids=["sales", "D21 D23 cards", "D8 D24 D30 meter", "D28 loads and accounts"],
)
def test_d29_the_same_sales_give_the_same_records_on_both_interpreters(script: Path) -> None:
    micropython = Path(sysconfig.get_path("scripts")) / "micropython"
    path = f".frozen:{ROOT}/firmware:{ROOT}/firmware/lib"
    board = _run([str(micropython), "-X", "heapsize=400wK", str(script)], path)
    host = _run([sys.executable, str(script)], "")
    assert board == host
    assert board[-1] == "ok"
    assert len([line for line in board if line.startswith("record")]) >= 20
