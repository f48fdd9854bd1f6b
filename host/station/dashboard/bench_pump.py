"""One simulated pump on the bench page: its display, keys, nozzles, card slot, and the ways to break it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from nicegui import ui
from nicegui.events import GenericEventArguments

from station.dashboard import figures, words
from station.dashboard.dom import Icon, Tag, Words, press
from station.dashboard.lcd import Lcd
from tools.bench import acts
from tools.bench.acts import Act
from tools.bench.state import KEYS, NETWORKS, PULSERS, TRIGGERS, CardState, Network, NozzleState, Pulser, PumpState

CONFIRM_S = 4.0
Say = Callable[[str, str], None]
Doer = Callable[[Act, Say], Awaitable[bool]]


class Segments:
    """Buttons of which one is on."""

    def __init__(self, values: Sequence[tuple[str, str]], choose: Callable[[str], Awaitable[None]], label: str) -> None:
        with Tag("span", look="segments", role="group", aria_label=label):
            self.buttons = {value: press("", word, self._chooser(choose, value)) for value, word in values}

    @staticmethod
    def _chooser(choose: Callable[[str], Awaitable[None]], value: str) -> Callable[[], Awaitable[None]]:
        async def chosen() -> None:
            await choose(value)

        return chosen

    def show(self, value: str) -> None:
        for name, button in self.buttons.items():
            button.look("press on" if name == value else "press")


class BenchNozzle:
    """A nozzle: lift and hang, squeeze, break its pulser; what really flows stands beside."""

    def __init__(self, t: Words, pump: str, nozzle: NozzleState, do: Callable[[Act], Awaitable[None]]) -> None:
        self.t, self.do, self.pump, self.number = t, do, pump, nozzle["nozzle"]
        self.lifted = False
        with Tag("div", look="nozzle", data_nozzle=self.number):
            with Tag("div", look="nozzle-name"):
                Tag("span", t("word.nozzle", n=self.number + 1), "muted")
                words.grade_tag(t, nozzle["grade"])
            with Tag("button", look="press lift", type="button") as self.lift:
                self.lift_icon = Icon("upload")
                self.lift_word = Tag("span", t("bench.lift"))
            self.lift.on("click", self._lift)
            self.trigger = Segments([(v, t(f"bench.trigger.{v}")) for v in TRIGGERS], self._squeeze, t("bench.trigger"))
            with Tag("label", look="pulser"):
                Tag("span", t("bench.pulser"), "muted")
                with Tag("select", look="field") as self.pulser:
                    for kind in PULSERS:
                        Tag("option", t(f"bench.pulser.{kind}"), value=kind)
                self.pulser.on("change", self._break, js_handler="(e) => emit(e.target.value)")
            with Tag("div", look="truth"):
                self.flow = Tag("span", "", "num")
                self.litres = Tag("b", "", "num")
                self.valves = Tag("span", "", "muted")
        self.broken = ""

    async def _lift(self) -> None:
        await self.do((acts.hang if self.lifted else acts.lift)(self.pump, self.number))

    async def _squeeze(self, value: str) -> None:
        await self.do(acts.trigger(self.pump, next(v for v in TRIGGERS if v == value), self.number))

    async def _break(self, event: GenericEventArguments) -> None:
        kind: Pulser | None = next((k for k in PULSERS if k == event.args), None)
        if kind is not None:
            await self.do(acts.pulser(self.pump, kind, self.number))
        self.pulser.update()  # a refused choice must not stay on the page

    def show(self, state: NozzleState) -> None:
        t = self.t
        self.lifted = state["lifted"]
        self.lift.look("press lift on" if self.lifted else "press lift")
        self.lift_icon.text = "download" if self.lifted else "upload"
        self.lift_word.text = t("bench.hang") if self.lifted else t("bench.lift")
        self.trigger.show(state["trigger"])
        if state["pulser"] != self.broken:
            self.broken = state["pulser"]
            self.pulser.put("value", state["pulser"])
            self.pulser.look("field" if state["pulser"] == "ok" else "field broken")
        self.flow.text = f"{figures.litres_per_minute(state['flow_ml_s'])} {t('unit.flow')}"
        self.litres.text = f"{figures.litres(state['sale_ml'])} {t('unit.litre')}"
        open_valves = [t(f"bench.valve.{v}") for v in ("big", "small") if state[f"{v}_valve"]]  # type: ignore[literal-required]
        self.valves.text = "+".join(open_valves) if open_valves else t("bench.valve.shut")
        self.valves.look("good" if open_valves else "muted")


class BenchPump:
    """A pump: built once per viewer, then `show` with every look."""

    def __init__(self, t: Words, pump: PumpState, act: Doer, card: Callable[[], str | None]) -> None:
        self.t, self.name, self.act, self.card = t, pump["pump"], act, card
        self.power_on = self.pressed = self.opened = self.unsealed = False
        name = words.pump(t, self.name)
        with Tag("section", look="panel bench-pump", data_pump=self.name, aria_label=name) as self.root:
            with Tag("header"):
                Tag("h2", name)
                self.facts = Tag("span", "", "muted")
                self.said = Tag("span", "", "said", role="status")
            with Tag("div", look="face"):
                self.lcd = Lcd()
                with Tag("div", look="keypad", role="group", aria_label=t("bench.keypad")):
                    for key in KEYS:
                        press("", key, self._doing(acts.keys(self.name, key)), "key")
            with Tag("div", look="slot"):
                self._slot(pump["mode"])
            self.nozzles = [BenchNozzle(t, self.name, n, self.do) for n in pump["nozzles"]]
            with Tag("div", look="faults"):
                self.power = press("power_settings_new", "", self._power)
                with self.power:
                    self.power_word = Tag("span", "")
                Tag("span", t("bench.network"), "muted")
                self.network = Segments(
                    [(v, t(f"bench.network.{v}")) for v in NETWORKS], self._network, t("bench.network")
                )
                self.estop = press("dangerous", t("bench.estop"), self._estop, "danger")
                self.tamper = press("lock_open", t("bench.tamper"), self._tamper, "danger")
                self.seal = press("verified_user", t("bench.seal"), self._seal, "danger")
        self.said_timer = ui.timer(CONFIRM_S, lambda: self._say("", ""), active=False)

    def _slot(self, mode: Literal["slot", "tap"]) -> None:
        t = self.t
        self.held = Tag("span", "", "held")
        if mode == "slot":
            self.insert = press("credit_card", t("bench.insert"), self._with_card(acts.insert), "insert")
        else:
            self.insert = press("contactless", t("bench.tap"), self._with_card(acts.tap), "tap")
        self.remove = press("eject", t("bench.remove"), self._doing(acts.remove(self.name)), "remove")

    def _say(self, said: str, look: str) -> None:
        self.said.text = said
        self.said.look(f"said {look}".rstrip())
        self.said_timer.active = bool(said)

    async def do(self, act: Act) -> None:
        await self.act(act, self._say)

    def _doing(self, act: Act) -> Callable[[], Awaitable[None]]:
        async def doing() -> None:
            await self.do(act)

        return doing

    def _with_card(self, make: Callable[[str, str], Act]) -> Callable[[], Awaitable[None]]:
        async def doing() -> None:
            chosen = self.card()
            if chosen is None:
                self._say(self.t("bench.choose"), "bad")
                return
            await self.do(make(self.name, chosen))

        return doing

    async def _power(self) -> None:
        await self.do(acts.power(self.name, not self.power_on))

    async def _network(self, kind: str) -> None:
        chosen: Network = next(k for k in NETWORKS if k == kind)
        await self.do(acts.network(self.name, chosen))

    async def _estop(self) -> None:
        await self.do(acts.estop(self.name, not self.pressed))

    async def _tamper(self) -> None:
        await self.do(acts.tamper(self.name, not self.opened))

    async def _seal(self) -> None:
        await self.do(acts.seal(self.name, not self.unsealed))

    def show(self, state: PumpState, cards: Mapping[str, CardState]) -> None:
        t = self.t
        self.power_on, self.pressed, self.opened = state["power"], state["estop"], state["tamper"]
        linked = t("bench.linked") if state["linked"] else t("bench.unlinked")
        self.facts.text = " · ".join((t(f"bench.mode.{state['mode']}"), linked, t("bench.boots", n=state["boots"])))
        self.lcd.show(state["lcd"])
        held = cards.get(state["card"]) if state["card"] else None
        self.held.text = self._held(state["card"], held)
        self.held.look("held on" if state["card"] else "held")
        for nozzle, shown in zip(state["nozzles"], self.nozzles, strict=False):
            shown.show(nozzle)
        self.power.look("press" if state["power"] else "press danger on")
        self.power_word.text = t("bench.power.cut") if state["power"] else t("bench.power.restore")
        self.network.show(state["network"])
        self.estop.look("press danger on" if state["estop"] else "press danger")
        self.tamper.look("press danger on" if state["tamper"] else "press danger")
        self.unsealed = state["seal"]
        self.seal.look("press danger on" if self.unsealed else "press danger")

    def _held(self, uid: str | None, card: CardState | None) -> str:
        if uid is None:
            return self.t("bench.slot.empty")
        name = figures.card(card["card_no"]) if card and card["card_no"] else uid
        if card and card["balance_fen"] is not None:
            return f"{name} · {figures.yuan(card['balance_fen'])} {self.t('unit.yuan')}"
        return name
