"""The home page: the forecourt as it stands, the money strip, the last sales and the tanks."""

from nicegui import ui
from nicegui.client import Client

from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.source import Overview
from station.dashboard.tables import Table, marked, sale_columns
from station.dashboard.tanks import tank_bar
from station.dashboard.tiles import Tile
from station.sales import Invariant
from station.wetstock import TankRow

LOOK_S = 0.1  # the pumps tell at least four times a second; looking at memory costs next to nothing
LAST_SALES = 12


class ForecourtPage:
    """One viewer's home page."""

    def __init__(self, frame: Frame, t: Words) -> None:
        self.hub, self.t = frame.hub, t
        self.overview: Overview | None = None
        self.failure = ""
        self.tiles: dict[str, Tile] | None = None
        Tag("h1", t("forecourt.title"))
        self.trouble = Tag("div", "", "panel note failed hidden", role="alert")
        self.islands = Tag("div", look="tiles")
        self.no_pumps = Tag("div", t("forecourt.empty"), "panel note hidden")
        self.strip = Tag("section", look="panel strip", aria_label=t("money.title"))
        with Tag("div", look="two"):
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("last.title"))
                    Tag("a", t("last.more"), href="/sales")
                self.sales = Table(t, sale_columns(t, brief=True), t("last.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("tanks.title"))
                    Tag("a", t("tanks.more"), href="/tanks")
                self.tanks = Tag("div")
        self._draw_slow()
        self.look()
        ui.timer(LOOK_S, self.look)

    def look(self) -> None:
        """Shows what changed since the last look."""
        pumps = self.hub.source.forecourt()
        if self.tiles is None or [p.pump for p in pumps] != list(self.tiles):
            self.islands.clear()
            with self.islands:
                self.tiles = {p.pump: Tile(self.t, p.pump) for p in pumps}
            self.no_pumps.show(not pumps)
        for pump in pumps:
            self.tiles[pump.pump].show(pump)
        if self.hub.overview != self.overview or self.hub.failure != self.failure:
            self._draw_slow()

    def _draw_slow(self) -> None:
        overview, self.failure = self.hub.overview, self.hub.failure
        before, self.overview = self.overview, overview
        self.trouble.show(bool(self.failure))
        if self.failure:
            since = f" · {self.t('frame.stale', at=figures.clock(self.hub.seen_s))}" if overview else ""
            self.trouble.text = f"{self.t('frame.failed', why=self.failure)} · {self.t('frame.retry')}{since}"
        if overview is None:
            self._strip(None)
            if self.failure:
                self.sales.show((), self.failure)
            return
        self.sales.show(overview.sales[:LAST_SALES])
        if before is None or before.invariant != overview.invariant:
            self._strip(overview.invariant)
        if before is None or before.tanks != overview.tanks:
            self._tanks(overview.tanks)

    def _strip(self, money: Invariant | None) -> None:
        t = self.t
        self.strip.clear()
        with self.strip:
            Tag("h2", t("money.title"))
            if money is None:
                Tag("span", t("frame.loading") if self.overview is None else t("money.empty"), "muted")
                return
            self._term("money.cards", money.cards_fen)
            for key, fen in (
                ("money.flight", money.in_flight_fen),
                ("money.pending", money.pending_fen),
                ("money.sold", money.sales_fen),
                ("money.other", money.other_fen),
            ):
                if fen or key != "money.other":
                    Tag("span", "+", "sign")
                    self._term(key, fen)
            Tag("span", "=", "sign")
            self._term("money.loaded", money.paid_in_fen)
            if money.owed_fen:
                Tag("span", "+", "sign")
                self._term("money.owed", money.owed_fen)
            verdict = t("money.ok") if money.holds else t("money.off")
            difference = f"{t('money.difference')} {figures.yuan(money.difference_fen)} {t('unit.yuan')}"
            look, icon = ("good", "balance") if money.holds else ("bad", "error")
            with Tag("span", look="term verdict", role="status"):
                marked(look, icon, f"{verdict} · {difference}")
            if money.waiting:
                marked("warn", "hourglass_empty", t("money.waiting", n=len(money.waiting)))
            if money.differing:
                cards = ", ".join(map(figures.card, money.differing))
                marked("bad", "credit_card_off", t("money.differing", cards=cards))

    def _term(self, key: str, fen: int) -> None:
        with Tag("span", look="term"):
            Tag("span", self.t(key), "muted")
            with Tag("b", figures.yuan(fen)):
                Tag("span", self.t("unit.yuan"), "unit")

    def _tanks(self, tanks: tuple[TankRow, ...]) -> None:
        self.tanks.clear()
        with self.tanks:
            for tank in tanks:
                tank_bar(self.t, tank)
            if not tanks:
                Tag("div", self.t("tanks.empty"), "note")


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/")
    def forecourt(client: Client) -> None:
        with frame.page("/", client) as t:
            ForecourtPage(frame, t)
