"""The desk's card reader: a PN532 on a serial port, real or emulated; and a card in hand, for tests and the bench."""
# mypy: allow-untyped-calls

import time
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Protocol, Self, TypeVar

import serial

import pn532
from desfire_run import run

T = TypeVar("T")
BAUD = 115_200


class ReaderUnavailableError(ValueError):
    """No reader there, or it does not answer; the message (Chinese, then English) is for people."""


class CardLink(Protocol):
    """What carries frames to a card."""

    def poll(self) -> bytes | None:
        """Activate the card in the field: its 7-byte UID; b"" for a card of another kind; None if there is none."""

    def converse(self, conversation: Generator[bytes, bytes, T]) -> T:
        """Run a conversation (desfire.Session's generators) with the activated card; its value."""


class DeskReader:
    """A PN532 at a serial port (a name like /dev/ttyUSB0, or a pseudo-terminal's). Use it as a context manager."""

    def __init__(self, port: str) -> None:
        self._chip = pn532.Pn532()
        try:
            self._serial = serial.Serial(port, BAUD, timeout=0.5, write_timeout=1, exclusive=True)
            self._serial.reset_input_buffer()
        except (OSError, ValueError) as error:
            raise ReaderUnavailableError(f"打不开读卡器 {port} cannot open the reader: {error}") from None
        try:
            self._drive(self._chip.start())
        except ReaderUnavailableError:
            self._serial.close()
            raise ReaderUnavailableError(f"{port} 上没有 PN532 应答 no PN532 answers there") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._serial.close()

    def poll(self) -> bytes | None:
        uid: bytes | None = self._drive(self._chip.poll())
        return uid

    def converse(self, conversation: Generator[bytes, bytes, T]) -> T:
        value: T = run(conversation, lambda frame: self._drive(self._chip.exchange(frame)))
        return value

    def release(self) -> None:
        """Let the card go, so that the next poll sees it afresh."""
        self._chip.target = 0
        self._drive(self._chip.command(b"\x52\x00"))

    def _drive(self, operation: Generator[Any, Any, Any]) -> Any:
        """The synchronous twin of pn532.run."""
        try:
            want = next(operation)
            while True:
                try:
                    got = self._carry(want)
                except OSError as gone:
                    want = operation.throw(gone)
                else:
                    want = operation.send(got)
        except StopIteration as end:
            return end.value
        except (pn532.ReaderError, OSError) as error:
            raise ReaderUnavailableError(f"读卡器不应答 the reader does not answer: {error}") from None

    def _carry(self, want: bytes | tuple[int, int]) -> bytes:
        if isinstance(want, bytes):
            self._serial.write(want)
            return b""
        count, timeout_ms = want
        self._serial.timeout = timeout_ms / 1000
        got: bytes = self._serial.read(count)
        if len(got) < count:
            raise TimeoutError
        return got


class CardInHand:
    """An emulated card without a reader between: anything with exchange(frame), reset() and uid."""

    def __init__(self, card: Any) -> None:
        self.card = card

    def poll(self) -> bytes | None:
        self.card.reset()
        uid: bytes = self.card.uid
        return uid

    def converse(self, conversation: Generator[bytes, bytes, T]) -> T:
        value: T = run(conversation, self.card.exchange)
        return value


def wait_for_card(link: CardLink, timeout_s: float, given_up: Callable[[], bool] = lambda: False) -> bytes:
    """The UID of the card put to the reader within timeout_s. ReaderUnavailableError if none comes, or another kind."""
    end = time.monotonic() + timeout_s
    while True:
        uid = link.poll()
        if uid is not None:
            break
        if time.monotonic() > end or given_up():
            raise ReaderUnavailableError("读卡器上没有卡 there is no card on the reader")
        time.sleep(0.1)
    if len(uid) != 7:
        raise ReaderUnavailableError("这张卡不是 DESFire，不能作储值卡 not a DESFire card: it can never hold a purse")
    return uid
