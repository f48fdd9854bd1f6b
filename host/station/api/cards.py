"""The card desk over the API: cards and their books, and jobs at the counter's readers (C1-C10, Y8, S5)."""

from collections.abc import Callable, Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from sqlalchemy import Connection, Engine

from station import cards, sales
from station.api import card_models as m
from station.api import commands
from station.api.guard import needs
from station.cards import CardLink, Contact, Desk, ReaderUnavailableError
from station.platform import clock, database
from station.platform.once import ConflictError
from station.platform.secrets import Secrets
from station.platform.settings import Settings
from station.staff import Person
from station.staff import permissions as may

Limit = Annotated[int, Query(ge=1, le=500)]
Offset = Annotated[int, Query(ge=0, le=1 << 31)]
Time = Annotated[int | None, Query(ge=0, lt=1 << 40)]
CardNo = Annotated[str, Path(pattern="^[0-9]{16}$", examples=[m.CARD_NO])]
ReaderName = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9-]{0,15}$", examples=["desk"])]
WaitS = Annotated[float, Query(ge=0, le=60, description="等卡秒数 · seconds to wait for a card")]
Viewer = Annotated[Person, Depends(needs(may.CARD_VIEW))]
Issuer = Annotated[Person, Depends(needs(may.CARD_ISSUE))]
Loader = Annotated[Person, Depends(needs(may.CARD_LOAD))]
Blocker = Annotated[Person, Depends(needs(may.CARD_BLOCK))]
Refunder = Annotated[Person, Depends(needs(may.CARD_REFUND))]
DAYS = 30


def router(settings: Settings, engine: Engine, secrets: Secrets) -> APIRouter:
    """All routes over this database and the counter's readers."""
    routes = APIRouter(tags=["cards"])
    _books(routes, settings, engine)
    _reader(routes, settings, engine, secrets)
    return routes


