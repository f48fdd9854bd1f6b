"""The keys of both sides: the gateway's own, and the merchant's as the station's settings want them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

MCHID, WECHAT_APPID, ALIPAY_APPID = "1900000109", "wxd678efh567hg6787", "2021000122600001"


@dataclass(frozen=True)
class Keys:
    """platform: WeChat's key and certificate; merchant: the station's at WeChat; alipay and app: theirs and ours."""

    platform: rsa.RSAPrivateKey
    certificate: x509.Certificate
    merchant: rsa.RSAPrivateKey
    merchant_serial: str
    apiv3: str
    alipay: rsa.RSAPrivateKey
    app: rsa.RSAPrivateKey

    @property
    def serial(self) -> str:
        """The platform certificate's serial number as WeChat writes it."""
        return f"{self.certificate.serial_number:X}"


def load(home: Path) -> Keys:
    """The gateway's keys, made at random the first time and kept in `home` (0700)."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    platform = _key(home / "platform_key.pem")
    return Keys(
        platform,
        _certificate(home / "platform_cert.pem", platform),
        _key(home / "merchant_key.pem"),
        _text(home / "merchant_serial.txt", 20).upper(),
        _text(home / "apiv3_key.txt", 16),
        _key(home / "alipay_key.pem"),
        _key(home / "app_key.pem"),
    )


def equip(payments: Path, keys: Keys, url: str, station_url: str) -> None:
    """Writes what a merchant gets from the gateways into the station's settings: payments/wechat, payments/alipay."""
    wechat = (
        f'mchid = "{MCHID}"\nappid = "{WECHAT_APPID}"\nserial_no = "{keys.merchant_serial}"\nurl = "{url}/wechat"\n'
        f'notify_url = "{station_url}/pay/notify/wechat"\n'
    )
    alipay = (
        f'appid = "{ALIPAY_APPID}"\nurl = "{url}/alipay/gateway.do"\nnotify_url = "{station_url}/pay/notify/alipay"\n'
    )
    _put(payments / "wechat/apiclient_key.pem", pem(keys.merchant))
    _put(payments / "wechat/apiv3_key.txt", keys.apiv3)
    _put(payments / "wechat/settings.toml", wechat)
    _put(payments / "alipay/app_private_key.pem", pem(keys.app))
    _put(payments / "alipay/alipay_public_key.pem", public_pem(keys.alipay))
    _put(payments / "alipay/settings.toml", alipay)


def pem(key: rsa.RSAPrivateKey) -> str:
    """PKCS#8, as both gateways give keys out."""
    form, secret = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, secret).decode("ascii")


def public_pem(key: rsa.RSAPrivateKey) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode("ascii")


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text, "utf-8")


def _key(path: Path) -> rsa.RSAPrivateKey:
    if not path.exists():
        _put(path, pem(rsa.generate_private_key(public_exponent=65537, key_size=2048)))
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


def _text(path: Path, size: int) -> str:
    if not path.exists():
        _put(path, token_hex(size))
    return path.read_text("ascii")


def _certificate(path: Path, key: rsa.RSAPrivateKey) -> x509.Certificate:
    if not path.exists():
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Pumpside bench payment platform")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1825))
            .sign(key, hashes.SHA256())
        )
        _put(path, made.public_bytes(serialization.Encoding.PEM).decode("ascii"))
    return x509.load_pem_x509_certificate(path.read_bytes())
