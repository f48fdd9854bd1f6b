"""Settings of a station: environment `PUMPSIDE_*`, then the file `pumpside.toml`, then the defaults below.

`DATABASE_URL` is honoured as well, as hosting platforms set it. Every error is told in Chinese and English.
"""

import ipaddress
import os
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,15}$")]
PriceFenPerL = Annotated[int, Field(ge=1, le=99_999)]

# (scheme, loopback): what is told to head office travels enciphered, except on one machine
_SAFE_LINES = {("https", False), ("https", True), ("http", True)}
PLACEHOLDERS = ("changeme", "change-me", "password", "secret", "placeholder", "example", "admin")


class SettingsError(Exception):
    """The settings cannot be used; the message (Chinese, then English) says which and why."""


class NozzleSettings(BaseModel):
    """One nozzle: grade number (pump.core.codes), pulses per litre and channel, serial number of its meter."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    grade: Annotated[int, Field(ge=1, le=15)]
    pulses_per_l: Annotated[int, Field(ge=1, le=1000)] = 100
    meter: Annotated[str, Field(max_length=32)] = ""


class PumpSettings(BaseModel):
    """One pump-side board: its number, reader mode (`slot` or `tap`), display and one to four nozzles."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pump: Name
    number: Annotated[int, Field(ge=1, le=255)]
    mode: Annotated[str, Field(pattern="^(slot|tap)$")] = "slot"
    display: Annotated[str, Field(pattern="^(graphic|character)$")] = "graphic"
    nozzles: Annotated[tuple[NozzleSettings, ...], Field(min_length=1, max_length=4)]


