"""MQTT 3.1.1 on asyncio, over TLS: umqtt.simple with its socket moved onto asyncio.

umqtt.simple blocks on every answer. Here two tasks own the socket: one reads packets, one writes them, each packet
with a single write; whoever publishes never waits for the socket. One QoS 1 message is on its way at a time; a second
one waits for its turn. Who waits looks every TICK_MS: asyncio's streams, events, locks and wait_for would cost 4 KB.
The client keeps no clock: run() looks every WATCH_MS and adds up, which is exact enough for deadlines of seconds.

    client = MQTT("s1/p1", "10.0.0.2", 8883, "s1/p1", "secret", 10, tls=context(ca_der), name="pumpside-broker")
    client.set_callback(on_message)           # must not wait; topic, payload (bytes, memoryview; None: too long)
    await client.connect(15000)               # OSError, BadCertificate, MQTTException(return code)
    task = asyncio.create_task(client.run())  # watches the connection; ends with the OSError that ended it
    await client.subscribe(("a/b", "c/#")); await client.publish("a/c", b"...", qos=1)
"""

import asyncio
import errno
import socket

import sockets
from umqtt.simple import MQTTClient, MQTTException

TICK_MS = 10
WATCH_MS = 200
WRITE_MS = 8000  # a packet that the network does not take within this time is lost, and the connection with it
PING_MS = 5000  # for the answer to a ping
RESEND_MS = 4000  # for a PUBACK or SUBACK, before the packet is sent again
RESENDS = 2
OUTBOX = 6  # packets; beyond this QoS 0 is dropped
PACKET_MAX = 1280  # longer ones are read off and dropped, so that no peer can fill the memory


class BadCertificate(OSError):  # noqa: N818 - a state of the line
    """The peer is not who it should be: wrong authority, wrong name or outside its time. Waiting does not help."""


def context(ca_der, cert_der=None, key_der=None):
    """A TLS context that insists on a certificate of this authority; optionally with an own certificate. All DER."""
    import tls

    made = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    made.verify_mode = tls.CERT_REQUIRED
    made.load_verify_locations(ca_der)  # by position: this is the C module, not its wrapper `ssl`
    if cert_der:
        made.load_cert_chain(cert_der, key_der)
    return made


def packet(op, *parts):
    """A whole packet: first byte, remaining length (MQTT 3.1.1, 2.2.3), parts."""
    size = sum(len(part) for part in parts)
    made = bytearray((op,))
    while size > 127:
        made.append(size & 127 | 128)
        size >>= 7
    made.append(size)
    for part in parts:
        made.extend(part)
    return made


def string(text):
    """A UTF-8 string (str or bytes) with its length before it."""
    data = text.encode() if isinstance(text, str) else text
    return bytes((len(data) >> 8, len(data) & 255)) + data


