"""The card desk: what a cashier does with a card on the reader. Every break leaves card and books resolvable.

Each contact first brings the books to what the card says: a load that was torn, a sale that was settled elsewhere, a
reservation whose end is known.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import Connection, Engine

import desfire
from pump.core import card_layout, money
from station import sales
from station.cards import credit, issuing, loading, numbers, on_card, personalise, registry
from station.cards.desfire_admin import Conversation, T
from station.cards.issuing import Order, OrderError
from station.cards.keys import CardKeys
from station.cards.loading import Load, yuan
from station.cards.on_card import CardError, CardView, LogEntry, Reservation
from station.cards.reader import CardLink, wait_for_card
from station.cards.registry import Card, RegistryError
from station.cards.rules import Rules, RulesError
from station.platform import clock, database
from station.platform.secrets import Secrets
from station.sales import Shadow


class DeskError(Exception):
    """The desk cannot do that; the message (Chinese, then English) says why and what to do."""


class TornError(DeskError):
    """The card left before it answered: put it back and look (or do the same again), the books wait."""


@dataclass(frozen=True)
class Contact:
    """What came out of reading a card: the card, how it is registered, the books' shadow, and what was put right."""

    view: CardView
    card: Card | None
    shadow: Shadow | None
    waiting: Load | None  # paid for and certainly not on the card
    loaded: Load | None  # an earlier load that turned out to be on the card
    settled: tuple[Reservation, int] | None  # a sale settled now, and what it cost in fen


