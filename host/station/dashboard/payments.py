"""Payments by code: asked for, shown, seen to be paid, given back if nobody can use them (Y1, C6)."""

import asyncio
from functools import partial

import segno
from nicegui import ui
from nicegui.client import Client

from station import cards, payments
from station.dashboard import figures
from station.dashboard.asked import ROWS, asked
from station.dashboard.dom import Icon, Tag, Words, press
from station.dashboard.filters import choice, field, submit
from station.dashboard.forms import Choice, Field, Form, of_language
from station.dashboard.frame import Frame
from station.dashboard.lists import Listing
from station.dashboard.office import Office, person_of
from station.dashboard.source import Page, Row
from station.dashboard.tables import Column, Table, marked
from station.payments import Event, Payment, Refund
from station.platform import clock, database, once, parameters, typed
from station.platform.database import Connection
from station.staff import permissions as may

LIVE_S = 1.0
LOOKS = {
    "made": ("warn", "hourglass_top"), "paid": ("good", "check_circle"), "waiting": ("warn", "pending"),
    "closed": ("muted", "block"), "failed": ("bad", "error"),
}  # fmt: skip
REFUND_LOOKS = {"asked": ("warn", "hourglass_top"), "done": ("good", "check_circle"), "failed": ("bad", "error")}
PURPOSES = ("load", "bill", "account")
BAD_EVENTS = ("differs", "unknown", "refund_failed", "refund_late", "failed")


def gateway_name(office: Office, name: str, lang: str) -> str:
    """A gateway as people call it."""
    found = payments.gateways(office.settings.data_dir).ready.get(name)
    return found.title[lang == "en"] if found else name


def purpose(t: Words, text: str) -> str:
    """`load:6200...` as people say it."""
    kind, _, which = text.partition(":")
    word = t(f"payments.purpose.{kind}") if kind in PURPOSES else kind
    return f"{word} {figures.card(which) if kind == 'load' else which}"


def state_of(one: Payment) -> str:
    """The state as it is shown: paid money that has not found its place waits."""
    return "waiting" if one.state == "paid" and one.applied_at is None and one.waits else one.state


def _state(t: Words, one: Payment) -> Tag:
    return marked(*LOOKS[state_of(one)], t(f"payments.state.{state_of(one)}"))


def _columns(t: Words, office: Office) -> list[Column[Payment]]:
    return [
        Column(t("payments.order"), lambda r: Tag("a", r.order_no, href=f"/payments/one?order={r.order_no}")),
        Column(t("sales.time"), lambda r: figures.day_and_clock(r.made_at)),
        Column(t("payments.purpose"), lambda r: purpose(t, r.purpose)),
        Column(t("payments.amount"), lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("payments.gateway"), lambda r: gateway_name(office, r.gateway, t.lang)),
        Column(t("payments.state"), lambda r: _state(t, r)),
        Column(t("payments.trade"), lambda r: r.trade_no, "muted"),
        Column(t("payments.by"), lambda r: r.by),
    ]


def _new(t: Words, office: Office, client: Client) -> None:
    """The form of a top-up by phone."""
    known, person = payments.gateways(office.settings.data_dir), person_of(client)
    for name, why in known.faults.items():
        Tag("div", t("payments.fault", gateway=name, why=why), "note failed", role="alert")
    if not known.ready:
        Tag("div", t("payments.none"), "note")
        return

    async def make(key: str) -> str:
        fen, number = typed.fen(amount.value), cards.parse(card.value)
        asked, now = (gateway.value, payments.loads.purpose(number), fen, person.name), clock.now()

        def do(conn: Connection) -> dict[str, str]:
            words = {"make": list(asked)}
            return once.run(conn, key, words, now, lambda: {"order_no": payments.make(conn, *asked, now).order_no})

        order_no = (await office.write(do))["order_no"]
        ui.navigate.to(f"/payments/one?order={order_no}")
        return order_no

    with Form(t, t("payments.go"), make, "qr_code_2"):
        card = Field(t("payments.card"), autofocus="", inputmode="numeric", maxlength="19", required="")
        amount = Field(t("payments.amount"), inputmode="decimal", maxlength="10", required="")
        gateway = Choice(t("payments.gateway"), {name: one.title[t.lang == "en"] for name, one in known.ready.items()})