class TankSettings(BaseModel):
    """One tank per grade: capacity and opening stock in millilitres, low-stock mark in millilitres."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    grade: Annotated[int, Field(ge=1, le=15)]
    capacity_ml: Annotated[int, Field(gt=0)]
    opening_ml: Annotated[int, Field(ge=0)]
    low_ml: Annotated[int, Field(ge=0)] = 3_000_000

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.opening_ml > self.capacity_ml:
            raise ValueError("opening stock above capacity 期初库存超过罐容")
        return self


def _nozzles(*grades: int) -> tuple[NozzleSettings, ...]:
    return tuple(NozzleSettings(grade=grade) for grade in grades)


DEFAULT_PUMPS = (
    PumpSettings(pump="p1", number=1, mode="slot", nozzles=_nozzles(1, 2, 3, 4)),
    PumpSettings(pump="p2", number=2, mode="slot", nozzles=_nozzles(1, 2)),
    PumpSettings(pump="p3", number=3, mode="tap", nozzles=_nozzles(2)),
    PumpSettings(pump="p4", number=4, mode="tap", nozzles=_nozzles(4)),
)
DEFAULT_TANKS = tuple(
    TankSettings(grade=grade, capacity_ml=30_000_000, opening_ml=opening_ml)
    for grade, opening_ml in ((1, 22_000_000), (2, 18_000_000), (3, 12_000_000), (4, 25_000_000))
)
DEFAULT_PRICES = {1: 756, 2: 806, 3: 906, 4: 722}


class Settings(BaseSettings):
    """All settings, validated. Build it with `load()`, which turns errors into one readable SettingsError."""

    model_config = SettingsConfigDict(
        env_prefix="PUMPSIDE_", env_nested_delimiter="__", extra="ignore", frozen=True, validate_default=True
    )

    data_dir: Path = Path("var")
    database_url: str = ""  # empty: SQLite in data_dir
    bench: bool = False  # True where simulated pumps run
    station: Name = "s1"
    station_no: Annotated[int, Field(ge=1, le=65535)] = 1
    issuer: Annotated[int, Field(ge=1, le=65535)] = 1
    http_host: str = "127.0.0.1"
    http_port: Port = 8080
    staff_auth: bool = False  # staff log-in; without it the pages stay on the loopback interface
    broker_host: str = "127.0.0.1"
    broker_port: Port = 8883
    broker_name: str = "pumpside-broker"  # the name in the broker's certificate
    broker_user: str = "station"
    broker_password: str = ""  # empty: the random one in secrets.json
    portal_host: str = "127.0.0.1"  # the receipts' page, for customers' phones: the one page that may face a network
    portal_port: Port = 8082
    portal_url: str = ""  # how phones reach it, e.g. http://192.168.1.10:8082; goes into the pumps' QR codes
    head_office_url: str = ""  # where this station reports to; empty: it stands alone
    head_office_token: Path = Path("var/head-office.token")  # the file with the token that head office gave out
    bench_host: str = "127.0.0.1"
    bench_port: Port = 8090
    card_readers: dict[Name, str] = {}  # the counter's card readers: name -> serial port; at the bench its own
    log_level: Annotated[str, Field(pattern="^(debug|info|warning|error)$")] = "info"
    pumps: Annotated[tuple[PumpSettings, ...], Field(min_length=1)] = DEFAULT_PUMPS
    tanks: tuple[TankSettings, ...] = DEFAULT_TANKS
    prices: dict[int, PriceFenPerL] = DEFAULT_PRICES  # the first tariff, fen per litre by grade

    @field_validator("database_url", mode="before")
    @classmethod
    def _platform_url(cls, value: str) -> str:
        return value or os.environ.get("DATABASE_URL", "")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [pump.pump for pump in self.pumps]
        if len(set(names)) != len(names) or len({pump.number for pump in self.pumps}) != len(names):
            raise ValueError("two pumps share a name or number 油机名称或编号重复")
        if len({tank.grade for tank in self.tanks}) != len(self.tanks):
            raise ValueError("two tanks for one grade 同一油品有两个油罐")
        missing = {nozzle.grade for pump in self.pumps for nozzle in pump.nozzles} - set(self.prices)
        if missing:
            raise ValueError(f"no price for grade {sorted(missing)} 油品没有单价")
        if not self.staff_auth and not is_loopback(self.http_host):
            raise ValueError("http_host is not loopback: needs staff_auth 对外开放页面须先启用员工登录")
        office = urlsplit(self.head_office_url)
        if self.head_office_url and (office.scheme, is_loopback(office.hostname or "")) not in _SAFE_LINES:
            raise ValueError("head_office_url must be https 总部地址须为 https")
        if not self.bench and self.broker_password and looks_placeholder(self.broker_password):
            raise ValueError("broker_password is a placeholder 占位口令不可用于生产")
        if not self.bench and placeholder_in_url(self.database_url):
            raise ValueError("the password in database_url is a placeholder 占位口令不可用于生产")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        path = Path(os.environ.get("PUMPSIDE_CONFIG", "pumpside.toml"))
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, path)

    @property
    def receipt_url(self) -> str:
        """What the QR code of a receipt begins with; in upper case, which the code holds in half the room."""
        base = self.portal_url or f"http://{self.portal_host}:{self.portal_port}"
        return f"{base.rstrip('/')}/R/".upper()

    @property
    def secrets_path(self) -> Path:
        return self.data_dir / "secrets.json"

    @property
    def pki_dir(self) -> Path:
        return self.data_dir / "pki"

    @property
    def readers(self) -> dict[str, str]:
        """Serial ports of the counter's card readers by name."""
        bench = {"desk": str(self.data_dir / "bench" / "desk" / "reader")} if self.bench else {}
        return self.card_readers or bench

    @property
    def bench_url(self) -> str:
        return f"http://{self.bench_host}:{self.bench_port}"

    def device_id(self, pump: PumpSettings) -> int:
        """The number a board signs its records with: station_no * 256 + pump number."""
        return self.station_no * 256 + pump.number


def is_loopback(host: str) -> bool:
    """True for localhost and loopback addresses."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def looks_placeholder(secret: str) -> bool:
    """True if a secret is one that manuals print (or a single repeated character)."""
    return secret.lower() in PLACEHOLDERS or len(set(secret)) < 2


def placeholder_in_url(url: str) -> bool:
    """True if a database URL carries a placeholder password; a URL without a password is fine (peer, .pgpass)."""
    credentials = url.partition("://")[2].rpartition("@")[0]
    password = credentials.partition(":")[2]
    return bool(password) and looks_placeholder(password)


def load(**overrides: object) -> Settings:
    """The settings of this process. Raises SettingsError with one line per fault."""
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg'].removeprefix('Value error, ')}"
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError("\n".join(["设置有误 The settings are wrong:", *lines])) from None
    except ValueError as error:  # broken TOML, unparsable environment
        raise SettingsError(f"设置无法读取 The settings cannot be read: {error}") from None
