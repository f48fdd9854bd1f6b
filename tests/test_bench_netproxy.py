"""The bench's network: what passes, what does not, and that a cut looks like a cut to both ends."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tools.bench.netproxy import NetProxy


@pytest.fixture
async def echo_port() -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(4096):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def proxy(echo_port: int) -> AsyncIterator[NetProxy]:
    proxy = NetProxy(("127.0.0.1", echo_port), slow_ms=60)
    await proxy.start()
    yield proxy
    await proxy.stop()


async def ask(proxy: NetProxy, data: bytes, timeout_s: float = 2.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(data)
    try:
        return await asyncio.wait_for(reader.readexactly(len(data)), timeout_s)
    finally:
        writer.close()


async def is_closed(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 2) == b""
    except ConnectionResetError:
        return True


async def test_bytes_pass_untouched_and_are_counted(proxy: NetProxy) -> None:
    data = bytes(range(256)) * 40
    assert await ask(proxy, data) == data
    assert proxy.bytes_up == proxy.bytes_down == len(data)


async def test_a_cut_closes_what_is_open_and_refuses_what_comes(proxy: NetProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    assert proxy.linked
    proxy.set("cut")
    assert await is_closed(reader)
    assert not proxy.linked
    with pytest.raises((OSError, asyncio.IncompleteReadError)):
        await ask(proxy, b"y")
    proxy.set("up")
    assert await ask(proxy, b"z") == b"z"


async def test_frozen_keeps_the_connection_and_delivers_afterwards(proxy: NetProxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"1")
    await reader.readexactly(1)
    proxy.set("frozen")
    writer.write(b"2")
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(reader.readexactly(1), 0.2)
    assert proxy.linked
    proxy.set("up")
    assert await asyncio.wait_for(reader.readexactly(1), 2) == b"2"


async def test_slow_delays_each_way(proxy: NetProxy) -> None:
    proxy.set("slow")
    begin = time.monotonic()
    assert await ask(proxy, b"slow") == b"slow"
    assert time.monotonic() - begin >= 0.12


async def test_a_dead_broker_is_a_closed_connection_not_a_crash(echo_port: int) -> None:
    proxy = NetProxy(("127.0.0.1", 1))
    await proxy.start()
    try:
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await ask(proxy, b"?")
    finally:
        await proxy.stop()
