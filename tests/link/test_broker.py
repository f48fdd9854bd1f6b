"""What every broker of a station must do, held by the embedded one and by a real Mosquitto (X1)."""

import signal
import socket
import ssl
import time
from pathlib import Path

import pytest

from station.platform import pki
from station.platform.settings import Settings
from tests.link.conftest import free_port, listening, running_embedded, wait_for
from tests.link.line import Line

UP = "pumpside/v1/s1/p1"
OTHER = "pumpside/v1/s1/p2"


def test_records_go_up_and_acknowledgements_come_down(line: Line) -> None:
    station, pump = line.station(), line.device("p1")
    assert station.subscribe("pumpside/v1/+/+/journal") == [1]
    assert pump.subscribe(f"{UP}/ack") == [1]
    assert pump.publish(f"{UP}/journal", b"\x01" * 1024)
    assert station.next().payload == b"\x01" * 1024
    assert station.publish(f"{UP}/ack", b"taken")
    assert pump.next().payload == b"taken"


def test_a_thousand_records_arrive_each_once_and_in_order(line: Line) -> None:
    station, pump = line.station(), line.device("p1")
    station.subscribe(f"{UP}/journal")
    for number in range(1000):
        pump.publish_later(f"{UP}/journal", number.to_bytes(4, "big") * 256)
    heard = [int.from_bytes(station.next(20).payload[:4], "big") for _ in range(1000)]
    assert heard == list(range(1000))
    assert station.silent()


def test_state_is_kept_for_whoever_comes_later_and_the_tariff_for_the_pump(line: Line) -> None:
    pump, station = line.device("p1"), line.station()
    assert pump.publish(f"{UP}/state", b"online", retain=True)
    assert station.publish(f"{UP}/tariff", b"prices", retain=True)
    late, again = line.station("station-late"), line.device("p1")
    late.subscribe("pumpside/v1/+/+/state")
    states = [late.next()]
    while states[-1].topic != f"{UP}/state":
        states.append(late.next())
    assert states[-1].payload == b"online" and states[-1].retain
    again.subscribe(f"{UP}/tariff")
    assert again.next().payload == b"prices"


def test_a_pump_that_vanishes_is_reported_by_its_will(line: Line) -> None:
    station = line.station()
    station.subscribe(f"{UP}/state")
    station.hush()
    pump = line.device("p1", will=(f"{UP}/state", b"offline"))
    pump.publish(f"{UP}/state", b"online", retain=True)
    assert station.next().payload == b"online"
    pump.vanish()
    assert station.next().payload == b"offline"


def test_a_pump_that_falls_silent_is_given_up_after_its_keepalive(line: Line) -> None:
    station = line.station()
    station.subscribe(f"{UP}/state")
    station.hush()
    pump = line.device("p1", will=(f"{UP}/state", b"offline"), keepalive=5)
    pump.publish(f"{UP}/state", b"online", retain=True)
    assert station.next().payload == b"online"
    pump.stall()
    assert station.next(14.0).payload == b"offline"


def test_a_pump_that_comes_back_ends_its_old_connection_and_stays_online(line: Line) -> None:
    station = line.station()
    old = line.device("p1", will=(f"{UP}/state", b"offline"))
    old.publish(f"{UP}/state", b"online", retain=True)
    station.subscribe(f"{UP}/state")
    assert station.next().payload == b"online"
    new = line.device("p1", will=(f"{UP}/state", b"offline"))
    assert new.up
    new.publish(f"{UP}/state", b"online again", retain=True)
    seen = [station.next().payload]
    while seen[-1] != b"online again":
        seen.append(station.next().payload)
    wait_for(lambda: not old.up)
    assert station.silent(), "the old connection's will must not come after the new one's state"
    assert new.up


def test_x1_a_pump_cannot_speak_on_a_topic_that_is_not_its_own(line: Line) -> None:
    pump, station, other = line.device("p1"), line.station(), line.device("p2")
    station.subscribe("pumpside/v1/#")
    other.subscribe(f"{OTHER}/ack")
    station.hush()
    foreign = (f"{OTHER}/state", f"{OTHER}/journal", f"{OTHER}/ack", f"{UP}/ack", f"{UP}/command", f"{UP}/odd")
    for topic in (*foreign, "pumpside/v1/s2/p1/state", "odd"):
        pump.publish(topic, b"forged", retain=True)
    assert station.silent() and other.silent()
    late = line.station("station-late")
    late.subscribe("pumpside/v1/#")
    assert b"forged" not in late.hush()


