"""The bench page: the simulated forecourt in your hands. It only asks; what happens, the pumps decide."""

import asyncio
from collections.abc import Callable

from nicegui import ui
from nicegui.client import Client

from station import texts
from station.dashboard import figures
from station.dashboard.bench_pump import BenchPump
from station.dashboard.bench_wallet import CardPick, card_name
from station.dashboard.dom import Tag, Words, press
from station.dashboard.frame import Frame
from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.client import AsyncBenchClient, BenchError
from tools.bench.state import CardState, State

LOOK_S = 0.2
CONFIRM_S = 4.0
PHONE_FEN = 20_000


class BenchPage:
    """One viewer's bench. top_up: card number, fen; why not, or nothing."""

    def __init__(self, t: Words, bench: AsyncBenchClient, top_up: Callable[[str, int], str]) -> None:
        self.t, self.bench, self.top_up = t, bench, top_up
        self.pumps: dict[str, BenchPump] = {}
        self.card: str | None = None
        self.picks: dict[str, CardPick] = {}
        self.traffic_on = False
        self.cards_shown: list[CardState] | None = None
        self.looking = False
        with Tag("div", look="bench-head"):
            Tag("h1", t("bench.title"))
            Tag("div", t("bench.lead"), "muted")
        self.trouble = Tag("div", t("frame.loading"), "panel note", role="alert")
        with Tag("div", look="bench hidden") as self.body:
            self._globals()
            with Tag("section", look="panel"):
                with Tag("header", look="wallet-head"):
                    Tag("h2", t("bench.wallet"))
                    self.chosen = Tag("span", t("bench.choose"), "muted")
                    press("smartphone", t("bench.phone", yuan=figures.yuan(PHONE_FEN)), self._phone)
                    with Tag("span", look="group"):
                        Tag("span", t("bench.desk"), "muted")
                        self.on_desk = Tag("b", "", "on-desk")
                        self.put = press("south_east", t("bench.desk.put"), self._put)
                        self.take = press("north_west", t("bench.desk.take"), lambda: self._do(acts.desk_take()))
                self.wallet = Tag("div", look="wallet", role="radiogroup", aria_label=t("bench.wallet"))
            self.forecourt = Tag("div", look="bench-pumps")
        ui.timer(LOOK_S, self.look)

    def _globals(self) -> None:
        t = self.t
        with Tag("section", look="panel controls bench-globals"):
            with Tag("span", look="group"):
                Tag("span", t("bench.traffic"), "what")
                self.traffic = press("directions_car", t("bench.traffic.switch"), self._traffic, "traffic")
                self.customers = Tag("span", "", "muted")
            with Tag("span", look="group"):
                Tag("span", t("bench.broker"), "what")
                self.broker = Tag("span", "", "with-icon")
                self.broker_buttons = {
                    "stopped": press("pause", t("bench.broker.stop"), lambda: self._do(acts.broker("stop"))),
                    "down": press("power_settings_new", t("bench.broker.kill"), lambda: self._do(acts.broker("kill"))),
                    "running": press("play_arrow", t("bench.broker.start"), lambda: self._do(acts.broker("start"))),
                }
            self.said = Tag("span", "", "said", role="status")
        self.said_timer = ui.timer(CONFIRM_S, lambda: self._say("", ""), active=False)

    async def _put(self) -> None:
        if self.card is not None:
            await self._do(acts.desk_put(self.card))

    async def _phone(self) -> None:
        """The card's holder pays from afar; the money is on the card at its next tap."""
        number = next((one["card_no"] for one in self.cards_shown or [] if one["card"] == self.card), None)
        why = await asyncio.to_thread(self.top_up, number, PHONE_FEN) if number else self.t("bench.unissued")
        self._say(why or self.t("bench.phone.done"), "bad" if why else "good")

    async def _traffic(self) -> None:
        await self._do(acts.traffic(not self.traffic_on))

    async def _do(self, act: Act) -> None:
        await self.act(act, self._say)

    def _say(self, words: str, look: str) -> None:
        self.said.text = words
        self.said.look(f"said {look}".rstrip())
        self.said_timer.active = bool(words)

    async def act(self, act: Act, say: Callable[[str, str], None]) -> bool:
        """Does an act and says what came of it beside the hand that did it."""
        try:
            await self.bench.do(act)
        except BenchError as error:
            say(texts.of(self.t.lang, (error.zh, error.en)), "bad")
            return False
        say(self.t("bench.done"), "good")
        await self.look()
        return True

    async def look(self) -> None:
        if self.looking:  # the last look is still on its way
            return
        self.looking = True
        try:
            state = await self.bench.state()
        except BenchError as error:
            self.trouble.text = texts.of(self.t.lang, (error.zh, error.en))
            self.trouble.look("panel note failed")
            self.body.show(False)
            return
        finally:
            self.looking = False
        self.trouble.look("panel note")
        self.trouble.text = self.t("bench.warming")
        self.trouble.show(not state["ready"])
        self.body.show(True)
        self._show(state)

    def _show(self, state: State) -> None:
        t = self.t
        self.traffic_on = state["traffic"]["on"]
        self.traffic.look("press traffic on" if self.traffic_on else "press traffic")
        self.traffic.put("aria-pressed", "true" if self.traffic_on else "false")
        self.customers.text = t("bench.customers", n=f"{state['traffic']['customers']:,}")
        self.broker.text = t(f"bench.broker.{state['broker']}")
        self.broker.look("good" if state["broker"] == "running" else "bad")
        for name, button in self.broker_buttons.items():
            button.show((name == "running") != (state["broker"] == "running"))
        cards = sorted(state["cards"], key=lambda card: (card["card_no"] is None, card["card_no"], card["card"]))
        if cards != self.cards_shown:
            self._wallet(cards)
        desk = next((card for card in cards if card["card"] == state["desk"]), None)
        self.on_desk.text = card_name(t, desk) if desk else t("bench.desk.empty")
        self.put.show(desk is None)
        self.take.show(desk is not None)
        if [p["pump"] for p in state["pumps"]] != list(self.pumps):
            self.forecourt.clear()
            with self.forecourt:
                self.pumps = {p["pump"]: BenchPump(t, p, self.act, lambda: self.card) for p in state["pumps"]}
        by_uid = {card["card"]: card for card in cards}
        for pump in state["pumps"]:
            self.pumps[pump["pump"]].show(pump, by_uid)

    def _wallet(self, cards: list[CardState]) -> None:
        """The cards by hand: kept in place, so that a click never meets a card that just moved."""
        self.cards_shown = cards
        if self.card not in {card["card"] for card in cards}:
            self.card = cards[0]["card"] if cards else None
        if [card["card"] for card in cards] != list(self.picks):
            self.wallet.clear()
            with self.wallet:
                self.picks = {card["card"]: CardPick(self.t, card["card"], self._choose) for card in cards}
                if not cards:
                    Tag("div", self.t("bench.no_cards"), "note")
                press("add_card", self.t("bench.new_card"), lambda: self._do(acts.new_card()))
        for card in cards:
            self.picks[card["card"]].show(card, card["card"] == self.card)
            if card["card"] == self.card:
                self.chosen.text = self.t("bench.chosen", card=card_name(self.t, card))

    def _choose(self, card: str) -> None:
        self.card = card
        self._wallet(self.cards_shown or [])


def register(frame: Frame, bench_url: str) -> None:
    """Adds the page to the service."""

    @ui.page("/bench")
    def bench(client: Client) -> None:
        service = AsyncBenchClient(bench_url, timeout_s=5.0)
        client.on_delete(service.close)
        with frame.page("/bench", client) as t:
            BenchPage(t, service, frame.hub.source.top_up)
