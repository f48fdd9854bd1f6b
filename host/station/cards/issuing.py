"""Issuing a card: what may be ordered, and the card made and booked so that a torn card can be issued again."""

import calendar
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, func, insert, select, update

from pump.core import card_layout, codes
from station.cards import incentives, numbers, registry
from station.cards.keys import KEY_VERSION, CardKeys
from station.cards.registry import Card
from station.cards.rules import Rules, RulesError, check_pin
from station.cards.tables import cards, loads

ALL_GRADES = (codes.GRADE_92, codes.GRADE_95, codes.GRADE_98, codes.GRADE_DIESEL)
UPPER_FEN = {
    card_layout.KIND_REGISTERED: card_layout.PURSE_UPPER_REGISTERED_FEN,
    card_layout.KIND_ANONYMOUS: card_layout.PURSE_UPPER_ANONYMOUS_FEN,
    card_layout.KIND_ACCOUNT: 0,  # the host's books hold its money
    card_layout.KIND_STAFF: 0,
    card_layout.KIND_MANAGER: 0,
    card_layout.KIND_TEST: 0,
    card_layout.KIND_SERVICE: 0,
    card_layout.KIND_DRIVER: 0,
}
OF_COMPANY = (card_layout.KIND_ACCOUNT, card_layout.KIND_DRIVER)
REAL_NAME_FEN = 1_000_000  # anonymous cards bought at once
ANONYMOUS_YEARS = 3  # prepaid-card rules: valid for three years at least
PLATE_BYTES = 12


class OrderError(ValueError):
    """A card that may not be issued like this; the message (Chinese, then English) says why."""


@dataclass(frozen=True)
class Order:
    """What is to be issued. expiry: Unix seconds, 0 never; None: as usual for the kind.

    checked: the clerk has held document and person side by side, and the person consents to their being kept.
    purchase, planned_fen: cards bought at once share a name, and what is to be loaded on this one. replaces: the number
    of the card it is made for.
    """

    kind: int = card_layout.KIND_REGISTERED
    holder: str = ""
    document: str = field(default="", repr=False)
    plate: str = ""
    company: int = 0
    grades: tuple[int, ...] = field(default=ALL_GRADES)
    expiry: int | None = None
    rules: Rules = Rules()
    pin: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    checked: bool = True
    purchase: str = ""
    planned_fen: int = 0
    replaces: str = ""
    customer: str = ""  # known already: who holds the card that is replaced

    def expiry_at(self, now: int) -> int:
        """The expiry that goes on the card."""
        if self.expiry is not None:
            return self.expiry
        return years_later(now, ANONYMOUS_YEARS) if self.kind == card_layout.KIND_ANONYMOUS else 0

    def check(self, now: int) -> None:
        """OrderError unless the law and the card allow it."""
        if self.kind not in UPPER_FEN:
            raise OrderError("卡种不存在 there is no such kind of card")
        if self.kind != card_layout.KIND_ANONYMOUS and not self.has_identity:
            raise OrderError("记名卡须登记姓名和证件号 a registered card needs the holder's name and document number")
        if self.has_identity and not self.checked:
            raise OrderError("须核对证件并征得本人同意 check the document, and ask the person's consent")
        if self.planned_fen > UPPER_FEN[self.kind]:
            raise OrderError(f"超过卡内限额 {UPPER_FEN[self.kind] // 100} 元 above what the card may hold")
        if not self.grades or any(not 1 <= grade <= 15 for grade in self.grades):
            raise OrderError("油品不正确 no such grade")
        if len(self.plate.encode()) > PLATE_BYTES:
            raise OrderError("车牌过长 the plate is too long")
        expiry = self.expiry_at(now)
        if expiry and expiry <= now:
            raise OrderError("有效期已过 the expiry has passed")
        if expiry > 0xFFFFFFFF or not 0 <= self.company <= 0xFFFFFFFF:
            raise OrderError("有效期或单位编号超出范围 expiry or company number is out of range")
        if self.kind == card_layout.KIND_ANONYMOUS and expiry and expiry < years_later(now, ANONYMOUS_YEARS):
            raise OrderError("不记名卡有效期不得少于三年 an anonymous card must be valid for three years at least")
        if not self.company and (self.kind in OF_COMPANY or self.rules.needs_driver):
            raise OrderError("该卡须登记单位编号 this card needs the number of its company")
        try:
            self.rules.check()
            check_pin(self.pin)
        except RulesError as error:
            raise OrderError(str(error)) from None

    @property
    def has_identity(self) -> bool:
        return bool(self.holder.strip() and (self.document.strip() or self.customer))

    def contents(
        self, keys: CardKeys, card_no: str, issuer: int, now: int, random: Callable[[int], bytes]
    ) -> tuple[bytes, bytes]:
        """The signed identity and limits files of an order that was checked."""
        grades = sum(1 << grade for grade in set(self.grades))
        made = (self.kind, issuer, numbers.to_bcd(card_no), self.company, grades, self.expiry_at(now), now)
        identity = card_layout.pack_identity(*made, KEY_VERSION, card_layout.FLAG_USAGE)
        rules = self.rules.with_pin(keys, self.pin, random)
        return keys.sign(identity), keys.sign(rules.packed(self.plate))