def _list(frame: Frame, office: Office, client: Client) -> None:
    question = asked(client.request.query_params, ("state", "search"))
    state = question.raw["state"] if question.raw["state"] in LOOKS else ""
    search = question.raw["search"]

    def read() -> Page[Payment]:
        with database.read(office.engine) as conn:
            rows = payments.listing(conn, ROWS, question.offset, state=state, search=search)
            return Page(rows, payments.count(conn, state=state, search=search))

    with frame.page("/payments", client) as t:
        Tag("h1", t("payments.title"))
        Tag("div", t("payments.lead"), "muted")
        if person_of(client).may(may.TILL):
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("payments.new"))
                _new(t, office, client)
        with Tag("section", look="panel"):
            with Tag("form", look="controls", method="get", action="/payments"):
                states = [("", t("word.all")), *((one, t(f"payments.state.{one}")) for one in LOOKS)]
                choice(t("payments.state"), "state", state, states)
                field(t("payments.search"), "search", search)
                submit(t, "/payments")
            Listing(t, "/payments", question, _columns(t, office), t("payments.empty"), read)


class _One:
    """A payment while it is looked at: the code while it is good, what came of it afterwards."""

    def __init__(self, t: Words, office: Office, client: Client, found: Payment) -> None:
        self.t, self.office, self.client, self.order_no = t, office, client, found.order_no
        self.person = person_of(client)
        self.drawn = ""
        self.asking = False
        with Tag("section", look="panel pay"):
            self.face = Tag("div", look="pay-face", role="status")
            self.left = Tag("div", "", "muted")
            with Tag("div", look="controls"):
                with Tag("span", look="controls") as self.acts:
                    press("sync", t("payments.look"), partial(self.ask, False), "on")
                    press("block", t("payments.off"), partial(self.ask, True))
                Tag("a", t("word.back"), "press plain", href="/payments")
                self.said = Tag("span", "", "muted", role="status")
        self.refund_form = Tag("div")
        self.events = self._panel("payments.events", _event_columns(t), t("payments.empty"))
        self.refunds = self._panel("payments.refunds", _refund_columns(t), t("payments.refund.empty"))
        ui.timer(LIVE_S, self.look)

    def _panel(self, name: str, columns: list[Column[Row]], empty: str) -> Table[Row]:
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", self.t(name))
            return Table(self.t, columns, empty)

    async def look(self) -> None:
        try:
            one, events, back, waits_fen = await self.office.read(self._read)
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            self.events.show((), type(error).__name__)
            return
        self.events.show(events)
        self.refunds.show(back)
        left_s = max(0, one.until - clock.now())
        shown = self.t("payments.left", minutes=left_s // 60, seconds=f"{left_s % 60:02d}")
        self.left.text = shown if one.state == "made" and one.code else ""
        self._draw(one, waits_fen)

    def _read(self, conn: Connection) -> tuple[Payment, list[Event], list[Refund], int]:
        one = payments.known(conn, self.order_no)
        events, back = payments.events(conn, self.order_no), payments.of_payment(conn, self.order_no)
        return one, events, back, payments.ledger_waits(conn, one)

    def _draw(self, one: Payment, waits_fen: int) -> None:
        mark = f"{state_of(one)} {one.code} {one.waits} {waits_fen}"
        if mark == self.drawn:
            return
        self.drawn, t = mark, self.t
        name = gateway_name(self.office, one.gateway, t.lang)
        self.acts.show(one.state != "paid" and self.person.may(may.TILL))
        self.face.clear()
        with self.face:
            if one.state == "made" and one.code:
                Tag("div", t("payments.scan", gateway=name))
                picture = segno.make(one.code, error="m").svg_data_uri(scale=6, border=4, light="#fff")
                alt = t("payments.code", gateway=name, yuan=figures.yuan(one.amount_fen))
                Tag("img", src=picture, alt=alt, width="260", look="qr")
            elif one.state == "made":
                Tag("div", t("payments.code.late"), "note")
            else:
                _state(t, one)
            Tag("div", f"¥ {figures.yuan(one.amount_fen)}", "pay-sum")
            Tag("div", f"{purpose(t, one.purpose)} · {one.order_no}", "muted")
            if one.waits:
                Tag("div", of_language(one.waits, t.lang), "note")
            if one.state == "made" and one.code and self.office.settings.bench:
                address = f"{self.office.settings.bench_url}/gateway/pay?code={one.code.rsplit('=', 1)[-1]}"
                with Tag("a", look="press", href=address, target="_blank", rel="noopener"):
                    Icon("smartphone")
                    Tag("span", t("payments.phone"))
        self._offer_refund(one, waits_fen)

    def _offer_refund(self, one: Payment, waits_fen: int) -> None:
        self.refund_form.clear()
        self.refund_form.show(False)
        if one.state != "paid" or waits_fen <= 0 or not self.person.may(may.REFUND_APPROVE):
            return
        t = self.t

        async def give_back(key: str) -> str:
            fen = typed.fen(amount.value)
            second = cards.Second(name.value, password.value, code.value)
            cap_fen = await self.office.read(lambda conn: parameters.value(conn, "cap.refund"))
            subject, now = f"refund {one.order_no}", clock.now()
            signed = (self.office.engine, self.office.secrets, self.person.name, second, fen, cap_fen, subject, now)
            await asyncio.to_thread(cards.cleared, *signed)

            def do(conn: Connection) -> dict[str, str]:
                asked = (one.order_no, fen, None, self.person.name, why.value)
                words = {"refund": list(asked)}
                return once.run(conn, key, words, now, lambda: {"no": payments.refund(conn, *asked, now).refund_no})

            await self.office.write(do)
            return t("payments.refund.done", yuan=figures.yuan(fen))

        self.refund_form.show(True)
        with self.refund_form, Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("payments.refunds"))
                Tag("span", t("payments.refund.lead", yuan=figures.yuan(waits_fen)), "muted")
            with Form(t, t("payments.refund.go"), give_back, "undo"):
                amount = Field(t("payments.amount"), cards.yuan(waits_fen), inputmode="decimal")
                why = Field(t("word.why"), maxlength="200", size="30")
                name = Field(t("payments.second"), maxlength="64")
                password = Field(t("payments.second.password"), kind="password", maxlength="200")
                code = Field(t("payments.second.code"), inputmode="numeric", maxlength="8")

    async def ask(self, call_off: bool) -> None:
        """Asks the gateway, off the event loop."""
        if self.asking:
            return
        self.asking, self.said.text = True, self.t("form.working")
        ready = payments.gateways(self.office.settings.data_dir).ready
        try:
            one = await asyncio.to_thread(
                payments.look, self.office.engine, ready, self.order_no, clock.now(), call_off
            )
        except (payments.GatewayError, ValueError) as error:
            self.said.text = of_language(str(error), self.t.lang)
        else:
            self.said.text = self.t("payments.look.done", state=self.t(f"payments.state.{state_of(one)}"))
        finally:
            self.asking = False
        await self.look()


