"""D6: whatever bytes a broker, or somebody in its place, sends: the client ends the connection or goes on."""

import subprocess
from pathlib import Path

import pytest

from tests.fuzz.seeds import TIMES, seeds
from tests.link.scripted import MICROPYTHON_PATH, interpreter

SCRIPT = Path(__file__).with_name("mqtt_bytes.py")
ENDS = {"OSError 104", "OSError 22"}  # the line ended; not MQTT


@pytest.mark.parametrize("seed", seeds(3))
def test_d6_any_bytes_end_the_connection_or_go_on_within_a_small_heap(seed: int) -> None:
    command = [interpreter(), "-X", "heapsize=56wK", str(SCRIPT), str(seed + 1), str(400 * min(TIMES, 50))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=250, env={"MICROPYPATH": MICROPYTHON_PATH})
    assert done.returncode == 0, done.stdout + done.stderr
    *outcomes, heard, last = done.stdout.splitlines()
    assert last == "ok"
    assert {line.rsplit(" ", 1)[0] for line in outcomes} == ENDS, outcomes
    words = heard.split()
    assert int(words[1]) > 100 and int(words[4]) > 10, heard
