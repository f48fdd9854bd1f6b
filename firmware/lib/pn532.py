"""NXP PN532 over a serial line (user manual UM0701-02), without any input or output of its own.

Every operation is a generator that asks for bytes to be carried: it yields either a frame to write (bytes) or how many
bytes to read and how long to wait at most (count, timeout_ms), and is sent what was read. An OSError thrown into it
means that the time ran out. `run` drives it on asyncio (board); station/cards/reader.py does on a serial port (desk).
"""

from cardlost import CardLost

ACK = b"\x00\x00\xff\x00\xff\x00"
WAKE_UP = b"\x55\x55" + bytes(14)
ANSWER_MS = 400
POLL_MS = 150
MOST_PASSED = 600  # bytes of noise and of frames of earlier commands, in front of an answer


class ReaderError(Exception):
    """The reader does not answer, or not as a PN532."""


def frame(payload):
    """The host-to-chip frame of a command (UM0701-02 6.2.1.1); payload is up to 254 bytes."""
    body = b"\xd4" + payload
    length = len(body)
    return b"\x00\x00\xff" + bytes((length, -length & 0xFF)) + body + bytes((-sum(body) & 0xFF, 0))


def _answer(code, timeout_ms):
    """Wait for the frame that answers command `code`; frames of an earlier, given up command are passed over. OSError
    for a chip that goes on and on: it is as good as silent."""
    passed = 0
    while passed < MOST_PASSED:
        head = yield 5, timeout_ms
        while head[1:3] != b"\x00\xff" and passed < MOST_PASSED:
            head = head[1:] + (yield 1, timeout_ms)
            passed += 1
        length = head[3]
        passed += 6
        if (length + head[4]) & 0xFF or not length:  # an ACK, or noise
            yield 1, timeout_ms
            continue
        body = yield length + 2, timeout_ms
        passed += length
        if sum(body[:-1]) & 0xFF == 0 and body[0] == 0xD5 and body[1] == code + 1:
            return body[2:-2]
        if body[0] == 0x7F:
            raise ReaderError("syntax")
    raise OSError(110)


class Pn532:
    """One reader and the card in its field. `target` is the card's number there, 0: none."""

    def __init__(self):
        self.target = 0

    def command(self, payload, timeout_ms=ANSWER_MS):
        """Carry out a command (code, then parameters); returns the answer's data. ReaderError if none comes."""
        try:
            yield frame(payload)
            return (yield from _answer(payload[0], timeout_ms))
        except OSError:
            yield ACK  # the chip drops what it was doing
            raise ReaderError("no answer")

    def start(self):
        """Wake the chip and set it up for polling; returns the firmware version: IC, version, revision, support."""
        self.target = 0
        yield WAKE_UP
        yield from self.command(b"\x14\x01\x00\x00")  # SAMConfiguration: normal mode; also ends low-power wake-up
        firmware = yield from self.command(b"\x02")
        yield from self.command(b"\x32\x05\xff\x01\x01")  # RFConfiguration: try an activation twice, then say no card
        yield from self.command(b"\x32\x02\x00\x0b\x0d")  # time-outs: ATR 102 ms, a card's answer 409 ms
        return firmware

    def poll(self):
        """Look for one ISO 14443-4 card at 106 kbit/s: its UID, None if there is no card, b"" for one without -4."""
        self.target = 0
        answer = yield from self.command(b"\x4a\x01\x00", POLL_MS)
        if len(answer) < 6 or not answer[0]:
            return None
        uid = answer[6 : 6 + answer[5]]
        if not answer[4] & 0x20:
            return b""
        self.target = answer[1]
        return bytes(uid)

    def exchange(self, data):
        """One frame to the card, its answer back. CardLost if it does not answer."""
        if not self.target:
            raise CardLost()
        try:
            answer = yield from self.command(b"\x40" + bytes((self.target,)) + data, ANSWER_MS + 200)
        except ReaderError:
            self.target = 0
            raise CardLost()
        if len(answer) < 2 or answer[0] & 0x3F:
            self.target = 0
            raise CardLost()
        return bytes(answer[1:])

    def present(self):
        """Diagnose, attention request test: True while the activated card is still in the field."""
        if not self.target:
            return False
        answer = yield from self.command(b"\x00\x06")
        return len(answer) > 0 and answer[0] == 0


async def run(operation, read, write):
    """Drive an operation to its end; returns its value.

    `await read(count, timeout_ms)` gives exactly count bytes or raises OSError; `await write(data)` sends data.
    """
    try:
        want = next(operation)
        while True:
            try:
                if isinstance(want, bytes):
                    got = await write(want)
                else:
                    got = await read(want[0], want[1])
            except OSError as gone:
                want = operation.throw(gone)
            else:
                want = operation.send(got)
    except StopIteration as end:
        return end.value