def _event_columns(t: Words) -> list[Column[Event]]:
    def event(row: Event) -> Tag | str:
        word = t(f"payments.event.{row.event}")
        return marked("bad", "error", word) if row.event in BAD_EVENTS else word

    return [
        Column(t("word.when"), lambda r: figures.day_and_clock(r.at)),
        Column(t("payments.events"), event, "strong"),
        Column(t("word.who"), lambda r: r.by),
        Column("", lambda r: of_language(r.detail, t.lang), "wrap"),
    ]


def _refund_columns(t: Words) -> list[Column[Refund]]:
    return [
        Column(t("payments.refund.number"), lambda r: r.refund_no),
        Column(t("word.when"), lambda r: figures.day_and_clock(r.asked_at)),
        Column(t("payments.amount"), lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("payments.state"), lambda r: marked(*REFUND_LOOKS[r.state], t(f"payments.refund.state.{r.state}"))),
        Column(t("payments.by"), lambda r: r.by),
        Column(t("word.why"), lambda r: r.why, "wrap"),
    ]


async def _one(frame: Frame, office: Office, client: Client) -> None:
    order_no = client.request.query_params.get("order", "")[:40]
    found = await office.read(lambda conn: payments.payment(conn, order_no))
    if found is None:
        ui.navigate.to("/payments")
        return
    with frame.page("/payments", client) as t:
        Tag("h1", t("payments.title"))
        page = _One(t, office, client, found)
    if found.state == "made" and not found.code:
        ready = payments.gateways(office.settings.data_dir).ready
        try:
            await asyncio.to_thread(payments.present, office.engine, ready, order_no, clock.now())
        except payments.GatewayError as error:
            page.said.text = of_language(str(error), t.lang)


def register(frame: Frame, office: Office) -> None:
    """Adds the pages to the service."""

    @ui.page("/payments")
    def listed(client: Client) -> None:
        _list(frame, office, client)

    @ui.page("/payments/one")
    async def one(client: Client) -> None:
        await _one(frame, office, client)