class MQTT(MQTTClient):
    def __init__(self, client_id, server, port, user, password, keepalive_s, tls=None, name=None):
        super().__init__(client_id, server, port, user, password, keepalive_s)
        self.tls = tls
        self.name = name
        self.dropped = 0  # messages: too long, or given up because the outbox was full
        self.faults = 0  # exceptions in the callback
        self._address = None
        self._tasks = []
        self._fault = None
        self._outbox = []
        self._waiting = 0  # packet id whose acknowledgement is awaited
        self._turn = False  # somebody waits for one
        self._codes = b""

    async def connect(self, timeout_ms):
        """Opens a clean session. Resolves the name if need be, which blocks: call it when a stall does no harm."""
        self.drop()
        self._fault = None
        task = asyncio.create_task(self._guard(self._open()))
        try:
            while not task.done():
                if timeout_ms <= 0:
                    raise OSError(errno.ETIMEDOUT)
                timeout_ms -= TICK_MS
                await asyncio.sleep_ms(TICK_MS)
            if self._fault:
                raise self._fault
        except BaseException:
            task.cancel()
            self.drop()
            self._address = None  # resolved anew next time: the broker may have moved
            raise
        self._quiet_ms = self._pinging_ms = self._writing_ms = 0
        self._pinging = self._writing = False
        self._tasks = [asyncio.create_task(self._guard(work)) for work in (self._read(), self._write())]

    async def _open(self):
        if self._address is None:
            self._address = socket.getaddrinfo(self.server, self.port, 0, socket.SOCK_STREAM)[0]
        family, kind, proto, _, address = self._address
        plain = self.sock = socket.socket(family, kind, proto)  # so that drop() closes it
        plain.setblocking(False)
        try:
            plain.connect(address)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        await sockets.writable(plain)
        if self.tls:
            self.sock = self.tls.wrap_socket(plain, server_hostname=self.name, do_handshake_on_connect=False)
            self.sock.setblocking(False)
        await sockets.send(self.sock, self._connect_packet())
        answer = bytearray(4)
        await sockets.fill(self.sock, answer)
        if answer[0] != 0x20 or answer[1] != 2:
            raise OSError(errno.EINVAL)
        if answer[3]:
            raise MQTTException(answer[3])

    def _connect_packet(self):
        flags = 2
        parts = [string(self.client_id)]
        if self.lw_topic:
            flags |= 4 | self.lw_qos << 3 | self.lw_retain << 5
            parts += [string(self.lw_topic), string(self.lw_msg)]
        if self.user is not None:
            flags |= 0xC0
            parts += [string(self.user), string(self.pswd)]
        head = b"\0\4MQTT\4" + bytes((flags, self.keepalive >> 8, self.keepalive & 255))
        return packet(0x10, head, *parts)

    async def run(self):
        """Watches over the connection until it fails; ends with the OSError that says how."""
        try:
            while True:
                await asyncio.sleep_ms(WATCH_MS)
                if self._fault:
                    raise self._fault
                if self._writing:
                    self._writing_ms += WATCH_MS
                if self._pinging:
                    self._pinging_ms += WATCH_MS
                if self._writing_ms > WRITE_MS or self._pinging_ms > PING_MS:
                    raise OSError(errno.ETIMEDOUT)
                self._quiet_ms += WATCH_MS
                if not self._pinging and self._quiet_ms > self.keepalive * 500:
                    self._pinging, self._pinging_ms = True, 0
                    self._put(b"\xc0\0")
        finally:
            self.drop()

    @property
    def connected(self):
        return bool(self._tasks) and not self._fault

    async def publish(self, topic, msg, retain=False, qos=0):
        """QoS 0: True if it was taken for sending. QoS 1: True when the broker has acknowledged it, else OSError."""
        if not self.connected:
            raise OSError(errno.ENOTCONN)
        first = 0x30 | qos << 1 | bool(retain)
        if qos == 0:
            if len(self._outbox) >= OUTBOX:
                self.dropped += 1
                return False
            self._put(packet(first, string(topic), msg))
            return True
        await self._exchange(first, 8, string(topic), msg)
        return True

    async def subscribe(self, topics, qos=1):
        """Subscribes to all of topics. MQTTException(0x80) if the broker refuses one."""
        filters = b""
        for topic in topics:
            filters += string(topic) + bytes((qos,))
        await self._exchange(0x82, 0, b"", filters)
        if 0x80 in self._codes:
            raise MQTTException(0x80)

    async def _exchange(self, first, again, before, after):
        """Sends a packet with an id until it is acknowledged; again: what a repetition sets in its first byte (DUP)."""
        while self._turn:
            await asyncio.sleep_ms(TICK_MS)
        self._turn = True
        try:
            self.pid = self.pid % 65535 + 1  # never 0
            self._waiting = self.pid
            identity = bytes((self.pid >> 8, self.pid & 255))
            for attempt in range(RESENDS + 1):
                if not self.connected:
                    raise OSError(errno.ENOTCONN)
                self._put(packet(first | again if attempt else first, before, identity, after))
                left_ms = RESEND_MS
                while self._waiting and not self._fault and left_ms > 0:
                    await asyncio.sleep_ms(TICK_MS)
                    left_ms -= TICK_MS
                if not self._waiting:
                    return
                if self._fault:
                    break
            self._fault = self._fault or OSError(errno.ETIMEDOUT)
            raise self._fault
        finally:
            self._turn = False

    def drop(self):
        """Closes at once; the broker sends the will. The tasks go first: a closed socket must not be waited for."""
        for task in self._tasks:
            task.cancel()
        self._tasks = []
        self._outbox = []
        self._fault = self._fault or OSError(errno.ENOTCONN)
        if self.sock:
            self.sock.close()
            self.sock = None

    disconnect = ping = wait_msg = check_msg = None  # the original's would block: drop(), run() and the reading task

    def _put(self, data):
        self._outbox.append(data)

    async def _guard(self, work):
        try:
            await work
        except (OSError, MQTTException) as error:
            self._fault = error
        except ValueError as error:  # how mbedTLS's verification failures arrive
            self._fault = BadCertificate(str(error))
        except MemoryError:
            self._fault = OSError(errno.ECONNRESET)

    async def _write(self):
        while True:
            while self._outbox:
                self._writing_ms, self._writing = 0, True
                await sockets.send(self.sock, self._outbox.pop(0))
                self._writing = False
            await asyncio.sleep_ms(TICK_MS)

    async def _read(self):
        sock, head, more = self.sock, bytearray(2), bytearray(1)
        while True:
            await sockets.fill(sock, head)
            size, shift, byte = head[1] & 127, 7, head[1]
            while byte & 128:
                if shift > 21:
                    raise OSError(errno.EINVAL)
                await sockets.fill(sock, more)
                byte = more[0]
                size |= (byte & 127) << shift
                shift += 7
            try:
                body = bytearray(min(size, PACKET_MAX))
            except MemoryError:
                body = bytearray(min(size, 128))  # enough to acknowledge it
            await sockets.fill(sock, body)
            rest = memoryview(bytearray(min(256, size - len(body))))
            for at in range(len(body), size, 256):
                await sockets.fill(sock, rest[: size - at])
            self._quiet_ms = 0
            self._take(head[0], body, size == len(body))

    def _take(self, op, body, whole):
        kind = op & 0xF0
        if kind == 0x30:
            self._deliver(op, body, whole)
        elif kind == 0x40 or kind == 0x90:
            # A late acknowledgement belongs to nobody any more.
            if len(body) >= 2 and self._waiting == body[0] << 8 | body[1]:
                self._waiting, self._codes = 0, bytes(body[2:])
        elif kind == 0xD0:
            self._pinging, self._pinging_ms = False, 0
        else:
            raise OSError(errno.EINVAL)

    def _deliver(self, op, body, whole):
        qos = op >> 1 & 3
        at = 2 + (body[0] << 8 | body[1]) if len(body) > 1 else 2
        if qos > 1 or at + 2 * qos > len(body):
            raise OSError(errno.EINVAL)
        if not whole:
            self.dropped += 1
        try:
            self.cb(bytes(body[2:at]), memoryview(body)[at + 2 * qos :] if whole else None)
        except Exception:  # noqa: BLE001 - the message is to blame or its reader; the connection is not
            self.faults += 1
        if qos:
            self._put(b"\x40\2" + body[at : at + 2])
