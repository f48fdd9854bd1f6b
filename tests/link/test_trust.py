"""Keys, certificates, credentials and signatures: what a pump and its station trust each other by (X1)."""

import datetime as dt
import hashlib
import hmac
import json
import ssl
import stat
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from pump.core import signed
from pump.core.backoff import FIRST_MS, LAST_MS, Backoff
from station.forecourt.provision import BrokerAddress, Nozzle, provision
from station.mqtt import signing
from station.platform import pki, topics
from station.platform.credentials import Credentials, credentials_path
from station.platform.secrets import Secrets
from tests.link.scripted import MICROPYTHON_PATH, interpreter

KEY = bytes(range(32))
TOPIC = "pumpside/v1/s1/p1/ack"
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
messages = st.dictionaries(st.text(max_size=8), json_values, max_size=5)


@given(st.binary(min_size=1, max_size=64), st.lists(st.binary(max_size=200), max_size=4))
def test_the_hmac_is_the_one_of_the_standard(key: bytes, parts: list[bytes]) -> None:
    """RFC 2104, against the language's own."""
    assert signed.hmac_sha256(key, *parts) == hmac.new(key, b"".join(parts), hashlib.sha256).digest()


@given(messages)
def test_what_was_signed_is_read_back(message: dict[str, object]) -> None:
    assert signing.verify(KEY, TOPIC, signing.sign(KEY, TOPIC, message)) == message


@given(messages, st.data())
def test_x1_one_changed_bit_anywhere_is_noticed(message: dict[str, object], data: st.DataObject) -> None:
    payload = bytearray(signing.sign(KEY, TOPIC, message))
    bit = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ValueError):
        signing.verify(KEY, TOPIC, bytes(payload))


@given(st.binary(max_size=300))
def test_x1_bytes_out_of_nowhere_are_refused_and_nothing_else_happens(payload: bytes) -> None:
    with pytest.raises(ValueError):
        signing.verify(KEY, TOPIC, payload)


def test_x1_a_signature_counts_for_one_topic_and_one_device_only() -> None:
    payload = signing.sign(KEY, TOPIC, {"seq": 1, "device": 257})
    for key, topic in ((KEY, TOPIC.replace("p1", "p2")), (KEY, TOPIC.replace("ack", "tariff")), (bytes(32), TOPIC)):
        with pytest.raises(signing.NotSigned):
            signing.verify(key, topic, payload)


def test_a_signed_payload_that_is_no_object_is_refused() -> None:
    for text in ("[1]", "1", '"x"', "null", "{"):
        with pytest.raises(ValueError):
            signed.verify(KEY, TOPIC, signed.sign(KEY, TOPIC, text))


def test_the_board_and_the_station_sign_alike() -> None:
    """The same module on both interpreters: what the station signs the board believes, and the other way round."""
    payload = signing.sign(KEY, TOPIC, {"seq": 812, "device": 257, "名": "值"})
    script = f"""
from pump.core import signed
key = bytes(range(32))
message = signed.verify(key, {TOPIC!r}, {payload!r})
assert message["seq"] == 812 and message["名"] == "值"
for at in range(0, {len(payload)}, 7):
    bad = bytearray({payload!r}); bad[at] ^= 4
    try:
        signed.verify(key, {TOPIC!r}, bad)
        print("believed", at)
    except ValueError:
        pass
print(signed.sign(key, {TOPIC!r}, '{{"seq":812}}').decode())
"""
    done = subprocess.run(
        [interpreter(), "-c", script], env={"MICROPYPATH": MICROPYTHON_PATH}, capture_output=True, text=True, check=True
    )
    assert done.stdout.encode() == signed.sign(KEY, TOPIC, '{"seq":812}') + b"\n"


@given(st.lists(st.integers(0, 65535), min_size=1, max_size=30))
def test_waits_grow_to_their_limit_and_never_beyond(randoms: list[int]) -> None:
    backoff = Backoff()
    step_ms = FIRST_MS
    for random16 in randoms:
        assert step_ms // 2 <= backoff.failed(random16) <= step_ms
        step_ms = min(2 * step_ms, LAST_MS)
    backoff.succeeded()
    assert backoff.failed(65535) <= FIRST_MS


