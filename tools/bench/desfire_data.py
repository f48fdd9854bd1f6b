"""Commands on an emulated card's files: data, values, records, and the transaction that covers them."""

from collections.abc import Callable
from typing import TypeVar

from tools.bench import desfire_files as files
from tools.bench.desfire_state import CardState, Incomplete

Answer = bytes | list[bytes] | Incomplete
Kind = TypeVar("Kind", bound=files.File)
READ, WRITE, BOTH = 0, 1, 2


def _u24(message: bytes, at: int) -> int:
    return int.from_bytes(message[at : at + 3], "little")


def _opened(card: CardState, message: bytes, header: int, length: int, mode: int) -> bytes | Incomplete:
    """The clear data of a command that may come in several frames."""
    wanted = header + (card.session.sealed_length(length, mode) if card.session else length)
    if len(message) < wanted:
        return Incomplete(message)
    if card.session:
        return card.session.open(message, header, length, mode)
    if len(message) != wanted:
        raise files.Refused(files.LENGTH_ERROR)
    return message[header:]


def _of(file: files.File, kind: type[Kind]) -> Kind:
    if not isinstance(file, kind):
        raise files.Refused(files.PARAMETER_ERROR)
    return file


def _read(card: CardState, message: bytes) -> Answer:
    card.note(message, 8)
    offset, length = _u24(message, 2), _u24(message, 5)
    file = card.file(message[1])
    mode = file.mode_for(card.key_no, READ, BOTH)
    if message[0] == 0xBB:
        return card.seal(_of(file, files.RecordFile).read(offset, length), mode)
    return card.seal(_of(file, files.DataFile).read(offset, length), mode)


def _write(card: CardState, message: bytes) -> Answer:
    if len(message) < 8:
        raise files.Refused(files.LENGTH_ERROR)
    offset, length = _u24(message, 2), _u24(message, 5)
    file = card.file(message[1])
    mode = file.mode_for(card.key_no, WRITE, BOTH)
    record = message[0] == 0x3B
    writable = _of(file, files.RecordFile) if record else _of(file, files.DataFile)
    data = _opened(card, message, 8, length, mode)
    if isinstance(data, Incomplete):
        return data
    writable.write(offset, data)
    if file.kind == files.STANDARD:
        card.changes += 1
    return card.seal()


def _get_value(card: CardState, message: bytes) -> Answer:
    card.note(message, 2)
    file = _of(card.file(message[1]), files.ValueFile)
    free = file.limited & 2 and card.key_no is None
    mode = files.PLAIN if free else file.mode_for(card.key_no, READ, WRITE, BOTH)
    return card.seal(file.value.to_bytes(4, "little", signed=True), mode)


def _change_value(card: CardState, message: bytes) -> Answer:
    if len(message) < 2:
        raise files.Refused(files.LENGTH_ERROR)
    file = _of(card.file(message[1]), files.ValueFile)
    rights = {0x0C: (BOTH,), 0x1C: (WRITE, BOTH), 0xDC: (READ, WRITE, BOTH)}[message[0]]
    data = _opened(card, message, 2, 4, file.mode_for(card.key_no, *rights))
    if isinstance(data, Incomplete):
        raise files.Refused(files.LENGTH_ERROR)
    amount = int.from_bytes(data, "little", signed=True)
    {0x0C: file.credit, 0x1C: file.limited_credit, 0xDC: file.debit}[message[0]](amount)
    return card.seal()


def _clear_records(card: CardState, message: bytes) -> Answer:
    card.note(message, 2)
    file = _of(card.file(message[1]), files.RecordFile)
    file.mode_for(card.key_no, BOTH)
    file.clear()
    return card.seal()


def _commit(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    dirty = [file for file in card.selected.files.values() if file.dirty()]
    if not dirty:
        raise files.Refused(files.NO_CHANGES)
    for file in dirty:
        file.commit()
    card.changes += 1
    return card.seal()


def _abort(card: CardState, message: bytes) -> Answer:
    card.note(message, 1)
    if not any(file.dirty() for file in card.selected.files.values()):
        raise files.Refused(files.NO_CHANGES)
    for file in card.selected.files.values():
        file.abort()
    return card.seal()


COMMANDS: dict[int, Callable[[CardState, bytes], Answer]] = {
    0xBD: _read,
    0xBB: _read,
    0x3D: _write,
    0x3B: _write,
    0x6C: _get_value,
    0x0C: _change_value,
    0x1C: _change_value,
    0xDC: _change_value,
    0xEB: _clear_records,
    0xC7: _commit,
    0xA7: _abort,
}
