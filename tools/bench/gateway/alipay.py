"""Alipay's open gateway as a merchant sees it: gateway.do with a method, parameters signed RSA2, answers signed.

https://opendocs.alipay.com/common/02kipk (signing), /open/194 (asynchronous notices)
"""

import base64
import json
import secrets
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from fastapi import APIRouter, Request
from fastapi.responses import Response

from tools.bench.gateway import bills
from tools.bench.gateway.keys import ALIPAY_APPID, Keys
from tools.bench.gateway.trades import CHINA, Refund, RefusedError, Trade, Trades

FACE = "alipay"
SKEW_S = 600
_BUSINESS = {
    "MISSING": "ACQ.TRADE_NOT_EXIST", "PAID": "ACQ.TRADE_HAS_SUCCESS", "CLOSED": "ACQ.TRADE_HAS_CLOSE",
    "DIFFERS": "ACQ.CONTEXT_INCONSISTENT", "AMOUNT": "ACQ.INVALID_PARAMETER", "LATE": "ACQ.TRADE_HAS_CLOSE",
    "UNPAID": "ACQ.TRADE_STATUS_ERROR", "TOO_MUCH": "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL",
}  # fmt: skip
_SUCCESS = {"code": "10000", "msg": "Success"}
Refunded = Callable[[Trade, Refund], None]