def like(old: Card, rules: Rules) -> Order:
    """The order of a card that stands for another."""
    grades = tuple(grade for grade in range(1, 16) if old.grades >> grade & 1)
    return Order(
        old.kind,
        old.holder,
        plate=old.plate,
        company=old.company,
        grades=grades,
        rules=rules,
        replaces=old.card_no,
        customer=old.customer,
    )


def renewed_identity(keys: CardKeys, card: Card, issuer: int, expiry: int | None, has_usage: bool, now: int) -> bytes:
    """The signed identity of a card as it stands, valid until expiry (None: as a new one). OrderError."""
    order = replace(like(card, Rules()), expiry=expiry)
    order.check(now)
    if order.expiry_at(now) == 0 and card.expiry == 0:
        raise OrderError("此卡长期有效，不必续期 this card never expires")
    flags = card_layout.FLAG_USAGE if has_usage else 0
    who = (card.kind, issuer, numbers.to_bcd(card.card_no), card.company, card.grades)
    identity: bytes = card_layout.pack_identity(*who, order.expiry_at(now), card.issued_at, KEY_VERSION, flags)
    return keys.sign(identity)


def years_later(now: int, years: int) -> int:
    """The same day and time, so many years on (29 February: 1 March)."""
    then = time.gmtime(now)
    return now + (_days(then.tm_year + years, then.tm_mon, then.tm_mday) - now // 86400) * 86400


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970 of a date; the day may run over into the next month."""
    return calendar.timegm((year, month, 1, 0, 0, 0)) // 86400 + day - 1


def begin(conn: Connection, uid: bytes, order: Order, station_no: int, now: int, customer: str = "") -> str:
    """Books that this chip is being made a card; its number. One begun before goes on under its number.

    customer: who will hold it (customers.keep), or buys it. OrderError if the chip is a card already.
    """
    known = registry.by_uid(conn, uid)
    if known is not None and known.state != "issuing":
        raise OrderError(f"这张卡已发行，卡号 {numbers.shown(known.card_no)} this card has been issued already")
    _check_purchase(conn, order, known.card_no if known else "")
    values = {
        "uid": uid.hex(),
        "kind": order.kind,
        "state": "issuing",
        "holder": order.holder.strip(),
        "customer": customer,
        "plate": order.plate,
        "company": order.company,
        "grades": sum(1 << grade for grade in set(order.grades)),
        "expiry": order.expiry_at(now),
        "upper_fen": UPPER_FEN[order.kind],
        "key_version": KEY_VERSION,
        "issued_at": now,
        "purchase": order.purchase,
        "replaces": order.replaces,
    }
    if known is not None:
        conn.execute(update(cards).where(cards.c.card_no == known.card_no).values(**values))
        return known.card_no
    card_no = registry.next_number(conn, station_no)
    conn.execute(insert(cards).values(card_no=card_no, **values))
    return card_no


def _check_purchase(conn: Connection, order: Order, card_no: str) -> None:
    """OrderError if anonymous cards for 10,000 yuan and more are bought at once by nobody (rules on single-purpose
    prepaid cards, Ministry of Commerce order 9 of 2012, article 15)."""
    if order.kind != card_layout.KIND_ANONYMOUS or order.has_identity:
        return
    others = select(cards.c.card_no).where(
        cards.c.purchase == order.purchase, cards.c.purchase != "", cards.c.card_no != card_no
    )
    loaded = select(func.sum(loads.c.amount_fen)).where(loads.c.card_no.in_(others), loads.c.state != "cancelled")
    bought_fen = int(conn.execute(loaded).scalar() or 0) + order.planned_fen
    if bought_fen >= REAL_NAME_FEN:
        raise OrderError(
            "一次购买不记名卡满 1 万元须实名登记 10,000 yuan of anonymous cards at once: register the buyer"
        )


def complete(conn: Connection, card_no: str, by: str, now: int) -> None:
    """Books that the card is made, and what its issue earns."""
    conn.execute(update(cards).where(cards.c.card_no == card_no, cards.c.state == "issuing").values(state="active"))
    registry.note(conn, card_no, now, "issued", by)
    made = registry.card(conn, card_no)
    if made is not None and not made.replaces:
        incentives.earn(conn, card_no, made.kind, by, now)


def give_up(conn: Connection, card_no: str) -> None:
    """The chip turned out not to be ours to issue: its number is void."""
    conn.execute(update(cards).where(cards.c.card_no == card_no, cards.c.state == "issuing").values(state="void"))
