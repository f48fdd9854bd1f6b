"""Ways to pay, each behind one small protocol: `take` brings money to the bill's account, `give_back` takes it there.

A new way (points, a coupon, another card) is one class and one `register`. What a way took, a refund gives back the
same way; so money never changes its kind on the way through a till.
"""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from station import accounts, cards, ledger
from station.cards import yuan
from station.ledger import Transfer
from station.tills.errors import TillError

CASH, BANK_CARD, PURSE, ACCOUNT, QR = "cash", "bank_card", "purse", "account", "qr"


@dataclass(frozen=True, slots=True)
class Tender:
    """Part of a bill paid in one way. ref: what names the money elsewhere (trace number, order number, card, account).

    handed_fen: what was put down, above amount_fen for cash with change. line: the one that the pump had settled.
    """

    bill: int
    number: int
    kind: str
    amount_fen: int
    handed_fen: int
    ref: str
    line: int | None
    returned_fen: int
    at: int
    by: str

    @property
    def rest_fen(self) -> int:
        """What has not been given back."""
        return self.amount_fen - self.returned_fen


@dataclass(frozen=True, slots=True)
class Doing:
    """Around a tender: at which till, by whom, when, why, and a key that names this very move in the books."""

    till: str
    by: str
    now: int
    key: str
    why: str = ""


class Kind(Protocol):
    """A way to pay; called inside the writing transaction. ValueError (Chinese, then English): not possible."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        """Posts tender.amount_fen to ledger.bill(tender.bill); nothing if the pump has settled it (tender.line)."""

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        """Posts amount_fen from ledger.bill(tender.bill) to where it came from."""


_kinds: dict[str, Kind] = {}


def register(name: str, kind: Kind) -> None:
    """Makes a way to pay known."""
    _kinds[name] = kind


def kind_of(name: str) -> Kind:
    """What serves `cash`, or `qr:wechat`: what stands before the colon counts. TillError for what nobody registered."""
    found = _kinds.get(name.partition(":")[0])
    if found is None:
        raise TillError(f"没有这种支付方式 there is no such way to pay: {name}")
    return found


class Cash:
    """Into and out of the drawer of the till at hand."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        _post(conn, doing, ledger.cash(doing.till), ledger.bill(tender.bill), tender.amount_fen)

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        drawer = ledger.cash(doing.till)
        if -ledger.balance(conn, drawer) < amount_fen:
            raise TillError(f"钱箱 {doing.till} 现金不足 the drawer of {doing.till} does not hold that much")
        _post(conn, doing, ledger.bill(tender.bill), drawer, amount_fen)


class BankCard:
    """Through the bank's own terminal; its trace number is the reference. The station moves no money by itself."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        if not tender.ref:
            raise TillError("请输入终端流水号 type the terminal's trace number")
        _post(conn, doing, ledger.gateway(BANK_CARD), ledger.bill(tender.bill), tender.amount_fen)

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        _post(conn, doing, ledger.bill(tender.bill), ledger.gateway(BANK_CARD), amount_fen)


class Purse:
    """A card's purse pays at the pump only. What is given back waits as a load for the card's next tap."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        if tender.line is None:
            raise TillError("卡内余额只能在油机上支付 a card's purse pays at the pump only")

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        cards.give_back(conn, tender.ref, amount_fen, ledger.bill(tender.bill), doing.by, doing.now)


class Account:
    """A customer's account (a fleet, say): fuel is owed already when the pump has told; goods are charged here."""

    def take(self, conn: Connection, tender: Tender, doing: Doing) -> None:
        if tender.line is not None:
            return
        known = accounts.account(conn, int(tender.ref)) if tender.ref.isdigit() else None
        if known is None or known.state != accounts.ACTIVE:
            raise TillError(f"没有可用的账户 {tender.ref} there is no such account, or it is stopped")
        if known.available_fen < tender.amount_fen:
            raise TillError(
                f"账户额度不足，可用 {yuan(known.available_fen)} 元 "
                f"the account may spend {yuan(known.available_fen)} yuan only"
            )
        _post(conn, doing, ledger.receivable(known.account), ledger.bill(tender.bill), tender.amount_fen)

    def give_back(self, conn: Connection, tender: Tender, amount_fen: int, doing: Doing) -> None:
        _post(conn, doing, ledger.bill(tender.bill), ledger.receivable(int(tender.ref)), amount_fen)


def _post(conn: Connection, doing: Doing, debit: str, credit: str, amount_fen: int) -> None:
    ledger.post(conn, doing.key, doing.now, [Transfer(debit, credit, amount_fen)], doing.why)


register(CASH, Cash())
register(BANK_CARD, BankCard())
register(PURSE, Purse())
register(ACCOUNT, Account())
