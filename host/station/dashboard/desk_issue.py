"""Making cards at the reader: issue (C1, C2), and one for a card that is lost or broken (C8)."""

import secrets

from nicegui import ui
from nicegui.client import Client

from pump.core import card_layout
from station import texts
from station.cards import Card, CardLink, Contact, Desk, Order
from station.dashboard import figures
from station.dashboard.desk import Counter, Desks, Receipt, SecondFields, lead
from station.dashboard.dom import Tag, Words, press
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.platform import typed

KINDS = (
    card_layout.KIND_REGISTERED, card_layout.KIND_ANONYMOUS, card_layout.KIND_ACCOUNT, card_layout.KIND_DRIVER,
    card_layout.KIND_STAFF, card_layout.KIND_MANAGER, card_layout.KIND_TEST, card_layout.KIND_SERVICE,
)  # fmt: skip


class _Issue:
    """One customer at the desk: cards made one after the other belong to one purchase."""

    def __init__(self, t: Words, desks: Desks, client: Client) -> None:
        self.t, self._counter = t, Counter(t, desks, client)
        self._purchase = secrets.token_hex(8)
        self._made: Card | None = None  # made by this form, its first load not done yet
        with Tag("section", look="panel"):
            with Form(t, t("desk.issue.go"), self._issue, "add_card"):
                self._kind = Choice(t("desk.kind"), {str(kind): texts.card_kind(kind, t.lang) for kind in KINDS})
                self._holder = Field(t("desk.holder"), maxlength="60", autofocus="")
                self._document = Field(t("desk.document"), maxlength="40")
                self._phone = Field(t("desk.phone"), kind="tel", maxlength="20")
                self._checked = Field(t("desk.checked"), kind="checkbox")
                self._plate = Field(t("desk.plate"), maxlength="8")
                self._company = Field(t("desk.company"), inputmode="numeric", maxlength="9")
                self._pin = Field(t("desk.pin"), kind="password", inputmode="numeric", maxlength="6")
                self._load = Field(t("desk.first_load"), inputmode="decimal", maxlength="12")
                self._signs = SecondFields(t, desks, "cap.load")
            with Tag("div", look="controls"):
                press("person", t("desk.new_buyer"), self._next)
            self._receipt = Receipt(t, self._counter, desks.office.settings.station)

    async def _issue(self, key: str) -> str:
        fen = typed.fen(self._load.value) if self._load.value.strip() else 0
        company = typed.scaled(
            self._company.value or "0", 1, 999_999_999, "单位编号为数字 a company's number is digits"
        )
        order = Order(
            int(self._kind.value), self._holder.value, self._document.value, self._plate.value, company,
            pin=self._pin.value, phone=self._phone.value, checked=bool(self._checked.value),
            purchase=self._purchase, planned_fen=fen,
        )  # fmt: skip
        second = self._signs.value

        def act(desk: Desk, link: CardLink) -> Contact:
            if self._made is None or not fen:
                self._made = desk.issue(link, order)
            return desk.load(link, fen, second=second, key=key) if fen else desk.show(link)

        found = await self._counter.at(act)
        self._made = None
        self._show(found)
        self._pin.set("")
        return self.t("desk.issue.done", card=figures.card(found.view.card_no))

    def _show(self, found: Contact) -> None:
        t, view = self.t, found.view
        self._receipt.show(
            t("nav.desk.issue"),
            [
                (t("desk.card"), figures.card(view.card_no)),
                (t("desk.kind"), texts.card_kind(view.kind, t.lang)),
                (t("desk.holder"), found.card.holder if found.card and found.card.holder else figures.NOTHING),
                (t("desk.plate"), view.plate or figures.NOTHING),
                (t("desk.expiry"), figures.day(view.expiry) if view.expiry else t("desk.never")),
                (t("desk.balance"), figures.yuan(view.balance_fen)),
            ],
        )

    def _next(self) -> None:
        """Another customer, another purchase."""
        self._purchase, self._made = secrets.token_hex(8), None
        for field in (self._holder, self._document, self._phone, self._plate, self._company, self._pin, self._load):
            field.set("")
        self._signs.clear()


def _replace(frame: Frame, desks: Desks, client: Client) -> None:
    with frame.page("/cards/replace", client) as t:
        lead(t, "replace")
        counter = Counter(t, desks, client)

        async def replace(_: str) -> str:
            number, second, reason = old.value, signs.value, why.value

            def act(desk: Desk, link: CardLink) -> Contact:
                return desk.replace(link, number, second, reason)

            found = await counter.at(act)
            signs.clear()
            card, fen = figures.card(found.view.card_no), figures.yuan(found.view.balance_fen)
            receipt.show(
                t("nav.desk.replace"),
                [(t("desk.replace.old"), number), (t("desk.card"), card), (t("desk.balance"), fen)],
            )
            return t("desk.replace.done", card=card, yuan=fen)

        with Tag("section", look="panel"):
            with Form(t, t("desk.replace.go"), replace, "autorenew"):
                asked = client.request.query_params.get("card", "")[:20]
                old = Field(t("desk.replace.old"), asked, inputmode="numeric", autofocus="", maxlength="20")
                signs = SecondFields(t, desks, "cap.adjust", t("desk.replace.gone"))
                why = Field(t("desk.why"), maxlength="80")
            receipt = Receipt(t, counter, desks.office.settings.station)


def register(frame: Frame, desks: Desks) -> None:
    """Adds the pages to the service."""

    @ui.page("/cards/issue")
    def issue(client: Client) -> None:
        with frame.page("/cards/issue", client) as t:
            lead(t, "issue")
            _Issue(t, desks, client)

    @ui.page("/cards/replace")
    def replace(client: Client) -> None:
        _replace(frame, desks, client)
