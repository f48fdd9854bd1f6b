"""Names that the interpreter's own objects have, asked of the interpreter itself, and those of the chip's modules."""

import ast
import subprocess
from pathlib import Path

_ASK = """
names = set()
for m in ("asyncio asyncio.core asyncio.stream asyncio.event asyncio.lock _asyncio socket tls ssl struct binascii "
          "hashlib cryptolib json os time gc sys io select machine micropython errno array random vfs builtins deflate "
          "collections re uctypes platform heapq math").split():
    try:
        module = __import__(m)
    except ImportError:
        continue
    for part in m.split(".")[1:]:
        module = getattr(module, part, module)
    for name in dir(module):
        names.add(name)
        names.update(dir(getattr(module, name)))
print(" ".join(names))
"""


def names(micropython: Path, stand_ins: Path) -> set[str]:
    """Attribute names that are not ours to change. stand_ins: the folder with the bench's `machine`, `esp32` and so on,
    which have the names of the chip's. Raises CalledProcessError if the interpreter does not run."""
    told = subprocess.run([str(micropython), "-c", _ASK], capture_output=True, text=True, check=True).stdout.split()
    found = set(told)
    for path in sorted(stand_ins.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for key in ("name", "attr", "arg", "id"):
                value = getattr(node, key, None)
                if isinstance(value, str) and not value.startswith("_"):
                    found.add(value)
    return found
