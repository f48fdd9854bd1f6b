"""The ISO 7816-4 commands a DESFire card knows beside its own: select, read and update binary (no authentication)."""

from tools.bench import desfire_files as files
from tools.bench.desfire_state import PICC, CardState

CARD_NAME = bytes.fromhex("d2760000850100")
DONE, NOT_FOUND, SECURITY = b"\x90\x00", b"\x6a\x82", b"\x69\x82"
WRONG_LENGTH, WRONG_OFFSET, NO_FILE_SELECTED, UNKNOWN = b"\x67\x00", b"\x6b\x00", b"\x69\x86", b"\x6d\x00"


def answer(card: CardState, apdu: bytes) -> bytes:
    """The card's answer (data, then SW1 SW2) to an APDU of class 00."""
    code, p1, p2 = apdu[1:4]
    if code == 0xA4:
        length = apdu[4] if len(apdu) > 4 else 0
        return _select(card, p1, apdu[5 : 5 + length])
    if code in (0xB0, 0xD6):
        if p1 & 0x80:
            return WRONG_OFFSET  # short file identifiers are not used here
        return _binary(card, code, p1 << 8 | p2, apdu[4:])
    return UNKNOWN


def _select(card: CardState, p1: int, name: bytes) -> bytes:
    if p1 == 0x04:
        if name == CARD_NAME:
            card.select(card.applications[PICC])
            return DONE
        for application in card.applications.values():
            if name and application.name == name:
                card.select(application)
                return DONE
        return NOT_FOUND
    if len(name) != 2:
        return WRONG_LENGTH
    iso_id = int.from_bytes(name, "big")
    if iso_id == 0x3F00:
        card.select(card.applications[PICC])
        return DONE
    for number, file in card.selected.files.items():
        if file.iso_id == iso_id:
            card.iso_file = number
            return DONE
    return NOT_FOUND


def _binary(card: CardState, code: int, offset: int, rest: bytes) -> bytes:
    file = card.selected.files.get(card.iso_file) if card.iso_file is not None else None
    if not isinstance(file, files.DataFile):
        return NO_FILE_SELECTED
    try:
        if code == 0xB0:
            if file.mode_for(card.key_no, 0, 2) != files.PLAIN:
                return SECURITY
            wanted = rest[0] if rest else 0
            available = len(file.content) - offset
            return file.read(offset, min(wanted or available, available, 256)) + DONE
        if file.mode_for(card.key_no, 1, 2) != files.PLAIN:
            return SECURITY
        data = rest[1 : 1 + rest[0]] if rest else b""
        file.write(offset, data)
        file.commit()
        card.changes += 1
        return DONE
    except files.Refused as refused:
        return WRONG_OFFSET if refused.status == files.BOUNDARY_ERROR else SECURITY
