"""Free ports on loopback, for tests and benches that start servers of their own."""

import socket
from contextlib import ExitStack


def free_port() -> int:
    """A port that was free a moment ago, and so was the one after it (a Mosquitto of ours listens on both)."""
    while True:
        with ExitStack() as held:
            first = held.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            second = held.enter_context(socket.socket())
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
