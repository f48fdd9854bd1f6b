"""What all viewers share: one look per second into the database for everybody, and the list of alarms."""

import asyncio
import time
from dataclasses import dataclass

import structlog

from station import texts
from station.cards import COUNTER_TWICE, DIFFERS, RISK, WAITING, Finding
from station.dashboard import figures
from station.dashboard.source import Overview, PumpView, Source

log = structlog.get_logger(__name__)

REFRESH_S = 1.0
IDLE_S = 10.0  # nobody looks: still often enough that the first viewer sees something recent
MOST_CARDS = 10  # named one by one; a fault of one pump may touch any number
SUSPECTS = {
    COUNTER_TWICE: "alarm.counter_twice", DIFFERS: "alarm.differs", RISK: "alarm.risk", WAITING: "alarm.waiting",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """One line of the alarm list: who, and what in both languages."""

    pump: str  # "" for the station itself
    words: texts.Pair


class Hub:
    """Holds the newest `overview` (None until the first answer) and, if the last look failed, why in `failure`."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.overview: Overview | None = None
        self.failure = ""
        self.seen_s = 0  # Unix time of `overview`
        self.viewers: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def joined(self, viewer: str) -> None:
        """A browser opened a page; looking begins with the first one."""
        self.viewers.add(viewer)
        self._wake.set()
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def left(self, viewer: str) -> None:
        self.viewers.discard(viewer)

    async def _run(self) -> None:
        while True:
            await self.refresh()
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), REFRESH_S if self.viewers else IDLE_S)
                await asyncio.sleep(REFRESH_S / 4)  # several viewers at once still cost one look
            except TimeoutError:
                pass

    async def refresh(self) -> None:
        """One look; whatever goes wrong is shown on the pages and tried again, never raised."""
        try:
            self.overview = await asyncio.to_thread(self.source.overview)
            self.failure, self.seen_s = "", int(time.time())
        except Exception as error:  # noqa: BLE001 - a page must outlive any failure of the database
            if not self.failure:
                log.warning("overview_failed", error=repr(error))
            self.failure = type(error).__name__

    def alarms(self, pumps: tuple[PumpView, ...]) -> list[AlarmLine]:
        """Everything that wants a person's eye, the pumps' alarms first."""
        lines = []
        for pump in pumps:
            if not pump.online:
                lines.append(AlarmLine(pump.pump, texts.PAGES["alarm.offline"]))
            elif pump.state == "locked":
                lines.append(AlarmLine(pump.pump, texts.PAGES["alarm.locked"]))
            lines += [AlarmLine(pump.pump, (texts.alarm(a, texts.ZH), texts.alarm(a, texts.EN))) for a in pump.alarms]
        if self.failure:
            lines.append(AlarmLine("", texts.PAGES["alarm.reading"]))
        if self.overview is not None:
            lines += self._books(self.overview)
        return lines

    @staticmethod
    def _books(overview: Overview) -> list[AlarmLine]:
        lines = []
        if overview.invariant is not None and not overview.invariant.holds:
            yuan = figures.yuan(overview.invariant.difference_fen)
            zh, en = (texts.text("alarm.invariant", lang, yuan=yuan) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        if overview.check is not None and not overview.check.ok:
            zh, en = (texts.text("alarm.check", lang, n=len(overview.check.seen.found)) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        if overview.reviews:
            zh, en = (texts.text("alarm.reviews", lang, n=overview.reviews) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        if overview.quarantined:
            zh, en = (texts.text("alarm.quarantine", lang, n=overview.quarantined) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        for suspect in overview.suspects[:MOST_CARDS]:
            zh, en = (_suspect(suspect, lang) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        more = len(overview.suspects) - MOST_CARDS
        if more > 0:
            zh, en = (texts.text("alarm.more_cards", lang, n=more) for lang in texts.LANGUAGES)
            lines.append(AlarmLine("", (zh, en)))
        return lines


def _suspect(found: Finding, lang: str) -> str:
    what = found.what
    if found.kind == DIFFERS:
        what = figures.yuan(int(what))
    elif found.kind == RISK:
        what = texts.risk_rule(what.split()[0], lang)
    return texts.text(SUSPECTS[found.kind], lang, card=figures.card(found.card_no), what=what)
