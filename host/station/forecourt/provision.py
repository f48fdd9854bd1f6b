"""Gives a pump its identity: keys, broker credential and the files that are flashed onto its board."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import qr
from pump.core import receipt
from station.forecourt import updates
from station.platform import pki
from station.platform.credentials import Credentials, credentials_path
from station.platform.topics import device_user

MODES = ("slot", "tap")
DISPLAYS = ("graphic", "character")  # 128 x 64 dots, or 20 x 4 characters in English
NOZZLES_MAX = 4
LONGEST_RECEIPT_URL = qr.MOST - receipt.LENGTH  # so that both fit one QR code


class DeviceKeys(Protocol):
    """One device's own secrets, as station.platform.secrets keeps them."""

    @property
    def journal(self) -> bytes: ...
    @property
    def link(self) -> bytes: ...
    @property
    def mqtt_password(self) -> str: ...


class MasterKeys(Protocol):
    """The part of station.platform.secrets.Secrets that provisioning reads; no credit key, no issuing key."""

    @property
    def pump(self) -> bytes: ...
    @property
    def issuer(self) -> bytes: ...
    def device(self, device_id: int) -> DeviceKeys: ...


@dataclass(frozen=True)
class Nozzle:
    """What a nozzle dispenses and how its pulser counts. grade: pump.core.codes.GRADE_*; meter: its serial number."""

    grade: int
    pulses_per_l: int = 100
    meter: str = ""


@dataclass(frozen=True)
class BrokerAddress:
    """Where the board finds the broker; name is what the broker's certificate must carry."""

    host: str
    port: int
    name: str = pki.BROKER_NAME


def device_id(station_no: int, pump_no: int) -> int:
    """The number a device signs its records with. ValueError out of range (stations 1..65535, pumps 1..255)."""
    if not (1 <= station_no <= 0xFFFF and 1 <= pump_no <= 0xFF):
        raise ValueError(f"油站号或油机号超出范围 · station or pump number out of range: {station_no}, {pump_no}")
    return station_no * 256 + pump_no


def number(name: str) -> int:
    """The number in a station's or pump's name: 12 for `p12`. ValueError if there is none."""
    digits = name[1:]
    if not (name[:1].isalpha() and digits.isascii() and digits.isdigit()):
        raise ValueError(f"名称须为字母加数字，如 p1 · the name must be a letter and a number, like p1: {name!r}")
    return int(digits)


def identity(
    station: str,
    pump: str,
    *,
    device: int,
    secrets: MasterKeys,
    broker: BrokerAddress,
    mode: str,
    nozzles: tuple[Nozzle, ...],
    issuer: int,
    display: str = "graphic",
    receipt_url: str = "",
) -> dict[str, Any]:
    """The content of the board's /identity.json. ValueError for an impossible pump."""
    if len(receipt_url) > LONGEST_RECEIPT_URL or not set(receipt_url) <= set(qr.ALPHABET):
        raise ValueError(
            f"电子小票网址须为大写且不超过 {LONGEST_RECEIPT_URL} 个字符 · the receipts' address must be in upper case, "
            f"at most {LONGEST_RECEIPT_URL} characters: {receipt_url!r}"
        )
    if display not in DISPLAYS:
        raise ValueError(f"显示屏须为 graphic 或 character · display must be graphic or character: {display!r}")
    if mode not in MODES:
        raise ValueError(f"读卡方式须为 slot 或 tap · reader mode must be slot or tap: {mode!r}")
    if not 1 <= len(nozzles) <= NOZZLES_MAX or any(n.grade < 1 or n.pulses_per_l < 1 for n in nozzles):
        raise ValueError(f"油枪须为 1 至 4 支且参数为正 · one to four nozzles with positive values: {nozzles}")
    own = secrets.device(device)
    return {
        "device": device,
        "station": station,
        "pump": pump,
        "issuer": issuer,
        "mode": mode,
        "display": display,
        "receipt": receipt_url,
        "nozzles": [{name: value for name, value in asdict(n).items() if value} for n in nozzles],
        "broker": {
            "host": broker.host,
            "port": broker.port,
            "name": broker.name,
            "user": device_user(station, pump),
            "password": own.mqtt_password,
        },
        "keys": {
            "journal": own.journal.hex(),
            "link": own.link.hex(),
            "pump": secrets.pump.hex(),
            "issuer": secrets.issuer.hex(),
        },
    }


def provision(
    station: str,
    pump: str,
    *,
    data_dir: Path,
    secrets: MasterKeys,
    broker: BrokerAddress,
    device: int | None = None,
    mode: str = "slot",
    display: str = "graphic",
    receipt_url: str = "",
    nozzles: tuple[Nozzle, ...] = (Nozzle(1),),
    issuer: int = 1,
) -> Path:
    """Makes `<data_dir>/devices/<pump>/identity.json` and `ca.der` and lets the device into the broker.

    device: the number it signs its records with; by default from the numbers in the names (`s1`, `p2`: 258).
    Idempotent: the same pump gets the same keys. Returns the directory. ValueError for an impossible pump.
    """
    content = identity(
        station,
        pump,
        device=device or device_id(number(station), number(pump)),
        secrets=secrets,
        broker=broker,
        mode=mode,
        display=display,
        receipt_url=receipt_url,
        nozzles=nozzles,
        issuer=issuer,
    )
    if release_key := updates.modulus(data_dir):
        content["release_key"] = release_key
    authority = pki.ensure(data_dir / "pki")
    directory = data_dir / "devices" / pump
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(directory / "identity.json", _json(content))
    _write(directory / "ca.der", authority.ca_der.read_bytes())
    credentials(data_dir).set(content["broker"]["user"], content["broker"]["password"])
    return directory


def credentials(data_dir: Path) -> Credentials:
    """The broker's password file of this station."""
    return Credentials(credentials_path(data_dir))


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n"


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    fresh.replace(path)
