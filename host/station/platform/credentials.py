"""The broker's password file, in Mosquitto's format, so that both brokers read the same one.

Lines are `user:$7$iterations$salt$hash`: PBKDF2-HMAC-SHA512 (RFC 8018), salt and hash in base64. The passwords are
random tokens of 256 bits, not words; the iterations Mosquitto uses by default are ample for these.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path

ITERATIONS = 101  # mosquitto_passwd's default
SALT_BYTES = 12
HASH_BYTES = 64


def credentials_path(data_dir: Path) -> Path:
    """The broker's password file in a station's data directory."""
    return data_dir / "broker" / "passwords"


class Credentials:
    """The password file at `path`; read anew whenever it changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._lines: dict[str, str] = {}

    def users(self) -> tuple[str, ...]:
        """All user names in the file, sorted."""
        return tuple(sorted(self._read()))

    def set(self, user: str, password: str) -> None:
        """Adds the user or gives them a new password. ValueError for a name that the format cannot hold."""
        if not user or any(c in user for c in ":+#\n\r") or not password:
            raise ValueError(f"用户名或口令无效 · invalid user name or password: {user!r}")
        if self.check(user, password):
            return
        self._write({**self._read(), user: _hashed(password, secrets.token_bytes(SALT_BYTES), ITERATIONS)})

    def remove(self, user: str) -> None:
        """Takes the user out, if there."""
        self._write({name: line for name, line in self._read().items() if name != user})

    def check(self, user: str, password: str) -> bool:
        """True if this is the user's password."""
        line = self._read().get(user, "")
        try:
            _, kind, iterations, salt, _ = line.split("$")
            if kind != "7":
                return False
            wanted = _hashed(password, base64.b64decode(salt, validate=True), int(iterations))
        except (ValueError, binascii.Error):
            return False
        return hmac.compare_digest(wanted, line)

    def _read(self) -> dict[str, str]:
        try:
            stat = self._path.stat()
        except FileNotFoundError:
            return {}
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._stamp:
            lines = self._path.read_text("utf-8").splitlines()
            self._lines = dict(line.split(":", 1) for line in lines if ":" in line)
            self._stamp = stamp
        return self._lines

    def _write(self, lines: dict[str, str]) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = self._path.with_name(f"{self._path.name}.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.writelines(f"{user}:{line}\n" for user, line in sorted(lines.items()))
        fresh.replace(self._path)


def _hashed(password: str, salt: bytes, iterations: int) -> str:
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, iterations, HASH_BYTES)
    return f"$7${iterations}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"
