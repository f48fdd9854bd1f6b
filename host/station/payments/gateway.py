"""What a payment gateway is to us: one module with connect(directory) -> Gateway, and one directory of settings.

`<data>/payments/<name>/settings.toml` and the key files beside it make a gateway known to this station; `module` in it
names the Python module, station.payments.<name> if it is not given. Money is fen, times are Unix seconds.
"""

import importlib
import logging
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

CHINA = timezone(timedelta(hours=8))  # the gateways' days and times, wherever the station's machine stands
OPEN, PAID, CLOSED, UNKNOWN = "open", "paid", "closed", "unknown"  # how a payment stands at the gateway
PROCESSING, DONE, FAILED = "processing", "done", "failed"  # how a refund does

_YUAN = re.compile(r"(-?)([0-9]{1,10})(?:\.([0-9]{1,2}))?")
_log = logging.getLogger("pumpside.payments")


class GatewayError(Exception):
    """The gateway did not do it; the message (Chinese, then English) says why. code: the gateway's own word for it;
    final: asking again will not help."""

    def __init__(self, message: str, code: str = "", final: bool = False) -> None:
        super().__init__(message)
        self.code, self.final = code, final


class NotGenuineError(Exception):
    """A callback that is not the gateway's, or too old to be believed."""


@dataclass(frozen=True, slots=True)
class Order:
    """What the gateway is asked for. title: what the customer reads; until: when the offer ends."""

    order_no: str
    amount_fen: int
    title: str
    until: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a payment stands at the gateway."""

    order_no: str
    state: str
    trade_no: str = ""
    amount_fen: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """Give back amount_fen of the total_fen that were paid."""

    refund_no: str
    order_no: str
    amount_fen: int
    total_fen: int
    why: str


@dataclass(frozen=True, slots=True)
class RefundOutcome:
    """How a refund stands at the gateway."""

    refund_no: str
    order_no: str
    state: str
    trade_no: str = ""
    at: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A genuine callback. nonce: the same for a copy of it, another for the next one."""

    nonce: str
    outcome: Outcome | RefundOutcome


@dataclass(frozen=True, slots=True)
class Reply:
    """What a gateway wants to hear after a callback."""

    status: int
    body: str
    media_type: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a day's statement. kind: pay or refund; amount_fen: above nought for both."""

    kind: str
    order_no: str
    refund_no: str
    trade_no: str
    amount_fen: int
    at: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A day's statement: the file as it came, and what it says."""

    raw: bytes
    lines: tuple[Line, ...]


class Gateway(Protocol):
    """Everything raises GatewayError; what is asked twice with one number happens once at the gateway."""

    name: str
    title: tuple[str, str]  # its name for people: Chinese, English

    def create(self, order: Order) -> str:
        """What the QR code for this payment says."""

    def query(self, order_no: str) -> Outcome: ...

    def close(self, order_no: str) -> None:
        """Nobody can pay it any more. GatewayError if it was paid meanwhile."""

    def refund(self, refund: RefundOrder) -> RefundOutcome: ...

    def query_refund(self, refund: RefundOrder) -> RefundOutcome: ...

    def notice(self, headers: Mapping[str, str], body: bytes, now: int) -> Notice:
        """The callback, if it is genuine and fresh. headers: names in lower case. NotGenuineError."""

    def reply(self, ok: bool) -> Reply: ...

    def statement(self, day: date) -> Statement: ...


class Gateways(NamedTuple):
    """The gateways that a station has settings for, by name; and what is wrong with the settings of others."""

    ready: Mapping[str, Gateway]
    faults: Mapping[str, str]


@cache
def gateways(data_dir: Path) -> Gateways:
    """One set for each process. A gateway with wrong settings leaves the others, and the pumps, alone."""
    ready: dict[str, Gateway] = {}
    faults: dict[str, str] = {}
    for directory in sorted(path.parent for path in (data_dir / "payments").glob("*/settings.toml")):
        try:
            module = settings(directory).get("module", f"station.payments.{directory.name}")
            ready[directory.name] = importlib.import_module(str(module)).connect(directory)
        except (KeyError, OSError, ImportError, AttributeError, ValueError) as error:
            faults[directory.name] = f"{type(error).__name__}: {error}"
            _log.error("settings of payment gateway %s: %s", directory.name, error)
    return Gateways(ready, faults)


def settings(directory: Path) -> dict[str, Any]:
    """settings.toml of a gateway."""
    return tomllib.loads((directory / "settings.toml").read_text("utf-8"))


def secret(directory: Path, name: str) -> str:
    """A key file's text. ValueError if others on this machine may read it."""
    path = directory / name
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise ValueError(f"密钥文件须仅本人可读 must be readable by its owner alone (chmod 600): {path}")
    return path.read_text("utf-8").strip()


def china_time(unix_s: int) -> datetime:
    return datetime.fromtimestamp(unix_s, CHINA)


def china_day(unix_s: int) -> date:
    """The day of a gateway's statement that a moment falls on."""
    return china_time(unix_s).date()


def fen_of(yuan: str) -> int:
    """A gateway's amount "12.34" (a refund's may be "-12.34") in fen. ValueError if it is none."""
    found = _YUAN.fullmatch(yuan)
    if found is None:
        raise ValueError(f"不是金额 not an amount: {yuan!r}")
    sign, whole, part = found.groups()
    return (-1 if sign else 1) * (int(whole) * 100 + int((part or "").ljust(2, "0")))


def yuan_of(fen: int) -> str:
    """1234 -> "12.34", as gateways write amounts."""
    return f"{fen // 100}.{fen % 100:02d}"
