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


def at_hand(micropython: Path) -> set[str]:
    """Names that stand in the interpreter itself. Raises CalledProcessError if it does not run."""
    told = subprocess.run([str(micropython), "-c", _ASK], capture_output=True, text=True, check=True).stdout
    return set(told.split())


def of_chip(stand_ins: Path) -> set[str]:
    """Names of the chip's own modules, as the bench's stand-ins for `machine`, `esp32` and so on have them."""
    found = set()
    for path in sorted(stand_ins.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for key in ("name", "attr", "arg", "id"):
                value = getattr(node, key, None)
                if isinstance(value, str) and not value.startswith("_"):
                    found.add(value)
    return found
