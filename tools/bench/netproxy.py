"""The network between one board and the broker: a TCP proxy that can be cut, frozen and delayed.

Bytes pass untouched (TLS goes through end to end). `cut` closes what is open and refuses what comes; `frozen` keeps
connections open but lets nothing pass, as a dead switch does; `slow` delays each direction by `slow_ms`.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable

from tools.bench.state import Network

_CHUNK = 4096


class NetProxy:
    """Runs on an asyncio loop; call all but `set_soon` from that loop's thread. `port` is known after `start`."""

    def __init__(self, broker: tuple[str, int], slow_ms: int = 400) -> None:
        self._broker = broker
        self._slow_s = slow_ms / 1000
        self._server: asyncio.Server | None = None
        self._links: dict[asyncio.Task[None], Callable[[], None]] = {}
        self._moving = asyncio.Event()
        self._moving.set()
        self.kind: Network = "up"
        self.port = 0
        self.bytes_up = self.bytes_down = 0

    @property
    def linked(self) -> bool:
        return bool(self._links) and self.kind != "cut"

    async def start(self, port: int = 0) -> None:
        """Binds a loopback port: `port`, or a free one for 0. OSError if it is taken."""
        self._loop = asyncio.get_running_loop()
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        self._drop_all()
        await asyncio.gather(*self._links, return_exceptions=True)

    def set_soon(self, kind: Network) -> None:
        """`set` from another thread."""
        self.kind = kind
        self._loop.call_soon_threadsafe(self.set, kind)

    def set(self, kind: Network) -> None:
        self.kind = kind
        if kind == "cut":
            self._drop_all()
        if kind == "frozen":
            self._moving.clear()
        else:
            self._moving.set()

    def _drop_all(self) -> None:
        for abort in list(self._links.values()):
            abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._links[task] = writer.transport.abort
        try:
            if self.kind != "cut":
                await self._serve(task, reader, writer)
        finally:
            del self._links[task]
            writer.transport.abort()

    async def _serve(
        self, task: "asyncio.Task[None]", reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await self._moving.wait()
        try:
            up_reader, up_writer = await asyncio.open_connection(*self._broker)
        except OSError:
            return
        for end in (writer, up_writer):
            end.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def abort() -> None:
            writer.transport.abort()
            up_writer.transport.abort()

        self._links[task] = abort
        ways = [
            asyncio.create_task(self._pump(reader, up_writer, up=True)),
            asyncio.create_task(self._pump(up_reader, writer, up=False)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            abort()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, up: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.kind == "slow":
                    await asyncio.sleep(self._slow_s)
                await self._moving.wait()
                if up:
                    self.bytes_up += len(data)
                else:
                    self.bytes_down += len(data)
                writer.write(data)
                await writer.drain()
