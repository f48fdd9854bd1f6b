"""Alipay, face-to-face payments by code (alipay.trade.precreate), RSA2 with public keys, on python-alipay-sdk.

Settings: appid, notify_url; url for another address than Alipay's. Beside them: app_private_key.pem (ours),
alipay_public_key.pem. https://opendocs.alipay.com/open/02ekfg (precreate), /open/194 (asynchronous notices)
"""

import csv
import io
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import parse_qsl

import httpx
from alipay import AliPay
from alipay.exceptions import AliPayException, AliPayValidationError
from alipay.utils import AliPayConfig

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
    yuan_of,
)

LONGEST_REPEAT_S = 25 * 3600 + 300  # notices are repeated for 24 h 22 min, and keep the time of the first
TIMEOUT_S = 15
MOST_BYTES = 50_000_000  # of an unpacked statement
_STATES = {"TRADE_SUCCESS": gateway.PAID, "TRADE_FINISHED": gateway.PAID, "TRADE_CLOSED": gateway.CLOSED}
_PASSING = {"20000", "ACQ.SYSTEM_ERROR", "aop.ACQ.SYSTEM_ERROR", "isp.unknow-error"}


class AliPayGateway:
    """See gateway.Gateway."""

    name = "alipay"
    title = ("支付宝", "Alipay")

    def __init__(self, directory: Path) -> None:
        settings = gateway.settings(directory)
        self.appid = str(settings["appid"])
        self._client = AliPay(
            appid=self.appid,
            app_notify_url=str(settings["notify_url"]),
            app_private_key_string=gateway.secret(directory, "app_private_key.pem"),
            alipay_public_key_string=(directory / "alipay_public_key.pem").read_text("ascii"),
            sign_type="RSA2",
            config=AliPayConfig(timeout=TIMEOUT_S),
        )
        if "url" in settings:
            self._client._gateway = str(settings["url"])

    # -- asking

    def create(self, order: Order) -> str:
        asked = {
            "out_trade_no": order.order_no, "total_amount": yuan_of(order.amount_fen), "subject": order.title,
            "time_expire": f"{china_time(order.until):%Y-%m-%d %H:%M:%S}",
        }  # fmt: skip
        notify_url = {"notify_url": self._client._app_notify_url}
        return str(self._ask("alipay.trade.precreate", asked, **notify_url)["qr_code"])

    def query(self, order_no: str) -> Outcome:
        try:
            return _outcome(self._ask("alipay.trade.query", {"out_trade_no": order_no}))
        except GatewayError as error:
            if error.code == "ACQ.TRADE_NOT_EXIST":  # nobody has scanned the code yet
                return Outcome(order_no, gateway.UNKNOWN)
            raise

    def close(self, order_no: str) -> None:
        try:
            self._ask("alipay.trade.close", {"out_trade_no": order_no})
        except GatewayError as error:
            if error.code != "ACQ.TRADE_NOT_EXIST":
                raise

    def refund(self, refund: RefundOrder) -> RefundOutcome:
        asked = {
            "out_trade_no": refund.order_no, "out_request_no": refund.refund_no,
            "refund_amount": yuan_of(refund.amount_fen), "refund_reason": refund.why[:80],
        }  # fmt: skip
        told = self._ask("alipay.trade.refund", asked)
        if told.get("fund_change") != "Y":  # nothing moved by this answer: only the query says whether it did before
            return RefundOutcome(refund.refund_no, refund.order_no, gateway.PROCESSING, str(told.get("trade_no", "")))
        return RefundOutcome(refund.refund_no, refund.order_no, gateway.DONE, str(told["trade_no"]))

    def query_refund(self, refund: RefundOrder) -> RefundOutcome:
        asked = {
            "out_trade_no": refund.order_no, "out_request_no": refund.refund_no, "query_options": ["gmt_refund_pay"],
        }  # fmt: skip
        told = self._ask("alipay.trade.fastpay.refund.query", asked)
        if told.get("refund_status") != "REFUND_SUCCESS":
            return RefundOutcome(refund.refund_no, refund.order_no, gateway.UNKNOWN)
        at = _at(told["gmt_refund_pay"]) if told.get("gmt_refund_pay") else 0
        return RefundOutcome(refund.refund_no, refund.order_no, gateway.DONE, str(told["trade_no"]), at)

    def statement(self, day: date) -> Statement:
        asked = {"bill_type": "trade", "bill_date": day.isoformat()}
        try:
            told = self._ask("alipay.data.dataservice.bill.downloadurl.query", asked)
        except GatewayError as error:
            if error.code == "isp.bill_not_exist":
                return Statement(b"", ())
            raise
        try:
            answer = httpx.get(str(told["bill_download_url"]), timeout=TIMEOUT_S).raise_for_status()
            return Statement(answer.content, tuple(_lines(_detail(answer.content))))
        except (httpx.HTTPError, zipfile.BadZipFile, ValueError, KeyError) as error:
            raise GatewayError(f"支付宝账单取不到 the statement cannot be fetched: {error}") from error

    # -- being told

    def notice(self, headers: Mapping[str, str], body: bytes, now: int) -> Notice:
        try:
            told = dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, strict_parsing=True))
            signature = told.pop("sign")
            genuine = self._client.verify(dict(told), signature)
            age_s = now - _at(told["notify_time"])
        except (ValueError, KeyError, AliPayException) as error:
            raise NotGenuineError(f"malformed: {error}") from error
        if not genuine:
            raise NotGenuineError("wrong signature")
        if told.get("app_id") != self.appid:
            raise NotGenuineError("meant for another application")
        if not -300 <= age_s <= LONGEST_REPEAT_S:
            raise NotGenuineError(f"stale: {age_s} s old")
        try:
            return Notice(told["notify_id"], _outcome(told))
        except (KeyError, ValueError) as error:
            raise NotGenuineError(f"incomplete: {error}") from error

    def reply(self, ok: bool) -> Reply:
        return Reply(200, "success" if ok else "failure", "text/plain")

    # -- how it is done

    def _ask(self, method: str, asked: dict[str, Any], **more: str) -> dict[str, Any]:
        """The verified answer. GatewayError."""
        try:
            told = self._client.server_api(method, asked, **more)
        except AliPayValidationError as error:
            raise GatewayError("支付宝答复验签失败 the answer's signature is wrong") from error
        except AliPayException as error:
            raise GatewayError(f"支付宝拒绝 Alipay refused: {error}") from error
        except (URLError, OSError, ValueError) as error:
            raise GatewayError(f"支付宝没有可信的答复 no answer that can be trusted: {error}") from error
        if told.get("code") == "10000":
            return dict(told)
        code = str(told.get("sub_code") or told.get("code"))
        final = not {code, str(told.get("code"))} & _PASSING
        raise GatewayError(f"支付宝拒绝 Alipay refused: {code} {told.get('sub_msg', '')}", code, final)


