"""The gateway's callbacks, in every mood: as they should be, and as networks and thieves make them."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, get_args

import httpx

from tools.bench.gateway import alipay, wechat
from tools.bench.gateway.keys import MCHID, Keys
from tools.bench.gateway.trades import Refund, Trade

Mood = Literal["once", "twice", "copied", "late", "stale", "forged", "amount", "never"]
MOODS: tuple[Mood, ...] = get_args(Mood)
LATE_S, STALE_S = 20.0, 26 * 3600
Sent = tuple[dict[str, str], bytes]


def of_payment(keys: Keys, trade: Trade, now: int, amount_fen: int | None = None) -> Sent:
    """What is sent when a trade was paid: headers and body. amount_fen: another amount than what was paid."""
    told = trade if amount_fen is None else Trade(**{**vars(trade), "amount_fen": amount_fen})
    if trade.face == wechat.FACE:
        return wechat.notice(keys, "TRANSACTION.SUCCESS", wechat.transaction(told), now)
    return alipay.notice(keys, told, None, now)


def of_refund(keys: Keys, trade: Trade, refund: Refund, now: int) -> Sent:
    """What is sent when a refund has reached the customer."""
    if trade.face == wechat.FACE:
        told = wechat.refund_told(trade, refund)
        told |= {"mchid": MCHID, "refund_status": told.pop("status")}
        return wechat.notice(keys, "REFUND.SUCCESS", told, now)
    return alipay.notice(keys, trade, refund, now)


def in_mood(keys: Keys, trade: Trade, mood: Mood, now: int) -> list[Sent]:
    """The callbacks of a payment, in the order they go out. `late` is a matter of when, not of what."""
    sent = of_payment(keys, trade, now)
    if mood == "never":
        return []
    if mood == "twice":
        return [sent, of_payment(keys, trade, now)]  # the gateway did not hear our answer and signs anew
    if mood == "copied":
        return [sent, sent]
    if mood == "stale":
        return [of_payment(keys, trade, now - STALE_S)]
    if mood == "forged":
        return [_forged(keys, trade, now)]
    if mood == "amount":
        return [of_payment(keys, trade, now, trade.amount_fen + 1)]
    return [sent]


def _forged(keys: Keys, trade: Trade, now: int) -> Sent:
    """Signed with a key that is not the gateway's (the merchant's own), under the gateway's serial number."""
    return of_payment(replace(keys, platform=keys.merchant, alipay=keys.app), trade, now)


class Postman:
    """Carries callbacks to the station; what does not arrive is tried again a few times, as gateways do."""

    def __init__(self, keys: Keys, clock: Callable[[], int], pauses_s: tuple[float, ...] = (0.0, 3.0, 10.0)) -> None:
        self._keys, self._clock, self._pauses_s = keys, clock, pauses_s
        self.answers: list[int] = []  # status of each callback that was answered, for whoever looks

    def paid(self, trade: Trade, mood: Mood = "once") -> None:
        """Sends what this mood sends, without holding up the customer."""
        wait_s = LATE_S if mood == "late" else 0.0
        self._later(wait_s, lambda: self._deliver(trade.notify_url, in_mood(self._keys, trade, mood, self._clock())))

    def refunded(self, trade: Trade, refund: Refund) -> None:
        self._later(0.0, lambda: self._deliver(trade.notify_url, [of_refund(self._keys, trade, refund, self._clock())]))

    def _later(self, wait_s: float, do: Callable[[], None]) -> None:
        timer = threading.Timer(wait_s, do)
        timer.daemon = True
        timer.start()

    def _deliver(self, url: str, sent: list[Sent]) -> None:
        for headers, body in sent:
            for pause_s in self._pauses_s:
                threading.Event().wait(pause_s)
                try:
                    answer = httpx.post(url, headers=headers, content=body, timeout=10, trust_env=False)
                except httpx.HTTPError:
                    continue
                self.answers.append(answer.status_code)
                if answer.status_code == 200 and answer.text != "failure":
                    break
