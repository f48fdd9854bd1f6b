"""What the gateway knows: orders, who paid them, what went back. One book for both faces, kept in a file."""

import json
import secrets
import threading
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

CHINA = timezone(timedelta(hours=8))
NOTPAY, SUCCESS, CLOSED = "NOTPAY", "SUCCESS", "CLOSED"


class RefusedError(Exception):
    """What was asked cannot be; code: the reason by the book's own name, which each face translates."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Refund:
    """Money given back; done_at: 0 while it is under way."""

    refund_no: str
    amount_fen: int
    trade_no: str
    asked_at: int
    done_at: int = 0


@dataclass
class Trade:
    """An order. face: wechat or alipay; until: 0 for no end."""

    face: str
    order_no: str
    amount_fen: int
    title: str
    notify_url: str
    until: int
    token: str
    state: str = NOTPAY
    trade_no: str = ""
    paid_at: int = 0
    refunds: list[Refund] = field(default_factory=list)

    @property
    def returned_fen(self) -> int:
        return sum(refund.amount_fen for refund in self.refunds)


class Trades:
    """All trades. Times are given by the caller, Unix seconds."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.RLock()
        self.all: dict[tuple[str, str], Trade] = {}
        if file is not None and file.exists():
            for one in json.loads(file.read_text("utf-8")):
                refunds = [Refund(**refund) for refund in one.pop("refunds")]
                self.all[one["face"], one["order_no"]] = Trade(**one, refunds=refunds)

    def make(self, face: str, order_no: str, amount_fen: int, title: str, notify_url: str, until: int) -> Trade:
        """An order; the same again is the same order. RefusedError: DIFFERS, PAID, CLOSED, AMOUNT."""
        with self._lock:
            known = self.all.get((face, order_no))
            if known is None:
                if amount_fen <= 0:
                    raise RefusedError("AMOUNT", "金额须大于零")
                known = Trade(face, order_no, amount_fen, title, notify_url, until, secrets.token_urlsafe(6))
                self.all[face, order_no] = known
                self._save()
            if known.amount_fen != amount_fen:
                raise RefusedError("DIFFERS", "商户订单号重复，金额不一致")
            if known.state != NOTPAY:
                raise RefusedError("PAID" if known.state == SUCCESS else "CLOSED", "订单已支付或已关闭")
            return known

    def get(self, face: str, order_no: str) -> Trade:
        """RefusedError: MISSING."""
        known = self.all.get((face, order_no))
        if known is None:
            raise RefusedError("MISSING", "订单不存在")
        return known

    def by_token(self, token: str) -> Trade:
        """The trade that a QR code names. RefusedError: MISSING."""
        found = next((trade for trade in self.all.values() if trade.token == token), None)
        if found is None:
            raise RefusedError("MISSING", "二维码无效")
        return found

    def pay(self, trade: Trade, now: int) -> None:
        """The customer pays. RefusedError: PAID, CLOSED, LATE."""
        with self._lock:
            if trade.state != NOTPAY:
                raise RefusedError("PAID" if trade.state == SUCCESS else "CLOSED", "订单已支付或已关闭")
            if trade.until and now > trade.until:
                raise RefusedError("LATE", "订单已过期")
            trade.state, trade.paid_at = SUCCESS, now
            trade.trade_no = f"42000{datetime.fromtimestamp(now, CHINA):%Y%m%d}{secrets.randbelow(10**12):012d}"
            self._save()

    def close(self, trade: Trade) -> None:
        """RefusedError: PAID."""
        with self._lock:
            if trade.state == SUCCESS:
                raise RefusedError("PAID", "订单已支付，不能关闭")
            trade.state = CLOSED
            self._save()

    def refund(self, trade: Trade, refund_no: str, amount_fen: int, now: int, at_once: bool) -> tuple[Refund, bool]:
        """(the refund, whether it is a new one). RefusedError: UNPAID, TOO_MUCH, DIFFERS."""
        with self._lock:
            known = next((one for one in trade.refunds if one.refund_no == refund_no), None)
            if known is not None:
                if known.amount_fen != amount_fen:
                    raise RefusedError("DIFFERS", "退款单号重复，金额不一致")
                return known, False
            if trade.state != SUCCESS:
                raise RefusedError("UNPAID", "订单未支付")
            if amount_fen <= 0 or trade.returned_fen + amount_fen > trade.amount_fen:
                raise RefusedError("TOO_MUCH", "退款金额超过可退金额")
            made = Refund(refund_no, amount_fen, f"50300{secrets.randbelow(10**18):018d}", now, now if at_once else 0)
            trade.refunds.append(made)
            self._save()
            return made, True

    def finish(self, refund: Refund, now: int) -> None:
        """The money has reached the customer."""
        with self._lock:
            refund.done_at = refund.done_at or now
            self._save()

    def of_day(self, face: str, day: date) -> list[tuple[Trade, Refund | None]]:
        """What a day's statement shows: payments (None) and refunds, in the order of their times."""
        shown: list[tuple[int, Trade, Refund | None]] = []
        for trade in self.all.values():
            if trade.face != face:
                continue
            if trade.paid_at and datetime.fromtimestamp(trade.paid_at, CHINA).date() == day:
                shown.append((trade.paid_at, trade, None))
            shown += [
                (refund.done_at, trade, refund)
                for refund in trade.refunds
                if refund.done_at and datetime.fromtimestamp(refund.done_at, CHINA).date() == day
            ]
        return [(trade, refund) for _, trade, refund in sorted(shown, key=lambda one: one[0])]

    def _save(self) -> None:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(json.dumps([asdict(trade) for trade in self.all.values()], ensure_ascii=False), "utf-8")
            fresh.replace(self._file)
