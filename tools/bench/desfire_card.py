"""A DESFire EV1 card, 4 KB, at the level of its native frames: what a reader sends is what exchange() takes.

    card = DesfireCard.blank(uid=bytes.fromhex("04112233445566"))
    answer = card.exchange(b"\\x60")            # status byte, then data
    card.tear_at(3, done=True)                 # the third frame from now is carried out, its answer lost
    card.reset()                               # out of the field and back: session and open transaction are gone
    text = json.dumps(card.to_json())          # DesfireCard.from_json(...) brings it back

Frames wrapped as ISO 7816 APDUs (CLA 90) and ISO commands themselves (CLA 00) are understood as well.
"""

from collections.abc import Callable

from desfire import CardLost
from tools.bench import desfire_admin, desfire_data, desfire_iso
from tools.bench import desfire_crypto as crypto
from tools.bench import desfire_files as files
from tools.bench.desfire_messaging import Messaging
from tools.bench.desfire_state import CardState, Incomplete

FRAME_DATA = 59  # bytes of data in one answer frame, after the status byte
ATS = bytes.fromhex("067577810280")
ATQA, SAK = bytes.fromhex("0344"), 0x20
AUTHENTICATE_LEGACY, AUTHENTICATE_ISO, AUTHENTICATE_AES = 0x0A, 0x1A, 0xAA
COMMANDS = desfire_admin.COMMANDS | desfire_data.COMMANDS


class DesfireCard(CardState):
    """The card in a reader's field; `frames` counts what it was sent."""

    frames: int = 0

    def __post_init__(self) -> None:
        self._tear: tuple[int, bool] | None = None
        super().__post_init__()

    def reset(self) -> None:
        """Out of the field and back in: nothing selected, nothing authenticated, no transaction, not torn."""
        super().reset()
        self.lost = False

    def forget(self) -> None:
        super().forget()
        self._expected: Callable[[bytes], bytes] | None = None  # takes the reader's next frame (AF)
        self._outgoing: list[bytes] = []

    def tear_at(self, command: int, done: bool = False) -> None:
        """Tear the card away at the command-th frame from now (1: the next); done: it is still carried out.

        From then on every exchange raises CardLost until reset(). 0: not at all.
        """
        self._tear = (self.frames + command, done) if command else None

    def exchange(self, frame: bytes) -> bytes:
        """The card's answer to one frame. CardLost where the card was torn away."""
        if self.lost:
            raise CardLost
        self.frames += 1
        if self._tear is None or self.frames < self._tear[0]:
            return self._answer(frame)
        done = self._tear[1]
        self._tear, self.lost = None, True
        if done:
            self._answer(frame)
        raise CardLost

    # -- frames

    def _answer(self, frame: bytes) -> bytes:
        if len(frame) >= 4 and frame[0] == 0x90 and frame[2:4] == b"\0\0":
            length = frame[4] if len(frame) > 5 else 0
            answer = self._native(frame[1:2] + frame[5 : 5 + length])
            return answer[1:] + b"\x91" + answer[:1]
        if len(frame) >= 4 and frame[0] == 0x00:
            return desfire_iso.answer(self, frame)
        return self._native(frame)

    def _native(self, frame: bytes) -> bytes:
        try:
            if frame[:1] == b"\xaf":
                return self._more(frame[1:])
            self._expected, self._outgoing = None, []
            code = frame[0] if frame else 0
            if code in (AUTHENTICATE_LEGACY, AUTHENTICATE_ISO, AUTHENTICATE_AES):
                return self._challenge(code, frame)
            return self._carry_out(frame)
        except files.Refused as refused:
            if refused.status != files.NO_CHANGES:
                self.forget()
            return bytes((refused.status,))

    def _more(self, data: bytes) -> bytes:
        if self._expected is not None:
            expected, self._expected = self._expected, None
            return expected(data)
        if self._outgoing:
            return self._next_frame()
        raise files.Refused(files.ILLEGAL_COMMAND)

    def _carry_out(self, message: bytes) -> bytes:
        command = COMMANDS.get(message[0]) if message else None
        if command is None:
            raise files.Refused(files.ILLEGAL_COMMAND)
        answer = command(self, message)
        if isinstance(answer, Incomplete):
            self._expected = lambda data: self._carry_out(message + data)
            return bytes((files.MORE,))
        if isinstance(answer, list):
            self._outgoing = answer
        else:
            self._outgoing = [answer[i : i + FRAME_DATA] for i in range(0, len(answer), FRAME_DATA)] or [b""]
        return self._next_frame()

    def _next_frame(self) -> bytes:
        part = self._outgoing.pop(0)
        return bytes((files.MORE if self._outgoing else files.OK,)) + part

    # -- authentication

    def _challenge(self, code: int, frame: bytes) -> bytes:
        """First half of Authenticate (0A), AuthenticateISO (1A), AuthenticateAES (AA)."""
        self.session = None
        if len(frame) != 2:
            raise files.Refused(files.LENGTH_ERROR)
        key_no = frame[1]
        if key_no >= len(self.selected.keys):
            raise files.Refused(files.NO_SUCH_KEY)
        key = self.selected.keys[key_no]
        legacy = code == AUTHENTICATE_LEGACY
        if (key.kind == crypto.AES) != (code == AUTHENTICATE_AES) or (key.kind == crypto.THREE_KEY and legacy):
            raise files.Refused(files.AUTHENTICATION_ERROR)
        size = 16 if key.kind != crypto.DES else 8
        rnd_b = self.random(size)
        challenge = crypto.send(key, bytes(key.block), rnd_b)

        def token(data: bytes) -> bytes:
            if len(data) != 2 * size:
                raise files.Refused(files.LENGTH_ERROR)
            zero = bytes(key.block)
            clear = crypto.receive(key, zero if legacy else challenge[-key.block :], data, legacy)
            rnd_a = clear[:size]
            if clear[size:] != rnd_b[1:] + rnd_b[:1]:
                raise files.Refused(files.AUTHENTICATION_ERROR)
            self.session = Messaging.begin(crypto.session_key(key, rnd_a, rnd_b), key_no, legacy)
            answer = crypto.send(key, zero if legacy else data[-key.block :], rnd_a[1:] + rnd_a[:1])
            return bytes((files.OK,)) + answer

        self._expected = token
        return bytes((files.MORE,)) + challenge
