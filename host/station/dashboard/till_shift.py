"""A till's shift: opened with a float, closed with a counted drawer or handed over; and the safe (Y9, Y8)."""

import asyncio

from nicegui import ui
from nicegui.client import Client

from station import cards, tills
from station.cards import Second
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Choice, Field, Form
from station.dashboard.frame import Frame
from station.dashboard.office import Office, person_of
from station.dashboard.till import chosen_till
from station.platform import clock, database, once, typed
from station.platform.database import Connection
from station.staff import permissions as may
from station.tills import Shift, Till


class SecondFields:
    """Name, password and one-time code of who signs above a cap."""

    def __init__(self, t: Words) -> None:
        self.name = Field(t("till.second"), maxlength="40", autocapitalize="none")
        self.password = Field(t("till.second.password"), kind="password", maxlength="200")
        self.code = Field(t("till.second.code"), maxlength="8", inputmode="numeric")

    def second(self) -> cards.Second | None:
        """Nobody if no name was typed."""
        name = self.name.value.strip()
        return Second(name, self.password.value, self.code.value.strip()) if name else None

    def clear(self) -> None:
        for field in (self.name, self.password, self.code):
            field.set("")


def _open(t: Words, office: Office, till: Till, by: str) -> None:
    with database.read(office.engine) as conn:
        safe_fen = tills.in_drawer(conn, tills.SAFE)

    async def act(key: str) -> str:
        fen, now = typed.fen(float_.value), clock.now()

        def do(conn: Connection) -> dict[str, int]:
            asked = {"shift.open": [till.till, fen]}
            return once.run(
                conn, key, asked, now, lambda: {"shift": tills.open_shift(conn, till.till, fen, by, now).shift}
            )

        done = await office.write(do)
        ui.navigate.to(f"/till?till={till.till}")
        return t("till.shift.opened", shift=done["shift"])

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("till.shift.open"))
            Tag("span", t("till.shift.safe", yuan=figures.yuan(safe_fen)), "muted")
        with Form(t, t("till.shift.open"), act, "login"):
            float_ = Field(t("till.shift.float"), inputmode="decimal", maxlength="12", required="", autofocus="")


def _close(t: Words, office: Office, shift: Shift, by: str) -> None:
    async def act(key: str) -> str:
        fen, now = typed.fen(counted.value), clock.now()
        proof = (shift.shift, fen, by, second.second(), now)
        signed = await asyncio.to_thread(tills.count_signed, office.engine, office.secrets, *proof)

        def do(conn: Connection) -> dict[str, int]:
            if to.value.strip():
                tills.hand_over(conn, shift.shift, fen, to.value.strip(), by, now, why.value, signed)
            else:
                tills.close_shift(conn, shift.shift, fen, by, now, why.value, signed)
            return {"shift": shift.shift}

        asked = {"shift.close": [shift.shift, fen, to.value, why.value]}
        await office.write(lambda conn: once.run(conn, key, asked, now, lambda: do(conn)))
        second.clear()
        closed = await office.read(lambda conn: tills.shift(conn, shift.shift))
        return t(
            "till.shift.done",
            shift=shift.shift,
            expected=figures.yuan(closed.expected_fen),
            counted=figures.yuan(closed.counted_fen),
            difference=figures.yuan(closed.difference_fen),
        )

    since = figures.day_and_clock(shift.opened_at)
    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("till.shift.close"))
            Tag("span", t("till.shift.running", shift=shift.shift, cashier=shift.cashier, at=since), "muted")
        with Form(t, t("till.shift.close"), act, "logout"):
            counted = Field(t("till.shift.counted"), inputmode="decimal", maxlength="12", required="", autofocus="")
            to = Field(t("till.shift.to"), maxlength="40")
            why = Field(t("till.why"), maxlength="200")
            second = SecondFields(t)


def _safe(t: Words, office: Office, by: str) -> None:
    async def act(key: str) -> str:
        fen, now = typed.fen(amount.value), clock.now()
        move = tills.take_to_bank if way.value == "bank" else tills.put_in_safe
        left = await office.write(lambda conn: move(conn, fen, key, by, why.value, now))
        amount.set("")
        return t("till.money.done", yuan=figures.yuan(left))

    with Tag("section", look="panel"):
        with Tag("header"):
            Tag("h2", t("till.money"))
        with Form(t, t("till.money.go"), act, "savings"):
            way = Choice(t("till.money.way"), {"in": t("till.money.in"), "bank": t("till.money.bank")})
            amount = Field(f"{t('till.amount')} ({t('unit.yuan')})", inputmode="decimal", maxlength="12", required="")
            why = Field(t("till.why"), maxlength="200")


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/till/shift")
    def page(client: Client) -> None:
        with frame.page("/till/shift", client) as t:
            till, person = chosen_till(t, office, client, "/till/shift"), person_of(client)
            if till is not None:
                Tag("h1", t("till.shift.title", till=till.title))
                if till.shift is None:
                    _open(t, office, till, person.name)
                else:
                    _close(t, office, till.shift, person.name)
            if person.may(may.SHIFT_CLOSE):
                _safe(t, office, person.name)
