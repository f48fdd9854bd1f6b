"""The broker as the station meets it: paho-mqtt over TLS, CA and name checked, TCP_NODELAY, acknowledging by hand."""

import os
import socket
import ssl
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from station.platform.secrets import Secrets
from station.platform.settings import Settings

KEEPALIVE_S = 30
RECONNECT_S = (1, 10)
TLS_RECORD = 16_384  # the longest there is (RFC 8446, 5.1)


class _ReadAhead(ssl.SSLSocket):
    """Reads a whole TLS record at once and gives it out in pieces: paho asks four times for one message."""

    _ahead, _at = b"", 0

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        if self._at >= len(self._ahead):
            self._ahead, self._at = super().recv(TLS_RECORD, flags), 0
        piece = self._ahead[self._at : self._at + buflen]
        self._at += buflen
        return piece

    def pending(self) -> int:
        return max(0, len(self._ahead) - self._at) + super().pending()


class _NamedContext(ssl.SSLContext):
    """Checks the certificate for the broker's own name, by whatever address it is reached."""

    broker_name = ""
    sslsocket_class = _ReadAhead

    def wrap_socket(self, *args: Any, **kwargs: Any) -> ssl.SSLSocket:
        kwargs["server_hostname"] = self.broker_name
        return super().wrap_socket(*args, **kwargs)


def tls_context(ca_path: Path, broker_name: str) -> ssl.SSLContext:
    """A client's context that trusts our own authority alone. Raises OSError if the CA file is missing."""
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.broker_name = broker_name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(ca_path)
    return context


def make_client(settings: Settings, secrets: Secrets, role: str) -> paho.Client:
    """A configured client that is not connected yet; role tells the station's processes apart in the broker's log."""
    client = paho.Client(
        CallbackAPIVersion.VERSION2, client_id=f"station-{role}-{os.getpid()}", clean_session=True, manual_ack=True
    )
    client.username_pw_set(settings.broker_user, settings.broker_password or secrets.station_mqtt_password)
    client.tls_set_context(tls_context(settings.pki_dir / "ca.pem", settings.broker_name))
    client.reconnect_delay_set(*RECONNECT_S)
    client.on_socket_open = _no_delay
    return client


def _no_delay(_client: paho.Client, _userdata: object, sock: Any) -> None:
    # Without it an acknowledgement waits for the peer's delayed one: 81 ms instead of 2.5.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
