"""WeChat Pay API v3 as a merchant sees it: /v3/... Requests and answers signed, content enciphered where documented.

Signatures: WECHATPAY2-SHA256-RSA2048; enciphered: AEAD_AES_256_GCM under the APIv3 key.
https://pay.weixin.qq.com/doc/v3/merchant/4012365342 (signing), /4012071382 (callbacks)
"""

import base64
import gzip
import hashlib
import json
import re
import secrets
import time
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import APIRouter, Request
from fastapi.responses import Response

from tools.bench.gateway import bills
from tools.bench.gateway.keys import MCHID, WECHAT_APPID, Keys
from tools.bench.gateway.trades import CHINA, Refund, RefusedError, Trade, Trades

FACE = "wechat"
SKEW_S = 300
_FIELD = re.compile(r'(\w+)="([^"]*)"')
# the book's reason -> (status, WeChat's code), for orders and for refunds
_ORDERS = {
    "MISSING": (404, "ORDER_NOT_EXIST"), "PAID": (400, "ORDERPAID"), "CLOSED": (400, "ORDER_CLOSED"),
    "DIFFERS": (403, "OUT_TRADE_NO_USED"), "AMOUNT": (400, "PARAM_ERROR"), "LATE": (400, "ORDER_CLOSED"),
}  # fmt: skip
_REFUNDS = {
    "MISSING": (404, "RESOURCE_NOT_EXISTS"), "UNPAID": (400, "INVALID_REQUEST"), "TOO_MUCH": (403, "NOT_ENOUGH"),
    "DIFFERS": (400, "PARAM_ERROR"),
}  # fmt: skip
Refunded = Callable[[Trade, Refund], None]


def rfc3339(at: int) -> str:
    return datetime.fromtimestamp(at, CHINA).isoformat()


def sign(keys: Keys, text: str) -> str:
    return base64.b64encode(keys.platform.sign(text.encode(), PKCS1v15(), hashes.SHA256())).decode("ascii")


def encipher(keys: Keys, content: str, associated: str) -> dict[str, str]:
    """AEAD_AES_256_GCM with a nonce of 12 letters, as the documents have it."""
    nonce = secrets.token_hex(6)
    cipher = AESGCM(keys.apiv3.encode()).encrypt(nonce.encode(), content.encode(), associated.encode())
    return {
        "algorithm": "AEAD_AES_256_GCM", "nonce": nonce, "associated_data": associated,
        "ciphertext": base64.b64encode(cipher).decode("ascii"),
    }  # fmt: skip


def signed_headers(keys: Keys, body: str, now: int) -> dict[str, str]:
    """Of an answer or a callback."""
    nonce = secrets.token_hex(16)
    return {
        "Wechatpay-Timestamp": str(now), "Wechatpay-Nonce": nonce, "Wechatpay-Serial": keys.serial,
        "Wechatpay-Signature": sign(keys, f"{now}\n{nonce}\n{body}\n"),
        "Wechatpay-Signature-Type": "WECHATPAY2-SHA256-RSA2048", "Content-Type": "application/json",
    }  # fmt: skip


def transaction(trade: Trade) -> dict[str, Any]:
    """An order as query and callback tell it."""
    told: dict[str, Any] = {
        "appid": WECHAT_APPID, "mchid": MCHID, "out_trade_no": trade.order_no, "trade_state": trade.state,
        "trade_state_desc": {"NOTPAY": "未支付", "SUCCESS": "支付成功", "CLOSED": "已关闭"}[trade.state],
    }  # fmt: skip
    if trade.paid_at:
        told |= {
            "trade_state": "REFUND" if trade.refunds else "SUCCESS", "transaction_id": trade.trade_no,
            "trade_type": "NATIVE", "bank_type": "OTHERS", "success_time": rfc3339(trade.paid_at), "attach": "",
            "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
            "amount": {
                "total": trade.amount_fen, "payer_total": trade.amount_fen, "currency": "CNY", "payer_currency": "CNY",
            },
        }  # fmt: skip
    return told


def refund_told(trade: Trade, refund: Refund) -> dict[str, Any]:
    """A refund as its request and query are answered."""
    told: dict[str, Any] = {
        "refund_id": refund.trade_no, "out_refund_no": refund.refund_no, "transaction_id": trade.trade_no,
        "out_trade_no": trade.order_no, "channel": "ORIGINAL", "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund.asked_at), "status": "SUCCESS" if refund.done_at else "PROCESSING",
        "amount": {
            "total": trade.amount_fen, "refund": refund.amount_fen, "payer_total": trade.amount_fen,
            "payer_refund": refund.amount_fen, "currency": "CNY",
        },
    }  # fmt: skip
    return told | ({"success_time": rfc3339(refund.done_at)} if refund.done_at else {})


def notice(keys: Keys, event: str, resource: dict[str, Any], now: int) -> tuple[dict[str, str], bytes]:
    """A callback: (headers, body). event: TRANSACTION.SUCCESS or REFUND.SUCCESS."""
    kind = event.partition(".")[0].lower()
    content = {
        "id": secrets.token_hex(16), "create_time": rfc3339(now), "event_type": event, "summary": "支付成功",
        "resource_type": "encrypt-resource",
        "resource": {**encipher(keys, json.dumps(resource, ensure_ascii=False), kind), "original_type": kind},
    }  # fmt: skip
    body = json.dumps(content, ensure_ascii=False)
    return signed_headers(keys, body, now), body.encode()


