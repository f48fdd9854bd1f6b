"""The gateway as an application: both faces, and a customer's telephone at /pay."""

import time
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.middleware.trustedhost import TrustedHostMiddleware

from tools.bench.gateway import alipay, keys, wechat
from tools.bench.gateway.callbacks import MOODS, Mood, Postman
from tools.bench.gateway.trades import Refund, RefusedError, Trade, Trades

FACES = {"wechat": "微信支付 WeChat Pay", "alipay": "支付宝 Alipay"}
MOOD_WORDS = {
    "once": "正常通知 · told once", "twice": "通知两次 · told twice", "copied": "同一通知重放 · a copy is sent again",
    "late": "20 秒后才通知 · told after 20 s", "stale": "26 小时前的通知 · a notice 26 hours old",
    "forged": "伪造的通知 · a forged notice", "amount": "金额不符的通知 · a notice of another amount",
    "never": "不通知，靠查询 · never told: the query finds it",
}  # fmt: skip


class Gateway:
    """Keys, book and postman of one gateway; `app` serves it."""

    def __init__(self, home: Path, clock: Callable[[], int] = lambda: int(time.time())) -> None:
        """home: where keys and book are kept."""
        self.clock = clock
        self.keys = keys.load(home)
        self.trades = Trades(home / "trades.json")
        self.postman = Postman(self.keys, clock)
        self.app = self._application()

    def customer_pays(self, token: str, mood: Mood = "once") -> Trade:
        """The customer scans the code and pays. RefusedError."""
        trade = self.trades.by_token(token)
        self.trades.pay(trade, self.clock())
        self.postman.paid(trade, mood)
        return trade

    def _refunded(self, trade: Trade, refund: Refund) -> None:
        self.trades.finish(refund, self.clock())
        self.postman.refunded(trade, refund)

    def _application(self) -> FastAPI:
        app = FastAPI(title="Pumpside bench payments", docs_url=None, redoc_url=None, openapi_url=None)
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])
        app.include_router(wechat.router(self.keys, self.trades, self._refunded, self.clock), prefix="/wechat")
        app.include_router(alipay.router(self.keys, self.trades, self._refunded, self.clock), prefix="/alipay")

        @app.get("/pay", response_class=HTMLResponse)
        def phone(code: str = "") -> HTMLResponse:
            """code: what the QR code says."""
            try:
                return HTMLResponse(_page(self.trades.by_token(_token(code))))
            except RefusedError as error:
                return HTMLResponse(_told(f"{error} · this code names no order"), 404)

        @app.post("/pay")
        def pays(code: Annotated[str, Form()], mood: Annotated[Mood, Form()] = "once") -> HTMLResponse:
            try:
                trade = self.customer_pays(_token(code), mood)
            except RefusedError as error:
                return HTMLResponse(_told(f"{error} · paid already, or closed"), 409)
            return HTMLResponse(_told(f"已支付 ¥{trade.amount_fen / 100:.2f} · paid"))

        @app.get("/trades")
        def listed() -> JSONResponse:
            return JSONResponse([vars(one) | {"refunds": len(one.refunds)} for one in self.trades.all.values()])

        return app


def _token(code: str) -> str:
    """`weixin://wxpay/bizpayurl?pr=TOKEN` and `https://qr.alipay.com/TOKEN`."""
    return code.rsplit("=", 1)[-1].rsplit("/", 1)[-1]


def _page(trade: Trade) -> str:
    moods = "".join(f'<option value="{mood}">{MOOD_WORDS[mood]}</option>' for mood in MOODS)
    paid = trade.state != "NOTPAY"
    button = "" if paid else "<button autofocus>付款 · Pay</button>"
    return _told(
        f"<b>{FACES[trade.face]}</b><p>{escape(trade.title)}</p><p class=sum>¥{trade.amount_fen / 100:.2f}</p>"
        f'<form method=post action=pay><input type=hidden name=code value="{escape(trade.token)}">'
        f"<label>回调 · callbacks <select name=mood>{moods}</select></label>{button}</form>"
        + (f"<p>{escape(trade.state)}</p>" if paid else "")
    )


def _told(content: str) -> str:
    return (
        '<!doctype html><meta charset=utf-8><meta name=viewport content="width=device-width"><title>付款 · Pay</title>'
        "<style>body{font:18px sans-serif;max-width:26em;margin:2em auto;text-align:center}.sum{font-size:2.4em}"
        "button{font:inherit;padding:.6em 2em;margin:1em}label{display:block}</style>" + content
    )
