"""mypy in two passes: strict over the host and the tools; the firmware against MicroPython's ESP32 stubs.

python -m tools.types
"""

import os
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STUBS = ROOT / "build" / "stubs"


def lay_out_stubs() -> None:
    """The stubs alone, apart from the other packages that they are installed among. PackageNotFoundError if missing."""
    shutil.rmtree(STUBS, ignore_errors=True)
    for name in ("micropython-esp32-stubs", "micropython-stdlib-stubs"):
        for file in distribution(name).files or ():
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                target = STUBS / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(file.locate())), target)


def main() -> int:
    strict = subprocess.run([sys.executable, "-m", "mypy", "host/station", "tools"], cwd=ROOT).returncode
    lay_out_stubs()
    command = [sys.executable, "-m", "mypy", "--config-file", "tools/mypy-firmware.ini"]
    command += ["--custom-typeshed-dir", str(STUBS), "firmware"]
    paths = os.pathsep.join(map(str, (STUBS, ROOT / "firmware", ROOT / "firmware/lib", ROOT / "build")))
    board = subprocess.run(command, cwd=ROOT, env=os.environ | {"MYPYPATH": paths}).returncode
    return strict or board


if __name__ == "__main__":
    sys.exit(main())