def router(keys: Keys, trades: Trades, refunded: Refunded, clock: Callable[[], int] = lambda: int(time.time())) -> Any:
    """The routes; refunded(trade, refund): told of each new refund, so that its callback can be sent."""
    routes = APIRouter()
    nonces: set[str] = set()

    def answer(told: dict[str, Any] | None, status: int = 200) -> Response:
        body = json.dumps(told, ensure_ascii=False) if told is not None else ""
        return Response(body, status, headers=signed_headers(keys, body, clock()))

    def wrong(status: int, code: str, message: str) -> Response:
        return answer({"code": code, "message": message}, status)

    async def refusal(request: Request) -> Response | None:
        """Why the request is not the merchant's: signature, serial number, time, a nonce seen before."""
        scheme, _, rest = request.headers.get("authorization", "").partition(" ")
        told = dict(_FIELD.findall(rest))
        if scheme != "WECHATPAY2-SHA256-RSA2048" or told.get("mchid") != MCHID:
            return wrong(401, "SIGN_ERROR", "签名错误")
        if told.get("serial_no") != keys.merchant_serial or abs(clock() - int(told.get("timestamp") or 0)) > SKEW_S:
            return wrong(401, "SIGN_ERROR", "证书序列号或时间戳错误")
        path = request.url.path.removeprefix(request.scope.get("root_path", ""))
        path = path[path.index("/v3/") :] + (f"?{request.url.query}" if request.url.query else "")
        body = (await request.body()).decode()
        text = f"{request.method}\n{path}\n{told['timestamp']}\n{told['nonce_str']}\n{body}\n"
        try:
            signature = base64.b64decode(told.get("signature", ""))
            keys.merchant.public_key().verify(signature, text.encode(), PKCS1v15(), hashes.SHA256())
        except (InvalidSignature, ValueError):
            return wrong(401, "SIGN_ERROR", "签名错误")
        if told["nonce_str"] in nonces:
            return wrong(401, "SIGN_ERROR", "请求重放")
        nonces.add(told["nonce_str"])
        return None

    @routes.get("/v3/certificates")
    async def certificates(request: Request) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        pem = keys.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
        one = {
            "serial_no": keys.serial, "effective_time": keys.certificate.not_valid_before_utc.isoformat(),
            "expire_time": keys.certificate.not_valid_after_utc.isoformat(),
            "encrypt_certificate": encipher(keys, pem, "certificate"),
        }  # fmt: skip
        return answer({"data": [one]})

    @routes.post("/v3/pay/transactions/native")
    async def native(request: Request) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        asked = await request.json()
        if asked.get("appid") != WECHAT_APPID or asked.get("mchid") != MCHID:
            return wrong(400, "APPID_MCHID_NOT_MATCH", "appid 和 mchid 不匹配")
        until = int(datetime.fromisoformat(asked["time_expire"]).timestamp()) if "time_expire" in asked else 0
        fen = asked["amount"]["total"]
        try:
            made = trades.make(FACE, asked["out_trade_no"], fen, asked["description"], asked["notify_url"], until)
        except RefusedError as error:
            return wrong(*_ORDERS[error.code], str(error))
        return answer({"code_url": f"weixin://wxpay/bizpayurl?pr={made.token}"})

    @routes.get("/v3/pay/transactions/out-trade-no/{order_no}")
    async def query(request: Request, order_no: str) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        try:
            return answer(transaction(trades.get(FACE, order_no)))
        except RefusedError as error:
            return wrong(*_ORDERS[error.code], str(error))

    @routes.post("/v3/pay/transactions/out-trade-no/{order_no}/close")
    async def close(request: Request, order_no: str) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        try:
            trades.close(trades.get(FACE, order_no))
        except RefusedError as error:
            return wrong(*_ORDERS[error.code], str(error))
        return answer(None, 204)

    @routes.post("/v3/refund/domestic/refunds")
    async def refund(request: Request) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        asked = await request.json()
        try:
            trade = trades.get(FACE, asked["out_trade_no"])
            fen = asked["amount"]["refund"]
            made, new = trades.refund(trade, asked["out_refund_no"], fen, clock(), at_once=False)
        except RefusedError as error:
            return wrong(*_REFUNDS[error.code], str(error))
        told = refund_told(trade, made)
        if new:
            refunded(trade, made)
        return answer(told)

    @routes.get("/v3/refund/domestic/refunds/{refund_no}")
    async def query_refund(request: Request, refund_no: str) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        for trade in trades.all.values():
            for one in trade.refunds:
                if trade.face == FACE and one.refund_no == refund_no:
                    return answer(refund_told(trade, one))
        return wrong(404, "RESOURCE_NOT_EXISTS", "退款单不存在")

    @routes.get("/v3/bill/tradebill")
    async def trade_bill(request: Request, bill_date: str) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        raw = bills.wechat(trades.of_day(FACE, date.fromisoformat(bill_date)))
        if not raw:
            return wrong(400, "NO_STATEMENT_EXIST", "请求的账单文件不存在")
        base = str(request.url).partition("/v3/")[0]
        digest = hashlib.sha1(raw, usedforsecurity=False).hexdigest()
        url = f"{base}/v3/billdownload/file?token={bill_date}"
        return answer({"hash_type": "SHA1", "hash_value": digest, "download_url": url})

    @routes.get("/v3/billdownload/file")
    async def download(request: Request, token: str) -> Response:
        if (no := await refusal(request)) is not None:
            return no
        packed = gzip.compress(bills.wechat(trades.of_day(FACE, date.fromisoformat(token))))
        return Response(packed, media_type="application/octet-stream")

    return routes
