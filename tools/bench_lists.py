"""How long a look-up in the card lists takes on a board, and how much flash a card takes: python -m tools.bench_lists.

A station's own code packs 100,000 blocked cards, scattered over ten million cards of twenty stations, into the image
that pumps carry; the pump's own code (pump.core.lists) looks them up on the MicroPython binary, half of them listed and
half not, behind 48 changes that are looked through first. Ends with one line of JSON.

Board time is not desktop time. It is worked out, not measured on a chip:

    board ms = interpreter time here * FACTOR + flash reads * READ_MS

FACTOR: how much slower an ESP32 at 240 MHz runs the byte code than the interpreter here; assumed, never measured on a
chip. READ_MS: one esp_partition_read() of up to 128 bytes; assumed as well, meant to be on the safe side. Each look-up
is timed three times and the quickest counts: what another process on this machine takes is not the list's.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from pump.core import lists
from station.cards.numbers import make
from station.forecourt.card_lists import SLOT_BYTES, pages
from tools import image

ENTRIES = 100_000
STATIONS, CARDS_PER_STATION = 20, 500_000
LOOK_UPS = 1000
FACTOR, READ_MS = 100, 0.1
_SCRIPT = """
import sys, time
from pump.core import lists
class Flash:
    sectors = 128
    reads = 0
    def __init__(self, data):
        self.data = memoryview(data)
    def readinto(self, addr, buf):
        self.reads += 1
        buf[:] = self.data[addr : addr + len(buf)]
class Pump:
    pass
ctl = Pump()
with open(sys.argv[1], "rb") as file:
    ctl.list_flash = Flash(file.read())
changes = b"".join([lists.key("6299999%08d0" % n) for n in range(48)])
ctl.lists = (1, 0, 1, 0, int(sys.argv[2]), 0, ((changes, b"", b"", b""),))
for line in open(sys.argv[3]):
    wanted = lists.key(line[:16])
    best = 1 << 29
    for _ in range(3):
        ctl.list_flash.reads = 0
        begun = time.ticks_us()
        found = lists.listed(ctl, wanted, 0)
        best = min(best, time.ticks_diff(time.ticks_us(), begun))
    print(best, ctl.list_flash.reads, int(found))
"""


def run(entries: int, seed: int) -> dict[str, float]:
    """The figures. RuntimeError if a single answer was wrong."""
    rng = random.Random(seed)
    every = range(STATIONS * CARDS_PER_STATION)
    chosen = rng.sample(every, entries + LOOK_UPS // 2)
    numbers = [make(1 + n // CARDS_PER_STATION, 1 + n % CARDS_PER_STATION) for n in chosen]
    listed, others = numbers[:entries], numbers[entries:]
    packed = pages(sorted(listed))
    asked = rng.sample(listed, LOOK_UPS - len(others)) + others
    rng.shuffle(asked)
    with tempfile.TemporaryDirectory(prefix="pumpside-lists-") as scratch:
        slot, questions = Path(scratch) / "slot", Path(scratch) / "asked"
        slot.write_bytes(packed)
        questions.write_text("".join(f"{number}\n" for number in asked))
        command = [str(image.micropython()), "-X", "heapsize=2M", "-c", _SCRIPT]
        command += [str(slot), str(len(packed) // lists.PAGE), str(questions)]
        path = f".frozen:{image.FIRMWARE}:{image.FIRMWARE / 'lib'}"
        done = subprocess.run(command, capture_output=True, text=True, env={"MICROPYPATH": path}, timeout=300)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    there = set(listed)
    board_ms = []
    for number, line in zip(asked, done.stdout.splitlines(), strict=True):
        here_us, reads, found = map(int, line.split())
        if bool(found) != (number in there):
            raise RuntimeError(f"wrong answer for {number}")
        board_ms.append(here_us * FACTOR / 1000 + reads * READ_MS)
    board_ms.sort()
    print(f"{len(asked)} look-ups, all answers right; board ms p50 {board_ms[len(board_ms) // 2]:.2f}")
    print(f"image {len(packed)} bytes; a slot holds {SLOT_BYTES}")
    return {
        "entries": entries,
        "lookup_ms_p99": round(board_ms[len(board_ms) * 99 // 100], 2),
        "flash_bytes_per_entry": round(len(packed) / entries, 3),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench_lists", description="名单查询 · Card list look-up.")
    parser.add_argument("--entries", type=int, default=ENTRIES, help="名单卡数 · cards on the list, e.g. 100000")
    parser.add_argument("--seed", type=int, default=1, help="随机种子 · seed, e.g. 1")
    chosen = parser.parse_args(arguments)
    print(f"board time = interpreter time * {FACTOR} + {READ_MS} ms a flash read")
    try:
        result = run(chosen.entries, chosen.seed)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
