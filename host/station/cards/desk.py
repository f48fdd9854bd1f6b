"""The card desk: what a cashier does with a card on the reader. Every break leaves card and books resolvable.

Each contact first brings the books to what the card says: a load that was torn, a sale that was settled elsewhere, a
reservation whose end is known.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

import desfire
from pump.core import card_layout, money
from station import ledger, sales
from station.cards import (
    credit,
    customers,
    issuing,
    loading,
    numbers,
    on_card,
    personalise,
    refunding,
    registry,
    replacing,
)
from station.cards.at_reader import AtReader, DeskError, TornError
from station.cards.contact import Contact
from station.cards.guests import home_of
from station.cards.issuing import Order
from station.cards.keys import CardKeys
from station.cards.loading import Load, yuan
from station.cards.on_card import CardView
from station.cards.reader import CardLink, wait_for_card
from station.cards.refunding import Refund
from station.cards.registry import Card
from station.cards.rules import Rules, RulesError
from station.cards.second import Second, cleared
from station.platform import database


class Desk(AtReader):
    """The jobs of the desk. Money moves in the books first where it comes in, on the card first where it goes out."""

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
                card_no = self._begin(conn, uid, order, now)
            identity, limits = order.contents(keys, card_no, self._issuer, now, self._random)
            upper_fen = issuing.UPPER_FEN[order.kind]
            link.converse(personalise.personalise(keys, identity, limits, upper_fen, self._random, replace=begun))
        except (ValueError, personalise.AlreadyOursError) as error:
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

    def load(
        self, link: CardLink, paid_fen: int, drawer: str = "desk", second: Second | None = None, key: str = ""
    ) -> Contact:
        """Take paid_fen for the card on the reader. key: the same again is the same load.

        DeskError: no money was taken. TornError: whether the card has it shows at its next contact.
        """
        drawer = ledger.place_typed(drawer)
        contact = self.show(link)
        asked = {"job": "load", "card": contact.view.card_no, "fen": paid_fen, "drawer": drawer}
        if not self._seen(key):
            self._check_load(contact, paid_fen)
            self._second(paid_fen, "cap.load", second, contact.view.card_no)

        def take(conn: Connection) -> Mapping[str, Any]:
            self._check_load(contact, paid_fen + loading.bonus_fen(conn, paid_fen))
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
            return {"load": loading.pay(conn, contact.view.card_no, paid_fen, drawer, self._now(), self._by).load_id}

        with database.write(self._engine) as conn:
            load = loading.known(conn, self._once(conn, key, asked, take)["load"])
        assert load is not None
        if load.state == "cancelled":
            raise DeskError("该笔充值已退回 this load was given back")
        return self._put_on(link, contact.view, load) if load.state == "pending" else contact

    def refund(
        self,
        link: CardLink,
        amount_fen: int | None,
        why: str,
        drawer: str = "desk",
        second: Second | None = None,
        key: str = "",
    ) -> Contact:
        """Take money off the card and pay it back to where it came from; None: all of it, and the card is closed.

        DeskError: nothing happened. TornError: whether it is off the card shows at its next contact; pay nobody before.
        """
        drawer = ledger.place_typed(drawer)
        contact = self.show(link)
        view = contact.view
        self._at_home(view.card_no)
        asked = {"job": "refund", "card": view.card_no, "fen": amount_fen, "drawer": drawer, "why": why}
        most_fen = view.balance_fen if amount_fen is None else amount_fen
        approver = "" if self._seen(key) else self._second(most_fen, "cap.refund", second, view.card_no)

        def ask(conn: Connection) -> Mapping[str, Any]:
            if view.open is not None:
                raise DeskError("卡上有未结算的交易，不能退款 a sale is open on the card: settle it first")
            if contact.shadow is None or contact.shadow.state != "agrees":
                raise DeskError("卡与账不一致或有记录未到，请先查询 card and books do not agree yet: look at it first")
            now = self._now()
            made = refunding.ask(conn, contact.card, view.balance_fen, amount_fen, drawer, self._by, approver, why, now)
            return {"refund": made.refund_id}

        with database.write(self._engine) as conn:
            refund = refunding.known(conn, self._once(conn, key, asked, ask)["refund"])
        assert refund is not None
        if refund.state == "cancelled":
            raise DeskError("该笔退款已取消 this refund was cancelled")
        return self._take_out(link, view, refund) if refund.state == "pending" else contact

    def resume(self, link: CardLink) -> Contact:
        """Bring what was begun to its end: a load that is paid for goes on, a refund that was asked for comes off."""
        contact = self.show(link)
        if contact.refunding is not None:
            return self._take_out(link, contact.view, contact.refunding)
        if contact.waiting is None:
            return contact
        self._check_load(contact, contact.waiting.amount_fen)
        return self._put_on(link, contact.view, contact.waiting)

    def cancel(self, link: CardLink) -> Contact:
        """Undo what was begun: give the money of a load back, leave that of a refund. Needs the card: it must be seen
        without the one and with the other."""
        contact = self.show(link)
        with database.write(self._engine) as conn:
            if contact.refunding is not None:
                refunding.cancelled(conn, contact.refunding, self._by, self._now())
            if contact.waiting is not None:
                loading.cancelled(conn, contact.waiting, self._by, self._now())
        return contact

    def replace(
        self, link: CardLink, old_no: str, second: Second | None = None, why: str = "", rules: Rules | None = None
    ) -> Contact:
        """Make the blank card on the reader the one that stands for a reported card, and put its balance on it.

        second and why: where a pump will never send its records. TornError: the same again goes on with it.
        """
        self._at_home(numbers.parse(old_no))
        with database.read(self._engine) as conn:
            old = replacing.replaceable(conn, numbers.parse(old_no))
            made = registry.replacement_of(conn, old.card_no)
            open_ = [] if old.state == "replaced" else replacing.waits(conn, old)
        approver = ""
        if open_:
            if second is None:
                raise DeskError(replacing.told(open_))
            now = self._now()
            approver = cleared(self._engine, self._secrets, self._by, second, 1, 0, f"{old.card_no} replace", now)
        if made is None or made.state == "issuing":
            made = self.issue(link, issuing.like(old, rules or Rules()))
        with database.write(self._engine) as conn:
            old = replacing.replaceable(conn, old.card_no)
            replacing.move(conn, old, made, self._by, approver, why, self._now())
        return self.resume(link)

    def renew(self, link: CardLink, expiry: int | None = None) -> Contact:
        """Make the card valid until expiry (Unix seconds), or for as long as a new one of its kind. DeskError."""
        uid = wait_for_card(link, self._wait_s)
        with database.read(self._engine) as conn:
            card = registry.by_uid(conn, uid)
        if card is None or card.state != "active":
            raise DeskError("该卡未登记或已停用 the card is not registered or blocked")
        self._at_home(card.card_no)
        now = self._now()
        try:
            has_usage = self._read(link)[1].has_usage
        except TornError:
            raise
        except DeskError:  # an identity that was torn while it was written reads as none of ours
            has_usage = True
        keys = CardKeys.of(self._secrets, uid)
        identity = issuing.renewed_identity(keys, card, self._issuer, expiry, has_usage, now)
        self._converse(link, personalise.rewrite_identity(keys, identity, self._random))
        return self.show(link)

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
        self._in_the_books(lambda conn: registry.block(conn, numbers.parse(card_no), reason, self._by, self._now()))

    def unblock(self, card_no: str) -> None:
        """The card is good again. DeskError."""
        self._in_the_books(lambda conn: registry.unblock(conn, numbers.parse(card_no), self._by, self._now()))

    # -- inside

    def _at_home(self, card_no: str) -> None:
        if home_of(card_no) != self._station_no:
            raise DeskError("请到发卡站办理 only at the station that issued the card")

    def _begin(self, conn: Connection, uid: bytes, order: Order, now: int) -> str:
        known = ""
        if order.customer:
            known = order.customer
        elif order.has_identity:
            known = customers.keep(conn, self._secrets, order.holder, order.document, order.phone, self._by, now)
        return issuing.begin(conn, uid, order, self._station_no, now, known)

    def _take_out(self, link: CardLink, view: CardView, refund: Refund) -> Contact:
        keys = CardKeys.of(self._secrets, view.uid)
        if not refund.off_card_fen:
            with database.write(self._engine) as conn:
                refunding.done(conn, refund, self._by, self._now())
            return replace(self.show(link), refunded=refund)
        try:
            self._converse(link, on_card.take_out(keys, self._random, refund.off_card_fen, refund.refund_id))
            return self.show(link)
        except TornError:
            raise TornError(
                f"退款 {yuan(refund.amount_fen)} 元时卡离开：请放回卡片查询，未确认前勿付款 "
                "the card left during the refund: put it back and look at it, pay nothing before"
            ) from None

    def _rewrite(self, link: CardLink, view: CardView, new: Rules, event: str) -> Contact:
        keys = CardKeys.of(self._secrets, view.uid)
        self._converse(link, on_card.write_rules(keys, self._random, view.plate, new))
        with database.write(self._engine) as conn:
            if registry.card(conn, view.card_no) is not None:
                registry.note(conn, view.card_no, self._now(), event, self._by)
        return self.show(link)

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
