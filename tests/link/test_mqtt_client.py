"""The pump's MQTT client under the real interpreter: no fault of umqtt.simple comes back, every deadline is kept."""

import datetime as dt
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from station.platform import pki
from tests.link.scripted import PINGREQ, PINGRESP, puback, publish, pump_and_broker


def test_a_packet_id_is_never_zero_when_it_wraps() -> None:
    script = """
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    client.pid = 65534
    for n in range(3):
        await client.publish("t", b"x", qos=1)
    print("done")
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        ids = []
        for _ in range(3):
            packet = connection.packet()
            ids.append(int.from_bytes(packet[5:7], "big"))
            connection.sock.sendall(puback(packet))
        assert ids == [65535, 1, 2]
        assert pump.line() == "done"


def test_a_publication_started_by_a_received_message_does_not_hang() -> None:
    script = """
def on_message(topic, payload):
    asyncio.create_task(answer())
async def answer():
    await client.publish("answer", b"a", qos=1)
    print("acknowledged")
client.set_callback(on_message)
async def main():
    await client.connect(2000)
    await attempt(client.run())
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        connection.sock.sendall(publish(b"question", b"q", 7, qos=1))
        packets = [connection.packet(), connection.packet()]
        assert b"\x40\x02\x00\x07" in packets, "the question is acknowledged while the answer still waits for its own"
        packets.remove(b"\x40\x02\x00\x07")
        connection.sock.sendall(puback(packets[0]))
        assert pump.line() == "acknowledged"


def test_a_late_acknowledgement_is_nobodys_and_the_stream_stays_in_step() -> None:
    script = """
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    await client.publish("a", b"1", qos=1)
    print("first")
    await client.publish("b", b"2", qos=1)
    print("second", heard)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        first = connection.packet()
        repeated = connection.packet()  # sent again: the acknowledgement takes its time
        connection.sock.sendall(puback(first) + puback(repeated) + puback(repeated, late_id=999))
        assert pump.line() == "first"
        second = connection.packet()
        connection.sock.sendall(puback(first))  # again, now late
        time.sleep(0.1)
        connection.sock.sendall(publish(b"t", b"in step") + puback(second))
        assert pump.line() == "second [(b't', b'in step')]"


def test_a_publication_without_acknowledgement_is_repeated_as_a_duplicate_and_at_last_given_up() -> None:
    script = """
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    print(await attempt(client.publish("t", b"x", qos=1)), client.connected)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        packets = [connection.packet() for _ in range(3)]
        assert [packet[0] for packet in packets] == [0x32, 0x3A, 0x3A]
        assert len({packet[1:] for packet in packets}) == 1, "same id, same content"
        assert pump.line() == "OSError False"


def test_a_ping_without_answer_ends_the_connection() -> None:
    script = """
async def main():
    await client.connect(2000)
    print(await attempt(client.run()))
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        assert connection.packet(skip_pings=False) == PINGREQ
        connection.sock.sendall(PINGRESP)
        assert connection.packet(skip_pings=False) == PINGREQ, "an answered ping is followed by the next"
        assert pump.line() == "OSError"
        assert connection.ended()


def test_reading_is_never_switched_back_to_blocking() -> None:
    """umqtt.simple called setblocking(True) after each read: here half a packet stalls nobody but its reader."""
    script = """
beats = 0
async def beat():
    global beats
    while True:
        await asyncio.sleep_ms(10)
        beats += 1
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run())); asyncio.create_task(beat())
    while not heard:
        await asyncio.sleep_ms(20)
    print(beats > 30, heard)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        packet = publish(b"topic", b"slowly" * 30)
        for piece in (packet[:1], packet[1:2], packet[2:9], packet[9:100]):
            connection.sock.sendall(piece)
            time.sleep(0.2)
        connection.sock.sendall(packet[100:])
        assert pump.line() == f"True [(b'topic', {b'slowly' * 30!r})]"


def test_each_packet_is_one_write() -> None:
    """Observed as one segment: with TCP_NODELAY unknown, three writes would come as three or after 40 ms."""
    script = """
writes = []
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    await asyncio.sleep_ms(50)  # the reading task has its socket
    real = client.sock
    class Counting:
        def write(self, data):
            writes.append(len(data)); return real.write(data)
        def __getattr__(self, name):
            return getattr(real, name)
    client.sock = Counting()
    await client.publish("topic", b"payload", qos=1)
    await client.subscribe(("a/b", "c"))
    print(writes)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        first = connection.packet()
        connection.sock.sendall(puback(first))
        second = connection.packet()
        connection.sock.sendall(b"\x90\x04" + second[2:4] + b"\x01\x01")
        assert pump.line() == f"[{len(first)}, {len(second)}]"


def test_a_broker_that_never_answers_connect_costs_no_more_than_the_deadline() -> None:
    script = """
import time
async def main():
    t = time.ticks_ms()
    print(await attempt(client.connect(400)), time.ticks_diff(time.ticks_ms(), t) < 900)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        silent = broker.accept(connack=None)
        assert pump.line() == "OSError True"
        silent.sock.close()


def test_a_network_that_takes_nothing_more_ends_the_connection() -> None:
    script = """
async def main():
    await client.connect(2000)
    task = asyncio.create_task(attempt(client.run()))
    client.keepalive = 600
    for n in range(3000):
        await attempt(client.publish("t", bytes(4000)))
        await asyncio.sleep_ms(1)
        if task.done(): break
    print(task.done(), client.dropped > 0, client.connected)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        assert pump.line(20) == "True True False"
        connection.sock.close()


def test_messages_that_are_too_long_are_read_off_acknowledged_and_dropped() -> None:
    script = """
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    while not heard:
        await asyncio.sleep_ms(20)
    print(heard, client.dropped)
    await asyncio.sleep_ms(100)  # the acknowledgement is on its way
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        connection.sock.sendall(publish(b"long", bytes(100_000), 5, qos=1) + publish(b"t", b"well"))
        assert connection.packet() == b"\x40\x02\x00\x05"
        assert pump.line() == "[(b't', b'well')] 1"


