"""A pump's tile: what it does, how much fuel and money, whose card; readable from two metres."""

from collections.abc import Callable

from station import texts
from station.dashboard import figures, words
from station.dashboard.dom import Icon, Tag, Words
from station.dashboard.source import PumpView

# state -> (colour class of the tile, icon); the word stands beside both.
LOOKS = {
    "boot": ("s-busy", "restart_alt"),
    "idle": ("", "local_gas_station"),
    "card": ("s-busy", "contactless"),
    "authorised": ("s-busy", "verified_user"),
    "nozzle": ("s-busy", "upload"),
    "starting": ("s-busy", "play_arrow"),
    "fuelling": ("s-flow", "opacity"),
    "slow": ("s-flow", "water_drop"),
    "stopping": ("s-busy", "stop"),
    "settling": ("s-busy", "sync"),
    "locked": ("s-bad", "lock"),
    "offline": ("s-bad", "cloud_off"),
    "unknown": ("s-warn", "help"),
}
QUIET = ("idle", "offline", "locked")


class Tile:
    """Built once per viewer and pump; `show` sends only what changed."""

    def __init__(self, t: Words, pump: str) -> None:
        self.t = t
        self.shown: PumpView | None = None
        with Tag("section", look="tile", data_pump=pump, aria_label=words.pump(t, pump)) as self.root:
            with Tag("div", look="head"):
                Tag("div", words.pump(t, pump), "name")
                with Tag("div", look="chip", role="status"):
                    self.icon = Icon("help")
                    self.state = Tag("span", "")
            with Tag("div", look="figures"):
                self.amount = Tag("span", "0.00", "figure money")
                Tag("span", t("unit.yuan"), "unit")
                self.volume = Tag("span", "0.00", "figure volume")
                Tag("span", t("unit.litre"), "unit")
            with Tag("div", look="meter"):
                self.meter = Tag("div")
            with Tag("div", look="facts"):
                self.grade = self._fact("")
                self.price = self._fact("tile.price")
                self.limit = self._fact("tile.limit")
                self.flow = self._fact("tile.flow")
                self.card = self._fact("tile.card")
            with Tag("div", look="alarms hidden", role="alert") as self.alarm_box, Tag("span", look="with-icon"):
                Icon("warning")
                self.alarms = Tag("span", "")
            with Tag("div", look="foot"):
                with Tag("span", look="with-icon") as self.link_box:
                    self.link_icon = Icon("link")
                    self.link = Tag("span", "")
                self.unsent = Tag("span", "", "muted")

    def _fact(self, key: str) -> Tag:
        name = Tag("span", self.t(key) if key else "", "k")
        value = Tag("span", figures.NOTHING, "v")
        if not key:
            self.nozzle = name
        return value

    def show(self, view: PumpView) -> None:
        """Brings the tile up to date."""
        if view == self.shown:
            return
        self.shown = view
        t = self.t
        state = view.state if view.online else "offline"
        colour, icon = LOOKS.get(state, LOOKS["unknown"])
        if view.alarms and colour != "s-bad":
            colour = "s-bad" if state == "idle" else colour
        # Between sales the last one's figures stay, quietly, as on the pump itself.
        idle = " idle" if state in QUIET or not view.amount_fen else ""
        self.root.look(f"tile {colour}{idle}".replace("  ", " "))
        self.icon.text = icon
        self.state.text = texts.state(state, t.lang)
        self.amount.text = figures.yuan(view.amount_fen) if view.amount_fen is not None else "0.00"
        self.volume.text = figures.litres(view.volume_ml) if view.volume_ml is not None else "0.00"
        self._facts(view)
        self.alarm_box.show(bool(view.alarms))
        self.alarms.text = ("、" if t.lang == texts.ZH else ", ").join(texts.alarm(a, t.lang) for a in view.alarms)
        self.link_box.look("with-icon good" if view.online else "with-icon bad")
        self.link_icon.text = "link" if view.online else "link_off"
        self.link.text = self._link(view)
        self.unsent.text = (
            "" if view.unsent is None else (t("tile.unsent", n=view.unsent) if view.unsent else t("tile.sent"))
        )

    def _facts(self, view: PumpView) -> None:
        t = self.t
        if view.grade is None:  # nothing chosen yet: what this pump offers
            prices = dict.fromkeys((texts.grade(grade, t.lang), price) for _, grade, price in view.nozzles)
            self.nozzle.text = t("sales.grade")
            self.grade.text = " · ".join(name for name, _ in prices) or figures.NOTHING
            self.grade.look("v muted")
            self.price.text = " · ".join(figures.yuan(price) for _, price in prices) or figures.NOTHING
            self.price.look("v muted")
        else:
            self.nozzle.text = t("word.nozzle", n=(view.nozzle or 0) + 1)
            self.grade.text = texts.grade(view.grade, t.lang)
            self.grade.look(f"v grade g{view.grade}")
            self.price.text = _with_unit(view.price_fen_per_l, figures.yuan, t("unit.price"))
            self.price.look("v")
        self.limit.text = _with_unit(view.limit_fen, figures.yuan, t("unit.yuan"))
        self.flow.text = _with_unit(view.flow_ml_s, figures.litres_per_minute, t("unit.flow"))
        self.card.text = figures.card(view.card_no) if view.card_no else t("tile.no_card")
        self.meter.width(_percent(view.amount_fen, view.limit_fen))

    def _link(self, view: PumpView) -> str:
        if view.online:
            return self.t("tile.online")
        if view.seen_s_ago is None:
            return f"{self.t('tile.offline')} · {self.t('tile.never')}"
        return f"{self.t('tile.offline')} · {self.t('tile.seen', s=view.seen_s_ago)}"


def _with_unit(value: int | None, figure: Callable[[int | None], str], unit: str) -> str:
    return figures.NOTHING if value is None else f"{figure(value)} {unit}"


def _percent(part: int | None, whole: int | None) -> int:
    return min(100, part * 100 // whole) if part and whole else 0
