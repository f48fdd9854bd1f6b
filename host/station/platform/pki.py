"""The station's own certificate authority and the broker's certificate (P-256, X.509).

Certificates are valid from 1999 on: a board without a battery clock wakes in January 2000, and has to be able to check
the broker before it can ask for the time.
"""

import datetime as dt
import ipaddress
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

BROKER_NAME = "pumpside-broker"
NOT_BEFORE = dt.datetime(1999, 1, 1, tzinfo=dt.UTC)
CA_YEARS = 30
SERVER_DAYS = 825
RENEW_BEFORE_DAYS = 90


class PkiError(RuntimeError):
    """The files of the authority are incomplete or do not fit each other; the message names the file."""


@dataclass(frozen=True)
class Pki:
    """Paths of the authority's files, all readable by the owner only."""

    ca_pem: Path
    ca_der: Path
    ca_key: Path
    server_pem: Path
    server_key: Path


def paths(directory: Path) -> Pki:
    """Where the files lie below `directory` (normally `<data>/pki`)."""
    return Pki(
        ca_pem=directory / "ca.pem",
        ca_der=directory / "ca.der",
        ca_key=directory / "ca.key",
        server_pem=directory / "server.pem",
        server_key=directory / "server.key",
    )


def ensure(directory: Path, hosts: tuple[str, ...] = (), now: dt.datetime | None = None) -> Pki:
    """Makes what is missing and renews the broker's certificate before it expires. Idempotent.

    hosts: further names or addresses of the broker. An existing authority is never replaced: boards trust it.
    Raises PkiError if it is damaged.
    """
    now = now or dt.datetime.now(dt.UTC)
    files = paths(directory)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not files.ca_pem.exists():
        _make_ca(files, now)
    certificate, key = _load_ca(files)
    if not files.ca_der.exists():
        _write(files.ca_der, certificate.public_bytes(serialization.Encoding.DER))
    if not _server_is_good(files, certificate, hosts, now):
        _make_server(files, certificate, key, hosts, now)
    return files


def _make_ca(files: Pki, now: dt.datetime) -> None:
    # The certificate is written last: a key without one is a first start that was cut short, and is used.
    key = _load_key(files.ca_key) if files.ca_key.exists() else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pumpside station CA")])
    certificate = (
        _builder(name, name, key.public_key(), now + dt.timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(files.ca_key, _private(key))
    _write(files.ca_pem, certificate.public_bytes(serialization.Encoding.PEM))
    _write(files.ca_der, certificate.public_bytes(serialization.Encoding.DER))


def _load_ca(files: Pki) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        certificate = x509.load_pem_x509_certificate(files.ca_pem.read_bytes())
    except (OSError, ValueError) as error:
        raise PkiError(f"证书损坏 · certificate damaged: {files.ca_pem}: {error}") from error
    key = _load_key(files.ca_key)
    if key.public_key() != certificate.public_key():
        raise PkiError(f"密钥与证书不符 · key and certificate do not fit: {files.ca_key}")
    return certificate, key


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError) as error:
        raise PkiError(f"密钥损坏或缺失 · key missing or damaged: {path}: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise PkiError(f"密钥类型不对 · wrong kind of key: {path}")
    return key


def _server_is_good(files: Pki, ca: x509.Certificate, hosts: tuple[str, ...], now: dt.datetime) -> bool:
    if not files.server_pem.exists() or not files.server_key.exists():
        return False
    try:
        server = x509.load_pem_x509_certificate(files.server_pem.read_bytes())
        server.verify_directly_issued_by(ca)
        key = _load_key(files.server_key)
        names = server.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except Exception:  # noqa: BLE001 - whatever is wrong with it, a new one is the answer
        return False
    same_key = key.public_key() == server.public_key()
    left = server.not_valid_after_utc - now
    return same_key and left > dt.timedelta(days=RENEW_BEFORE_DAYS) and set(names) >= set(_names(hosts))


def _make_server(
    files: Pki, ca: x509.Certificate, ca_key: ec.EllipticCurvePrivateKey, hosts: tuple[str, ...], now: dt.datetime
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, BROKER_NAME)])
    certificate = (
        _builder(name, ca.subject, key.public_key(), now + dt.timedelta(days=SERVER_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(_names(hosts)), critical=False)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key()), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    _write(files.server_key, _private(key))
    _write(files.server_pem, certificate.public_bytes(serialization.Encoding.PEM))


def _names(hosts: tuple[str, ...]) -> list[x509.GeneralName]:
    names: list[x509.GeneralName] = []
    for host in dict.fromkeys((BROKER_NAME, "localhost", "127.0.0.1", *hosts)):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            names.append(x509.DNSName(host))
    return names


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, not_after: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOT_BEFORE)
        .not_valid_after(not_after)
    )


def _usage(digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _private(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    fresh.replace(path)