def _books(routes: APIRouter, settings: Settings, engine: Engine) -> None:
    """What needs no card at hand."""

    def connection() -> Iterator[Connection]:
        with database.read(engine) as conn:
            yield conn

    Conn = Annotated[Connection, Depends(connection)]  # noqa: N806 - a type

    @routes.get("/cards")
    def listing(
        _: Viewer,
        conn: Conn,
        search: Annotated[str, Query(max_length=40, examples=["京A"])] = "",
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> m.CardPage:
        """Cards, newest first; search: part of number, holder or plate."""
        rows = [m.CardOut.of(card) for card in cards.listing(conn, search, limit, offset)]
        return m.CardPage(total=cards.count(conn, search), rows=rows)

    @routes.get("/cards/statistics")
    def statistics(_: Viewer, conn: Conn, since: Time = None, until: Time = None) -> m.StatisticsOut:
        """Cards by kind and state, and how they came there; the last 30 days if nothing else is asked for (C5)."""
        end = until if until is not None else clock.now() + 1
        begin = since if since is not None else end - DAYS * clock.DAY_S
        kinds = [m.movement(one) for one in cards.movements(conn, begin, end)]
        return m.StatisticsOut(disagreeing=cards.disagreeing(conn, settings.station_no), kinds=kinds)

    @routes.get("/cards/float", dependencies=[Depends(needs(may.BOOKS_VIEW))])
    def prepaid(conn: Conn, days: Annotated[int, Query(ge=1, le=366)] = DAYS) -> m.FloatOut:
        """The prepaid float by local day, newest first (C10)."""
        by_card = sum(fen for _, fen in cards.float_by_kind(conn).values())
        found = m.rows(cards.float_by_day(conn, days, clock.now()))
        return m.FloatOut(
            held_fen=cards.float_now(conn), by_card_fen=by_card, days=[m.FloatDayOut(**day) for day in found]
        )

    @routes.get("/cards/incentives", dependencies=[Depends(needs(may.BOOKS_VIEW))])
    def incentives(conn: Conn) -> list[m.EarnedOut]:
        """What each person has earned by the cards they issued (S5)."""
        return [m.EarnedOut(**one) for one in m.rows(cards.incentive_report(conn))]

    @routes.get("/cards/{card_no}")
    def one_card(_: Viewer, conn: Conn, card_no: CardNo) -> m.CardDetail:
        """A card, how its purse and the books agree, and what a replacement would wait for."""
        card = _known(conn, card_no)
        shadow = sales.shadow(conn, card_no)
        waits = cards.replacement_waits(conn, card) if card.state == "blocked" else []
        return m.CardDetail(
            card=m.CardOut.of(card),
            shadow=m.ShadowOut.of(shadow) if shadow else None,
            waits_for=[str(w) for w in waits],
        )

    @routes.get("/cards/{card_no}/history")
    def history(_: Viewer, conn: Conn, card_no: CardNo, limit: Limit = 100, offset: Offset = 0) -> m.HistoryOut:
        """All that moved the card's money, newest first, with the balance after each (C9)."""
        _known(conn, card_no)
        lines = cards.history(conn, card_no)
        shown = [m.LineOut(**line) for line in m.rows(lines[offset : offset + limit])]
        return m.HistoryOut(agrees=cards.history_agrees(conn, card_no, lines), lines=shown)

    @routes.get("/cards/{card_no}/events")
    def events(_: Viewer, conn: Conn, card_no: CardNo) -> list[m.EventOut]:
        """What was done with the card, by whom, oldest first."""
        _known(conn, card_no)
        found = cards.events(conn, card_no)
        return [m.EventOut(at=one.at, event=one.event, by=one.by, detail=one.detail) for one in found]

    @routes.post("/cards/{card_no}/block")
    def block(by: Blocker, key: commands.Key, card_no: CardNo, body: m.BlockIn) -> m.CardOut:
        """No pump takes the card any more: lost, or for a reason (C7)."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            cards.block(conn, cards.parse(card_no), body.reason, by.name, now)
            return m.CardOut.of(_known(conn, card_no)).model_dump()

        return m.CardOut(**commands.run(engine, key, f"/cards/{card_no}/block", body, do))

    @routes.post("/cards/{card_no}/unblock")
    def unblock(by: Blocker, key: commands.Key, card_no: CardNo, body: m.EmptyIn) -> m.CardOut:
        """Found again: pumps take the card as before."""

        def do(conn: Connection, now: int) -> dict[str, Any]:
            cards.unblock(conn, cards.parse(card_no), by.name, now)
            return m.CardOut.of(_known(conn, card_no)).model_dump()

        return m.CardOut(**commands.run(engine, key, f"/cards/{card_no}/unblock", body, do))


def _known(conn: Connection, card_no: str) -> cards.Card:
    found = cards.card(conn, card_no)
    if found is None:
        raise HTTPException(404, "没有该卡 no such card")
    return found


def _reader(routes: APIRouter, settings: Settings, engine: Engine, secrets: Secrets) -> None:
    """Jobs with the card on a reader: 404 for an unknown one, 503 if it does not answer or no card comes, 422 with the
    reason if it cannot be."""
    readers = cards.shared_readers(settings.readers)

    def at(reader: str, by: Person, wait_s: float, act: Callable[[Desk, CardLink], Contact]) -> m.ContactOut:
        desk = Desk(engine, secrets, settings.station_no, settings.issuer, by.name)
        if reader not in readers.ports:
            raise HTTPException(404, f"没有名为 {reader} 的读卡器 there is no reader of that name")
        try:
            return m.ContactOut.of(readers.do(reader, lambda link: act(desk, link), wait_s=wait_s))
        except ReaderUnavailableError as error:
            raise HTTPException(503, str(error)) from None
        except ConflictError as error:
            raise HTTPException(409, str(error)) from None

    @routes.get("/readers")
    def names(_: Viewer) -> list[str]:
        """The counter's card readers."""
        return sorted(readers.ports)

    @routes.post("/readers/{reader}/show")
    def show(by: Viewer, reader: ReaderName, body: m.EmptyIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Read the card, bring the books to it, settle a sale whose end is known."""
        return at(reader, by, wait_s, lambda desk, link: desk.show(link))

    @routes.post("/readers/{reader}/issue")
    def issue(by: Issuer, reader: ReaderName, body: m.IssueIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Make the blank card ours (C1, C2). Broken off, the same again goes on with the same card."""

        def act(desk: Desk, link: CardLink) -> Contact:
            desk.issue(link, body.order())
            return desk.show(link)

        return at(reader, by, wait_s, act)

    @routes.post("/readers/{reader}/load")
    def load(by: Loader, key: commands.Key, reader: ReaderName, body: m.LoadIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Take money and load it; above the cap with a second person. The same key again goes on with the same load."""
        second = body.second.person() if body.second else None
        return at(reader, by, wait_s, lambda desk, link: desk.load(link, body.amount_fen, body.drawer, second, key))

    @routes.post("/readers/{reader}/refund")
    def refund(
        by: Refunder, key: commands.Key, reader: ReaderName, body: m.RefundIn, wait_s: WaitS = 5
    ) -> m.ContactOut:
        """Take money off the card; pay what `pay_to` says once refunded_fen is there."""
        second = body.second.person() if body.second else None

        def act(desk: Desk, link: CardLink) -> Contact:
            return desk.refund(link, body.amount_fen, body.why, body.drawer, second, key)

        return at(reader, by, wait_s, act)

    @routes.post("/readers/{reader}/resume")
    def resume(by: Loader, reader: ReaderName, body: m.EmptyIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Bring a torn load or refund to its end; put a top-up from afar on the card."""
        return at(reader, by, wait_s, lambda desk, link: desk.resume(link))

    @routes.post("/readers/{reader}/cancel")
    def cancel(by: Refunder, reader: ReaderName, body: m.EmptyIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Undo a torn load (its money goes back) or a torn refund (the card keeps it)."""
        return at(reader, by, wait_s, lambda desk, link: desk.cancel(link))

    @routes.post("/readers/{reader}/replace")
    def replace(by: Issuer, reader: ReaderName, body: m.ReplaceIn, wait_s: WaitS = 5) -> m.ContactOut:
        """The blank card takes the place of a reported one, with its balance (C8)."""
        second = body.second.person() if body.second else None
        return at(reader, by, wait_s, lambda desk, link: desk.replace(link, body.old_card_no, second, body.why))

    @routes.post("/readers/{reader}/limits")
    def limits(by: Issuer, reader: ReaderName, body: m.LimitsIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Put other limits on the card; its PIN stays."""
        return at(reader, by, wait_s, lambda desk, link: desk.set_rules(link, body.rules()))

    @routes.post("/readers/{reader}/pin")
    def pin(by: Issuer, reader: ReaderName, body: m.PinIn, wait_s: WaitS = 5) -> m.ContactOut:
        """A new PIN, none, or wrong ones forgiven."""
        return at(reader, by, wait_s, lambda desk, link: desk.set_pin(link, body.pin))

    @routes.post("/readers/{reader}/renew")
    def renew(by: Issuer, reader: ReaderName, body: m.RenewIn, wait_s: WaitS = 5) -> m.ContactOut:
        """Make the card valid for longer."""
        return at(reader, by, wait_s, lambda desk, link: desk.renew(link, body.expiry))
