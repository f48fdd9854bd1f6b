"""The bench's cards: kept one file each, so that what is on a card survives a restart as it would in a pocket.

A card is saved within 40 ms of anything it made to hold, so a killed bench loses at most what a torn card would.
Looking into a card here needs no key: it is the chip's memory, seen from inside.
"""

import json
import os
import threading
import time
from pathlib import Path

from pump.core import card_layout as layout
from tools.bench.desfire_card import DesfireCard
from tools.bench.refusal import Refused
from tools.bench.state import CardState


class Wallet:
    """`cards` by UID in hex. Not thread-safe against itself; a card in a reader may change at any time."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._saving = threading.Lock()
        self._directory = directory
        self.cards: dict[str, DesfireCard] = {}
        self.holders: dict[str, str] = {}
        self.broken: list[str] = []
        self._saved: dict[str, int] = {}
        for path in sorted(directory.glob("*.json")):
            try:
                data = json.loads(path.read_text())
                card = DesfireCard.from_json(data["card"])
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                self.broken.append(path.name)  # left in place for whoever wants to mend it
                continue
            self._take(card, str(data.get("holder", "")))
            self._saved[card.uid.hex()] = card.changes

    def _take(self, card: DesfireCard, holder: str) -> str:
        uid = card.uid.hex()
        self.cards = self.cards | {uid: card}  # a new dict: other threads may be walking the old one
        self.holders[uid] = holder
        return uid

    def new_blank(self, holder: str = "") -> str:
        """A factory-blank card with a UID of its own; returns the UID."""
        uid = self._take(DesfireCard.blank(b"\x04" + os.urandom(6)), holder)
        self.save(uid)
        return uid

    def find(self, card: str) -> str:
        """The UID for a UID or a card number. Refused with 404 if there is none."""
        wanted = card.replace(" ", "").lower()
        for uid, one in self.cards.items():
            if wanted == uid or wanted == number_of(one):
                return uid
        raise Refused(404, f"没有这张卡：{card[:32]}", f"no such card: {card[:32]}")

    def states(self, where: dict[str, str]) -> list[CardState]:
        return [
            {
                "card": uid,
                "card_no": number_of(card),
                "holder": self.holders.get(uid, ""),
                "where": where.get(uid, "wallet"),
                "balance_fen": balance_of(card),
                "open_fen": open_of(card),
            }
            for uid, card in self.cards.items()
        ]

    # -- what lasts

    def save(self, uid: str) -> None:
        card = self.cards[uid]
        changes = card.changes
        for attempt in range(5):
            try:
                content = card.to_json()
                break
            except RuntimeError:  # the reader's thread changed the card meanwhile; it will be at rest in a moment
                time.sleep(0.001 * (attempt + 1))
        else:
            return
        with self._saving:  # the cashier's thread and the world's save the same card at times
            fresh = self._directory / f"{uid}.new"
            fresh.write_text(json.dumps({"holder": self.holders.get(uid, ""), "card": content}))
            fresh.replace(self._directory / f"{uid}.json")
            self._saved[uid] = changes

    def save_changed(self) -> None:
        for uid, card in self.cards.items():
            if self._saved.get(uid) != card.changes:
                self.save(uid)

    save_all = save_changed


def asks(card: DesfireCard) -> bool:
    """Whether pumps ask its holder something: PIN, driver's card, kilometres. Automatic customers leave it alone."""
    content = _file(card, layout.FILE_LIMITS)
    if not isinstance(content, bytes):
        return False
    try:
        *_, digest, odometer, rules = layout.unpack_limits(content)
    except (ValueError, IndexError):
        return False
    return any(digest) or bool(odometer or rules)


def _file(card: DesfireCard, number: int) -> object:
    return card.peek(layout.AID).get(number)


def number_of(card: DesfireCard) -> str | None:
    """The 16 digits in the card's identity file; None on a blank or foreign card."""
    content = _file(card, layout.FILE_IDENTITY)
    if not isinstance(content, bytes):
        return None
    try:
        digits = layout.unpack_identity(content)[2].hex()
    except (ValueError, IndexError):
        return None
    return digits if digits.isdigit() and int(digits) else None


def balance_of(card: DesfireCard) -> int | None:
    value = _file(card, layout.FILE_PURSE)
    return value if isinstance(value, int) else None


def open_of(card: DesfireCard) -> int:
    """Fen of the reservation open on the card, 0: none."""
    content = _file(card, layout.FILE_STATE)
    if not isinstance(content, bytes):
        return 0
    try:
        _counter, device, _seq, fen, *_ = layout.unpack_state(content)
    except (ValueError, IndexError):
        return 0
    return int(fen) if device else 0
