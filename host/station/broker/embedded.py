"""The embedded broker: amqtt with our credentials and access rules, and its known faults kept off the forecourt.

What amqtt 0.12 does by itself, each answered below: it drops a live session for a client id before it knows the
password; takes wills on any topic; leaves the old connection of a client id open when a new one comes, so that its
will marks a live pump as offline later; never ends a connection whose keep-alive ran out; hands retained messages of
others to whoever connects; reads packets of any size; waits for ever for the first packet.
"""

# mypy: disable-error-code="misc,no-any-return"
# (amqtt has no type information)

import asyncio
import logging
import ssl
from collections.abc import Callable
from contextlib import suppress

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action, BrokerConfig, ListenerConfig
from amqtt.errors import MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.session import Session

from station.platform import topics
from station.platform.credentials import Credentials
from station.platform.pki import Pki

log = logging.getLogger(__name__)

CONNECT_S = 10.0  # from accepting a connection to a whole CONNECT packet
CLOSE_S = 1.0
STOP_S = 5.0
CONNECTIONS_MAX = 1000
PACKET_MAX = 256 * 1024
KEEPALIVE_MAX_S = 1800  # also for clients that ask for none: no half-open connection stays for ever
GRACE = 1.5  # of the keep-alive time before a silent client is cut off (MQTT 3.1.1, 3.1.2.10)


class Handler(BrokerProtocolHandler):
    """One client's connection; ends when the client has been silent for longer than it said it would be."""

    def handle_read_timeout(self) -> None:
        if self.writer is not None:
            log.info("silent client cut off: %s", self.session.client_id if self.session else "?")
            self._closing = asyncio.ensure_future(self.handle_connection_closed())


class PromptWriter(StreamWriterAdapter):
    """Does not wait for a peer that has stopped reading when it is to be closed."""

    async def close(self) -> None:
        try:
            await asyncio.wait_for(super().close(), CLOSE_S)
        except (OSError, TimeoutError):
            self._writer.transport.abort()


class LimitedReader(StreamReaderAdapter):
    """Refuses to read packets that nobody here has a use for."""

    async def read(self, n: int = -1) -> bytes:
        if n > PACKET_MAX:
            raise MQTTError(f"packet of {n} bytes")
        return await super().read(n)


class EmbeddedBroker(Broker):
    """Listens for MQTT over TLS on host:port until shutdown()."""

    def __init__(self, host: str, port: int, files: Pki, credentials: Credentials) -> None:
        self._credentials = credentials
        self._stopping = False
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self.load_certificate(files)
        listener = ListenerConfig(
            bind=f"{host}:{port}", ssl=True, certfile=files.server_pem, keyfile=files.server_key,
            max_connections=CONNECTIONS_MAX,
        )  # fmt: skip
        super().__init__(BrokerConfig(listeners={"default": listener}, plugins={}))

    def load_certificate(self, files: Pki) -> None:
        """Takes a renewed certificate into use for connections from now on."""
        self._tls.load_cert_chain(files.server_pem, files.server_key)

    def _create_ssl_context(self, _: ListenerConfig) -> ssl.SSLContext:
        return self._tls

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        try:
            await self._client_connected(listener_name, LimitedReader(reader), PromptWriter(writer))
        except (OSError, asyncio.IncompleteReadError) as error:
            log.info("connection lost: %r", error)
        finally:
            writer.close()

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[BrokerProtocolHandler, Session]:
        """Who is not let in here has touched nothing."""
        try:
            handler, session = await asyncio.wait_for(
                Handler.init_from_connect(reader, writer, self.plugins_manager), CONNECT_S
            )
        except Exception as error:  # noqa: BLE001 - any bytes may come before we know who it is
            log.warning("no valid CONNECT from %s: %r", remote_address, error)
            raise MQTTError("CONNECT") from None
        if not self._allowed(session):
            log.warning("refused client %r as %r from %s", session.client_id, session.username, remote_address)
            with suppress(OSError, MQTTError, NoDataError):
                await ConnackPacket.build(0, NOT_AUTHORIZED).to_stream(writer)
            raise MQTTError("not authorised")
        # Every session is a clean one: amqtt's memory of a session ends with the process, and nobody here relies on it.
        session.clean_session, session.parent = True, 0
        session.keep_alive = int(min(session.keep_alive or KEEPALIVE_MAX_S, KEEPALIVE_MAX_S) * GRACE)
        await self._take_over(session.client_id or "")
        return handler, session

    def _allowed(self, session: Session) -> bool:
        user, password = session.username or "", session.password or ""
        return (
            self._credentials.check(user, password)
            and topics.may_use_client_id(user, session.client_id or "")
            and (not session.will_flag or topics.may_publish(user, session.will_topic or ""))
        )

    async def _take_over(self, client_id: str) -> None:
        """Ends an older connection of this client, its will included, before the new one says anything."""
        session, handler = self._sessions.get(client_id, (None, None))
        if session is None:
            return
        if handler is not None and session.transitions.state == "connected":
            log.info("client %s connects anew, its old connection ends", client_id)
            await handler.handle_connection_closed()
            with suppress(TimeoutError):
                await asyncio.wait_for(_until(lambda: session.transitions.state != "connected"), STOP_S)
        await self._delete_session(client_id)

    async def _authenticate(self, session: Session, _: ListenerConfig) -> bool:
        return True  # _initialize_client_session() lets nobody else get this far

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        # Without an await that yields: amqtt walks over its table of subscriptions around this call.
        user = session.username or ""
        if action is Action.PUBLISH:
            allowed = topics.may_publish(user, topic)
        elif action is Action.SUBSCRIBE:
            allowed = topics.may_subscribe(user, topic)
        else:
            allowed = topics.may_receive(user, topic)
        if not allowed:
            log.warning("refused %s of %r to %r", action, topic[:200], user)
        return allowed

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        # amqtt also calls this at every connect, with the filters of everybody.
        topic_filter, qos = subscription
        handler = self._get_handler(session)
        if handler is None or all(other is not session for other, _ in self._subscriptions.get(topic_filter, ())):
            return
        user = session.username or ""
        sent = [
            asyncio.create_task(handler.mqtt_publish(kept.topic, kept.data, min(qos, kept.qos or 0), retain=True))
            for kept in list(self._retained_messages.values())
            if self._matches(kept.topic, topic_filter) and topics.may_receive(user, kept.topic)
        ]
        await asyncio.gather(*sent, return_exceptions=True)

    async def _cleanup_session(self, client_id: str) -> None:
        # The monitor made its list some awaits ago: by now the client may be back.
        session = self._sessions.get(client_id, (None, None))[0]
        if self._stopping or (session is not None and session.transitions.state == "disconnected"):
            await super()._cleanup_session(client_id)

    async def shutdown(self) -> None:
        """Stops listening first, so that nobody comes in while the others are sent away."""
        self._stopping = True
        for server in self._servers.values():
            if server.instance is not None:
                server.instance.close()
        await super().shutdown()


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.01)
