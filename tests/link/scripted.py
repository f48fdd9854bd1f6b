"""A broker that does exactly what a test says, byte by byte, and the pump's MQTT client under the real interpreter."""

import queue
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON_PATH = f".frozen:{ROOT}/firmware:{ROOT}/firmware/lib:{ROOT}/build"
CONNACK = b"\x20\x02\x00\x00"
PINGREQ, PINGRESP = b"\xc0\x00", b"\xd0\x00"

PRELUDE = """
import asyncio, mqtt
# Deadlines of seconds would make slow tests; what is tested is that they are kept.
mqtt.RESEND_MS, mqtt.PING_MS, mqtt.WRITE_MS, mqtt.WATCH_MS = 300, 400, 600, 50
client = mqtt.MQTT("c", "127.0.0.1", PORT, "u", "p", 2)
heard = []
client.set_callback(lambda topic, payload: heard.append((bytes(topic), bytes(payload))))
async def attempt(work):
    try:
        return await work
    except Exception as error:
        return type(error).__name__
"""


def interpreter() -> str:
    beside = Path(sys.executable).parent / "micropython"
    return str(beside) if beside.exists() else (shutil.which("micropython") or "micropython")


class Broker:
    """One listening socket; accept() gives the next connection of the client."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(6)
        self.port: int = self._listener.getsockname()[1]

    def accept(self, connack: bytes | None = CONNACK) -> "Connection":
        """The next connection, its CONNECT read and answered."""
        sock, _ = self._listener.accept()
        sock.settimeout(6)
        if self._tls:
            sock = self._tls.wrap_socket(sock, server_side=True)
        connection = Connection(sock)
        connection.connect = connection.packet()
        if connack:
            sock.sendall(connack)
        return connection

    def close(self) -> None:
        self._listener.close()


class Connection:
    """The broker's end of a connection, in packets."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.connect = b""
        self.pieces: list[int] = []  # how many bytes each read from the network brought

    def packet(self, skip_pings: bool = True) -> bytes:
        """The next whole packet; pings are answered on the way unless skip_pings is False. EOFError at the end."""
        while True:
            head = self._exactly(2)
            size, shift = head[1] & 127, 7
            while head[-1] & 128:
                head += self._exactly(1)
                size |= (head[-1] & 127) << shift
                shift += 7
            found = head + self._exactly(size)
            if not skip_pings or found != PINGREQ:
                return found
            self.sock.sendall(PINGRESP)

    def _exactly(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self.sock.recv(size - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def ended(self) -> bool:
        """True if the client closes the connection within the time-out."""
        try:
            while self.packet():
                pass
        except (EOFError, ConnectionResetError):
            return True
        except TimeoutError:
            return False
        return False


class Pump:
    """A script with the pump's client in the real interpreter; lines() is what it prints."""

    def __init__(self, script: str, port: int) -> None:
        command = [interpreter(), "-c", (PRELUDE + script).replace("PORT", str(port))]
        self._process = subprocess.Popen(
            command, env={"MICROPYPATH": MICROPYTHON_PATH}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put("")

    def line(self, timeout_s: float = 6.0) -> str:
        """The next printed line; empty at the end of the script."""
        return self._lines.get(timeout=timeout_s)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextmanager
def pump_and_broker(script: str, tls: ssl.SSLContext | None = None) -> Iterator[tuple[Pump, Broker]]:
    broker = Broker(tls)
    pump = Pump(script, broker.port)
    try:
        yield pump, broker
    finally:
        pump.close()
        broker.close()


def publish(topic: bytes, payload: bytes, packet_id: int = 0, qos: int = 0) -> bytes:
    """A PUBLISH packet as a broker sends it."""
    body = len(topic).to_bytes(2, "big") + topic + (packet_id.to_bytes(2, "big") if qos else b"") + payload
    size, head = len(body), bytearray([0x30 | qos << 1])
    while size > 127:
        head.append(size & 127 | 128)
        size >>= 7
    head.append(size)
    return bytes(head) + body


def puback(packet: bytes, late_id: int | None = None) -> bytes:
    """The acknowledgement of a QoS 1 PUBLISH packet (of less than 128 bytes), or of late_id."""
    topic_size = int.from_bytes(packet[2:4], "big")
    return b"\x40\x02" + (
        late_id.to_bytes(2, "big") if late_id is not None else packet[4 + topic_size : 6 + topic_size]
    )
