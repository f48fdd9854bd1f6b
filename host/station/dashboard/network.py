"""Several stations: the tree with what each sold today and when it was heard, and what stations owe each other."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from nicegui import ui
from nicegui.client import Client
from sqlalchemy import Connection

from station import network, sales
from station.dashboard import figures
from station.dashboard.dom import Tag, Words
from station.dashboard.frame import Frame
from station.dashboard.office import Office, scope_of
from station.dashboard.tables import Column, Table, marked
from station.platform import clock
from station.platform.settings import Settings

REFRESH_S = 5.0
SILENT_S = 120


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit as it is shown; depth: of its indentation; heard_at: of a station that reports, None for others."""

    unit: network.Unit
    depth: int
    reports: bool
    heard_at: int | None
    volume_ml: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page shows."""

    rows: tuple[UnitRow, ...]
    between: tuple[network.Between, ...]
    names: dict[int, str]
    lag: int
    contact: int | None


def read(conn: Connection, settings: Settings, scope: frozenset[str] | None, now: int) -> Shown:
    """scope: the stations that the viewer sees, None for all."""
    midnight, month = _beginnings(now)
    sold: dict[str, list[int]] = {}
    for hour in sales.hourly(conn, midnight, now + 1):
        sums = sold.setdefault(hour.station, [0, 0])
        sums[0] += hour.volume_ml
        sums[1] += hour.amount_fen
    heard = {member.station: member for member in network.members(conn)}
    tree = network.tree(conn)
    below = network.with_parents(tree, scope)
    depth: dict[str | None, int] = {None: -1}
    rows = []
    for unit in tree:
        depth[unit.unit] = depth[unit.parent] + 1
        if unit.unit in below:
            member, sums = heard.get(unit.unit), sold.get(unit.unit, [0, 0])
            at = member.heard_at if member else None
            rows.append(UnitRow(unit, depth[unit.unit], member is not None, at, sums[0], sums[1]))
    names = {member.station_no: member.station for member in heard.values()}
    mine = {number for number, name in names.items() if scope is None or name in scope}
    between = [one for one in network.statement(conn, month, now + 1) if {one.debtor, one.creditor} & mine]
    return Shown(tuple(rows), tuple(between), names, network.lag(conn, settings.station), network.last_contact(conn))


def _beginnings(now: int) -> tuple[int, int]:
    """Local midnight and the first of the month."""
    today = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(today.timestamp()), int((today - timedelta(days=today.day - 1)).timestamp())


def _units(t: Words) -> list[Column[UnitRow]]:
    def name(row: UnitRow) -> Tag:
        return Tag("span", row.unit.name, f"depth-{min(row.depth, 3)}")

    def heard(row: UnitRow) -> Tag | str:
        if not row.reports:
            return ""
        if row.heard_at is None:
            return marked("warn", "help", t("network.never"))
        at = figures.day_and_clock(row.heard_at)
        if clock.now() - row.heard_at > SILENT_S:
            return marked("bad", "cloud_off", t("network.stale", at=at))
        return marked("good", "cloud_done", t("network.fresh", at=at))

    def of_station(row: UnitRow, text: str) -> str:
        return text if row.unit.kind == network.STATION else ""

    return [
        Column(t("network.unit"), name, "strong"),
        Column(t("network.kind"), lambda r: t(f"network.kind.{r.unit.kind}")),
        Column(t("network.heard"), heard),
        Column(
            f"{t('network.today')} ({t('unit.litre')})", lambda r: of_station(r, figures.litres(r.volume_ml)), "num"
        ),
        Column(f"{t('network.money')} ({t('unit.yuan')})", lambda r: of_station(r, figures.yuan(r.amount_fen)), "num"),
    ]


def _clearing(t: Words, names: dict[int, str]) -> list[Column[network.Between]]:
    yuan = f" ({t('unit.yuan')})"
    return [
        Column(t("network.debtor"), lambda r: names.get(r.debtor, str(r.debtor)), "strong"),
        Column(t("network.creditor"), lambda r: names.get(r.creditor, str(r.creditor)), "strong"),
        Column(t("network.sales") + yuan, lambda r: f"{r.sales:,} × · {figures.yuan(r.sales_fen)}", "num"),
        Column(t("network.loads") + yuan, lambda r: f"{r.loads:,} × · {figures.yuan(r.loads_fen)}", "num"),
        Column(t("network.amount") + yuan, lambda r: figures.yuan(r.amount_fen), "num strong"),
    ]


def register(frame: Frame, office: Office) -> None:
    """Adds the page to the service."""

    @ui.page("/network")
    def page(client: Client) -> None:
        names: dict[int, str] = {}
        scope = scope_of(client)
        with frame.page("/network", client) as t:
            Tag("h1", t("network.title"))
            Tag("div", t("network.lead"), "muted")
            if scope is None:
                with Tag("section", look="panel"):
                    with Tag("header"):
                        Tag("h2", t("network.self"))
                    own = Tag("div", t("network.alone"), "note")
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("network.tree"))
                units = Table(t, _units(t), t("network.tree.empty"))
            with Tag("section", look="panel"):
                with Tag("header"):
                    Tag("h2", t("network.clearing"))
                    nets = Tag("span", "", "muted")
                clearing = Table(t, _clearing(t, names), t("network.clearing.empty"))

        async def look() -> None:
            try:
                found = await office.read(lambda conn: read(conn, office.settings, scope, clock.now()))
            except Exception as error:  # noqa: BLE001 - the page shows any failure and tries again
                for table in (units, clearing):
                    table.show((), type(error).__name__)
                return
            names.update(found.names)
            units.show(found.rows)
            clearing.show(found.between)
            if scope is None:
                nets.text = " · ".join(
                    f"{t('network.net')} {names.get(number, number)} {figures.yuan(fen)}"
                    for number, fen in network.net(found.between).items()
                )
            if scope is None and office.settings.head_office_url:
                at = figures.day_and_clock(found.contact) if found.contact else t("network.never")
                said = f"{t('network.contact')} {at} · {t('network.lag')} {found.lag:,}"
                own.text = f"{office.settings.head_office_url} · {said}"

        ui.timer(REFRESH_S, look)
        ui.timer(0.1, look, once=True)
