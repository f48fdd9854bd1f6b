"""WeChat Pay, API v3, Native payments (the customer scans our code), on wechatpayv3.

Settings: mchid, appid, serial_no (of the merchant's certificate), notify_url; url for another address than WeChat's.
Beside them: apiclient_key.pem, apiv3_key.txt; and, for merchants with a WeChat Pay public key instead of platform
certificates, pub_key.pem with `public_key_id` in the settings. https://pay.weixin.qq.com/doc/v3/merchant/4012062524
"""

import csv
import gzip
import hashlib
import io
import json
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from requests.exceptions import RequestException
from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core

from station.payments import gateway
from station.payments.gateway import (
    CHINA,
    GatewayError,
    Line,
    NotGenuineError,
    Notice,
    Order,
    Outcome,
    RefundOrder,
    RefundOutcome,
    Reply,
    Statement,
    china_time,
    fen_of,
)

URL = "https://api.mch.weixin.qq.com"
FRESH_S = 300  # WeChat's own advice for the timestamp of a callback
NEW_KEYS_S = 60  # a stranger's serial number makes us fetch certificates no oftener
TIMEOUT_S = (5, 15)
_STATES = {"SUCCESS": gateway.PAID, "REFUND": gateway.PAID, "CLOSED": gateway.CLOSED, "REVOKED": gateway.CLOSED}
_REFUNDS = {"SUCCESS": gateway.DONE, "CLOSED": gateway.FAILED, "ABNORMAL": gateway.FAILED}
_PASSING = {"SYSTEM_ERROR", "SYSTEMERROR", "FREQUENCY_LIMITED", "RATELIMIT_EXCEEDED"}


class _Core(Core):  # type: ignore[misc]  # the library has no types
    """The library's core at another address than WeChat's; its own attribute is set too late for the certificates."""

    def __init__(self, url: str, **settings: Any) -> None:
        self._url = url
        super().__init__(**settings)

    @property
    def _gate_way(self) -> str:
        return self._url

    @_gate_way.setter
    def _gate_way(self, _: str) -> None:
        pass


class _Client(WeChatPay):  # type: ignore[misc]
    def __init__(self, settings: Mapping[str, Any], core: _Core) -> None:
        self._type, self._partner_mode, self._core = WeChatPayType.NATIVE, False, core
        self._mchid, self._appid, self._notify_url = settings["mchid"], settings["appid"], settings["notify_url"]


