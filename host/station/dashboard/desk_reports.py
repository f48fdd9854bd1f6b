"""Reports of the card desk: cards by state (C5), the prepaid float by day (C10), what the staff earned (S5)."""

from dataclasses import dataclass

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import cards, texts
from station.cards import Earned, Float, Movement
from station.dashboard import figures
from station.dashboard.desk import Desks
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.tables import Column, Table, marked
from station.platform import clock

DAYS = 30
REFRESH_S = 30.0
STATES = ("active", "blocked", "replaced", "closed")
EVENTS = ("issued", "blocked", "unblocked", "replaced", "closed")


@dataclass(frozen=True)
class _Found:
    movements: list[Movement]
    off: list[str]  # cards whose state is not what their history says
    days: list[Float]
    held_fen: int
    by_card_fen: int
    earned: list[Earned]


def _movement_columns(t: Words) -> list[Column[Movement]]:
    def event(name: str) -> Column[Movement]:
        return Column(t(f"desk.reports.{name}"), lambda r: f"{r.events[name]:,}", "num")

    def state(name: str) -> Column[Movement]:
        head = f"{t('desk.reports.closing')} · {texts.card_state(name, t.lang)}"
        return Column(head, lambda r: f"{r.closing[name]:,}", "num strong")

    return [
        Column(t("desk.kind"), lambda r: texts.card_kind(r.kind, t.lang), "strong"),
        Column(t("desk.reports.opening"), lambda r: f"{sum(r.opening.values()):,}", "num"),
        *(event(name) for name in EVENTS),
        *(state(name) for name in STATES),
        Column(t("desk.reports.closing"), lambda r: f"{sum(r.closing.values()):,}", "num strong"),
    ]


def _float_columns(t: Words) -> list[Column[Float]]:
    return [
        Column(t("desk.float.day"), lambda r: figures.day(r.day)),
        Column(t("desk.reports.opening"), lambda r: figures.yuan(r.opening_fen), "num"),
        Column(t("desk.float.loaded"), lambda r: figures.yuan(r.loaded_fen), "num"),
        Column(t("desk.float.sold"), lambda r: figures.yuan(-r.sold_fen), "num"),
        Column(t("desk.float.refunded"), lambda r: figures.yuan(-r.refunded_fen), "num"),
        Column(t("desk.float.other"), lambda r: figures.yuan(r.other_fen), "num"),
        Column(t("desk.reports.closing"), lambda r: figures.yuan(r.closing_fen), "num strong"),
    ]


def _earned_columns(t: Words) -> list[Column[Earned]]:
    return [
        Column(t("desk.by"), lambda r: r.name, "strong"),
        Column(t("desk.incentive.cards"), lambda r: f"{r.cards:,}", "num"),
        Column(t("desk.incentive.back"), lambda r: f"{r.taken_back:,}", "num"),
        Column(t("desk.incentive.fen"), lambda r: figures.yuan(r.fen), "num strong"),
    ]


def register(frame: Frame, desks: Desks) -> None:
    """Adds the page to the service."""

    @ui.page("/cards/reports")
    def reports(client: Client) -> None:
        with frame.page("/cards/reports", client) as t:
            Tag("h1", t("desk.reports.title"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("desk.reports.states"))
                    reconciles = Tag("span")
                states = Table(t, _movement_columns(t), t("desk.reports.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("desk.float.title"))
                    adds_up = Tag("span")
                days = Table(t, _float_columns(t), t("desk.reports.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("desk.incentive.title"))
                earned = Table(t, _earned_columns(t), t("desk.incentive.empty"))

        def read(conn: Connection) -> _Found:
            now = clock.now()
            return _Found(
                cards.movements(conn, now - DAYS * clock.DAY_S, now + 1),
                cards.disagreeing(conn, desks.office.settings.station_no),
                cards.float_by_day(conn, DAYS, now),
                cards.float_now(conn),
                sum(fen for _, fen in cards.float_by_kind(conn).values()),
                cards.incentive_report(conn),
            )

        async def look() -> None:
            try:
                found = await desks.office.read(read)
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                for table in (states, days, earned):
                    table.show((), type(error).__name__)
                return
            states.show(found.movements)
            days.show(found.days)
            earned.show(found.earned)
            good = not found.off and all(one.reconciles for one in found.movements)
            _verdict(
                reconciles, good, t("desk.reports.reconciles") if good else t("desk.reports.off", n=len(found.off))
            )
            books, by_card = figures.yuan(found.held_fen), figures.yuan(found.by_card_fen)
            if found.held_fen == found.by_card_fen:
                _verdict(adds_up, True, t("desk.float.agrees", yuan=books))
            else:
                _verdict(adds_up, False, t("desk.float.differs", cards=by_card, books=books))

        ui.timer(REFRESH_S, look)


def _verdict(place: Tag, good: bool, words: str) -> None:
    place.clear()
    with place:
        marked("good" if good else "bad", "check_circle" if good else "error", words)