def test_the_authority_is_made_once_and_the_brokers_certificate_before_it_expires(tmp_path: Path) -> None:
    files = pki.ensure(tmp_path / "pki", now=NOW)
    authority, server = files.ca_pem.read_bytes(), files.server_pem.read_bytes()
    assert pki.ensure(tmp_path / "pki", now=NOW) == files
    assert files.server_pem.read_bytes() == server, "a good certificate is left alone"
    pki.ensure(tmp_path / "pki", now=NOW + dt.timedelta(days=pki.SERVER_DAYS - pki.RENEW_BEFORE_DAYS + 1))
    assert files.server_pem.read_bytes() != server
    assert files.ca_pem.read_bytes() == authority, "the boards trust this one"
    renewed = x509.load_pem_x509_certificate(files.server_pem.read_bytes())
    renewed.verify_directly_issued_by(x509.load_der_x509_certificate(files.ca_der.read_bytes()))
    names = renewed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {"pumpside-broker", "localhost"} <= set(names.get_values_for_type(x509.DNSName))


def test_certificates_hold_for_a_board_whose_clock_was_never_set(tmp_path: Path) -> None:
    files = pki.ensure(tmp_path / "pki", now=NOW)
    for path in (files.ca_pem, files.server_pem):
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert certificate.not_valid_before_utc < dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def test_a_new_host_name_or_a_damaged_certificate_gets_a_new_one(tmp_path: Path) -> None:
    files = pki.ensure(tmp_path / "pki")
    before = files.server_pem.read_bytes()
    pki.ensure(tmp_path / "pki", hosts=("192.168.1.10",))
    after = files.server_pem.read_bytes()
    assert after != before
    files.server_pem.write_bytes(after[:100])
    pki.ensure(tmp_path / "pki")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server_pem, files.server_key)


def test_a_first_start_cut_short_goes_on_with_the_key_it_made(tmp_path: Path) -> None:
    files = pki.ensure(tmp_path / "pki")
    key = files.ca_key.read_bytes()
    for path in (files.ca_pem, files.ca_der, files.server_pem, files.server_key):
        path.unlink()
    pki.ensure(tmp_path / "pki")
    assert files.ca_key.read_bytes() == key


@pytest.mark.parametrize("damaged", ["ca.pem", "ca.key"])
def test_a_damaged_authority_is_told_and_never_replaced(tmp_path: Path, damaged: str) -> None:
    files = pki.ensure(tmp_path / "pki")
    (tmp_path / "pki" / damaged).write_text("damaged")
    with pytest.raises(pki.PkiError, match=damaged):
        pki.ensure(tmp_path / "pki")
    assert (tmp_path / "pki" / damaged).read_text() == "damaged"
    assert files.ca_der.exists()


