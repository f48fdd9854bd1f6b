"""Making a blank DESFire card one of ours: its own master key, our application, keys, files, signed contents.

Whatever step it breaks at, it can be run again from the start: nothing of value is on the card before the issue is
booked as complete, so a half-made application is deleted and made anew.
"""
# mypy: allow-untyped-calls

from collections.abc import Callable

import desfire
from pump.core import card_layout
from station.cards.desfire_admin import BLANK_AES, PICC, AdminSession, Conversation
from station.cards.keys import KEY_VERSION, CardKeys

# Key settings: master key and settings stay changeable, listing is free, creating and deleting needs the master key.
KEY_SETTINGS = 0x0B


class ForeignCardError(Exception):
    """The card belongs to somebody else: its master key is neither the factory's nor ours."""


class AlreadyOursError(Exception):
    """The card carries our application already."""


def personalise(
    keys: CardKeys, identity: bytes, limits: bytes, upper_fen: int, random: Callable[[int], bytes], replace: bool
) -> Conversation[None]:
    """Issue the card. identity, limits: the signed file contents; upper_fen: what the purse may hold at most.

    replace: a half-made application may be deleted (AlreadyOursError otherwise). ForeignCardError,
    DesfireError, CardLost.
    """
    session = AdminSession()
    yield from _own(session, keys, random)
    yield from _clear(session, replace)
    yield from session.create_application(card_layout.AID, KEY_SETTINGS, card_layout.KEY_COUNT)
    yield from session.select(card_layout.AID)
    yield from session.authenticate(card_layout.KEY_MASTER, BLANK_AES, random(16))
    yield from _files(session, upper_fen)
    yield from session.change_key(card_layout.KEY_PUMP, keys.pump, KEY_VERSION, BLANK_AES)
    yield from session.change_key(card_layout.KEY_CREDIT, keys.credit, KEY_VERSION, BLANK_AES)
    yield from session.change_key(card_layout.KEY_MASTER, keys.master, KEY_VERSION)
    yield from session.authenticate(card_layout.KEY_CREDIT, keys.credit, random(16))
    yield from session.write_data(card_layout.FILE_LIMITS, 0, limits)
    yield from session.write_data(card_layout.FILE_STATE, 0, card_layout.pack_state(0))
    yield from session.commit()
    yield from session.authenticate(card_layout.KEY_MASTER, keys.master, random(16))
    yield from session.write_data(card_layout.FILE_IDENTITY, 0, identity)  # last: without it no pump takes the card


def rewrite_identity(keys: CardKeys, identity: bytes, random: Callable[[int], bytes]) -> Conversation[None]:
    """Put another signed identity on a card of ours; it can be done again whatever became of it before."""
    session = AdminSession()
    yield from session.select(card_layout.AID)
    yield from session.authenticate(card_layout.KEY_MASTER, keys.master, random(16))
    yield from session.write_data(card_layout.FILE_IDENTITY, 0, identity)


def carries_ours() -> Conversation[bool]:
    """Whether our application is on the card, complete or not."""
    session = AdminSession()
    try:
        yield from session.select(card_layout.AID)
    except desfire.DesfireError as error:
        if error.status == desfire.NO_SUCH_APPLICATION:
            return False
        raise
    return True


def _own(session: AdminSession, keys: CardKeys, random: Callable[[int], bytes]) -> Conversation[None]:
    """Authenticate at card level; a factory-blank card gets our master key first."""
    yield from session.select(PICC)
    version = yield from session.command(b"\x64\x00")
    try:
        if version[0] != KEY_VERSION:
            session_key = yield from session.authenticate_default(random(8))
            yield from session.own_picc(session_key, keys.picc, KEY_VERSION)
            yield from session.select(PICC)
        yield from session.authenticate(0, keys.picc, random(16))
    except desfire.DesfireError as error:
        if error.status == desfire.AUTHENTICATION_ERROR:
            raise ForeignCardError("卡不是空白卡，也不是本站的卡 the card is neither blank nor ours") from None
        raise
    yield from session.change_key_settings(KEY_SETTINGS)


def _clear(session: AdminSession, replace: bool) -> Conversation[None]:
    listed = yield from session.command(b"\x6a")
    applications = [listed[i : i + 3] for i in range(0, len(listed), 3)]
    if card_layout.AID in applications:
        if not replace:
            raise AlreadyOursError("卡上已有本系统的应用 the card carries our application already")
        yield from session.delete_application(card_layout.AID)


def _access(file: int) -> tuple[int, int]:
    """(communication, access rights) of a file as CreateFile takes them."""
    comm, read, write, both, change = card_layout.ACCESS[file]
    return comm, read << 12 | write << 8 | both << 4 | change


def _files(session: AdminSession, upper_fen: int) -> Conversation[None]:
    layout = card_layout
    yield from session.create_data_file(
        layout.FILE_IDENTITY, *_access(layout.FILE_IDENTITY), layout.IDENTITY_SIZE, backup=False
    )
    yield from session.create_data_file(
        layout.FILE_LIMITS, *_access(layout.FILE_LIMITS), layout.LIMITS_SIZE, backup=True
    )
    yield from session.create_data_file(layout.FILE_STATE, *_access(layout.FILE_STATE), layout.STATE_SIZE, backup=True)
    yield from session.create_data_file(layout.FILE_USAGE, *_access(layout.FILE_USAGE), layout.USAGE_SIZE, backup=True)
    yield from session.create_value_file(
        layout.FILE_PURSE, *_access(layout.FILE_PURSE), layout.PURSE_LOWER_FEN, upper_fen
    )
    yield from session.create_value_file(layout.FILE_POINTS, *_access(layout.FILE_POINTS), 0, 0x7FFFFFFF)
    yield from session.create_cyclic_file(
        layout.FILE_LOG, *_access(layout.FILE_LOG), layout.LOG_SIZE, layout.LOG_RECORDS
    )