def test_a_message_for_which_there_is_no_memory_is_dropped_and_the_connection_lives() -> None:
    script = """
def scarce(size):
    if isinstance(size, int) and size > 1000: raise MemoryError
    return bytearray(size)
mqtt.bytearray = scarce
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    while not heard:
        await asyncio.sleep_ms(20)
    print(heard, client.dropped)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept()
        connection.sock.sendall(publish(b"long", bytes(3000), 5, qos=1) + publish(b"t", b"well"))
        assert connection.packet() == b"\x40\x02\x00\x05"
        assert pump.line() == "[(b't', b'well')] 1"


@pytest.mark.parametrize(
    "junk", [b"\x00\x00", b"\x30\xff\xff\xff\xff\x7f", b"\x30\x03\x00\x09a", b"\x34\x06\x00\x01a\x00\x01x", b"\xf0\x00"]
)
def test_bytes_that_are_no_mqtt_end_the_connection_and_nothing_else(junk: bytes) -> None:
    script = """
async def main():
    for n in range(2):
        await client.connect(2000)
        print(await attempt(client.run()), heard)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        for _ in range(2):
            broker.accept().sock.sendall(junk)
            assert pump.line() == "OSError []"


def test_a_reader_that_fails_costs_its_message_and_not_the_connection() -> None:
    script = """
def on_message(topic, payload):
    if payload == b"bad": raise KeyError("x")
    heard.append(bytes(payload))
client.set_callback(on_message)
async def main():
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    while not heard: await asyncio.sleep_ms(20)
    print(heard, client.faults)
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        broker.accept().sock.sendall(publish(b"t", b"bad") + publish(b"t", b"good"))
        assert pump.line() == "[b'good'] 1"


@pytest.mark.parametrize(("connack", "outcome"), [(b"\x20\x02\x00\x05", "MQTTException"), (b"\x20\x02\x00", "OSError")])
def test_a_refusal_is_told_apart_from_a_broken_line(connack: bytes, outcome: str) -> None:
    script = """
async def main():
    print(await attempt(client.connect(500)))
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        connection = broker.accept(connack)
        if outcome == "OSError":
            connection.sock.close()
        assert pump.line() == outcome


def test_after_a_lost_connection_waiting_publishers_wake_and_the_client_connects_again() -> None:
    script = """
async def main():
    await client.connect(2000)
    watch = asyncio.create_task(attempt(client.run()))
    print(await attempt(client.publish("t", b"x", qos=1)))
    await watch
    await client.connect(2000); asyncio.create_task(attempt(client.run()))
    print(await attempt(client.publish("t", b"y", qos=1)))
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        first = broker.accept()
        first.packet()
        first.sock.close()
        assert pump.line() == "OSError"
        second = broker.accept()
        second.sock.sendall(puback(second.packet()))
        assert pump.line() == "True"


def test_an_address_is_looked_up_once_and_again_only_after_a_failure() -> None:
    script = """
looked = []
import socket
real, STREAM = socket.getaddrinfo, socket.SOCK_STREAM
class Counting:
    SOCK_STREAM = STREAM
    socket = socket.socket
    @staticmethod
    def getaddrinfo(*a):
        looked.append(a)
        return real("127.0.0.1", PORT, 0, STREAM)
mqtt.socket = Counting
async def main():
    for n in range(3):
        await client.connect(2000)
        client.drop()
    print(len(looked))
asyncio.run(main())
"""
    with pump_and_broker(script) as (pump, broker):
        for _ in range(3):
            broker.accept()
        assert pump.line() == "1"


def certificate(key: ec.EllipticCurvePrivateKey, name: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(pki.NOT_BEFORE)
        .not_valid_after(dt.datetime(2049, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )


@pytest.mark.parametrize("own", [True, False], ids=["own certificate", "none"])
def test_an_own_certificate_is_shown_where_the_broker_asks_for_one(tmp_path: Path, own: bool) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    mine = certificate(key, "s1/p1")
    (tmp_path / "own.der").write_bytes(mine.public_bytes(serialization.Encoding.DER))
    der = serialization.Encoding.DER
    unlocked = serialization.NoEncryption()
    (tmp_path / "key.der").write_bytes(key.private_bytes(der, serialization.PrivateFormat.TraditionalOpenSSL, unlocked))
    files = pki.ensure(tmp_path / "pki")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server_pem, files.server_key)
    context.load_verify_locations(cadata=mine.public_bytes(der))
    context.verify_mode = ssl.CERT_REQUIRED
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    shown = f'open("{tmp_path}/own.der", "rb").read(), open("{tmp_path}/key.der", "rb").read()' if own else ""
    script = f"""
client.tls = mqtt.context(open("{files.ca_der}", "rb").read(), {shown})
client.name = "pumpside-broker"
async def main():
    print(await attempt(client.connect(3000)))
asyncio.run(main())
"""
    with pump_and_broker(script, context) as (pump, broker):
        if own:
            connection = broker.accept()
            assert isinstance(connection.sock, ssl.SSLSocket) and connection.sock.getpeercert()
            assert pump.line() == "None"
        else:
            with pytest.raises(ssl.SSLError):
                broker.accept()
            assert pump.line() == "OSError"
