"""What the staff earn by the cards they issue (S5): posted with the issue, taken back when the card ends too soon."""

from dataclasses import dataclass

from sqlalchemy import Connection

from pump.core import card_layout
from station import ledger
from station.cards import registry
from station.ledger import Transfer
from station.platform import parameters

EARNING = (card_layout.KIND_REGISTERED, card_layout.KIND_ANONYMOUS, card_layout.KIND_ACCOUNT)
_EARNED, _TAKEN = "incentive:", "reverse:incentive:"


@dataclass(frozen=True)
class Earned:
    """One person's sum: cards that still count, cards taken back, fen that is owed to them."""

    name: str
    cards: int
    taken_back: int
    fen: int


def earn(conn: Connection, card_no: str, kind: int, by: str, now: int) -> None:
    """Who issues a card that customers hold earns the parameter incentive.card, once a card."""
    fen = parameters.value(conn, "incentive.card")
    if fen and kind in EARNING:
        lines = [Transfer(ledger.incentive("cards"), ledger.owed_staff(by), fen)]
        ledger.post(conn, f"{_EARNED}{card_no}", now, lines)


def claw_back(conn: Connection, card_no: str, by: str, now: int) -> bool:
    """The card ended: within the parameter incentive.days its incentive is taken back. True if it was."""
    known = registry.card(conn, card_no)
    days = parameters.value(conn, "incentive.days")
    if known is None or now - known.issued_at > days * parameters.DAY_S or not ledger.posted(conn, _EARNED + card_no):
        return False
    return ledger.reverse(conn, _EARNED + card_no, now, by)


def report(conn: Connection) -> list[Earned]:
    """Everybody who issued cards, by name."""
    sums: dict[str, list[int]] = {}
    for _, line in ledger.posted_by_prefix(conn, [_EARNED]):
        one = sums.setdefault(line.credit.partition(":")[2], [0, 0, 0])
        one[0] += 1
        one[2] += line.amount
    for _, line in ledger.posted_by_prefix(conn, [_TAKEN]):
        one = sums.setdefault(line.debit.partition(":")[2], [0, 0, 0])
        one[0] -= 1
        one[1] += 1
        one[2] -= line.amount
    return [Earned(name, *sums[name]) for name in sorted(sums)]
