"""A PN532 on a pseudo-terminal: the serial line of a simulated pump's reader, or of the desk's.

    with Reader(Path("var/bench/desk/reader")) as reader:
        reader.put(card)
        ...                                  # pumpside, libnfc (pn532_uart:...) or the firmware talk to the path
        reader.tear_after(3, done=True)      # the third card frame from now is carried out, the answer lost
        card = reader.take()

Answers come when a real reader's would: the line's bytes at `baud`, the chip and the card each take their time.
"""

import contextlib
import os
import select
import threading
import time
import tty
from collections import deque
from pathlib import Path
from types import TracebackType

from tools.bench.desfire_card import DesfireCard
from tools.bench.pn532_chip import SYNTAX_ERROR, Chip

ACK = b"\x00\x00\xff\x00\xff\x00"
NACK = b"\x00\x00\xff\xff\x00\x00"
BITS_PER_BYTE = 10


def frame(body: bytes) -> bytes:
    """The chip's frame around a body (direction byte D5, code, data; or an error code alone)."""
    length = len(body)
    return b"\x00\x00\xff" + bytes((length, -length & 0xFF)) + body + bytes((-sum(body) & 0xFF, 0))


class Reader:
    """A reader at link_path. Thread-safe; the thread ends with stop()."""

    def __init__(self, link_path: Path, baud: int = 115_200, realistic: bool = True) -> None:
        self.link_path = Path(link_path)
        self.baud = baud
        self.realistic = realistic
        self.dead = False  # True: answers nothing, as with its wires off
        self._chip = Chip()
        self._lock = threading.RLock()
        self._thread: threading.Thread | None = None
        self._drop = 0
        self._received = bytearray()
        self._searching: bytes | None = None  # an InListPassiveTarget that waits for a card
        self._due: deque[tuple[float, bytes]] = deque()
        self._last_answer = ACK

    # -- in people's hands

    @property
    def card(self) -> DesfireCard | None:
        """The card in the field. A torn card has left it."""
        return self._chip.card

    def put(self, card: DesfireCard) -> None:
        """Hold a card to the reader. RuntimeError if one is there already."""
        with self._lock:
            if self._chip.card is not None:
                raise RuntimeError("读卡器上已有卡 there is a card on the reader")
            self._chip.put(card)
        self._wake()

    def take(self) -> DesfireCard | None:
        """Take the card away, even in the middle of a command; None if there was none."""
        with self._lock:
            return self._chip.take()

    def tear_after(self, frames: int, done: bool = False) -> None:
        """The card leaves at the frames-th frame from now (1: the next); done: it still carries it out."""
        with self._lock:
            if self._chip.card is None:
                raise RuntimeError("读卡器上没有卡 there is no card on the reader")
            self._chip.card.tear_at(frames, done)

    def drop_answer(self, answers: int = 1) -> None:
        """The next answers are lost on the line; what they answer was done."""
        with self._lock:
            self._drop = answers

    # -- running

    def start(self) -> "Reader":
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self._wake_out, self._wake_in = os.pipe()
        os.set_blocking(self._wake_in, False)
        os.set_blocking(self._master, False)
        self.link_path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.link_path.with_name(self.link_path.name + f".{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(self._slave))
        fresh.replace(self.link_path)
        self._running = True
        self._thread = threading.Thread(target=self._run, name=f"pn532 {self.link_path}", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        if self._thread is None:
            return
        self._running = False
        self._wake()
        self._thread.join()
        self._thread = None
        own = os.ttyname(self._slave)
        with contextlib.suppress(OSError):
            if os.readlink(self.link_path) == own:
                self.link_path.unlink()
        for handle in (self._master, self._slave, self._wake_out, self._wake_in):
            os.close(handle)

    def __enter__(self) -> "Reader":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _wake(self) -> None:
        if self._thread is not None:
            with contextlib.suppress(BlockingIOError):
                os.write(self._wake_in, b"!")

    def _run(self) -> None:
        while self._running:
            wait = max(0.0, self._due[0][0] - time.monotonic()) if self._due else None
            ready = select.select([self._master, self._wake_out], [], [], wait)[0]
            with self._lock:
                if self._wake_out in ready:
                    os.read(self._wake_out, 64)
                    if self._searching is not None and not self.dead:
                        self._carry_out(self._searching, 0)
                if self._master in ready:
                    with contextlib.suppress(OSError):
                        self._received += os.read(self._master, 4096)
                    self._take_frames()
                while self._due and self._due[0][0] <= time.monotonic():
                    self._send(self._due.popleft()[1])

    def _send(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # nobody reads and the line's buffer is full: lost, as on a wire
            os.write(self._master, data)

    # -- frames

    def _take_frames(self) -> None:
        if self.dead:
            self._received.clear()
            self._due.clear()
            return
        while (start := self._received.find(b"\x00\xff")) >= 0:
            head = self._received[start + 2 : start + 4]
            if len(head) < 2:
                return
            length = head[0]
            if length == 0 or length == 0xFF:  # ACK: stop what you do; NACK: say that again
                del self._received[: start + 4]
                self._searching = None
                self._due.clear()
                if length == 0xFF:
                    self._answer(self._last_answer, 0, 0)
                continue
            if (length + head[1]) & 0xFF:
                del self._received[: start + 2]
                continue
            end = start + 4 + length + 1
            if len(self._received) < end:
                return
            body = bytes(self._received[start + 4 : end])
            del self._received[:end]
            if sum(body) & 0xFF == 0 and body[0] == 0xD4 and length >= 2:
                self._due.clear()  # a new command ends the one before
                line_us = self._line_us(len(body) + 6)
                self._answer(ACK, line_us, 0)
                self._carry_out(body[1:-1], line_us + self._line_us(len(ACK)))
        # Keep a start code that may be cut in two.
        del self._received[:-1]

    def _carry_out(self, payload: bytes, after_us: int) -> None:
        answer = self._chip.command(payload)
        self._searching = payload if answer is None else None
        if answer is None:
            return
        self._last_answer = frame(answer if answer == SYNTAX_ERROR else b"\xd5" + answer)
        if self._drop:
            self._drop -= 1
            return
        self._answer(self._last_answer, after_us, self._chip.busy_us)

    def _answer(self, data: bytes, after_us: int, busy_us: int) -> None:
        delay_us = after_us + busy_us + self._line_us(len(data)) if self.realistic else 0
        self._due.append((time.monotonic() + delay_us / 1e6, data))

    def _line_us(self, count: int) -> int:
        return count * BITS_PER_BYTE * 1_000_000 // self.baud
