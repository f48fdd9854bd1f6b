"""Commands on an emulated card as a whole: version, applications, files, keys and their settings."""

from collections.abc import Callable

from tools.bench import desfire_crypto as crypto
from tools.bench import desfire_files as files
from tools.bench.desfire_state import PICC, Application, CardState, Incomplete

Answer = bytes | list[bytes] | Incomplete
LISTING_FREE, CREATE_FREE, SETTINGS_CHANGEABLE, MASTER_CHANGEABLE = 2, 4, 8, 1
MAX_APPLICATIONS, MAX_FILES = 28, 32
HARDWARE = bytes.fromhex("04010101001805")
SOFTWARE = bytes.fromhex("04010101041805")
BATCH = bytes.fromhex("ba45b4a83c1425")  # production batch, week and year


def _version(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    sealed = card.seal(HARDWARE + SOFTWARE + card.uid + BATCH)
    return [sealed[:7], sealed[7:14], sealed[14:]]


def _uid(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    if card.session is None:
        raise files.Refused(files.AUTHENTICATION_ERROR)
    return card.seal(card.uid, files.FULL)


def _free_memory(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    return card.seal(card.free_memory().to_bytes(3, "little"))


def _format(card: CardState, message: bytes) -> Answer:
    _at_card_level(card)
    card.note(message, 1)
    if card.key_no != 0:
        raise files.Refused(files.AUTHENTICATION_ERROR)
    card.applications = {PICC: card.applications[PICC]}
    card.changes += 1
    return card.seal()


def _at_card_level(card: CardState) -> None:
    if card.selected.aid != PICC:
        raise files.Refused(files.PERMISSION_DENIED)


# -- applications


def _select(card: CardState, message: bytes) -> Answer:
    if len(message) != 4:
        raise files.Refused(files.LENGTH_ERROR)
    if message[1:] not in card.applications:
        raise files.Refused(files.NO_APPLICATION)
    card.select(card.applications[message[1:]])
    return b""


def _application_ids(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    _at_card_level(card)
    card.require_master(LISTING_FREE)
    return card.seal(b"".join(aid for aid in card.applications if aid != PICC))


def _names(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    _at_card_level(card)
    card.require_master(LISTING_FREE)
    return [
        application.aid + (application.iso_id or 0).to_bytes(2, "little") + application.name
        for application in card.applications.values()
        if application.name or application.iso_id is not None
    ] or b""


def _create_application(card: CardState, message: bytes) -> Answer:
    if not (len(message) == 6 or 8 <= len(message) <= 24):
        raise files.Refused(files.LENGTH_ERROR)
    card.note(message)
    _at_card_level(card)
    card.require_master(CREATE_FREE)
    aid, settings, keys = message[1:4], message[4], message[5]
    if aid in card.applications:
        raise files.Refused(files.DUPLICATE)
    if len(card.applications) > MAX_APPLICATIONS:
        raise files.Refused(files.COUNT_ERROR)
    kind = {0x00: crypto.DES, 0x40: crypto.THREE_KEY, 0x80: crypto.AES}.get(keys & 0xC0)
    count = keys & 0x0F
    if kind is None or not 1 <= count <= 14:
        raise files.Refused(files.PARAMETER_ERROR)
    default = card.default_key if card.default_key.kind == kind else crypto.blank_key(kind)
    iso_id = int.from_bytes(message[6:8], "little") if len(message) >= 8 else None
    card.applications[aid] = Application(aid, settings, kind, [default] * count, iso_id, message[8:])
    card.changes += 1
    return card.seal()


def _delete_application(card: CardState, message: bytes) -> Answer:
    card.note(message, 4)
    aid = message[1:]
    if aid == PICC or aid not in card.applications:
        raise files.Refused(files.NO_APPLICATION)
    own = card.selected.aid == aid and card.key_no == 0
    if not own:
        _at_card_level(card)
        if card.key_no != 0:
            raise files.Refused(files.AUTHENTICATION_ERROR)
    del card.applications[aid]
    card.changes += 1
    if own:
        card.select(card.applications[PICC])
        return b""
    return card.seal()


# -- keys


def _key_settings(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    card.require_master(LISTING_FREE)
    kind = {crypto.DES: 0x00, crypto.THREE_KEY: 0x40, crypto.AES: 0x80}[card.selected.kind]
    return card.seal(bytes((card.selected.settings, len(card.selected.keys) | kind)))


def _change_key_settings(card: CardState, message: bytes) -> Answer:
    if card.session is None or card.key_no != 0:
        raise files.Refused(files.AUTHENTICATION_ERROR)
    if not card.selected.settings & SETTINGS_CHANGEABLE:
        raise files.Refused(files.PERMISSION_DENIED)
    card.selected.settings = card.session.open(message, 1, 1, files.FULL)[0]
    card.changes += 1
    return card.seal()


def _key_version(card: CardState, message: bytes) -> Answer:
    card.note(message, 2)
    if message[1] >= len(card.selected.keys):
        raise files.Refused(files.NO_SUCH_KEY)
    return card.seal(bytes((card.selected.keys[message[1]].version,)))


def _may_change(card: CardState, number: int) -> bool:
    """Whether the authenticated key may change key `number` (MF3ICDx21, key settings, upper nibble)."""
    settings = card.selected.settings
    if number == 0:
        return card.key_no == 0 and bool(settings & MASTER_CHANGEABLE)
    changer = settings >> 4
    if changer == 0xF:
        return False
    return card.key_no == (number if changer == 0xE else changer)


def _change_key(card: CardState, message: bytes) -> Answer:
    session = card.session
    if session is None:
        raise files.Refused(files.AUTHENTICATION_ERROR)
    if len(message) < 2:
        raise files.Refused(files.LENGTH_ERROR)
    number, kind = message[1] & 0x3F, card.selected.kind
    if card.selected.aid == PICC:
        kind = {0x00: crypto.DES, 0x40: crypto.THREE_KEY, 0x80: crypto.AES}.get(message[1] & 0xC0, crypto.DES)
        number &= 0x0F
    if number >= len(card.selected.keys):
        raise files.Refused(files.NO_SUCH_KEY)
    if not _may_change(card, number):
        raise files.Refused(files.PERMISSION_DENIED)
    clear = session.decipher(message[2:])
    length = crypto.KEY_LENGTH[kind] + (1 if kind == crypto.AES else 0)
    sent = clear[:length]
    checksum = crypto.crc16(sent) if session.legacy else crypto.crc32(message[:2] + sent)
    data = sent[: crypto.KEY_LENGTH[kind]]
    own = number == session.key_no
    if not own:
        old = card.selected.keys[number].data
        data = crypto.xor(data, (old + old)[: len(data)])
        checksum += crypto.crc16(data) if session.legacy else crypto.crc32(data)
    if clear[length:] != checksum.ljust(len(clear) - length, b"\0"):
        raise files.Refused(files.INTEGRITY)
    version = sent[-1] if kind == crypto.AES else sum((byte & 1) << 7 - i for i, byte in enumerate(data[:8]))
    card.selected.keys[number] = crypto.Key(kind, data, version)
    card.selected.kind = kind
    card.changes += 1
    if own:
        card.session = None
    return card.seal()


def _configure(card: CardState, message: bytes) -> Answer:
    """SetConfiguration; only the default key (01) changes anything here, format lock and own ATS are accepted."""
    _at_card_level(card)
    if card.session is None or card.key_no != 0:
        raise files.Refused(files.AUTHENTICATION_ERROR)
    if message[1:2] == b"\x01":
        data = card.session.open(message, 2, 25, files.FULL)
        card.default_key = crypto.Key(crypto.DES, data[:16], data[24])
    elif message[1:2] == b"\x00":
        card.session.open(message, 2, 1, files.FULL)
    else:
        card.session.decipher(message[2:])
    card.changes += 1
    return card.seal()


# -- files of the selected application


def _in_application(card: CardState, unless_setting: int) -> None:
    if card.selected.aid == PICC:
        raise files.Refused(files.PERMISSION_DENIED)
    card.require_master(unless_setting)


def _file_ids(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    _in_application(card, LISTING_FREE)
    return card.seal(bytes(card.selected.files))


def _iso_file_ids(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    _in_application(card, LISTING_FREE)
    ids = [file.iso_id for file in card.selected.files.values() if file.iso_id is not None]
    return card.seal(b"".join(iso_id.to_bytes(2, "little") for iso_id in ids))


def _file_settings(card: CardState, message: bytes) -> Answer:
    card.note(message, 2)
    _in_application(card, LISTING_FREE)
    return card.seal(card.file(message[1]).settings())


def _change_file_settings(card: CardState, message: bytes) -> Answer:
    if len(message) < 2:
        raise files.Refused(files.LENGTH_ERROR)
    file = card.file(message[1])
    file.mode_for(card.key_no, 3)
    mode = files.PLAIN if file.access & 0xF == files.FREE else files.FULL
    data = card.session.open(message, 2, 3, mode) if card.session else message[2:]
    if len(data) != 3:
        raise files.Refused(files.LENGTH_ERROR)
    file.comm, file.access = data[0] & 3, int.from_bytes(data[1:3], "little")
    card.changes += 1
    return card.seal()


def _create_file(card: CardState, message: bytes) -> Answer:
    code = message[0]
    size = {0xCD: 6, 0xCB: 6, 0xCC: 16, 0xC1: 9, 0xC0: 9}[code]  # after file number and ISO id
    has_iso = len(message) == 4 + size and code != 0xCC
    if len(message) != 2 + size and not has_iso:
        raise files.Refused(files.LENGTH_ERROR)
    card.note(message)
    _in_application(card, CREATE_FREE)
    number = message[1]
    if number >= MAX_FILES:
        raise files.Refused(files.PARAMETER_ERROR)
    if number in card.selected.files:
        raise files.Refused(files.DUPLICATE)
    iso_id = int.from_bytes(message[2:4], "little") if has_iso else None
    file = _new_file(code, message[4 if has_iso else 2 :], iso_id)
    card.selected.files[number] = file
    if card.free_memory() < 0:
        del card.selected.files[number]
        raise files.Refused(files.OUT_OF_MEMORY)
    card.changes += 1
    return card.seal()


def _new_file(code: int, body: bytes, iso_id: int | None) -> files.File:
    comm, access = body[0] & 3, int.from_bytes(body[1:3], "little")
    first, second = int.from_bytes(body[3:6], "little"), int.from_bytes(body[6:9], "little")
    if code in (0xCD, 0xCB):
        kind = files.STANDARD if code == 0xCD else files.BACKUP
        if first > 8192:
            raise files.Refused(files.OUT_OF_MEMORY)
        return files.DataFile(kind, comm, access, iso_id, bytes(first))
    if code == 0xCC:
        lower, upper, value = (int.from_bytes(body[i : i + 4], "little", signed=True) for i in (3, 7, 11))
        if not lower <= value <= upper:
            raise files.Refused(files.BOUNDARY_ERROR)
        return files.ValueFile(files.VALUE, comm, access, None, lower, upper, value, body[15])
    kind = files.CYCLIC if code == 0xC0 else files.LINEAR
    if first < 1 or second < (2 if kind == files.CYCLIC else 1):
        raise files.Refused(files.PARAMETER_ERROR)
    return files.RecordFile(kind, comm, access, iso_id, first, second)


def _delete_file(card: CardState, message: bytes) -> Answer:
    card.note(message, 2)
    _in_application(card, CREATE_FREE)
    card.file(message[1])
    del card.selected.files[message[1]]
    card.changes += 1
    return card.seal()


COMMANDS: dict[int, Callable[[CardState, bytes], Answer]] = {
    0x60: _version,
    0x51: _uid,
    0x6E: _free_memory,
    0xFC: _format,
    0x5A: _select,
    0x6A: _application_ids,
    0x6D: _names,
    0xCA: _create_application,
    0xDA: _delete_application,
    0x45: _key_settings,
    0x54: _change_key_settings,
    0x64: _key_version,
    0xC4: _change_key,
    0x5C: _configure,
    0x6F: _file_ids,
    0x61: _iso_file_ids,
    0xF5: _file_settings,
    0x5F: _change_file_settings,
    0xCD: _create_file,
    0xCB: _create_file,
    0xCC: _create_file,
    0xC1: _create_file,
    0xC0: _create_file,
    0xDF: _delete_file,
}
