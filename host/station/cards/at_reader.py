"""A card on the desk's reader: read, met by the books, and what may go wrong with it said in words."""

import os
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Engine

import desfire
from station import sales
from station.cards import on_card
from station.cards.contact import Contact, meet
from station.cards.desfire_admin import Conversation, T
from station.cards.keys import CardKeys
from station.cards.on_card import CardError, CardView, LogEntry, Reservation
from station.cards.reader import CardLink, wait_for_card
from station.cards.second import Second, cleared
from station.platform import clock, database, once, parameters
from station.platform.secrets import Secrets


class DeskError(ValueError):
    """The desk cannot do that; the message (Chinese, then English) says why and what to do."""


class TornError(DeskError):
    """The card left before it answered: put it back and look (or do the same again), the books wait."""


class AtReader:
    """A desk of a station. by: who works at it; wait_s: how long to wait for a card."""

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
            return meet(conn, view, settled, self._by, self._now())

    # -- what the jobs are made of

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

    def _in_the_books(self, do: Callable[[Connection], None]) -> None:
        try:
            with database.write(self._engine) as conn:
                do(conn)
        except ValueError as error:
            raise DeskError(str(error)) from None

    def _seen(self, key: str) -> bool:
        """A command that was given before with this key asks nobody again."""
        with database.read(self._engine) as conn:
            return bool(key) and once.seen(conn, key)

    def _second(self, amount_fen: int, cap: str, second: Second | None, card_no: str) -> str:
        """The second person's name where the amount needs one. cap: the parameter."""
        with database.read(self._engine) as conn:
            cap_fen = parameters.value(conn, cap)
        subject = f"{card_no} {cap} {amount_fen}"
        return cleared(self._engine, self._secrets, self._by, second, amount_fen, cap_fen, subject, self._now())

    def _once(
        self, conn: Connection, key: str, asked: Mapping[str, Any], do: Callable[[Connection], Mapping[str, Any]]
    ) -> Mapping[str, Any]:
        return once.run(conn, key, asked, self._now(), lambda: do(conn)) if key else do(conn)

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
