"""Whole reads and writes on a non-blocking socket, plain or TLS, under MicroPython's asyncio.

asyncio's own streams do the same and more, and cost 1.8 KB of heap on the 64-bit interpreter.
"""

import errno
from asyncio import core


def writable(sock):
    """To be awaited: what asyncio's streams do."""
    yield core._io_queue.queue_write(sock)


def fill(sock, buf):
    """To be awaited: reads until buf is full. OSError at the end of the stream."""
    view, at = memoryview(buf), 0
    while at < len(buf):
        yield core._io_queue.queue_read(sock)
        got = sock.readinto(view[at:])
        if got:
            at += got
        elif got is not None:
            raise OSError(errno.ECONNRESET)


async def send(sock, data):
    """Writes all of it, at once if the network takes it."""
    view, at = memoryview(data), 0
    while True:
        at += sock.write(view[at:]) or 0
        if at >= len(data):
            return
        await writable(sock)
