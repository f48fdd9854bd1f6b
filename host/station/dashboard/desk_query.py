"""Looking at a card: what it holds beside the books, what is torn, its history (C5, C9); lost and found (C7)."""

import asyncio
from collections.abc import Callable

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import cards, forecourt, sales, texts
from station.cards import Card, CardLink, Contact, Desk, Event, Line
from station.dashboard import figures
from station.dashboard.desk import Counter, Desks, lead, sheet
from station.dashboard.desk_money import place_words
from station.dashboard.dom import Tag, Words, press
from station.dashboard.forms import Field, Form
from station.dashboard.frame import Frame
from station.dashboard.lists import CARD_LOOKS
from station.dashboard.office import person_of
from station.dashboard.tables import Column, Table, marked
from station.sales import Shadow

SHOWN = 200  # lines of a history
AGREEMENTS = {
    "agrees": ("good", "check_circle", "desk.agrees"),
    "waiting": ("warn", "hourglass_bottom", "desk.waits"),
}


def _line_columns(t: Words) -> list[Column[Line]]:
    def place(row: Line) -> str | Tag:
        if not row.sale:
            return place_words(t, row.place)
        with Tag("span") as cell:
            Tag("span", f"{row.place} ")
            Tag("a", row.sale, href=f"/meter?sale={row.place}-{row.sale.partition('/')[2]}")
        return cell

    return [
        Column(t("desk.at"), lambda r: figures.day_and_clock(r.at)),
        Column(t("desk.history.kind"), lambda r: t(f"desk.line.{r.kind}"), "strong"),
        Column(t("desk.history.place"), place),
        Column(t("desk.history.volume"), lambda r: figures.litres(r.volume_ml) if r.sale else "", "num"),
        Column(t("desk.history.change"), lambda r: figures.yuan(r.change_fen), "num"),
        Column(t("desk.history.balance"), lambda r: figures.yuan(r.balance_fen), "num strong"),
    ]


def _event_columns(t: Words) -> list[Column[Event]]:
    return [
        Column(t("desk.at"), lambda r: figures.day_and_clock(r.at)),
        Column(t("desk.event"), lambda r: texts.card_event(r.event, t.lang)),
        Column(t("desk.by"), lambda r: r.by),
        Column(t("desk.detail"), lambda r: r.detail, "wrap"),
    ]


class _Query:
    def __init__(self, t: Words, desks: Desks, client: Client) -> None:
        self.t, self._office = t, desks.office
        self._counter = Counter(t, desks, client)
        with Tag("section", look="panel"):
            with Form(t, t("desk.read"), self._read, "contactless"):
                pass
            with Form(t, t("desk.find"), self._find, "search"):
                wanted = client.request.query_params.get("card", "")[:40]
                self._number = Field(t("desk.number"), wanted, autofocus="", maxlength="40")
            self._about = Tag("div")
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("desk.history"))
                self._adds_up = Tag("span", "")
            self._lines = Table(t, _line_columns(t), t("desk.history.empty"))
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("desk.events"))
            self._events = Table(t, _event_columns(t), t("desk.history.empty"))
        self._lines.show(())
        self._events.show(())
        if wanted:
            ui.timer(0.01, lambda: self._find(""), once=True)

    async def _read(self, _: str) -> str:
        return await self._met(lambda desk, link: desk.show(link))

    async def _met(self, act: Callable[[Desk, CardLink], Contact]) -> str:
        found = await self._counter.at(act)
        await self._show(found.card, found.shadow, found)
        return figures.card(found.view.card_no)

    async def _find(self, _: str) -> str:
        def look(conn: Connection) -> tuple[Card, Shadow | None] | None:
            listed = cards.listing(conn, self._number.value, 1)
            return (listed[0], sales.shadow(conn, listed[0].card_no)) if listed else None

        found = await self._office.read(look) if self._number.value.strip() else None
        if found is None:
            raise ValueError(self.t("desk.none"))
        await self._show(*found, None)
        return figures.card(found[0].card_no)

    async def _show(self, card: Card | None, shadow: Shadow | None, found: Contact | None) -> None:
        t = self.t
        self._about.clear()
        card_no = found.view.card_no if found else card.card_no if card else ""
        with self._about:
            with Tag("div", look="controls"):
                if card is not None:
                    marked(*CARD_LOOKS.get(card.state, ("warn", "help")), texts.card_state(card.state, t.lang))
                if shadow is not None and shadow.state in AGREEMENTS:
                    look, icon, key = AGREEMENTS[shadow.state]
                    marked(look, icon, t(key))
            sheet(_facts(t, card, shadow, found))
            if shadow is not None:
                _agreement(t, shadow, found)
            if found is not None:
                self._torn(found)
            if card is not None:
                with Tag("div", look="controls"):
                    Tag("a", t("nav.desk.lost"), "press", href=f"/cards/lost?card={card.card_no}")
                    Tag("a", t("nav.desk.replace"), "press", href=f"/cards/replace?card={card.card_no}")
        lines, agrees, events = await self._office.read(lambda conn: _moved(conn, card_no))
        self._lines.show(lines[:SHOWN])
        self._events.show(events)
        self._adds_up.text = t("desk.history.agrees") if agrees else t("desk.history.differs")
        self._adds_up.look("good" if agrees else "bad")

    def _torn(self, found: Contact) -> None:
        """What was finished by this look, and what still waits for a decision."""
        t = self.t
        if found.settled is not None:
            Tag("div", t("desk.settled", yuan=figures.yuan(found.settled[1])), "note good")
        if found.loaded is not None:
            Tag("div", t("desk.was_loaded", yuan=figures.yuan(found.loaded.amount_fen)), "note good")
        if found.refunded is not None:
            Tag("div", t("desk.was_refunded", yuan=figures.yuan(found.refunded.amount_fen)), "note good")
        if found.view.open is not None:
            held = found.view.open
            Tag("div", t("desk.open", sale=f"{held.device}/{held.seq}", yuan=figures.yuan(held.fen)), "note warn")
        words = ""
        if found.waiting is not None:
            words = t("desk.to_load", yuan=figures.yuan(found.waiting.amount_fen))
        if found.refunding is not None:
            words = t("desk.to_refund", yuan=figures.yuan(found.refunding.amount_fen))
        if words:
            Tag("div", words, "note warn", role="alert")
            with Tag("div", look="controls"):
                press("play_arrow", t("desk.resume"), lambda: self._decide(lambda desk, link: desk.resume(link)), "on")
                press("undo", t("desk.cancel"), lambda: self._decide(_cancel))

    async def _decide(self, act: Callable[[Desk, CardLink], Contact]) -> None:
        try:
            await self._met(act)
        except ValueError as error:
            with self._about:
                Tag("div", str(error), "note failed", role="alert")


