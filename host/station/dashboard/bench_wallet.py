"""The customers' wallet on the bench page: which card is in the hand, what is on it, where the others are."""

from collections.abc import Callable

from station.dashboard import figures
from station.dashboard.dom import Icon, Tag, Words
from tools.bench.state import CardState


def card_name(t: Words, card: CardState) -> str:
    """The printed number, or the UID of a card that was never issued."""
    return figures.card(card["card_no"]) if card["card_no"] else t("bench.blank", uid=card["card"])


class CardPick:
    """One card as a button; built once, then `show`."""

    def __init__(self, t: Words, card: str, choose: Callable[[str], None]) -> None:
        self.t = t
        with Tag("button", look="card-pick", type="button", role="radio") as self.root:
            self.name = Tag("b", "")
            with Tag("span", look="line"):
                self.holder = Tag("span", "")
                with Tag("span", look="num"):
                    self.balance = Tag("span", "")
                    Tag("span", t("unit.yuan"), "unit")
            with Tag("span", look="line muted"):
                self.where = Tag("span", "")
                with Tag("span", look="with-icon warn hidden") as self.open:
                    Icon("lock_clock")
                    self.reserved = Tag("span", "")
        self.root.on("click", lambda: choose(card))

    def show(self, card: CardState, chosen: bool) -> None:
        t = self.t
        self.root.look("card-pick on" if chosen else "card-pick")
        self.root.put("aria-checked", "true" if chosen else "false")
        self.root.put("data-card", card["card_no"] or card["card"])
        self.name.text = card_name(t, card)
        self.holder.text = card["holder"] or ("" if card["card_no"] else t("bench.unissued"))
        self.balance.text = figures.yuan(card["balance_fen"])
        self.where.text = self._where(card["where"])
        self.open.look("with-icon warn" if card["open_fen"] else "with-icon warn hidden")
        self.reserved.text = t("bench.open", yuan=figures.yuan(card["open_fen"]))

    def _where(self, where: str) -> str:
        if where in ("wallet", "desk"):
            return self.t(f"bench.where.{where}")
        return self.t("bench.where.pump", name=where[1:] if where[:1] == "p" else where)