def connect(directory: Path) -> AliPayGateway:
    return AliPayGateway(directory)


def _outcome(told: Mapping[str, Any]) -> Outcome:
    """Of an answer or a notice. A trade that was paid and given back whole reads as closed, with a time of payment."""
    paid_at = told.get("send_pay_date") or told.get("gmt_payment")
    state = gateway.PAID if paid_at else _STATES.get(str(told["trade_status"]), gateway.OPEN)
    if state != gateway.PAID:
        return Outcome(str(told["out_trade_no"]), state)
    at = _at(str(paid_at)) if paid_at else 0
    return Outcome(str(told["out_trade_no"]), state, str(told["trade_no"]), fen_of(str(told["total_amount"])), at)


def _at(text: str) -> int:
    """ "2026-11-22 10:34:56", China's time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp())


def _detail(packed: bytes) -> str:
    """The details among the files of the zip; their names are in GBK and not to be relied on, their heads are."""
    with zipfile.ZipFile(io.BytesIO(packed)) as files:
        for info in files.infolist():
            if info.file_size > MOST_BYTES:
                raise ValueError("the statement is too large")
            text = files.read(info).decode("gbk")
            if text.startswith("#支付宝业务明细查询"):
                return text
    raise ValueError("no details in the file")


def _lines(text: str) -> Iterator[Line]:
    """The business details: lines of # around a table, a tab behind each text."""
    rows = csv.reader(line for line in io.StringIO(text) if line.strip() and not line.startswith("#"))
    names = [name.strip() for name in next(rows, [])]
    for row in rows:
        told = dict(zip(names, (value.strip() for value in row), strict=True))
        at, refund = _at(told["完成时间"]), told["业务类型"] == "退款"
        kind, refund_no = ("refund", told["退款批次号/请求号"]) if refund else ("pay", "")
        yield Line(kind, told["商户订单号"], refund_no, told["支付宝交易号"], abs(fen_of(told["订单金额（元）"])), at)
