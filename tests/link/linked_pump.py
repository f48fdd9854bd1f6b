"""The real link on the real controller under the real interpreter, as a process that a test gives orders to."""

import contextlib
import json
import queue
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from station.mqtt import signing
from station.platform import pki
from station.platform.secrets import Secrets
from station.platform.topics import UP, topic
from tests.link.line import Client, Line
from tests.link.scripted import MICROPYTHON_PATH, interpreter

SCRIPT = Path(__file__).with_name("pump_script.py")
PUMP = "p1"


class LinkedPump:
    """now() is the last situation it told: see pump_script.situation()."""

    def __init__(self, home: Path) -> None:
        self._orders = home / "orders"
        self._orders.write_text("")
        self._process = subprocess.Popen(
            [interpreter(), str(SCRIPT), str(home)],
            env={"MICROPYPATH": MICROPYTHON_PATH},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._told: queue.Queue[str] = queue.Queue()
        self.noise: list[str] = []
        self._now: dict[str, Any] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            self._told.put(line)

    def order(self, text: str) -> None:
        with self._orders.open("a") as file:
            file.write(text + "\n")

    def now(self) -> dict[str, Any]:
        while not self._told.empty():
            line = self._told.get()
            if line.startswith("{"):
                self._now = json.loads(line)
            else:
                self.noise.append(line)
        return self._now

    def wait(self, condition: Callable[[dict[str, Any]], object], timeout_s: float = 12.0) -> dict[str, Any]:
        """The situation when the condition held at last; AssertionError with the situation if it never did."""
        end = time.monotonic() + timeout_s
        while not (self.now() and condition(self._now)):
            assert time.monotonic() < end, (self._now, self.noise)
            time.sleep(0.02)
        return self._now

    def alive(self) -> bool:
        return self._process.poll() is None

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def linked_pump(line: Line, home: Path, port: int = 0, authority: bytes | None = None) -> Iterator[LinkedPump]:
    """p1 with its identity in `home`; port: where it finds the broker; authority: another CA (DER)."""
    source = line.site.data_dir / "devices" / PUMP
    home.mkdir(parents=True, exist_ok=True)
    identity = json.loads((source / "identity.json").read_text())
    identity["broker"]["port"] = port or line.port
    (home / "identity.json").write_text(json.dumps(identity))
    shutil.copy(source / "ca.der", home / "ca.der")
    if authority:
        (home / "ca.der").write_bytes(authority)
    pump = LinkedPump(home)
    try:
        yield pump
    finally:
        pump.close()


class Station:
    """The station's side in a test: hears everything of p1 and signs what it says."""

    def __init__(self, line: Line, client_id: str = "station-test") -> None:
        device = next(line.site.device_id(one) for one in line.site.pumps if one.pump == PUMP)
        self.device = device
        self.key = Secrets.load(line.site.secrets_path).device(device).link
        self.client: Client = line.station(client_id)
        self.client.subscribe(*(self.name(leaf) for leaf in UP))

    def name(self, leaf: str) -> str:
        return topic("s1", PUMP, leaf)

    def say(self, leaf: str, message: dict[str, Any], key: bytes | None = None, retain: bool = False) -> bytes:
        payload = signing.sign(key or self.key, self.name(leaf), message)
        self.client.publish(self.name(leaf), payload, retain=retain)
        return payload

    def say_raw(self, leaf: str, payload: bytes) -> None:
        self.client.publish(self.name(leaf), payload)

    def hear(self, leaf: str, timeout_s: float = 12.0) -> bytes:
        """The next message on this topic; others are passed over."""
        end = time.monotonic() + timeout_s
        while True:
            message = self.client.next(max(0.01, end - time.monotonic()))
            if message.topic == self.name(leaf):
                return bytes(message.payload)

    def state(self) -> dict[str, Any]:
        """The pump's next state while it is online; wills of earlier connections are passed over."""
        while True:
            state: dict[str, Any] = json.loads(self.hear("state"))
            if state["online"]:
                return state

    def acknowledge(self, seq: int) -> None:
        self.say("ack", {"seq": seq, "device": self.device})


def foreign_authority(directory: Path) -> bytes:
    """A CA certificate (DER) that has signed nothing here."""
    return pki.ensure(directory).ca_der.read_bytes()
