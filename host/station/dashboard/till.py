"""The till: fuel at hand, goods by code, several ways to pay, change shown big, the receipt (Y3, Y9). Enter adds, Enter
pays."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import segno
from nicegui import ui
from nicegui.client import Client

from station import payments, texts, tills
from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words, press
from station.dashboard.forms import Field, Form, of_language
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock, database, once, typed
from station.platform.database import Connection
from station.tills import ACCOUNT, BANK_CARD, CASH, PURSE, QR, AtHand, Bill, FuelWanted, GoodsWanted, Stop, Till

REFRESH_S = 2.0
COUNTER_KINDS = {BANK_CARD: "credit_card", ACCOUNT: "business"}
STAGES = {"fuelled": ("warn", "local_gas_station"), "billed": ("warn", "qr_code_2"), "paid": ("good", "check_circle")}


def kind_word(t: Words, office: Office, kind: str) -> str:
    """A way to pay as people call it."""
    if kind in (CASH, BANK_CARD, ACCOUNT, PURSE):
        return t(f"till.kind.{kind}")
    gateway = payments.gateways(office.settings.data_dir).ready.get(kind.partition(":")[2])
    return gateway.title[t.lang == texts.EN] if gateway else kind


def chosen_till(t: Words, office: Office, client: Client, path: str) -> Till | None:
    """Draws the choice of tills; the one that the address names, or the only one."""
    with database.read(office.engine) as conn:
        known = tills.tills(conn)
    name = client.request.query_params.get("till", known[0].till if len(known) == 1 else "")
    if not known:
        Tag("div", t("till.none"), "panel note")
        return None
    with Tag("div", look="group no-print"):
        Tag("span", t("till.choose"), "what")
        for one in known:
            who = one.shift.cashier if one.shift else t("till.closed")
            here = "press on" if one.till == name else "press"
            Tag("a", f"{one.title} · {who}", here, href=f"{path}?till={one.till}")
    return next((one for one in known if one.till == name), None)


@dataclass(frozen=True, slots=True)
class Item:
    """What will be on the bill; due_fen: 0 for fuel that the pump has the money for."""

    wanted: FuelWanted | GoodsWanted
    name: str
    quantity: str
    amount_fen: int
    due_fen: int


def receipt(t: Words, office: Office, bill: Bill) -> None:
    """A bill as it is printed."""
    with Tag("div", look="receipt"):
        Tag("h2", office.settings.station)
        Tag("div", f"{t('till.bill.number', bill=bill.bill)} · {bill.till} · {bill.made_by}")
        Tag("div", figures.day_and_clock(bill.paid_at or bill.made_at), "muted")
        with Tag("table"):
            for line in bill.lines:
                with Tag("tr"):
                    Tag("td", line_word(t, line))
                    Tag("td", quantity(t, line), "num")
                    Tag("td", figures.yuan(line.amount_fen), "num")
            with Tag("tr", look="sum"):
                Tag("td", t("till.total"))
                Tag("td", "")
                Tag("td", figures.yuan(bill.total_fen), "num")
            for tender in bill.tenders:
                with Tag("tr"):
                    Tag("td", kind_word(t, office, tender.kind))
                    Tag("td", tender.ref if tender.kind != PURSE else f"···· {tender.ref[-4:]}", "muted")
                    Tag("td", figures.yuan(tender.handed_fen), "num")
            if bill.change_fen:
                with Tag("tr"):
                    Tag("td", t("till.change"))
                    Tag("td", "")
                    Tag("td", figures.yuan(bill.change_fen), "num")


def line_word(t: Words, line: tills.Line) -> str:
    """The goods' name, or the grade and its pump."""
    return f"{texts.grade(line.grade, t.lang)} {words.pump(t, line.name)}" if line.kind == "fuel" else line.name


def quantity(t: Words, line: tills.Line) -> str:
    """Litres at their price, or pieces at theirs."""
    if line.kind == "fuel":
        return f"{figures.litres(line.quantity)} {t('unit.litre')} × {figures.yuan(line.price_fen)}"
    return f"{line.quantity} {t('till.pieces')} × {figures.yuan(line.price_fen)}"


