"""MIFARE DESFire EV1 and later: native commands under AES authentication (NXP MF3ICDx21, AN12343).

Every command is a generator: it yields a frame for the card (command byte, then data) and is sent the card's answer
(status byte, then data), so the same code runs over a real reader, at the desk and in a simulation. They compose with
`yield from`. What carries the frames throws CardLost into the generator when the card does not answer (`run` in
desfire_run.py shows how). What only a desk needs is in station/cards/desfire_admin.py.

Files are taken to be in MACed communication: once authenticated, every command and answer moves the chained CMAC, so
that a changed, lost or inserted frame is found at once.
"""

import struct

from cardlost import CardLost as CardLost  # who speaks to a card finds it here

import cmac

OK = 0x00
MORE = 0xAF
NO_SUCH_APPLICATION = 0xA0
AUTHENTICATION_ERROR = 0xAE
BOUNDARY_ERROR = 0xBE
PERMISSION_DENIED = 0x9D
FRAME = 60  # bytes in one native frame: a card's buffer of 64 less the block's own bytes


class BadAnswer(CardLost):
    """An answer came that the card cannot have meant (wrong MAC, empty): as unknown as no answer."""


class DesfireError(Exception):
    """The card refused: `status` is its status code. Authentication and an open transaction are gone."""

    def __init__(self, status):
        super().__init__("DESFire status %02X" % status)
        self.status = status


class Session:
    """A conversation with one card, from selecting an application until the card leaves."""

    def __init__(self):
        self.key = None  # session key, None: not authenticated
        self._cmac = None
        self._iv = cmac.ZERO

    def select(self, aid):
        """Select application aid (3 bytes as sent). DesfireError NO_SUCH_APPLICATION if it is not there."""
        self.key = None
        yield from self._plain(b"\x5a" + aid)

    def authenticate(self, key_no, key, rnd_a):
        """AuthenticateAES with key (16 bytes); rnd_a: 16 fresh random bytes.

        DesfireError AUTHENTICATION_ERROR if either side does not know the key.
        """
        self.key = None
        answer = yield bytes((0xAA, key_no))
        if len(answer) != 17 or answer[0] != MORE:
            raise _refusal(answer)
        challenge = answer[1:]
        rnd_b = cmac.cbc_decrypt(key, cmac.ZERO, challenge)
        token = cmac.cbc_encrypt(key, challenge, rnd_a + rnd_b[1:] + rnd_b[:1])
        answer = yield b"\xaf" + token
        if len(answer) != 17 or answer[0] != OK:
            raise _refusal(answer)
        if cmac.cbc_decrypt(key, token[16:], answer[1:]) != rnd_a[1:] + rnd_a[:1]:
            raise DesfireError(AUTHENTICATION_ERROR)
        self._begin(rnd_a[:4] + rnd_b[:4] + rnd_a[12:] + rnd_b[12:])

    def _begin(self, session_key):
        self.key = session_key
        self._cmac = cmac.Cmac(session_key)
        self._iv = cmac.ZERO

    def get_value(self, file):
        """The value of a value file, signed 32 bit."""
        return struct.unpack("<i", (yield from self.command(bytes((0x6C, file)))))[0]

    def debit(self, file, amount):
        """Take amount off a value file; holds after commit()."""
        yield from self.command(struct.pack("<BBi", 0xDC, file, amount), True)

    def limited_credit(self, file, amount):
        """Give back up to what the last committed debits took; holds after commit()."""
        yield from self.command(struct.pack("<BBi", 0x1C, file, amount), True)

    def read_data(self, file, offset, length):
        """length bytes of a data file from offset."""
        return (yield from self.command(_range(0xBD, file, offset, length)))

    def write_data(self, file, offset, data):
        """Write into a data file; a backup file holds it after commit()."""
        yield from self.command(_range(0x3D, file, offset, len(data)) + data, True)

    def write_record(self, file, data):
        """Append a record to a record file; holds after commit()."""
        yield from self.command(_range(0x3B, file, 0, len(data)) + data, True)

    def commit(self):
        """CommitTransaction: all changes since the last commit hold together, or (CardLost) perhaps none."""
        yield from self.command(b"\xc7")

    def command(self, message, sealed=False):
        """Send command byte and data, with its MAC if sealed; returns the answer's data, its MAC checked."""
        if self.key is None:
            return (yield from self._plain(message))
        self._iv = self._cmac.of(message, self._iv)
        return self._verified((yield from self._plain(message + self._iv[:8] if sealed else message)))

    def _verified(self, answer):
        """An answer's data, once its MAC fits the chain."""
        data = answer[:-8]
        self._iv = self._cmac.of(data + b"\0", self._iv)
        if self._iv[:8] != answer[-8:]:
            raise BadAnswer("mac")
        return data

    def _plain(self, message):
        """Carry message over in as many frames as it takes, collect the answer's frames."""
        answer = yield message[:FRAME]
        at = FRAME
        while at < len(message) and answer[:1] == b"\xaf":
            answer = yield b"\xaf" + message[at : at + FRAME - 1]
            at += FRAME - 1
        data = answer[1:]
        while answer[:1] == b"\xaf":
            answer = yield b"\xaf"
            data += answer[1:]
        if not answer or answer[0] != OK:
            self.key = None
            raise _refusal(answer)
        return data


def _range(code, file, offset, length):
    return struct.pack("<BBHBHB", code, file, offset & 0xFFFF, offset >> 16, length & 0xFFFF, length >> 16)


def _refusal(answer):
    if not answer or answer[0] in (OK, MORE):
        return BadAnswer("frame")
    return DesfireError(answer[0])