def test_x1_a_pump_hears_only_what_is_meant_for_it(line: Line) -> None:
    other, station = line.device("p2"), line.station()
    other.publish(f"{OTHER}/state", b"of p2", retain=True)
    station.subscribe("pumpside/v1/+/+/state")
    pump = line.device("p1")
    assert pump.silent(), "retained messages that others subscribed to are none of its business"
    # Mosquitto grants and then delivers nothing, the embedded one refuses.
    for topic_filter in (f"{OTHER}/ack", "pumpside/v1/s1/+/ack", "#", "pumpside/#", f"{UP}/journal"):
        pump.subscribe(topic_filter)
    pump.hush()
    station.publish(f"{OTHER}/ack", b"for p2")
    other.publish(f"{OTHER}/state", b"of p2")
    other.publish(f"{OTHER}/journal", b"of p2")
    assert pump.hush() == []


def test_x1_a_will_on_a_foreign_topic_is_never_spoken(line: Line) -> None:
    station = line.station()
    station.subscribe(f"{OTHER}/state")
    station.hush()
    forger = line.device("p1", will=(f"{OTHER}/state", b"forged"))
    if forger.up:
        forger.vanish()
    assert station.silent()


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "guess"},
        {"user": "", "password": ""},
        {"user": "s1/p9"},
        {"user": "station", "password": "station"},
    ],
    ids=["password", "anonymous", "user", "station"],
)
def test_x1_nobody_comes_in_without_the_right_password(line: Line, changes: dict[str, str]) -> None:
    stranger = line.device("p1", **changes)
    assert not stranger.up
    assert stranger.code is None or stranger.code != 0


@pytest.mark.parametrize("password", ["guess", None], ids=["wrong password", "password of p2"])
def test_x1_a_foreign_client_id_does_not_push_a_pump_off_the_line(line: Line, password: str | None) -> None:
    pump, station = line.device("p1"), line.station()
    pump.subscribe(f"{UP}/ack")
    stranger = line.client(client_id="s1/p1", user="s1/p2", password=password or line.password("p2"))
    del stranger
    time.sleep(0.5)
    assert pump.up
    station.publish(f"{UP}/ack", b"still there")
    assert pump.next().payload == b"still there"


def test_x1_a_broker_of_another_authority_is_not_believed(line: Line, tmp_path: Path) -> None:
    foreign = pki.ensure(tmp_path / "pki").ca_pem.read_bytes()
    pump = line.device("p1", tls=line.tls(foreign))
    assert isinstance(pump.failure, ssl.SSLCertVerificationError)


def test_x1_nothing_is_said_in_plain_text(line: Line) -> None:
    pump = line.device("p1", tls=None)
    assert not pump.up and pump.code is None


def test_x1_old_tls_is_refused(line: Line) -> None:
    context = line.tls()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", line.port)) as plain, pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(plain, server_hostname="localhost")


@pytest.mark.parametrize(
    "junk", [b"\x00" * 40, b"\x10\xff\xff\xff\x7f", b"\x10\x02\x00\x04", b"GET / HTTP/1.1\r\n\r\n", b"\xf0\x00"]
)
def test_malformed_bytes_disturb_nobody_else(line: Line, junk: bytes) -> None:
    pump, station = line.device("p1"), line.station()
    station.subscribe(f"{UP}/live")
    with socket.create_connection(("127.0.0.1", line.port)) as plain:
        secure = line.tls().wrap_socket(plain, server_hostname="localhost")
        secure.sendall(junk)
        time.sleep(0.2)
    pump.publish(f"{UP}/live", b"well", qos=0)
    assert station.next().payload == b"well"


def test_the_embedded_broker_stops_at_sigterm_and_comes_back_on_its_port(site: Settings) -> None:
    moved = site.model_copy(update={"broker_port": free_port()})
    for _ in range(2):
        with running_embedded(moved) as process:
            line = Line(site, moved.broker_port, moved.broker_port)
            pump, station = line.device("p1"), line.station()
            station.subscribe(f"{UP}/live")
            pump.publish(f"{UP}/live", b"1")
            assert station.next().payload == b"1"
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
            assert time.monotonic() - began < 9
            line.close()
        assert not listening(moved.broker_port)