def sign(keys: Keys, text: str) -> str:
    return base64.b64encode(keys.alipay.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode("ascii")


def joined(told: dict[str, str]) -> str:
    """What is signed: the parameters in the order of their names."""
    return "&".join(f"{name}={told[name]}" for name in sorted(told))


def fen(yuan: str) -> int:
    return round(float(yuan) * 100)


def status(trade: Trade) -> str:
    """A trade that went back whole is closed, as is one that nobody paid."""
    if trade.state == "NOTPAY":
        return "WAIT_BUYER_PAY"
    whole = trade.state == "CLOSED" or trade.returned_fen == trade.amount_fen
    return "TRADE_CLOSED" if whole else "TRADE_SUCCESS"


def notice(keys: Keys, trade: Trade, refund: Refund | None, now: int) -> tuple[dict[str, str], bytes]:
    """A callback: (headers, body)."""
    told = {
        "notify_time": bills.clock(now), "notify_type": "trade_status_sync", "notify_id": secrets.token_hex(17),
        "charset": "utf-8", "version": "1.0", "app_id": ALIPAY_APPID, "out_trade_no": trade.order_no,
        "trade_no": trade.trade_no, "trade_status": status(trade), "total_amount": bills.yuan(trade.amount_fen),
        "receipt_amount": bills.yuan(trade.amount_fen), "subject": trade.title,
        "gmt_payment": bills.clock(trade.paid_at), "seller_id": "2088102169481075",
    }  # fmt: skip
    if refund is not None:
        told |= {
            "out_biz_no": refund.refund_no, "refund_fee": bills.yuan(trade.returned_fen),
            "gmt_refund": bills.clock(refund.done_at),
        }  # fmt: skip
    signed = {**told, "sign_type": "RSA2", "sign": sign(keys, joined(told))}
    return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, urlencode(signed).encode()


def router(keys: Keys, trades: Trades, refunded: Refunded, clock: Callable[[], int] = lambda: int(time.time())) -> Any:
    """gateway.do; refunded(trade, refund): told of each new refund, so that its callback can be sent."""
    routes = APIRouter()

    def answer(method: str, told: dict[str, Any]) -> Response:
        text = json.dumps(told, ensure_ascii=False)
        body = f'{{"{method.replace(".", "_")}_response":{text},"sign":"{sign(keys, text)}"}}'
        return Response(body, media_type="application/json")

    def refusal(told: dict[str, str]) -> tuple[str, str] | None:
        """(sub_code, words) of why the request is not the merchant's."""
        if told.get("app_id") != ALIPAY_APPID:
            return "isv.invalid-app-id", "无效的AppID参数"
        if told.get("sign_type") != "RSA2":
            return "isv.invalid-signature-type", "无效签名类型"
        try:
            signature = base64.b64decode(told.pop("sign", ""))
            keys.app.public_key().verify(signature, joined(told).encode(), PKCS1v15(), hashes.SHA256())
            at = datetime.fromisoformat(told["timestamp"]).timestamp()
        except (InvalidSignature, ValueError, KeyError):
            return "isv.invalid-signature", "无效签名"
        return ("isv.invalid-timestamp", "非法的时间戳参数") if abs(clock() - at) > SKEW_S else None

    def precreate(asked: dict[str, Any], told: dict[str, str]) -> dict[str, Any]:
        end = asked.get("time_expire")
        until = int(datetime.fromisoformat(end).replace(tzinfo=CHINA).timestamp()) if end else 0
        amount = fen(asked["total_amount"])
        made = trades.make(FACE, asked["out_trade_no"], amount, asked["subject"], told.get("notify_url", ""), until)
        return {"out_trade_no": made.order_no, "qr_code": f"https://qr.alipay.com/{made.token}"}

    def query(asked: dict[str, Any], _told: dict[str, str]) -> dict[str, Any]:
        trade = trades.get(FACE, asked["out_trade_no"])
        found = {
            "out_trade_no": trade.order_no, "trade_no": trade.trade_no, "trade_status": status(trade),
            "total_amount": bills.yuan(trade.amount_fen), "buyer_logon_id": "602***@qq.com",
        }  # fmt: skip
        return found | ({"send_pay_date": bills.clock(trade.paid_at)} if trade.paid_at else {})

    def close(asked: dict[str, Any], _told: dict[str, str]) -> dict[str, Any]:
        trade = trades.get(FACE, asked["out_trade_no"])
        trades.close(trade)
        return {"out_trade_no": trade.order_no}

    def refund(asked: dict[str, Any], _told: dict[str, str]) -> dict[str, Any]:
        trade = trades.get(FACE, asked["out_trade_no"])
        made, new = trades.refund(trade, asked["out_request_no"], fen(asked["refund_amount"]), clock(), at_once=True)
        if new:
            refunded(trade, made)
        return {
            "trade_no": trade.trade_no, "out_trade_no": trade.order_no, "fund_change": "Y" if new else "N",
            "refund_fee": bills.yuan(trade.returned_fen),
        }  # fmt: skip

    def query_refund(asked: dict[str, Any], _told: dict[str, str]) -> dict[str, Any]:
        trade = trades.get(FACE, asked["out_trade_no"])
        found = next((one for one in trade.refunds if one.refund_no == asked["out_request_no"]), None)
        if found is None:
            return {}
        return {
            "trade_no": trade.trade_no, "out_trade_no": trade.order_no, "out_request_no": found.refund_no,
            "refund_amount": bills.yuan(found.amount_fen), "refund_status": "REFUND_SUCCESS",
            "gmt_refund_pay": bills.clock(found.done_at),
        }  # fmt: skip

    methods = {
        "alipay.trade.precreate": precreate, "alipay.trade.query": query, "alipay.trade.close": close,
        "alipay.trade.refund": refund, "alipay.trade.fastpay.refund.query": query_refund,
    }  # fmt: skip

    @routes.api_route("/gateway.do", methods=["GET", "POST"])
    async def gateway(request: Request) -> Response:
        told = {**request.query_params, **{name: str(value) for name, value in (await request.form()).items()}}
        method = told.get("method", "")
        if (no := refusal(told)) is not None:
            return answer(method, {"code": "40002", "msg": "Invalid Arguments", "sub_code": no[0], "sub_msg": no[1]})
        asked = json.loads(told.get("biz_content") or "{}")
        if method == "alipay.data.dataservice.bill.downloadurl.query":
            if not trades.of_day(FACE, date.fromisoformat(asked["bill_date"])):
                code = {"sub_code": "isp.bill_not_exist", "sub_msg": "账单不存在"}
                return answer(method, {"code": "40004", "msg": "Business Failed", **code})
            url = str(request.url).partition("/gateway.do")[0] + f"/bill/{asked['bill_date']}.zip"
            return answer(method, {**_SUCCESS, "bill_download_url": url})
        if method not in methods:
            return answer(method, {"code": "40001", "msg": "Missing Arguments", "sub_code": "isv.invalid-method"})
        try:
            return answer(method, {**_SUCCESS, **methods[method](asked, told)})
        except RefusedError as error:
            code = {"sub_code": _BUSINESS[error.code], "sub_msg": str(error)}
            return answer(method, {"code": "40004", "msg": "Business Failed", **code})

    @routes.get("/bill/{day}.zip")
    def bill(day: str) -> Response:
        wanted = date.fromisoformat(day)
        return Response(bills.alipay(trades.of_day(FACE, wanted), wanted), media_type="application/zip")

    return routes
