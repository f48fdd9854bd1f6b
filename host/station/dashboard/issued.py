"""What is issued to the pumps: prices in force and planned, card lists, firmware; and how far each pump is."""

import asyncio

from nicegui import ui
from nicegui.client import Client

from station.dashboard import figures, words
from station.dashboard.dom import Tag, Words, press
from station.dashboard.frame import Frame
from station.dashboard.source import Issued, Plan, PumpIssued, Row
from station.dashboard.tables import Column, Table, marked
from station.forecourt import Release

REFRESH_S = 2.0
PLAN_LOOKS = {
    "in_force": ("good", "check_circle"),
    "planned": ("warn", "schedule"),
    "past": ("muted", "history"),
    "void": ("muted", "block"),
}
UPDATE_LOOKS = {
    "fetching": ("warn", "downloading"),
    "refused": ("bad", "error"),
    "waiting": ("warn", "hourglass_top"),
    "done": ("good", "check_circle"),
    "failed": ("bad", "error"),
    "none": ("muted", "remove"),
}


def _plan_columns(t: Words) -> list[Column[Plan]]:
    def prices(row: Plan) -> Tag:
        with Tag("span") as cell:
            for grade, fen in sorted(row.tariff.prices.items()):
                words.grade_tag(t, grade)
                Tag("span", f" {figures.yuan(fen)}  ")
        return cell

    return [
        Column(t("issued.version"), lambda r: f"v{r.tariff.version}"),
        Column(t("issued.from"), lambda r: figures.day_and_clock(r.tariff.effective)),
        Column(f"{t('tile.price')} ({t('unit.price')})", prices),
        Column(t("issued.by"), lambda r: r.tariff.made_by),
        Column(t("issued.state"), lambda r: marked(*PLAN_LOOKS[r.state], t(f"issued.{r.state}"))),
    ]


def _pump_columns(t: Words) -> list[Column[PumpIssued]]:
    def lists(row: PumpIssued) -> str:
        return f"v{row.lists}" if row.lists else figures.NOTHING

    def update(row: PumpIssued) -> Tag:
        one = row.update
        return marked(*UPDATE_LOOKS[one.code], t(f"issued.update.{one.code}", detail=one.detail))

    return [
        Column(t("issued.pump"), lambda r: words.pump(t, r.update.pump)),
        Column(t("issued.tariff"), lambda r: f"v{r.tariff}" if r.tariff else figures.NOTHING),
        Column(t("issued.lists"), lists),
        Column(t("issued.software"), lambda r: r.update.software or figures.NOTHING),
        Column(t("issued.ordered"), lambda r: f"v{r.update.ordered}" if r.update.ordered else figures.NOTHING),
        Column(t("issued.update"), update),
    ]


def _release_columns(t: Words) -> list[Column[Release]]:
    return [
        Column(t("issued.version"), lambda r: f"v{r.version}"),
        Column(t("issued.software"), lambda r: r.software),
        Column(f"{t('issued.size')} (B)", lambda r: f"{r.size:,}", "num"),
        Column(t("issued.from"), lambda r: figures.day_and_clock(r.made)),
        Column(t("issued.by"), lambda r: r.made_by),
    ]


class _Page:
    def __init__(self, t: Words, frame: Frame) -> None:
        self.t, self.source = t, frame.hub.source
        self.newest = 0
        Tag("h1", t("issued.title"))
        Tag("div", t("issued.lead"), "muted")
        self.plans = self._panel("issued.prices", _plan_columns(t))
        self.pumps = self._panel("issued.pumps", _pump_columns(t))
        self.counts = Tag("div", "", "muted")
        self.releases = self._panel("issued.releases", _release_columns(t))
        self.controls = Tag("div", look="controls")
        ui.timer(REFRESH_S, self.look)

    def _panel(self, name: str, columns: list[Column[Row]]) -> Table[Row]:
        with Tag("section", look="panel"):
            with Tag("header"):
                Tag("h2", self.t(name))
            return Table(self.t, columns, self.t(f"{name}.empty"))

    async def look(self) -> None:
        try:
            self._show(await asyncio.to_thread(self.source.issued))
        except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
            for table in (self.plans, self.pumps, self.releases):
                table.show((), type(error).__name__)

    def _show(self, known: Issued) -> None:
        self.plans.show(known.plans)
        self.pumps.show(known.pumps)
        self.releases.show(known.releases)
        version, black, white = known.lists
        self.counts.text = self.t("issued.list_count", version=version, black=black, white=white) if version else ""
        newest = known.releases[0].version if known.releases else 0
        if newest != self.newest:
            self.newest = newest
            self.controls.clear()
            with self.controls:
                press("system_update", self.t("issued.to_all", version=newest), self._order, "on")
                self.said = Tag("span", "", "muted", role="status")

    async def _order(self) -> None:
        await asyncio.to_thread(self.source.order_update, self.newest)
        self.said.text = self.t("issued.ordered_all")


def register(frame: Frame) -> None:
    """Adds the page to the service."""

    @ui.page("/issued")
    def issued(client: Client) -> None:
        with frame.page("/issued", client) as t:
            _Page(t, frame)
