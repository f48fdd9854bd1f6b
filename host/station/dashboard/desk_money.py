"""Money onto a card and off it: loads and refunds at the reader (C6, Y8)."""

from nicegui import ui
from nicegui.client import Client

from station import cards
from station.cards import CardLink, Contact, Desk, yuan
from station.dashboard import figures
from station.dashboard.accounts import load_columns
from station.dashboard.desk import Counter, Desks, Receipt, SecondFields, lead
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.tables import Table
from station.platform import typed

DRAWER, BANK = "desk", "gateway:bank"


def _ways(t: Words) -> dict[str, str]:
    return {DRAWER: t("desk.cash"), BANK: t("desk.bank")}


def place_words(t: Words, place: str) -> str:
    """A drawer, bank or payment in words."""
    return _ways(t).get(place, place)


def _load(frame: Frame, desks: Desks, client: Client) -> None:
    with frame.page("/cards/load", client) as t:
        lead(t, "load")
        counter = Counter(t, desks, client)

        async def load(key: str) -> str:
            fen, second, way = typed.fen(amount.value), signs.value, drawer.value

            def act(desk: Desk, link: CardLink) -> Contact:
                return desk.load(link, fen, way, second, key)

            found = await counter.at(act)
            amount.set("")
            signs.clear()
            rows = [
                (t("desk.card"), figures.card(found.view.card_no)),
                (t("desk.amount"), figures.yuan(found.loaded.amount_fen if found.loaded else fen)),
                (t("desk.drawer"), place_words(t, way)),
                (t("desk.balance"), figures.yuan(found.view.balance_fen)),
            ]
            if found.loaded is not None and found.loaded.bonus_fen:
                rows.insert(2, (t("desk.bonus"), figures.yuan(found.loaded.bonus_fen)))
            receipt.show(t("nav.desk.load"), rows)
            return t("desk.load.done", yuan=rows[1][1], balance=rows[-1][1])

        with Tag("section", look="panel"):
            with Form(t, t("desk.load.go"), load, "add_card"):
                amount = Field(
                    f"{t('desk.amount')} ({t('unit.yuan')})", inputmode="decimal", autofocus="", maxlength="12"
                )
                drawer = Choice(t("desk.drawer"), _ways(t))
                signs = SecondFields(t, desks, "cap.load")
            receipt = Receipt(t, counter, desks.office.settings.station)
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", t("desk.wait.title"))
            waiting = Table(t, load_columns(t), t("desk.wait.empty"))

        async def look() -> None:
            waiting.show(await desks.office.read(cards.loads_waiting))

        ui.timer(2.0, look)


def _refund(frame: Frame, desks: Desks, client: Client) -> None:
    with frame.page("/cards/refund", client) as t:
        lead(t, "refund")
        counter = Counter(t, desks, client)

        async def refund(key: str) -> str:
            fen = None if closes.value else typed.fen(amount.value)
            second, reason = signs.value, why.value

            def act(desk: Desk, link: CardLink) -> Contact:
                return desk.refund(link, fen, reason, DRAWER, second, key)

            found = await counter.at(act)
            done = found.refunded
            if done is None:
                raise ValueError("没有退款 nothing was refunded")
            for field in (amount, why):
                field.set("")
            signs.clear()
            rows = [
                (t("desk.card"), figures.card(found.view.card_no)),
                (t("desk.amount"), figures.yuan(done.amount_fen)),
            ]
            rows += [
                (t("desk.refund.source", place=place_words(t, place)), figures.yuan(fen)) for place, fen in done.sources
            ]
            rows += [(t("desk.balance"), figures.yuan(found.view.balance_fen)), (t("desk.why"), done.why)]
            receipt.show(t("nav.desk.refund"), rows)
            return t("desk.refund.done", yuan=yuan(done.amount_fen))

        with Tag("section", look="panel"):
            with Form(t, t("desk.refund.go"), refund, "payments"):
                amount = Field(t("desk.refund.amount"), inputmode="decimal", autofocus="", maxlength="12")
                closes = Field(t("desk.refund.close"), kind="checkbox")
                why = Field(t("desk.why"), maxlength="80")
                signs = SecondFields(t, desks, "cap.refund")
            receipt = Receipt(t, counter, desks.office.settings.station)


def register(frame: Frame, desks: Desks) -> None:
    """Adds the pages to the service."""

    @ui.page("/cards/load")
    def load(client: Client) -> None:
        _load(frame, desks, client)

    @ui.page("/cards/refund")
    def refund(client: Client) -> None:
        _refund(frame, desks, client)
