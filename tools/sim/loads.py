"""Loads at the pump (D28), the station's side: the real conversation under the credit key, and the books."""

import random
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import desfire
from pump.core import card_layout
from station.cards.credit import Bursts, Credited, credit
from station.cards.on_card import CardError
from tools.sim import cards


@dataclass
class _Open:
    """One conversation through a pump: its name there, the last step and what was said to it."""

    name: str
    uid: bytes
    bursts: Bursts[Credited]
    frames: list[bytes] | None
    step: int = 0
    done: bool = False


class Loads:
    """waiting: load id and fen of each card that has paid but not got it; done_fen: what is on each card."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self.waiting: dict[bytes, tuple[int, int]] = {}
        self.done_fen: dict[bytes, int] = defaultdict(int)
        self.begun = 0
        self._open: dict[int, _Open] = {}

    def pay(self, uid: bytes, fen: int) -> None:
        """Money for a card; one load at a time."""
        self.waiting.setdefault(uid, (self._rng.getrandbits(62) | 1, fen))

    def answer(self, device: int, question: dict[str, Any]) -> dict[str, Any]:
        """To a question `load` or `relay` of a pump."""
        known = self._open.get(device)
        if question["ask"] == "load":
            if known is None or known.name != question["id"]:
                known = self._begin(device, question)
        elif known is not None and known.name == question["relay"]:
            self._go_on(known, question)
        else:
            known = None
        answer: dict[str, Any] = {"id": question["id"]}
        if known is not None and known.done:
            answer["loaded"] = self.done_fen[known.uid]
        elif known is not None and known.frames:
            answer["frames"] = [frame.hex() for frame in known.frames]
        return answer

    def _begin(self, device: int, question: dict[str, Any]) -> _Open | None:
        self._open.pop(device, None)
        uid = bytes.fromhex(question["uid"])
        if uid not in self.waiting:
            return None
        load_id, fen = self.waiting[uid]
        bursts = credit(cards.keys_of(uid), self._rng.randbytes, fen, load_id, card_layout.PURSE_UPPER_REGISTERED_FEN)
        self.begun += 1
        self._open[device] = _Open(question["id"], uid, bursts, next(bursts))
        return self._open[device]

    def _go_on(self, known: _Open, question: dict[str, Any]) -> None:
        if question["step"] != known.step + 1:
            return
        known.step, known.frames = question["step"], None
        try:
            known.frames = known.bursts.send([bytes.fromhex(reply) for reply in question["replies"]])
        except StopIteration:
            known.done = True
            if known.uid in self.waiting:
                self.done_fen[known.uid] += self.waiting.pop(known.uid)[1]
        except (CardError, desfire.CardLost):
            pass  # nothing was done, or the next contact shows it