class Desk:
    """A desk of a station. by: who works at it."""

    def __init__(
        self,
        engine: Engine,
        secrets: Secrets,
        station_no: int,
        issuer: int,
        by: str = "desk",
        now: clock.Clock = clock.now,
        random: Callable[[int], bytes] = os.urandom,
        wait_s: float = 0.0,
    ) -> None:
        self._engine, self._secrets = engine, secrets
        self._station_no, self._issuer = station_no, issuer
        self._by, self._now, self._random, self._wait_s = by, now, random, wait_s

    def issue(self, link: CardLink, order: Order) -> Card:
        """Make the blank card on the reader one of ours. DeskError; TornError: the same again goes on with it."""
        now = self._now()
        uid = wait_for_card(link, self._wait_s)
        keys = CardKeys.of(self._secrets, uid)
        try:
            order.check(now)
            carried = link.converse(personalise.carries_ours())
            with database.write(self._engine) as conn:
                begun = registry.by_uid(conn, uid) is not None
                if not begun and carried:
                    raise personalise.AlreadyOursError("卡上已有本系统的应用 the card carries our application already")
                card_no = issuing.begin(conn, uid, order, self._station_no, now)
            identity, limits = order.contents(keys, card_no, self._issuer, now, self._random)
            upper_fen = issuing.UPPER_FEN[order.kind]
            link.converse(personalise.personalise(keys, identity, limits, upper_fen, self._random, replace=begun))
        except (OrderError, personalise.AlreadyOursError) as error:
            raise DeskError(str(error)) from None
        except personalise.ForeignCardError as error:
            with database.write(self._engine) as conn:
                issuing.give_up(conn, card_no)
            raise DeskError(str(error)) from None
        except desfire.CardLost:
            raise TornError("发卡中断，请放回卡片重新发卡 the card left: put it back and issue again") from None
        except desfire.DesfireError as error:
            raise DeskError(f"卡片拒绝 the card refused ({error})") from None
        with database.write(self._engine) as conn:
            issuing.complete(conn, card_no, self._by, now)
            sales.open_shadow(conn, card_no, uid.hex(), now, on_account=order.kind == card_layout.KIND_ACCOUNT)
            issued = registry.card(conn, card_no)
        assert issued is not None
        return issued

    def show(self, link: CardLink) -> Contact:
        """Read the card on the reader and bring the books to it; settle a sale left open if its end is known."""
        keys, view = self._read(link)
        settled = None
        if view.open is not None:
            entry = self._end_of(view, view.open)
            if entry is not None:
                self._converse(link, on_card.settle(keys, self._random, view, view.open, entry))
                settled = (view.open, entry.amount_fen)
                keys, view = self._read(link)
        with database.write(self._engine) as conn:
            loaded = self._resolve(conn, view)
            return Contact(
                view,
                registry.card(conn, view.card_no),
                sales.shadow(conn, view.card_no),
                loading.waiting(conn, view.card_no),
                loaded,
                settled,
            )

    def decide_end(self, link: CardLink, volume_ml: int, second: str, why: str) -> Contact:
        """Two people say what was fuelled where the pump is gone for good, and the card is settled by that.

        DeskError if nothing is open, the end is known already, or `second` is nobody else.
        """
        contact = self.show(link)
        held = contact.view.open
        if held is None:
            raise DeskError("没有未完成的交易 nothing is open on this card")
        with database.write(self._engine) as conn:
            sale = sales.unfinished(conn, held.device, held.seq)
            if sale is None or sale.price_fen_per_l is None:
                raise DeskError("本站没有该交易的记录 the station has no record of this sale")
            amount_fen = min(money.amount_fen(volume_ml, sale.price_fen_per_l), held.fen - 1)
            try:
                sales.accept_end(
                    conn, held.device, held.seq, amount_fen, volume_ml, (self._by, second), why, self._now()
                )
            except ValueError as error:
                raise DeskError(str(error)) from None
        return self.show(link)

    def load(self, link: CardLink, amount_fen: int, drawer: str = "desk") -> Contact:
        """Take amount_fen for the card on the reader.

        DeskError: no money was taken. TornError: whether the card has it shows at its next contact.
        """
        contact = self.show(link)
        self._check_load(contact, amount_fen)
        if contact.loaded is not None:
            raise DeskError(
                f"上一笔充值 {yuan(contact.loaded.amount_fen)} 元已到账，本次未收款；如还需充值请再做一次 "
                "the load before had reached the card, nothing was taken now: load again if more is wanted"
            )
        if contact.waiting is not None:
            raise DeskError(
                f"有一笔已收款 {yuan(contact.waiting.amount_fen)} 元未写入卡，请先续写或退款 "
                "a load is paid for and not on the card: resume or cancel it first"
            )
        with database.write(self._engine) as conn:
            load = loading.pay(conn, contact.view.card_no, amount_fen, drawer, self._now())
        return self._put_on(link, contact.view, load)

    def resume(self, link: CardLink) -> Contact:
        """Put the load that is paid for on the card."""
        contact = self.show(link)
        if contact.waiting is None:
            return contact
        self._check_load(contact, contact.waiting.amount_fen)
        return self._put_on(link, contact.view, contact.waiting)

    def cancel(self, link: CardLink) -> Contact:
        """Give the money of the load that is paid for back. Needs the card: it must be seen without the load."""
        contact = self.show(link)
        if contact.waiting is not None:
            with database.write(self._engine) as conn:
                loading.cancelled(conn, contact.waiting, self._by, self._now())
        return contact

    def set_rules(self, link: CardLink, new: Rules) -> Contact:
        """Put other rules on the card; its PIN stays. DeskError."""
        contact = self.show(link)
        view = contact.view
        if new.needs_usage and not view.has_usage:
            raise DeskError(
                "此卡由旧版软件发行，没有当日用量文件：如需每日限额或里程，请换发新卡 "
                "an older program made this card without room for the day's sums: for such rules issue a new card"
            )
        if new.needs_driver and not view.company:
            raise DeskError("该卡须登记单位编号 this card needs the number of its company")
        try:
            new.check()
        except RulesError as error:
            raise DeskError(str(error)) from None
        return self._rewrite(link, view, replace(new, salt=view.rules.salt, digest=view.rules.digest), "rules")

    def set_pin(self, link: CardLink, pin: str | None) -> Contact:
        """A new PIN, none ("") or the old one (None); wrong ones are forgiven in any case. DeskError."""
        contact = self.show(link)
        view, new = contact.view, contact.view.rules
        if pin is not None:
            try:
                new = new.with_pin(CardKeys.of(self._secrets, view.uid), pin, self._random)
            except RulesError as error:
                raise DeskError(str(error)) from None
        return self._rewrite(link, view, new, "pin")

    def block(self, card_no: str, reason: str) -> None:
        """No pump takes the card any more. DeskError."""
        try:
            with database.write(self._engine) as conn:
                registry.block(conn, numbers.parse(card_no), reason, self._by, self._now())
        except (RegistryError, ValueError) as error:
            raise DeskError(str(error)) from None

    def unblock(self, card_no: str) -> None:
        """The card is good again. DeskError."""
        try:
            with database.write(self._engine) as conn:
                registry.unblock(conn, numbers.parse(card_no), self._by, self._now())
        except (RegistryError, ValueError) as error:
            raise DeskError(str(error)) from None

    # -- inside

    def _rewrite(self, link: CardLink, view: CardView, new: Rules, event: str) -> Contact:
        keys = CardKeys.of(self._secrets, view.uid)
        self._converse(link, on_card.write_rules(keys, self._random, view.plate, new))
        with database.write(self._engine) as conn:
            if registry.card(conn, view.card_no) is not None:
                registry.note(conn, view.card_no, self._now(), event, self._by)
        return self.show(link)

    def _read(self, link: CardLink) -> tuple[CardKeys, CardView]:
        keys = CardKeys.of(self._secrets, wait_for_card(link, self._wait_s))
        return keys, self._converse(link, on_card.read(keys, self._random))

    def _converse(self, link: CardLink, conversation: Conversation[T]) -> T:
        try:
            return link.converse(conversation)
        except CardError as error:
            raise DeskError(str(error)) from None
        except desfire.CardLost:
            raise TornError("卡已离开，请放回卡片再查询 the card left: put it back and look at it again") from None
        except desfire.DesfireError as error:
            raise DeskError(f"卡片拒绝 the card refused ({error})") from None

    def _check_load(self, contact: Contact, amount_fen: int) -> None:
        view = contact.view
        why = loading.refusal(contact.card, amount_fen, self._now(), view.balance_fen)
        if view.open is not None:
            why = why or "卡上有未结算的交易，不能充值 a sale is open on the card: settle it before loading"
        if why:
            raise DeskError(why)

    def _put_on(self, link: CardLink, view: CardView, load: Load) -> Contact:
        keys = CardKeys.of(self._secrets, view.uid)
        try:
            upper_fen = loading.upper_fen(view.kind)
            onto = credit.credit(keys, self._random, load.amount_fen, load.load_id, upper_fen)
            self._converse(link, credit.one_by_one(onto))
            return self.show(link)
        except TornError:
            raise TornError(
                f"已收款 {yuan(load.amount_fen)} 元，卡在写入时离开：请放回卡片查询，勿重复收款 "
                "the money is booked but the card left: put it back and look at it, do not take the money again"
            ) from None

    def _end_of(self, view: CardView, held: Reservation) -> LogEntry | None:
        """How the sale that the card holds open ended, as far as the books know."""
        with database.read(self._engine) as conn:
            sale = sales.unfinished(conn, held.device, held.seq)
        if sale is None or sale.amount_fen is None:
            return None
        if sale.reserved_fen != held.fen or not 0 <= sale.amount_fen < held.fen:
            raise DeskError("卡上预扣与账面不符，请扣留此卡 card and books contradict each other: keep this card")
        return LogEntry(
            self._now(),
            held.device,
            held.seq,
            view.counter,
            sale.volume_ml or 0,
            sale.amount_fen,
            sale.price_fen_per_l or 0,
            sale.grade or 0,
            0,
            sale.reason or 0,
        )

    def _resolve(self, conn: Connection, view: CardView) -> Load | None:
        """Bring the books to the card; returns an earlier load that turned out to be on it."""
        now = self._now()
        load = loading.waiting(conn, view.card_no)
        loaded = load if load is not None and view.last_load == load.load_id else None
        if loaded is not None:
            loading.done(conn, loaded, self._by, now)
        if view.open is None:
            self._book_settlement(conn, view, now)
            sales.observe(conn, view.card_no, view.counter, view.balance_fen, now)
        return loaded

    def _book_settlement(self, conn: Connection, view: CardView, now: int) -> None:
        """The card's last sale is settled on the card; if the pump's record of that is still out, book it now."""
        entry = view.log[-1] if view.log else None
        if entry is None or entry.counter != view.counter:
            return
        sale = sales.sale(conn, entry.device, entry.seq)
        if sale is None or sale.settled is not None or sale.reserved_fen is None:
            return
        event = "settled"
        try:
            sales.settled_at_desk(
                conn,
                entry.device,
                entry.seq,
                view.uid.hex(),
                entry.counter,
                sale.reserved_fen,
                entry.amount_fen,
                view.balance_fen,
                self._by,
                now,
            )
        except ValueError:  # the records say otherwise: the shadow will differ and show it
            event = "contradiction"
        registry.note(conn, view.card_no, now, event, self._by, f"{entry.device}/{entry.seq}")
