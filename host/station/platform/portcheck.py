"""Is a port free, and if not, who sits on it? So that "address in use" becomes a sentence a person can act on."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path


class PortTakenError(Exception):
    pass


def check_free(ports: Mapping[str, tuple[str, int]]) -> None:
    """PortTakenError, naming the first taken port, what it is for, how to move it and who holds it.

    ports: name of the setting (`PUMPSIDE_...`) -> (what it is for, port).
    """
    for setting, (purpose, port) in ports.items():
        if not is_free(port):
            holder = holder_of(port)
            by_zh, by_en = (f"，占用者：{holder}", f" by {holder}") if holder else ("", "")
            raise PortTakenError(
                f"端口 {port}（{purpose}）已被占用{by_zh}。请停止它，或设置 {setting} 换一个端口。\n"
                f"Port {port} ({purpose}) is taken{by_en}: stop that program, or choose another port with {setting}."
            )


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do it, so that connections in TIME_WAIT of a station just stopped do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def holder_of(port: int) -> str:
    """Process name and id of the listener, "" where the system does not tell (other user, not Linux)."""
    inodes = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    if not inodes:
        return ""
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(os.readlink(fd) in inodes for fd in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text().strip()} ({process.name})"
        except OSError:
            continue
    return ""
