"""Writes MicroPython's read-only file system: byte code in it runs in place, from flash, instead of from RAM.

Format as MicroPython's documentation describes it (reference/romfs): records of kind, length and payload, the numbers
in 7-bit groups, most significant first; a directory's payload is its name and its records.
"""

_HEADER = b"\xd2\xcd\x31"
_VERBATIM, _DIRECTORY, _FILE = 2, 4, 5

Tree = dict[str, "Tree | bytes"]


def tree(files: dict[str, bytes]) -> Tree:
    """Paths with slashes -> nested directories."""
    root: Tree = {}
    for path, data in sorted(files.items()):
        *folders, name = path.split("/")
        at = root
        for folder in folders:
            below = at.setdefault(folder, {})
            if not isinstance(below, dict):
                raise ValueError(f"{path}: {folder} is a file")
            at = below
        at[name] = data
    return root


def build(files: dict[str, bytes]) -> bytes:
    """The image of these files (relative path -> content). ValueError if a path runs through a file."""
    data = _records(tree(files))
    length = _number(len(data))
    if (len(_HEADER) + len(length) + len(data)) % 2:
        length = b"\x80" + length  # the format wants an even size
    return _HEADER + length + data


def size(partition: bytes) -> int:
    """How many bytes of a partition its image takes; 0 if there is none, or one that is cut off."""
    if not partition.startswith(_HEADER):
        return 0
    length, at = 0, len(_HEADER)
    while at < len(partition) and partition[at] & 0x80:
        length, at = length << 7 | partition[at] & 0x7F, at + 1
    if at == len(partition):
        return 0
    whole = at + 1 + (length << 7 | partition[at])
    return whole if whole <= len(partition) else 0


def read(image: bytes) -> dict[str, bytes]:
    """The files of an image, by path. ValueError if it is none."""
    if not size(image):
        raise ValueError("no ROMFS image")
    _, at = _take(image, len(_HEADER))
    files: dict[str, bytes] = {}
    _walk(image, at, size(image), "", files)
    return files


def _walk(image: bytes, at: int, end: int, folder: str, files: dict[str, bytes]) -> None:
    while at < end:
        kind, at = _take(image, at)
        length, at = _take(image, at)
        inner, last = at, at + length
        if kind in (_DIRECTORY, _FILE):
            letters, inner = _take(image, inner)
            path = folder + image[inner : inner + letters].decode()
            inner += letters
            if kind == _DIRECTORY:
                _walk(image, inner, last, path + "/", files)
            else:
                _, inner = _take(image, inner)
                length, inner = _take(image, inner)
                files[path] = image[inner : inner + length]
        at = last


def _take(image: bytes, at: int) -> tuple[int, int]:
    """(number, where it ends)."""
    value = 0
    while image[at] & 0x80:
        value, at = value << 7 | image[at] & 0x7F, at + 1
    return value << 7 | image[at], at + 1


def _records(folder: Tree) -> bytes:
    out = b""
    for name, content in folder.items():
        title = _number(len(name)) + name.encode()
        if isinstance(content, dict):
            out += _record(_DIRECTORY, title + _records(content))
        else:
            out += _record(_FILE, title + _record(_VERBATIM, content))
    return out


def _record(kind: int, payload: bytes) -> bytes:
    return _number(kind) + _number(len(payload)) + payload


def _number(value: int) -> bytes:
    out = bytes((value & 0x7F,))
    while value := value >> 7:
        out = bytes((value & 0x7F | 0x80,)) + out
    return out
