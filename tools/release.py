"""Makes a release of the firmware: the image for one slot and a signed manifest, in one file (docs/update.md).

    python -m tools.release --new-key release.pem          a key pair: release.pem (secret) and release.pem.pub
    python -m tools.release --key release.pem --version 3 --out pumpside-3.release

The secret key is its maker's alone and never lies at a station or in a repository; boards carry the public one.
"""

import argparse
import hashlib
import json
import os
import sys
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from pump.core import fetch
from pump.core.release import text as release_text
from tools import image

KEY_BITS = 2048  # a longer one is believed as well, and costs the board memory
MOST_BYTES = 31 * fetch.SECTOR  # half of the romfs partition without the slot's head


def new_key(path: Path) -> None:
    """Writes a fresh RSA key (PEM, readable by its owner alone) and beside it the public half. FileExistsError."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    path.with_name(path.name + ".pub").write_bytes(public)


def release(
    key: rsa.RSAPrivateKey, loader: dict[str, bytes], modules: dict[str, bytes], version: int, older: bool = False
) -> bytes:
    """The release file: manifest as one line of JSON, a line feed, the image. ValueError if it does not fit a slot.

    loader: boot.py and main.py, which stay on the board; older: it may replace a newer version.
    """
    software = image.software_id(loader | modules)
    content = image.slot_image(modules, software, version)
    if len(content) > MOST_BYTES:
        raise ValueError(f"固件过大 the image has {len(content)} bytes, a slot takes {MOST_BYTES}")
    manifest: dict[str, object] = {
        "version": version,
        "sw": software,
        "size": len(content),
        "sha": hashlib.sha256(content).hexdigest(),
        "loader": hashlib.sha256(loader["boot.py"] + loader["main.py"]).hexdigest()[:16],
        "older": int(older),
    }
    manifest["sig"] = key.sign(release_text(manifest), padding.PKCS1v15(), hashes.SHA256()).hex()
    return json.dumps(manifest, separators=(",", ":")).encode() + b"\n" + content


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.release", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--new-key", type=Path, help="生成密钥 · make a key pair, e.g. release.pem")
    parser.add_argument("--key", type=Path, help="签名私钥 · the secret key, e.g. release.pem")
    parser.add_argument("--version", type=int, help="版本号，只增 · version, rising, e.g. 3")
    parser.add_argument("--older", action="store_true", help="允许降级到此版本 · may replace a newer version")
    parser.add_argument("--out", type=Path, help="输出文件 · file, e.g. pumpside-3.release")
    chosen = parser.parse_args(arguments)
    try:
        if chosen.new_key:
            new_key(chosen.new_key)
            print(f"{chosen.new_key} (保密 secret), {chosen.new_key}.pub")
            return 0
        if not (chosen.key and chosen.version and chosen.out and chosen.version > 0):
            parser.error("--key, --version (>= 1) and --out belong together")
        key = serialization.load_pem_private_key(chosen.key.read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise ValueError("不是 RSA 私钥 not an RSA key")
        built = image.cached()
        loader = {name: data for name, data in built.files().items() if name != "software"}
        made = release(key, loader, built.modules(), chosen.version, chosen.older)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    chosen.out.write_bytes(made)
    manifest = json.loads(made.split(b"\n", 1)[0])
    print(f"{chosen.out}: 版本 version {manifest['version']}, 软件标识 software id {manifest['sw']}, {len(made)} B")
    return 0


if __name__ == "__main__":
    sys.exit(main())
