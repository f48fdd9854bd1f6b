"""Fetches umqtt/simple.py, the MQTT base of the firmware, into build/umqtt: `python -m tools.umqtt`.

The package is an sdist without a setup.py, so `pip install` and `pip download` refuse it. pip's own finder and session
are used to get it, so that its configuration (index, mirrors, proxy, certificates) holds here as well.
Nothing is fetched when the file is already there with the right digest.
"""

import hashlib
import io
import sys
import tarfile
from pathlib import Path

PACKAGE = "micropython-umqtt.simple"
VERSION = "1.3.4"
SDIST_SHA256 = "b6a2520239e3992c63a7de9370ee9b3d9d27819a90359c521f1c0f7ccab8d12f"
SIMPLE_SHA256 = "8555d2f654deb8eb0d724f79b0811a78cc94029d070f3d96bbd74288653d63a5"
TARGET = Path(__file__).resolve().parent.parent / "build" / "umqtt" / "simple.py"


class NotObtainedError(RuntimeError):
    """The package could not be had; the message says why in Chinese and English."""


def obtain(target: Path = TARGET) -> Path:
    """The path of umqtt's simple.py, fetched first if need be. Raises NotObtainedError."""
    if target.exists() and _sha256(target.read_bytes()) == SIMPLE_SHA256:
        return target
    source = extract(download())
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.new")
    fresh.write_bytes(source)
    fresh.replace(target)
    return target


def download() -> bytes:
    """The sdist's bytes, from the index that pip is configured for."""
    try:
        from pip._internal.commands.download import DownloadCommand
        from pip._internal.models.index import PyPI
    except ImportError as error:
        raise NotObtainedError(f"需要本环境中的 pip · pip is needed in this environment: {error}") from error
    command = DownloadCommand("download", f"fetch {PACKAGE}")
    options, _ = command.parse_args([])
    options.index_url = options.index_url or PyPI.simple_url
    with command.main_context():
        session = command.get_default_session(options)
        try:
            found = command._build_package_finder(options, session).find_all_candidates(PACKAGE)
            wanted = [c.link for c in found if str(c.version) == VERSION and not c.link.is_wheel]
            if not wanted:
                raise NotObtainedError(f"软件源里没有 · the package index has no {PACKAGE} {VERSION}")
            answer = session.get(wanted[0].url_without_fragment)
            answer.raise_for_status()
            return bytes(answer.content)
        except NotObtainedError:
            raise
        except Exception as error:  # noqa: BLE001 - pip raises many kinds; all mean the same to the reader
            raise NotObtainedError(f"无法下载 {PACKAGE} · cannot download {PACKAGE}: {error}") from error


def extract(sdist: bytes) -> bytes:
    """umqtt/simple.py out of the sdist; its digests are checked before anything is believed."""
    if _sha256(sdist) != SDIST_SHA256:
        raise NotObtainedError(f"{PACKAGE} {VERSION} 校验和不符，已拒绝 · wrong digest, refused")
    with tarfile.open(fileobj=io.BytesIO(sdist)) as archive:
        member = next(m for m in archive if m.name.endswith("umqtt/simple.py"))
        file = archive.extractfile(member)
        source = file.read() if file else b""
    if _sha256(source) != SIMPLE_SHA256:
        raise NotObtainedError(f"{member.name} 校验和不符，已拒绝 · wrong digest, refused")
    return source


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def main() -> int:
    try:
        print(obtain())
    except NotObtainedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
