"""What a card demands at the pumps: limits, PIN and how long it is valid, changed at the reader (D21)."""

from collections.abc import Callable
from dataclasses import replace

from nicegui import ui
from nicegui.client import Client

from station.cards import CardLink, Contact, Desk, Rules
from station.dashboard import figures
from station.dashboard.desk import Counter, Desks, Receipt, lead
from station.dashboard.dom import Tag, Words
from station.dashboard.forms import Field, Form
from station.dashboard.frame import Frame
from station.platform import typed

_NUMBER = "数字如 50 或 50.5 a number like 50 or 50.5"


class _Limits:
    def __init__(self, t: Words, desks: Desks, client: Client) -> None:
        self.t, self._counter = t, Counter(t, desks, client)
        self._read_no = ""  # the limits on the page are this card's
        with Tag("section", look="panel"):
            with Form(t, t("desk.read"), self._read, "contactless"):
                pass
            with Form(t, t("desk.limits.go"), self._write, "rule"):
                self._fill = Field(t("desk.limits.fill"), inputmode="decimal", maxlength="8")
                self._day = Field(t("desk.limits.day"), inputmode="decimal", maxlength="10")
                self._fills = Field(t("desk.limits.fills"), inputmode="numeric", maxlength="3")
                self._hours = Field(t("desk.limits.hours"), maxlength="40")
                self._stations = Field(t("desk.limits.stations"), maxlength="40")
            with Form(t, t("desk.pin.go"), self._set_pin, "password"):
                self._pin = Field(t("desk.pin.new"), kind="password", inputmode="numeric", maxlength="6")
            with Form(t, t("desk.pin.reset"), self._forgive, "lock_open"):
                pass
            with Form(t, t("desk.renew.go"), self._renew, "event_repeat"):
                pass
            self._receipt = Receipt(t, self._counter, desks.office.settings.station)

    async def _read(self, _: str) -> str:
        found = await self._counter.at(lambda desk, link: desk.show(link))
        rules, self._read_no = found.view.rules, found.view.card_no
        self._fill.set(figures.litres(rules.fill_ml) if rules.fill_ml else "")
        self._day.set(figures.yuan(rules.day_fen) if rules.day_fen else "")
        self._fills.set(str(rules.day_fills or ""))
        self._hours.set(",".join(map(str, rules.hours)))
        self._stations.set(",".join(map(str, rules.stations)))
        return figures.card(found.view.card_no)

    async def _write(self, _: str) -> str:
        new = (
            typed.scaled(self._fill.value or "0", 1000, 999, _NUMBER),
            typed.fen(self._day.value or "0"),
            typed.scaled(self._fills.value or "0", 1, 255, _NUMBER),
            typed.numbers(self._stations.value),
            typed.hours(self._hours.value),
        )

        def act(desk: Desk, link: CardLink) -> Contact:
            found = desk.show(link)
            if found.view.card_no != self._read_no:
                raise ValueError("请先读这张卡 read this card first")
            return desk.set_rules(link, _changed(found.view.rules, *new))

        return await self._done(act, self.t("desk.limits.done"))

    async def _set_pin(self, _: str) -> str:
        pin = self._pin.value
        self._pin.set("")
        return await self._done(lambda desk, link: desk.set_pin(link, pin), self.t("desk.pin.done"))

    async def _forgive(self, _: str) -> str:
        return await self._done(lambda desk, link: desk.set_pin(link, None), self.t("desk.pin.forgiven"))

    async def _renew(self, _: str) -> str:
        found = await self._counter.at(lambda desk, link: desk.renew(link))
        done = self.t("desk.renew.done", day=figures.day(found.view.expiry))
        self._show(found, done)
        return done

    async def _done(self, act: Callable[[Desk, CardLink], Contact], done: str) -> str:
        self._show(await self._counter.at(act), done)
        return done

    def _show(self, found: Contact, done: str) -> None:
        self._receipt.show(done, [(self.t("desk.card"), figures.card(found.view.card_no))])


def _changed(
    old: Rules, fill_ml: int, day_fen: int, day_fills: int, stations: tuple[int, ...], hours: tuple[int, ...]
) -> Rules:
    new = replace(old, fill_ml=fill_ml, day_fen=day_fen, day_fills=day_fills)
    return replace(new, stations=stations, hours=hours)


def register(frame: Frame, desks: Desks) -> None:
    """Adds the page to the service."""

    @ui.page("/cards/limits")
    def limits(client: Client) -> None:
        with frame.page("/cards/limits", client) as t:
            lead(t, "limits")
            _Limits(t, desks, client)
