"""A new card for one that is lost or broken (C8): its balance moves once, out of the books, and the old one is dead.

The old card is not at hand, so what it holds is what the books say, and they say it for certain only when every pump
that could have sold to it has taken the list that names it and has sent everything it wrote before: a pump writes down
which list it took, and its records come in order.
"""

from dataclasses import dataclass

from sqlalchemy import Connection

from station import forecourt, ledger, sales
from station.cards import loading, refunding, registry
from station.cards.loading import CARD, Load, yuan
from station.cards.registry import Card, RegistryError
from station.ledger import Transfer
from station.platform import audit


@dataclass(frozen=True)
class Wait:
    """Why the balance is not certain yet: `sale` (what: device/seq, unfinished), `pump` (what: the pump's name),
    `records` (what: how many are out), `differs` (what: nothing)."""

    kind: str
    what: str

    def __str__(self) -> str:
        return {
            "sale": f"交易 {self.what} 未完成 sale {self.what} is not finished",
            "pump": f"{self.what} 尚未取得含此卡的名单 pump {self.what} has not taken the list with this card",
            "records": f"有 {self.what} 条记录未到 {self.what} records are out",
            "differs": "旧卡余额与账面不符，请先查明 the old card differs from the books: find out why first",
        }[self.kind]


def waits(conn: Connection, old: Card) -> list[Wait]:
    """What has to come in before the old card's balance is certain; empty: it is. Cards without money never wait."""
    if old.kind not in loading.PURSES:
        return []
    found = [Wait("sale", f"{sale.device}/{sale.seq}") for sale in sales.unfinished_of(conn, old.card_no)]
    names = {pump.device: pump.pump for pump in forecourt.pumps(conn)}
    for device, version in sorted(sales.list_versions(conn).items()):
        if version < old.listed:
            found.append(Wait("pump", names.get(device, str(device))))
    shadow = sales.shadow(conn, old.card_no)
    if shadow is not None and shadow.missing:
        found.append(Wait("records", str(shadow.missing)))
    elif shadow is not None and shadow.state == "differs" and not refunding.pending(conn, old.card_no):
        found.append(Wait("differs", ""))
    return found


def told(open_: list[Wait]) -> str:
    """What is waited for, in words."""
    return "旧卡余额尚不确定 the old card's balance is not certain yet: " + "; ".join(map(str, open_))


def replaceable(conn: Connection, card_no: str) -> Card:
    """The card if it may be replaced at all: it has to be reported (blocked) first. RegistryError."""
    old = registry.card(conn, card_no)
    if old is None or old.state in ("void", "issuing", "closed"):
        raise RegistryError(f"没有可补办的卡 {card_no} there is no card with this number to replace")
    if old.state not in ("blocked", "replaced"):
        raise RegistryError("请先挂失或停用旧卡 report the old card lost, or block it, first")
    return old


def move(conn: Connection, old: Card, new: Card, by: str, second: str, why: str, now: int) -> Load | None:
    """Everything that the books hold for the old card is the new one's, once; it waits to be put on. None: nothing.

    second: who shares the decision where records are still out; RegistryError without. A sale that is not finished has
    to be finished in any case, because its money is nobody's yet.
    """
    if old.state == "replaced":
        if new.replaces != old.card_no:
            raise RegistryError("旧卡已补办 the old card has been replaced already")
        return loading.waiting(conn, new.card_no)
    open_ = waits(conn, old)
    if any(one.kind == "sale" for one in open_) or (open_ and not (second and why.strip())):
        raise RegistryError(told(open_))
    moved_fen = _gather(conn, old, new, by, now)
    registry.replace(conn, old.card_no, new.card_no, by, now)
    was, becomes = {"card": old.card_no}, {"card": new.card_no, "moved_fen": moved_fen, "second": second}
    audit.record(conn, now, by, "card.replace", old.card_no, was, becomes | {"open": [str(w) for w in open_]}, why)
    return loading.waiting(conn, new.card_no)


def _gather(conn: Connection, old: Card, new: Card, by: str, now: int) -> int:
    """Posts purse and pending of the old card to pending of the new one."""
    unpaid = refunding.pending(conn, old.card_no)
    if unpaid is not None:  # the card left while it was taken off: nobody has been paid
        refunding.cancelled(conn, unpaid, by, now)
    purse_fen = ledger.balance(conn, ledger.purse(old.card_no))
    pending_fen = ledger.balance(conn, ledger.pending(old.card_no))
    if purse_fen < 0:
        raise RegistryError(f"旧卡账面为负 {yuan(purse_fen)} 元 the books of the old card stand below nought")
    accounts = ((ledger.purse(old.card_no), purse_fen), (ledger.pending(old.card_no), pending_fen))
    lines = [Transfer(account, ledger.pending(new.card_no), fen) for account, fen in accounts if fen]
    if lines:
        paid = loading.waiting(conn, old.card_no)
        if paid is not None:
            loading.moved(conn, paid, by, now)
        loading.take(conn, new.card_no, purse_fen + pending_fen, CARD + old.card_no, now, by)
        ledger.post(conn, f"replace:{old.card_no}", now, lines)
    shadow = sales.shadow(conn, old.card_no)
    if shadow is not None:
        sales.observe(conn, old.card_no, shadow.counter, 0, now)  # whatever it carries counts for nothing now
    return purse_fen + pending_fen
