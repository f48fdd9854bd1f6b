"""What a PN532 does with a command (NXP UM0701-02): the chip without its serial line, and the card in its field."""

from collections.abc import Callable

from desfire import CardLost
from tools.bench.desfire_card import ATQA, ATS, SAK, DesfireCard

FIRMWARE = bytes.fromhex("32010607")  # PN532, version 1.6, ISO 14443 A and B, ISO 18092
SYNTAX_ERROR = b"\x7f"
TIMEOUT, WRONG_CONTEXT = 0x01, 0x27
ENDLESS = 0xFF  # MxRtyPassiveActivation: look for a card until told to stop

# The time a card takes over the air and inside, for the reader's timing.
CARD_BASE_US, CARD_BYTE_US, CARD_WRITE_US, ACTIVATE_US, SEARCH_US = 2_500, 85, 4_000, 9_000, 5_000


class Chip:
    """One chip. `busy_us` is how long the last command took it and the card."""

    def __init__(self) -> None:
        self.card: DesfireCard | None = None
        self.busy_us = 0
        self._field = True
        self._active = False  # the card is activated as target 1
        self._retries = ENDLESS
        self._registers: dict[bytes, int] = {}
        self._commands: dict[int, Callable[[bytes], bytes | None]] = {
            0x00: self._diagnose,
            0x02: lambda data: FIRMWARE,
            0x04: self._status,
            0x06: lambda data: bytes(self._registers.get(data[i : i + 2], 0) for i in range(0, len(data) - 1, 2)),
            0x08: self._write_registers,
            0x12: lambda data: b"",
            0x14: lambda data: b"",
            0x16: lambda data: b"\0",
            0x32: self._configure,
            0x40: self._exchange,
            0x42: lambda data: bytes((TIMEOUT,)),  # raw frames: a card in ISO 14443-4 does not answer them
            0x44: self._release,
            0x4A: self._list,
            0x52: self._release,
            0x54: self._select,
        }

    def put(self, card: DesfireCard) -> None:
        """A card comes into the field."""
        card.reset()
        self.card, self._active = card, False

    def take(self) -> DesfireCard | None:
        """The card leaves the field, whatever was going on."""
        card, self.card, self._active = self.card, None, False
        if card:
            card.reset()
        return card

    def command(self, payload: bytes) -> bytes | None:
        """The answer to a command (code, parameters) as code + 1 and data; None: still looking for a card."""
        self.busy_us = 300
        function = self._commands.get(payload[0])
        if function is None:
            return SYNTAX_ERROR
        try:
            answer = function(payload[1:])
        except IndexError:  # parameters missing
            return SYNTAX_ERROR
        return None if answer is None else bytes((payload[0] + 1,)) + answer

    def _diagnose(self, data: bytes) -> bytes:
        if data[0] == 0x00:  # communication line: echo
            return data
        if data[0] == 0x06:  # attention request: is the target still there?
            self.busy_us += CARD_BASE_US
            return b"\0" if self.card and self._active else bytes((TIMEOUT if self._active else WRONG_CONTEXT,))
        return b"\0"

    def _status(self, data: bytes) -> bytes:
        targets = b"\x01\x01\x00\x00\x00" if self._active else b"\0"
        return b"\0" + bytes((self._field,)) + targets + b"\0"

    def _write_registers(self, data: bytes) -> bytes:
        for i in range(0, len(data) - 2, 3):
            self._registers[data[i : i + 2]] = data[i + 2]
        return b""

    def _configure(self, data: bytes) -> bytes:
        if data[0] == 0x01:
            self._field = bool(data[1] & 1)
            if not self._field:
                self._release(b"")
        elif data[0] == 0x05:
            self._retries = data[3]
        return b""

    def _list(self, data: bytes) -> bytes | None:
        wanted = data[2:].replace(b"\x88", b"", 1) if len(data) > 8 else data[2:]  # without the cascade tag
        self._active = False
        self.busy_us += SEARCH_US
        card = self.card
        if card is None or data[1] != 0x00 or (wanted and wanted != card.uid):
            return None if self._retries == ENDLESS and data[1] == 0x00 else b"\0"
        self.busy_us += ACTIVATE_US
        card.reset()
        self._field = self._active = True
        return b"\x01\x01" + ATQA + bytes((SAK, len(card.uid))) + card.uid + ATS

    def _exchange(self, data: bytes) -> bytes:
        if not self._active or data[0] & 0x3F != 1:
            return bytes((WRONG_CONTEXT,))
        if self.card is None:
            return bytes((TIMEOUT,))
        changes = self.card.changes
        try:
            answer = self.card.exchange(data[1:])
        except CardLost:
            self.take()
            return bytes((TIMEOUT,))
        self.busy_us += CARD_BASE_US + CARD_BYTE_US * (len(data) + len(answer) + 6)
        if self.card.changes != changes:
            self.busy_us += CARD_WRITE_US
        return b"\0" + answer

    def _select(self, data: bytes) -> bytes:
        if self.card is None:
            return bytes((TIMEOUT,))
        self._active = True
        return b"\0"

    def _release(self, data: bytes) -> bytes:
        if self.card:
            self.card.reset()
        self._active = False
        return b"\0"
