"""Refunds and invoices of a bill: asked for, decided by a second person, issued, taken back, issued anew (Y4, Y6)."""

import asyncio

from nicegui import ui
from nicegui.client import Client

from station import tills
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.tables import Column, Table, marked
from station.dashboard.till import kind_word, line_word, quantity
from station.dashboard.till_shift import SecondFields
from station.platform import clock, once, typed
from station.platform.database import Connection, read
from station.tills import Bill, Invoice, Line, Refund, bill_subject

REFRESH_S = 3.0
STATES = {
    "open": ("warn", "hourglass_top", "till.refund.open"),
    "late": ("bad", "alarm", "till.refund.late"),
    "done": ("good", "check_circle", "till.refund.done_state"),
    "refused": ("muted", "block", "till.refund.refused"),
}


def _number(text: str, what: str) -> int:
    """A whole number as typed. ValueError."""
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 10):
        raise ValueError(what)
    return int(text)


def _refund_state(t: Words, one: Refund) -> Tag:
    look, icon, word = STATES["late" if one.state == "open" and one.is_late(clock.now()) else one.state]
    return marked(look, icon, t(word))


def _refund_columns(t: Words) -> list[Column[Refund]]:
    return [
        Column(t("till.refund.number"), lambda r: str(r.refund), "num"),
        Column(t("till.find"), lambda r: Tag("a", str(r.bill), href=f"/till/refunds?bill={r.bill}"), "num"),
        Column(f"{t('till.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("till.why"), lambda r: r.why, "wrap"),
        Column(t("till.refund.asked"), lambda r: f"{figures.day_and_clock(r.asked_at)} {r.asked_by}"),
        Column(t("till.refund.state"), lambda r: _refund_state(t, r)),
        Column(t("till.decide"), lambda r: f"{r.decided_by or ''} {r.decision}".strip()),
    ]


def _invoice_columns(t: Words) -> list[Column[Invoice]]:
    def concerns(row: Invoice) -> str:
        if row.red_of is not None:
            return t("till.invoice.red_of", name=f"{row.red_series}-{row.red_of:08d}")
        if row.instead_of is not None:
            return t("till.invoice.instead", name=f"{row.instead_series}-{row.instead_of:08d}")
        return ", ".join(part.subject for part in row.parts)

    return [
        Column(t("till.invoice.name"), lambda r: r.name, "strong"),
        Column(t("sales.time"), lambda r: figures.day_and_clock(r.at)),
        Column(t("till.invoice.buyer"), lambda r: r.buyer),
        Column(t("till.invoice.tax"), lambda r: r.tax_no, "muted"),
        Column(f"{t('till.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.amount_fen), "num strong"),
        Column(t("till.invoice.of"), concerns),
    ]


def _line_columns(t: Words) -> list[Column[Line]]:
    return [
        Column(t("till.refund.line"), lambda r: str(r.line), "num"),
        Column(t("till.line"), lambda r: line_word(t, r), "strong"),
        Column(t("till.quantity"), lambda r: quantity(t, r), "num"),
        Column(f"{t('till.amount')} ({t('unit.yuan')})", lambda r: figures.yuan(r.amount_fen), "num"),
        Column(t("till.day.returned"), lambda r: figures.yuan(r.returned_fen), "num"),
    ]


def _refund_form(t: Words, office: Office, bill: Bill, by: str) -> None:
    with read(office.engine) as conn:
        open_tills = {one.till: one.title for one in tills.tills(conn) if one.shift is not None}

    async def ask(key: str) -> str:
        place, fen, now = int(line.value), typed.fen(amount.value), clock.now()
        back = _number(pieces.value or "0", "件数须为整数 pieces are a whole number")

        def do(conn: Connection) -> dict[str, int]:
            made = tills.ask_refund(conn, bill.bill, place, fen, back, till.value, by, why.value, now)
            return {"refund": made.refund}

        asked = {"refund": [bill.bill, place, fen, back, till.value, why.value]}
        done = await office.write(lambda conn: once.run(conn, key, asked, now, lambda: do(conn)))
        made = await office.read(lambda conn: tills.refund(conn, done["refund"]))
        amount.set("")
        if made.state == "open":
            return t("till.refund.waits", refund=made.refund)
        kinds = {tender.number: tender.kind for tender in bill.tenders}
        parts = " + ".join(f"{kind_word(t, office, kinds[n])} {figures.yuan(fen)}" for n, fen in made.parts)
        return t("till.refund.done", yuan=figures.yuan(made.amount_fen), parts=parts)

    with Form(t, t("till.refund"), ask, "undo"):
        line = Choice(t("till.refund.line"), {str(ln.line): f"{ln.line} {line_word(t, ln)}" for ln in bill.lines})
        amount = Field(f"{t('till.amount')} ({t('unit.yuan')})", inputmode="decimal", maxlength="12", required="")
        pieces = Field(t("till.refund.pieces"), inputmode="numeric", maxlength="4")
        till = Choice(t("till.refund.till"), open_tills)
        why = Field(t("till.why"), maxlength="200", required="")


def _bill(t: Words, office: Office, wanted: str, by: str) -> None:
    with read(office.engine) as conn:
        try:
            bill = tills.bill(conn, _number(wanted, "账单号须为数字 a bill has a number"))
        except ValueError:
            Tag("div", t("till.bill.none"), "note failed", role="alert")
            return
        left = tills.left(conn, bill_subject(bill.bill))
    sums = {"total": bill.total_fen, "returned": bill.returned_fen, "left": left}
    with Tag("div", look="controls"):
        Tag("span", t("till.bill.about", bill=bill.bill, **{name: figures.yuan(fen) for name, fen in sums.items()}))
        for tender in bill.tenders:
            Tag("span", f"{kind_word(t, office, tender.kind)} {figures.yuan(tender.amount_fen)}", "muted")
    Table(t, _line_columns(t), "").show(bill.lines)
    _refund_form(t, office, bill, by)


def _decide_form(t: Words, office: Office) -> None:
    async def decide(key: str) -> str:
        wanted, approve, now = _number(number.value, "退款编号 the refund's number"), word.value == "yes", clock.now()
        proof = (wanted, second.second(), now)
        signed = await asyncio.to_thread(tills.refund_signed, office.engine, office.secrets, *proof)

        def do(conn: Connection) -> dict[str, str]:
            return {"state": tills.decide_refund(conn, wanted, approve, signed, why.value, now).state}

        asked = {"decide": [wanted, approve, why.value]}
        done = await office.write(lambda conn: once.run(conn, key, asked, now, lambda: do(conn)))
        second.clear()
        return t("till.decide.done", refund=wanted, state=t(STATES[done["state"]][2]))

    with Form(t, t("till.decide"), decide, "verified_user"):
        number = Field(t("till.refund.number"), inputmode="numeric", maxlength="9", required="")
        word = Choice(t("till.decide.word"), {"yes": t("till.decide.approve"), "no": t("till.decide.refuse")})
        why = Field(t("till.why"), maxlength="200")
        second = SecondFields(t)


def _issue_form(t: Words, office: Office, wanted: str, by: str) -> None:
    async def issue(key: str) -> str:
        numbers = [_number(one, "账单号须为数字 a bill has a number") for one in bills.value.split()]
        now = clock.now()

        def do(conn: Connection) -> dict[str, object]:
            amounts = {bill_subject(n): tills.left(conn, bill_subject(n)) for n in numbers}
            made = tills.issue_invoice(conn, buyer.value, tax.value, amounts, by, now)
            return {"name": made.name, "fen": made.amount_fen}

        asked = {"invoice": [numbers, buyer.value, tax.value]}
        done = await office.write(lambda conn: once.run(conn, key, asked, now, lambda: do(conn)))
        return t("till.invoice.done", name=done["name"], yuan=figures.yuan(done["fen"]))

    with Form(t, t("till.invoice"), issue, "receipt_long"):
        bills = Field(t("till.invoice.bills"), wanted, maxlength="200", required="")
        buyer = Field(t("till.invoice.buyer"), maxlength="100", required="")
        tax = Field(t("till.invoice.tax"), maxlength="30")


def _back_form(t: Words, office: Office, by: str) -> None:
    async def act(key: str) -> str:
        series, _, number = name.value.strip().partition("-")
        place, now = _number(number, "发票号如 2026-00000001 an invoice is written like 2026-00000001"), clock.now()

        def do(conn: Connection) -> dict[str, object]:
            change = tills.reissue if what.value == "lost" else tills.red_letter
            made = change(conn, series, place, by, why.value, now)
            return {"name": made.name, "fen": made.amount_fen}

        asked = {"invoice.back": [series, place, what.value, why.value]}
        done = await office.write(lambda conn: once.run(conn, key, asked, now, lambda: do(conn)))
        return t("till.invoice.done", name=done["name"], yuan=figures.yuan(done["fen"]))

    with Form(t, t("till.invoice.back"), act, "replay"):
        name = Field(t("till.invoice.name"), maxlength="16", required="", hint="2026-00000001")
        what = Choice(t("till.invoice.act"), {"red": t("till.invoice.red"), "lost": t("till.invoice.reissue")})
        why = Field(t("till.why"), maxlength="200", required="")


def _page(t: Words, office: Office, client: Client) -> None:
    wanted, by = client.request.query_params.get("bill", "").strip()[:9], person_of(client).name
    Tag("h1", t("till.refunds.title"))
    Tag("div", t("till.refunds.lead"), "muted")
    with Tag("section", look="panel"):
        with Tag("form", look="controls", method="get", action="/till/refunds"):
            with Tag("label"):
                Tag("span", t("till.find"))
                Tag("input", name="bill", value=wanted, inputmode="numeric", maxlength="9", autofocus="")
            Tag("button", t("till.find.go"), "press on", type="submit")
        if wanted:
            _bill(t, office, wanted, by)
    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("till.refund.list"))
        refunds = Table(t, _refund_columns(t), t("till.refund.empty"))
        _decide_form(t, office)
    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("till.invoice.list"))
        _issue_form(t, office, wanted, by)
        invoices = Table(t, _invoice_columns(t), t("till.invoice.empty"))
        _back_form(t, office, by)

    async def look() -> None:
        try:
            found, issued = await office.read(lambda conn: (tills.refunds(conn, 30), tills.invoices(conn, 30)))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            for table in (refunds, invoices):
                table.show((), type(error).__name__)
            return
        refunds.show(found)
        invoices.show(issued)

    ui.timer(REFRESH_S, look)


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/till/refunds")
    def page(client: Client) -> None:
        with frame.page("/till/refunds", client) as t:
            _page(t, office, client)