class WeChat:
    """See gateway.Gateway."""

    name = "wechat"
    title = ("微信支付", "WeChat Pay")

    def __init__(self, directory: Path) -> None:
        self._settings = gateway.settings(directory)
        self.mchid, self.appid = str(self._settings["mchid"]), str(self._settings["appid"])
        self._keys: dict[str, Any] = {
            "mchid": self.mchid,
            "cert_serial_no": str(self._settings["serial_no"]),
            "private_key": gateway.secret(directory, "apiclient_key.pem"),
            "apiv3_key": gateway.secret(directory, "apiv3_key.txt"),
            "timeout": TIMEOUT_S,
        }
        if "public_key_id" in self._settings:
            self._keys["public_key_id"] = str(self._settings["public_key_id"])
            self._keys["public_key"] = (directory / "pub_key.pem").read_text("ascii")
        self._lock = threading.Lock()
        self._made: _Client | None = None
        self._strangers_at = 0.0

    @property
    def _client(self) -> _Client:
        """Made at first use, because it fetches the platform's certificates. GatewayError."""
        with self._lock:
            if self._made is None:
                try:
                    core = _Core(str(self._settings.get("url", URL)), **self._keys)
                except Exception as error:  # noqa: BLE001 - the library raises nothing narrower
                    raise GatewayError(f"微信支付连接失败 WeChat Pay cannot be reached: {error}") from error
                self._made = _Client(self._settings, core)
            return self._made

    # -- asking

    def create(self, order: Order) -> str:
        answer = self._ask(
            "pay",
            description=order.title,
            out_trade_no=order.order_no,
            amount={"total": order.amount_fen, "currency": "CNY"},
            time_expire=china_time(order.until).isoformat(),
        )
        return str(answer["code_url"])

    def query(self, order_no: str) -> Outcome:
        try:
            return self._outcome(self._ask("query", out_trade_no=order_no))
        except GatewayError as error:
            if error.code == "ORDER_NOT_EXIST":
                return Outcome(order_no, gateway.UNKNOWN)
            raise

    def close(self, order_no: str) -> None:
        try:
            self._ask("close", out_trade_no=order_no)
        except GatewayError as error:
            if error.code not in ("ORDER_NOT_EXIST", "ORDER_CLOSED"):
                raise

    def refund(self, refund: RefundOrder) -> RefundOutcome:
        amount = {"refund": refund.amount_fen, "total": refund.total_fen, "currency": "CNY"}
        asked = {"out_refund_no": refund.refund_no, "out_trade_no": refund.order_no, "reason": refund.why[:80]}
        return _refund(self._ask("refund", amount=amount, **asked), "status")

    def query_refund(self, refund: RefundOrder) -> RefundOutcome:
        try:
            return _refund(self._ask("query_refund", out_refund_no=refund.refund_no), "status")
        except GatewayError as error:
            if error.code == "RESOURCE_NOT_EXISTS":
                return RefundOutcome(refund.refund_no, refund.order_no, gateway.UNKNOWN)
            raise

    def statement(self, day: date) -> Statement:
        try:
            told = self._ask("trade_bill", bill_date=day.isoformat(), tar_type="GZIP")
        except GatewayError as error:
            if error.code == "NO_STATEMENT_EXIST":
                return Statement(b"", ())
            raise
        packed = self._call("download_bill", url=told["download_url"])
        raw = gzip.decompress(packed if isinstance(packed, bytes) else packed.encode())
        if hashlib.sha1(raw, usedforsecurity=False).hexdigest() != told["hash_value"].lower():
            raise GatewayError("账单文件校验失败 the statement's file does not match its digest")
        return Statement(raw, tuple(_lines(raw.decode("utf-8-sig"))))

    # -- being told

    def notice(self, headers: Mapping[str, str], body: bytes, now: int) -> Notice:
        """The library checks the signature and opens the content; freshness is ours to check."""
        stamp, nonce = headers.get("wechatpay-timestamp", ""), headers.get("wechatpay-nonce", "")
        if not (stamp.isascii() and stamp.isdigit() and nonce):
            raise NotGenuineError("unsigned")
        if abs(now - int(stamp)) > FRESH_S:
            raise NotGenuineError(f"stale: signed {now - int(stamp)} s ago")
        client = self._client
        self._refuse_strangers(client, headers.get("wechatpay-serial", ""))
        try:
            told = client.callback(headers, body)
        except RequestException as error:
            raise GatewayError(f"微信支付证书取不到 certificates cannot be fetched: {error}") from error
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower for what is malformed
            raise NotGenuineError(f"malformed: {error}") from error
        if not told:
            raise NotGenuineError("wrong signature or wrong key")
        content = told["resource"]
        if str(content.get("mchid")) != self.mchid:
            raise NotGenuineError("meant for another merchant")
        try:
            if "refund_status" in content:
                return Notice(nonce, _refund(content, "refund_status"))
            if content.get("appid") != self.appid:
                raise NotGenuineError("meant for another application")
            return Notice(nonce, self._outcome(content))
        except (KeyError, ValueError, TypeError) as error:
            raise NotGenuineError(f"incomplete: {error}") from error

    def reply(self, ok: bool) -> Reply:
        if ok:
            return Reply(200, '{"code":"SUCCESS","message":"成功"}', "application/json")
        return Reply(401, '{"code":"FAIL","message":"失败"}', "application/json")

    # -- how it is done

    def _refuse_strangers(self, client: _Client, serial: str) -> None:
        """Unknown serial numbers make the library fetch certificates: once in a while that is a change of keys."""
        try:
            known = serial == client._core._public_key_id or any(
                int(serial, 16) == certificate.serial_number for certificate in client._core._certificates
            )
        except ValueError:
            raise NotGenuineError("the serial number is no number") from None
        with self._lock:
            if known:
                return
            if time.monotonic() - self._strangers_at < NEW_KEYS_S and self._strangers_at:
                raise NotGenuineError("signed with a key that is not known")
            self._strangers_at = time.monotonic()

    def _ask(self, what: str, **asked: Any) -> dict[str, Any]:
        answer = self._call(what, **asked)
        try:
            told = json.loads(answer) if answer else {}
        except ValueError as error:
            raise GatewayError(f"微信支付答复无法解析 the answer cannot be read: {error}") from error
        return dict(told)

    def _call(self, what: str, **asked: Any) -> Any:
        """The library's answer as text or bytes. GatewayError."""
        client = self._client
        try:
            status, answer = getattr(client, what)(**asked)
        except Exception as error:  # noqa: BLE001 - the library raises nothing narrower for a wrong signature
            raise GatewayError(f"微信支付没有可信的答复 no answer that can be trusted: {error}") from error
        if 200 <= status < 300:
            return answer
        try:
            told = json.loads(answer)
            code, message = str(told["code"]), str(told.get("message", ""))
        except (ValueError, KeyError, TypeError):
            code, message = str(status), ""
        final = status < 500 and code not in _PASSING
        raise GatewayError(f"微信支付拒绝 WeChat Pay refused: {code} {message}", code, final)

    def _outcome(self, told: Mapping[str, Any]) -> Outcome:
        state = _STATES.get(told["trade_state"], gateway.OPEN)
        if state != gateway.PAID:
            return Outcome(told["out_trade_no"], state)
        return Outcome(
            told["out_trade_no"], state, told["transaction_id"], int(told["amount"]["total"]), _at(told["success_time"])
        )


def connect(directory: Path) -> WeChat:
    return WeChat(directory)


def _refund(told: Mapping[str, Any], field: str) -> RefundOutcome:
    state = _REFUNDS.get(told[field], gateway.PROCESSING)
    at = _at(told["success_time"]) if state == gateway.DONE and told.get("success_time") else 0
    return RefundOutcome(told["out_refund_no"], told["out_trade_no"], state, told["refund_id"], at)


def _at(rfc3339: str) -> int:
    return int(datetime.fromisoformat(rfc3339).timestamp())


def _lines(text: str) -> Iterator[Line]:
    """The trade bill of type ALL: a back quote before each value, a summary of two lines at the end."""
    rows = csv.reader(io.StringIO(text))
    names = next(rows, [])
    for row in rows:
        if row and row[0] == "总交易单数":
            return
        told = dict(zip(names, (value.lstrip("`") for value in row), strict=True))
        at = int(datetime.fromisoformat(told["交易时间"]).replace(tzinfo=CHINA).timestamp())
        order_no, refund_no = told["商户订单号"], told["商户退款单号"]
        if told["交易状态"] == "SUCCESS":
            yield Line("pay", order_no, "", told["微信订单号"], fen_of(told["订单金额"]), at)
        elif told["退款状态"] == "SUCCESS":
            yield Line("refund", order_no, refund_no, told["微信退款单号"], fen_of(told["申请退款金额"]), at)
