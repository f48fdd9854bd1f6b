"""mypy in two passes: strict over host, tools and tests' own helpers; the firmware against the ESP32 stubs.

python -m tools.types
"""

import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    strict = subprocess.run([sys.executable, "-m", "mypy", "host/station", "tools"], cwd=ROOT, check=False).returncode
    stubs = Path(sysconfig.get_path("purelib"))
    board = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "tools/mypy-firmware.ini",
         "--custom-typeshed-dir", str(stubs), "firmware"],
        cwd=ROOT, check=False, env={"MYPYPATH": f"{stubs}:firmware:firmware/lib", "PATH": "/usr/bin:/bin"},
    ).returncode  # fmt: skip
    return strict or board


if __name__ == "__main__":
    sys.exit(main())