class _Desk:
    """What one cashier has in front: a list of items until the first payment, an open bill from then on."""

    def __init__(self, t: Words, office: Office, client: Client, till: Till) -> None:
        self.t, self.office, self.till, self.by = t, office, till.till, person_of(client).name
        self.items: list[Item] = []
        self.bill: Bill | None = None
        self.order_no = ""
        self.kind = CASH
        with Tag("div", look="two till"):
            with Tag("div", look="stack no-print"):
                self.fuel = self._panel("till.fuel", "till.fuel.empty", self._fuel_columns())
                self.cars = self._panel("till.cars", "till.cars.empty", self._car_columns(), "till.cars.lead")
            with Tag("div", look="stack"):
                self._draw_bill()
        ui.timer(REFRESH_S, self.look)

    def _panel(self, name: str, empty: str, columns: list[Column[Any]], lead: str = "") -> Table[Any]:
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", self.t(name))
                if lead:
                    Tag("span", self.t(lead), "muted")
            return Table(self.t, columns, self.t(empty))

    def _draw_bill(self) -> None:
        t = self.t
        with Tag("section", look="panel no-print"):
            with Tag("header"):
                self.head = Tag("h2", t("till.bill"))
            with Form(t, t("till.code.go"), self._add_goods, "add"):
                self.code = Field(t("till.code"), autofocus="", maxlength="30", data_hot="1")
            columns = [
                Column[tuple[str, str, int]](t("till.line"), lambda r: r[0]),
                Column[tuple[str, str, int]](t("till.quantity"), lambda r: r[1], "num"),
                Column[tuple[str, str, int]](t("till.amount"), lambda r: figures.yuan(r[2]), "num strong"),
            ]
            self.lines = Table(t, columns, t("till.bill.empty"))
            with Tag("div", look="till-sum"):
                Tag("span", t("till.due"))
                self.due = Tag("b", figures.yuan(0), "num")
            with Form(t, t("till.pay"), self._pay, "payments") as self.form:
                self.handed = Field(t("till.handed"), inputmode="decimal", maxlength="12")
                self.ref = Field(t("till.ref"), maxlength="40")
            with Tag("div", look="controls"):
                for kind, icon in COUNTER_KINDS.items():
                    press(icon, t(f"till.kind.{kind}"), partial(self._pay_by, kind))
                for gateway in payments.gateways(self.office.settings.data_dir).ready:
                    kind = f"{QR}:{gateway}"
                    press("qr_code_2", kind_word(t, self.office, kind), partial(self._pay_by, kind))
                press("backspace", t("till.clear"), self._clear, "plain")
            self.code_box = Tag("div", look="qr hidden")
        self.change = Tag("section", look="panel till-change hidden", role="status")
        self.paper = Tag("section", look="panel hidden")

    def _fuel_columns(self) -> list[Column[AtHand]]:
        t = self.t

        def state(row: AtHand) -> Tag:
            if row.due_fen:
                return marked("warn", "payments", t("till.fuel.due"))
            return marked("good", "credit_score", t("till.fuel.paid"))

        return [
            Column("", lambda r: press("add", t("till.add"), partial(self._add_fuel, r), "on" if r.due_fen else "")),
            Column(t("sales.time"), lambda r: figures.clock(r.sale.ended)),
            Column(t("sales.pump"), lambda r: words.pump(t, r.sale.pump)),
            Column(t("sales.grade"), lambda r: words.grade_tag(t, r.sale.grade)),
            Column(f"{t('tile.volume')} ({t('unit.litre')})", lambda r: figures.litres(r.sale.volume_ml), "num"),
            Column(f"{t('tile.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.sale.amount_fen), "num strong"),
            Column(t("sales.state"), state),
        ]

    def _car_columns(self) -> list[Column[Stop]]:
        t = self.t

        def act(row: Stop) -> Tag:
            if row.stage == "paid" and row.bill is not None:
                return press("logout", t("till.release"), partial(self._release, row.bill.bill), "on")
            ready = payments.gateways(self.office.settings.data_dir).ready
            if row.stage == "fuelled" and ready:
                return press("qr_code_2", t("till.by_phone"), partial(self._bill_car, row, next(iter(ready))))
            return Tag("span", "")

        return [
            Column(t("sales.pump"), lambda r: words.pump(t, r.pump), "strong"),
            Column(t("tile.amount"), lambda r: figures.yuan(r.amount_fen), "num strong"),
            Column(t("sales.state"), lambda r: marked(*STAGES[r.stage], t(f"till.stage.{r.stage}"))),
            Column("", act),
        ]

    # what the cashier does

    async def _add_goods(self, _: str) -> str:
        code, _, pieces = self.code.value.strip().partition("*")
        number = int(pieces) if pieces.isascii() and pieces.isdigit() else 1
        good = await self.office.read(lambda conn: tills.good(conn, code))
        amount = good.price_fen * number
        self._put(Item(GoodsWanted(good.code, number), good.name, f"{number} {self.t('till.pieces')}", amount, amount))
        self.code.set("")
        return self.t("till.added", name=good.name)

    def _add_fuel(self, row: AtHand) -> None:
        wanted = FuelWanted(row.sale.device, row.sale.seq)
        if wanted in [item.wanted for item in self.items]:
            return
        name = f"{texts.grade(row.sale.grade, self.t.lang)} {words.pump(self.t, row.sale.pump)}"
        volume = f"{figures.litres(row.sale.volume_ml)} {self.t('unit.litre')}"
        self._put(Item(wanted, name, volume, row.sale.amount_fen or 0, row.due_fen))

    def _put(self, item: Item) -> None:
        if self.bill is not None:
            raise ValueError("先收完或作废当前账单 finish or void the bill at hand first")
        self.change.show(False)
        self.paper.show(False)
        self.items.append(item)
        self._show()

    async def _pay_by(self, kind: str) -> None:
        self.kind = kind
        await self.form.submit()
        self.kind = CASH

    async def _pay(self, key: str) -> str:
        """Opens the bill if there is none yet, and takes one payment; both or neither."""
        kind, ref, now = self.kind, self.ref.value.strip(), clock.now()
        handed_fen = typed.fen(self.handed.value) if self.handed.value.strip() else self._due_fen()
        number, wanted = self.bill.bill if self.bill else 0, [item.wanted for item in self.items]

        def take(conn: Connection) -> dict[str, Any]:
            bill = tills.bill(conn, number) if number else tills.open_bill(conn, self.till, wanted, self.by, now)
            if bill.due_fen and kind.startswith(QR):
                gateway = kind.partition(":")[2]
                made = payments.make(conn, gateway, f"bill:{bill.bill}", handed_fen, self.by, now)
                return {"bill": bill.bill, "order_no": made.order_no}
            if bill.due_fen:
                bill = tills.pay(conn, bill.bill, tills.Payment(kind, handed_fen, ref), self.by, now)
            return {"bill": bill.bill, "order_no": ""}

        asked = {"till": [self.till, number, [repr(one) for one in wanted], kind, handed_fen, ref]}
        done = await self.office.write(lambda conn: once.run(conn, key, asked, now, lambda: take(conn)))
        self.order_no = done["order_no"]
        self.bill = await self.office.read(lambda conn: tills.bill(conn, done["bill"]))
        self.items = []
        self.handed.set("")
        self.ref.set("")
        self._show()
        if self.order_no:
            return self.t("till.scan")
        return self._told_paid() if self.bill is None else self.t("till.left", yuan=figures.yuan(self.bill.due_fen))

    def _told_paid(self) -> str:
        return self.t("till.paid", bill=self.last)

    async def _clear(self) -> None:
        """Empties the list; an open bill becomes void and its money goes back."""
        bill = self.bill
        if bill is not None:
            await self._safely(lambda conn: tills.void(conn, bill.bill, self.by, self.t("till.clear"), clock.now()))
            self.form.tell(self.t("till.voided", bill=bill.bill), "good")
        self.bill, self.items, self.order_no = None, [], ""
        self._show()

    async def _release(self, bill: int) -> None:
        await self._safely(lambda conn: tills.release(conn, bill, self.by, clock.now()))
        await self.look()

    async def _bill_car(self, row: Stop, gateway: str) -> None:
        def do(conn: Connection) -> tuple[Bill, payments.Payment]:
            return tills.bill_car(conn, row.device, row.seq, self.till, gateway, self.by, clock.now())

        made = await self._safely(do)
        if made is not None:
            self.bill, self.order_no = made[0], made[1].order_no
            self._show()

    async def _safely(self, do: Callable[[Connection], Any]) -> Any:
        """A command without a form; what cannot be is said where payments are."""
        try:
            return await self.office.write(do)
        except ValueError as error:
            self.form.tell(of_language(str(error), self.t.lang), "bad")
            return None

    # what is shown

    def _due_fen(self) -> int:
        return self.bill.due_fen if self.bill else sum(item.due_fen for item in self.items)

    def _show(self) -> None:
        t = self.t
        if self.bill is not None and self.bill.state == "paid":
            self._show_paid(self.bill)
        if self.bill is None:
            self.lines.show([(item.name, item.quantity, item.amount_fen) for item in self.items])
        else:
            self.lines.show([(line_word(t, ln), quantity(t, ln), ln.amount_fen) for ln in self.bill.lines])
        self.head.text = t("till.bill.number", bill=self.bill.bill) if self.bill else t("till.bill")
        self.due.text = figures.yuan(self._due_fen())
        self.code_box.show(bool(self.order_no))

    def _show_paid(self, bill: Bill) -> None:
        self.last, self.bill, self.order_no = bill.bill, None, ""
        self.change.clear()
        self.change.show(True)
        with self.change:
            Tag("span", self.t("till.change"))
            Tag("b", figures.yuan(bill.change_fen), "num")
        self.paper.clear()
        self.paper.show(True)
        with self.paper:
            with Tag("header", look="no-print"):
                Tag("h2", self.t("till.receipt"))
                press("print", self.t("till.print")).on("click", js_handler="() => window.print()")
            receipt(self.t, self.office, bill)
        self.code.focus()

    async def look(self) -> None:
        """What comes in by itself: fuel, cars, and a phone's payment."""
        try:
            at_hand, stops = await self.office.read(
                lambda conn: (tills.at_hand(conn, clock.now()), tills.stops(conn, clock.now()))
            )
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            self.fuel.show((), type(error).__name__)
            return
        taken = {item.wanted for item in self.items}
        self.fuel.show([row for row in at_hand if FuelWanted(row.sale.device, row.sale.seq) not in taken])
        self.cars.show(stops)
        if self.order_no and self.bill is not None:
            await self._look_at_phone(self.bill.bill, self.order_no)

    async def _look_at_phone(self, bill: int, order_no: str) -> None:
        known, payment = await self.office.read(lambda c: (tills.bill(c, bill), payments.payment(c, order_no)))
        if known.state != "open" or known.due_fen != self._due_fen():
            self.bill, self.order_no = known, ""
            self._show()
            self.form.tell(self.t("till.paid", bill=bill), "good")
            return
        code = payment.code if payment else ""
        picture = await asyncio.to_thread(lambda: segno.make(code).svg_data_uri(scale=5, border=4)) if code else ""
        if self.code_box.props.get("data-code") != code:
            self.code_box.put("data-code", code)
            self.code_box.clear()
            with self.code_box:
                if picture:
                    Tag("img", src=picture, alt=self.t("till.scan"), width="240")
                else:
                    Tag("span", self.t("till.scan.wait"), "muted")


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/till")
    def page(client: Client) -> None:
        with frame.page("/till", client) as t:
            till = chosen_till(t, office, client, "/till")
            if till is None:
                return
            Tag("h1", t("till.title", till=till.title), "no-print")
            if till.shift is None:
                with Tag("div", look="panel note"):
                    Tag("span", t("till.open_first"))
                    Tag("a", t("till.to_shift"), "press on", href=f"/till/shift?till={till.till}")
                return
            _Desk(t, office, client, till)