def _cancel(desk: Desk, link: CardLink) -> Contact:
    desk.cancel(link)
    return desk.show(link)


def _moved(conn: Connection, card_no: str) -> tuple[list[Line], bool, list[Event]]:
    lines = cards.history(conn, card_no)
    return lines, cards.history_agrees(conn, card_no, lines), cards.events(conn, card_no)[::-1]


def _facts(t: Words, card: Card | None, shadow: Shadow | None, found: Contact | None) -> list[tuple[str, str]]:
    kind, expiry = (found.view.kind, found.view.expiry) if found else (card.kind, card.expiry) if card else (0, 0)
    rows = [
        (t("desk.card"), figures.card(found.view.card_no if found else card.card_no if card else "")),
        (t("desk.kind"), texts.card_kind(kind, t.lang)),
        (t("desk.holder"), card.holder if card and card.holder else figures.NOTHING),
        (t("desk.plate"), (found.view.plate if found else card.plate if card else "") or figures.NOTHING),
        (t("desk.expiry"), figures.day(expiry) if expiry else t("desk.never")),
    ]
    if found is not None:
        rows.append((t("desk.balance"), figures.yuan(found.view.balance_fen)))
    if shadow is not None:
        rows += [
            (t("desk.books"), figures.yuan(shadow.books_fen)),
            (t("desk.flight"), figures.yuan(shadow.in_flight_fen)),
            (t("desk.pending"), figures.yuan(shadow.pending_fen)),
        ]
    return rows


def _agreement(t: Words, shadow: Shadow, found: Contact | None) -> None:
    """Card and books never differ in silence: which records are out, or that nothing explains it."""
    if shadow.missing:
        Tag("div", t("desk.missing", n=shadow.missing), "note warn")
    if shadow.state == "differs":
        words = t("desk.differs", card=figures.yuan(shadow.seen_fen), books=figures.yuan(shadow.books_fen))
        Tag("div", words, "note failed", role="alert")
    for entry in found.outstanding if found else ():
        values = {"pump": entry.device, "seq": entry.seq, "yuan": figures.yuan(entry.amount_fen)}
        Tag("div", t("desk.outstanding", at=figures.day_and_clock(entry.at), **values), "note warn")


def _lost(frame: Frame, desks: Desks, client: Client) -> None:
    with frame.page("/cards/lost", client) as t:
        lead(t, "lost")
        office = desks.office

        def desk() -> Desk:
            settings = office.settings
            return Desk(office.engine, office.secrets, settings.station_no, settings.issuer, person_of(client).name)

        async def change(do: Callable[[Desk, str], None], done: str) -> str:
            typed_no = number.value
            await office.write(lambda _: None)  # refused if the viewer is no longer logged in
            await asyncio.to_thread(do, desk(), typed_no)
            version = await office.read(lambda conn: forecourt.blacklist(conn).version)
            return t(done, card=figures.card(cards.parse(typed_no)), version=version)

        async def lost(_: str) -> str:
            return await change(lambda at, no: at.block(no, cards.LOST), "desk.lost.done")

        async def block(_: str) -> str:
            reason = why.value.strip()
            if not reason:
                raise ValueError("须写明原因 say why")
            return await change(lambda at, no: at.block(no, reason), "desk.lost.done")

        async def found(_: str) -> str:
            return await change(lambda at, no: at.unblock(no), "desk.found.done")

        with Tag("section", look="panel"):
            with Form(t, t("desk.lost.go"), lost, "report"):
                asked = client.request.query_params.get("card", "")[:20]
                number = Field(t("desk.card"), asked, inputmode="numeric", autofocus="", maxlength="20")
            with Form(t, t("desk.block.go"), block, "block"):
                why = Field(t("desk.why"), maxlength="80")
            with Form(t, t("desk.found.go"), found, "check_circle"):
                pass


def register(frame: Frame, desks: Desks) -> None:
    """Adds the pages to the service."""

    @ui.page("/cards/query")
    def query(client: Client) -> None:
        with frame.page("/cards/query", client) as t:
            lead(t, "query")
            _Query(t, desks, client)

    @ui.page("/cards/lost")
    def lost(client: Client) -> None:
        _lost(frame, desks, client)