def test_the_authority_signs_no_further_authorities(tmp_path: Path) -> None:
    certificate = x509.load_pem_x509_certificate(pki.ensure(tmp_path / "pki").ca_pem.read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints.ca and constraints.path_length == 0


def test_provisioning_twice_gives_the_same_identity_and_leaves_nothing_readable_to_others(tmp_path: Path) -> None:
    def make() -> Path:
        return provision(
            "s1",
            "p3",
            data_dir=tmp_path,
            secrets=Secrets.load(tmp_path / "secrets.json"),
            broker=BrokerAddress("10.0.0.2", 8883),
            mode="tap",
            nozzles=(Nozzle(1), Nozzle(4, 1000)),
        )

    first = (make() / "identity.json").read_text()
    directory = make()
    assert (directory / "identity.json").read_text() == first
    identity = json.loads(first)
    assert identity["device"] == 259 and identity["mode"] == "tap"
    assert identity["nozzles"] == [{"grade": 1, "pulses_per_l": 100}, {"grade": 4, "pulses_per_l": 1000}]
    assert identity["broker"]["user"] == "s1/p3" and identity["broker"]["name"] == "pumpside-broker"
    secrets = Secrets.load(tmp_path / "secrets.json")
    assert secrets.credit.hex() not in first and secrets.issuing.hex() not in first, "D28: no credit key on a board"
    assert Credentials(credentials_path(tmp_path)).check("s1/p3", identity["broker"]["password"])
    for path in tmp_path.rglob("*"):
        if path.is_file() and not path.name.endswith(".lock"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": "wave"},
        {"nozzles": ()},
        {"nozzles": (Nozzle(1),) * 5},
        {"nozzles": (Nozzle(0),)},
        {"pump": "pump"},
        {"pump": "p0"},
        {"pump": "p256"},
    ],
)
def test_an_impossible_pump_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, object]) -> None:
    given_: dict[str, object] = {"station": "s1", "pump": "p1"} | wrong
    station, pump = str(given_.pop("station")), str(given_.pop("pump"))
    with pytest.raises(ValueError):
        provision(
            station,
            pump,
            data_dir=tmp_path,
            secrets=Secrets.load(tmp_path / "secrets.json"),
            broker=BrokerAddress("127.0.0.1", 8883),
            **given_,  # type: ignore[arg-type]
        )
    assert not (tmp_path / "devices").exists()


def test_passwords_are_kept_as_mosquitto_keeps_them(tmp_path: Path) -> None:
    credentials = Credentials(tmp_path / "passwords")
    credentials.set("s1/p1", "first")
    credentials.set("station", "second")
    line = (tmp_path / "passwords").read_text().splitlines()[0]
    assert line.startswith("s1/p1:$7$101$") and "first" not in line
    other = Credentials(tmp_path / "passwords")
    assert other.check("s1/p1", "first") and not other.check("s1/p1", "second") and not other.check("s1/p9", "first")
    credentials.set("s1/p1", "third")
    assert other.check("s1/p1", "third") and not other.check("s1/p1", "first"), "a change is seen without a restart"
    credentials.remove("s1/p1")
    assert not other.check("s1/p1", "third") and other.users() == ("station",)
    for bad in ("", "a:b", "+", "#", "a\nb"):
        with pytest.raises(ValueError):
            credentials.set(bad, "x")


def test_a_damaged_line_in_the_password_file_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "passwords"
    path.write_text("a:\nb:plain\nc:$7$x$y$z\nd:$6$salt$hash\ne:$7$101$***$***\nf\n")
    credentials = Credentials(path)
    for user in "abcdef":
        assert not credentials.check(user, "") and not credentials.check(user, "plain")


@given(st.text("ps1/+#", max_size=20))
def test_x1_nothing_but_a_pumps_own_topics_is_ever_allowed_to_it(name: str) -> None:
    for topic in (name, f"{topics.PREFIX}/{name}", f"{topics.PREFIX}/s1/{name}"):
        own = topic.startswith(f"{topics.PREFIX}/s1/p1/")
        assert own or not topics.may_publish("s1/p1", topic)
        assert own or not topics.may_subscribe("s1/p1", topic)
        assert own or not topics.may_receive("s1/p1", topic)
        assert not topics.may_publish("", topic) and not topics.may_receive("", topic)


def test_x1_client_ids() -> None:
    assert topics.may_use_client_id("s1/p1", "s1/p1")
    assert not topics.may_use_client_id("s1/p1", "s1/p2") and not topics.may_use_client_id("s1/p1", "")
    assert topics.may_use_client_id("station", "station-ingest") and not topics.may_use_client_id("station", "s1/p1")


def test_x1_a_stolen_boards_credential_is_taken_away_by_one_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from station.cli.provision import app

    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(tmp_path))
    run = CliRunner()
    assert run.invoke(app, ["p1"]).exit_code == 0
    password = json.loads((tmp_path / "devices/p1/identity.json").read_text())["broker"]["password"]
    credentials = Credentials(credentials_path(tmp_path))
    assert credentials.check("s1/p1", password)
    told = run.invoke(app, ["p1", "--revoke"])
    assert told.exit_code == 0 and "吊销" in told.output
    assert not credentials.check("s1/p1", password)
