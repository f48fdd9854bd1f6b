"""The pages of the receipts, Chinese with English beside it, for a phone: one column, large figures, no script."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta
from html import escape

from pump.core.money import round_half_up_div
from station import sales, texts

_STYLE = """
:root{color-scheme:light dark;--ink:#16202a;--paper:#f4f6f8;--card:#fff;--soft:#5a6672;--line:#dfe4ea;--good:#0a6b3d;
--bad:#a51d1d;--wait:#7a5200}
@media(prefers-color-scheme:dark){:root{--ink:#e8edf2;--paper:#10161c;--card:#1a222b;--soft:#a3b0bd;--line:#303b47;
--good:#5fd396;--bad:#ff8f8f;--wait:#f0c060}}
*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,"PingFang SC",
"Noto Sans SC","Microsoft YaHei",sans-serif;display:flex;justify-content:center}
main{width:100%;max-width:440px;padding:20px 16px 40px}h1{font-size:20px;margin:0 0 14px}
.card{background:var(--card);border:1px solid var(--line);border-radius:14px;padding:18px}
.verdict{font-weight:700;font-size:18px;margin:0 0 4px}.good{color:var(--good)}.bad{color:var(--bad)}
.wait{color:var(--wait)}
.money{font-size:44px;font-weight:700;line-height:1.15;font-variant-numeric:tabular-nums;margin:14px 0 6px}
.money small{font-size:20px;font-weight:500}dl{margin:14px 0 0;display:grid;grid-template-columns:auto 1fr;gap:0}
dt,dd{padding:9px 0;border-top:1px solid var(--line);margin:0}dt{color:var(--soft);padding-right:14px}
dd{text-align:right;font-variant-numeric:tabular-nums}small,.soft{color:var(--soft)}p{margin:8px 0}
.code{font-family:ui-monospace,monospace;font-size:13px;overflow-wrap:anywhere}
input{width:100%;font:16px ui-monospace,monospace;padding:12px;border:1px solid var(--line);border-radius:10px;
background:var(--paper);color:var(--ink)}button{width:100%;margin-top:12px;padding:13px;font:600 16px inherit;border:0;
border-radius:10px;background:#0b5fa5;color:#fff}
"""
STYLE_HASH = f"'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
_CHINA = timedelta(hours=8)


def _page(body: str) -> str:
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><title>加油小票 · Receipt</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>加油小票 · Fuel receipt</h1>{body}</main></body></html>"
    )


def _verdict(look: str, icon: str, zh: str, en: str) -> str:
    return f'<p class="verdict {look}">{icon} {zh}</p><p class="soft">{en}</p>'


_BOOKS = {
    "agrees": ("good", "✓", "真实有效，与油站账目一致", "Genuine, and the station's books agree."),
    "missing": (
        "wait",
        "…",
        "签名有效，油站尚未收到此笔记录",
        "Genuine; the sale has not reached the station's books yet.",
    ),
    "differs": (
        "bad",
        "✗",
        "签名有效，但与油站账目不符，请与油站联系",
        "Genuine, but the books differ: ask the station.",
    ),
}


def receipt(shown: sales.Receipt, books: str, pump: str) -> str:
    """A genuine receipt and what the books say about it. pump: its name, "" if the station no longer has it."""
    at = datetime.fromtimestamp(shown.at, UTC) + _CHINA
    litres = round_half_up_div(shown.volume_ml, 10)
    rows = (
        ("油品", "grade", escape(texts.grade(shown.grade))),
        ("升数", "litres", f"{litres // 100}.{litres % 100:02d} L"),
        ("单价", "price", f"{shown.price_fen_per_l / 100:.2f} 元/L"),
        ("时间", "time", f"{at:%Y-%m-%d %H:%M:%S}" if shown.at else "—"),
        ("油机", "pump", escape(pump or "—")),
        ("流水号", "number", f"{shown.device}-{shown.seq}"),
    )
    listed = "".join(f"<dt>{zh} <small>{en}</small></dt><dd>{value}</dd>" for zh, en, value in rows)
    money = f'<p class="money">{shown.amount_fen // 100}.{shown.amount_fen % 100:02d} <small>元 yuan</small></p>'
    return _page(f'<div class="card">{_verdict(*_BOOKS[books])}{money}<dl>{listed}</dl></div>')


def forged() -> str:
    """A text in the right form that no pump of this station has signed."""
    verdict = _verdict(
        "bad", "✗", "签名无效：不是本站油机开出的小票", "Not genuine: no pump of this station made this receipt."
    )
    return _page(f'<div class="card">{verdict}</div>')


def no_receipt(text: str) -> str:
    """Something that cannot be a receipt; asks for another try."""
    verdict = _verdict("bad", "✗", "这不是加油小票", "This is not a receipt: was it typed or scanned wholly?")
    return _page(f'<div class="card">{verdict}<p class="code">{escape(text)}</p></div>{_ask("")}')


def too_often() -> str:
    """More looks than a person makes."""
    verdict = _verdict("wait", "…", "查询过于频繁，请一分钟后再试", "Too many looks: try again in a minute.")
    return _page(f'<div class="card">{verdict}</div>')


def form(text: str) -> str:
    """Where a person types what stands on a receipt."""
    return _page(_ask(text))


def _ask(text: str) -> str:
    return (
        '<form class="card" method="get" action="/"><p>扫描油机屏上的二维码，或输入小票码<br>'
        "<small>Scan the code on the pump, or type the receipt's 45 characters</small></p>"
        f'<input name="text" value="{escape(text, quote=True)}" maxlength="120" autocomplete="off" '
        'aria-label="小票码 receipt">'
        "<button>核验 · Verify</button></form>"
    )
