"""A broker under test and MQTT clients for it."""

import queue
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from station.platform import pki
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.platform.topics import STATION_USER

PATIENCE_S = 8.0
QUIET_S = 0.4  # long enough for a message over the loopback that should not come


class Client:
    """paho with its callbacks turned into queues. `code` is what CONNACK said, None if there was none."""

    def __init__(
        self, port: int, client_id: str, user: str, password: str, tls: ssl.SSLContext | None,
        will: tuple[str, bytes] | None = None, keepalive: int = 30,
    ) -> None:  # fmt: skip
        self.messages: queue.Queue[paho.MQTTMessage] = queue.Queue()
        self.code: int | None = None
        self.granted: list[int] = []
        self.up = False
        self._paho = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, reconnect_on_failure=False)
        if user:
            self._paho.username_pw_set(user, password)
        if tls:
            self._paho.tls_set_context(tls)
        if will:
            self._paho.will_set(will[0], will[1], qos=1, retain=True)
        self._paho.on_connect = self._connected
        self._paho.on_disconnect = self._disconnected
        self._paho.on_subscribe = self._subscribed
        self._paho.on_message = lambda *args: self.messages.put(args[2])
        self.failure: OSError | None = None
        try:
            self._paho.connect("127.0.0.1", port, keepalive)
        except OSError as error:
            self.failure = error
            return
        self._paho.loop_start()
        _wait(lambda: self.code is not None, 4.0)

    def _connected(self, *args: Any) -> None:
        code: ReasonCode = args[3]
        self.code = int(code.value)
        self.up = not code.is_failure

    def _disconnected(self, *_: Any) -> None:
        self.up = False

    def _subscribed(self, *args: Any) -> None:
        self.granted = [int(code.value) for code in args[3]]

    def subscribe(self, *filters: str, qos: int = 1) -> list[int]:
        """Granted qualities; 0x80 and above: refused."""
        self.granted = []
        self._paho.subscribe([(name, qos) for name in filters])
        _wait(lambda: bool(self.granted), PATIENCE_S)
        return self.granted

    def publish(self, topic: str, payload: bytes, retain: bool = False, qos: int = 1) -> bool:
        """True if the broker took it (brokers also acknowledge what their rules forbid)."""
        info = self._paho.publish(topic, payload, qos=qos, retain=retain)
        return _wait(info.is_published, PATIENCE_S)

    def publish_later(self, topic: str, payload: bytes) -> None:
        """QoS 1, without waiting for the acknowledgement."""
        self._paho.publish(topic, payload, qos=1)

    def next(self, timeout_s: float = PATIENCE_S) -> paho.MQTTMessage:
        return self.messages.get(timeout=timeout_s)

    def silent(self) -> bool:
        """True if nothing comes for a while."""
        return not self.hush()

    def hush(self) -> list[bytes]:
        """What comes until nothing comes for a while."""
        heard: list[bytes] = []
        while True:
            try:
                heard.append(bytes(self.messages.get(timeout=QUIET_S).payload))
            except queue.Empty:
                return heard

    def hush_now(self) -> None:
        """Forgets what has come so far."""
        while not self.messages.empty():
            self.messages.get()

    def check(self) -> bool:
        """True if a published message is acknowledged, or the connection is gone."""
        return not self.up or bool(self.publish("pumpside/v1/s1/p9/ack", b""))

    def vanish(self) -> None:
        """The connection breaks without a word, so that the broker sends the will."""
        sock = self._paho.socket()
        self._paho.loop_stop()
        if sock:
            sock.close()

    def stall(self) -> None:
        """The peer stays connected and says nothing more."""
        self._paho.loop_stop()

    def close(self) -> None:
        self._paho.disconnect()
        self._paho.loop_stop()


@dataclass
class Line:
    """One running broker: the port for pumps and the one for the station's processes."""

    site: Settings
    port: int
    station_port: int
    _clients: list[Client] = field(default_factory=list)

    def tls(self, authority: bytes | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        pem = authority or pki.paths(self.site.pki_dir).ca_pem.read_bytes()
        context.load_verify_locations(cadata=pem.decode())
        return context

    def password(self, pump: str) -> str:
        device = next(self.site.device_id(one) for one in self.site.pumps if one.pump == pump)
        return Secrets.load(self.site.secrets_path).device(device).mqtt_password

    def device(self, pump: str, **changes: Any) -> Client:
        """A pump's client, as it should be except for the changes."""
        user = f"{self.site.station}/{pump}"
        return self.client(**({"client_id": user, "user": user, "password": self.password(pump)} | changes))

    def station(self, client_id: str = "station-test") -> Client:
        password = Secrets.load(self.site.secrets_path).station_mqtt_password
        made = self.client(client_id=client_id, user=STATION_USER, password=password, port=self.station_port)
        assert made.up, made.failure or made.code
        return made

    def client(self, **given: Any) -> Client:
        how: dict[str, Any] = {"port": self.port, "tls": self.tls()} | given
        made = Client(**how)
        self._clients.append(made)
        return made

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._clients.clear()


def _wait(condition: Any, timeout_s: float) -> bool:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
