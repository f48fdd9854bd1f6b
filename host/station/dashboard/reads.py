"""The real source of the pages: the fields' read functions and the live board. Nothing is decided here."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine

import station.cards
from station import accounts, forecourt, ledger, risk, sales, wetstock
from station.dashboard.source import (
    Accounts,
    CardRow,
    Issued,
    Metering,
    Overview,
    Page,
    Plan,
    PumpIssued,
    PumpView,
    SaleFilter,
    SaleTimeline,
    Shifts,
)
from station.platform import database
from station.sales import QuarantineRow, SaleRow
from station.wetstock import TankRow

LAST_SALES = 12


class StationSource:
    """Reads from `engine` and `live`; every call opens its own connection, so calls may run in threads."""

    def __init__(self, live: forecourt.LiveBoard, engine: Engine) -> None:
        self.live, self.engine = live, engine
        self._pumps: list[forecourt.Pump] = []

    def forecourt(self) -> tuple[PumpView, ...]:
        heard = self.live.snapshot()
        names = [p.pump for p in self._pumps] or sorted(heard)
        known = {p.pump: p for p in self._pumps}
        return tuple(view(name, heard.get(name), known.get(name)) for name in names)

    def overview(self) -> Overview:
        now = int(time.time())
        with database.read(self.engine) as conn:
            self._pumps = forecourt.pumps(conn)
            return Overview(
                tuple(sales.recent(conn, LAST_SALES)),
                tuple(wetstock.tanks(conn)),
                sales.money_invariant(conn, now),
                sales.quarantine_count(conn, undecided_only=True),
                tuple(station.cards.alarms(conn, now)),
                ledger.newest_check(conn),
                risk.case_count(conn, "open"),
            )

    def sales(self, wanted: SaleFilter, offset: int, limit: int) -> Page[SaleRow]:
        chosen: dict[str, Any] = {
            "pump": wanted.pump,
            "grade": wanted.grade,
            "card_no": wanted.card_no,
            "since": wanted.since,
            "until": wanted.until,
        }
        with database.read(self.engine) as conn:
            return Page(sales.recent(conn, limit, offset=offset, **chosen), sales.recent_count(conn, **chosen))

    def tanks(self) -> Sequence[TankRow]:
        with database.read(self.engine) as conn:
            return wetstock.tanks(conn)

    def shifts(self) -> Shifts:
        with database.read(self.engine) as conn:
            shifts, days = sales.periods(conn), sales.periods(conn, sales.DAY)
            duty = sales.on_duty(conn)
            numbers = {period.card_no for period in shifts} | set(duty.values())
            cards = (station.cards.card(conn, number) for number in numbers)
            return Shifts(tuple(shifts), tuple(days), duty, {c.card_no: c.holder for c in cards if c is not None})

    def accounts(self) -> Accounts:
        with database.read(self.engine) as conn:
            names = {pump.device: pump.pump for pump in forecourt.pumps(conn)}
            waiting = tuple(station.cards.loads_waiting(conn))
            return Accounts(tuple(accounts.listing(conn)), tuple(accounts.leases(conn)), waiting, names)

    def top_up(self, card_no: str, amount_fen: int) -> str:
        try:
            with database.write(self.engine) as conn:
                station.cards.top_up(conn, card_no, amount_fen, "bench", int(time.time()))
        except station.cards.LoadError as error:
            return str(error)
        return ""

    def issued(self) -> Issued:
        now = int(time.time())
        with database.read(self.engine) as conn:
            states = {pump.device: pump.state for pump in forecourt.pumps(conn)}
            pumps = tuple(
                PumpIssued(states[one.device].get("tariff", 0), (states[one.device].get("lists") or [0])[0], one)
                for one in forecourt.update_states(conn)
            )
            black, white = forecourt.blacklist(conn), forecourt.whitelist(conn)
            lists = (black.version, len(black.cards), len(white))
            return Issued(_plans(conn, now), pumps, lists, tuple(forecourt.releases(conn)))

    def order_update(self, version: int) -> None:
        with database.write(self.engine) as conn:
            for pump in forecourt.pumps(conn):
                forecourt.order_update(conn, pump.device, version, "dashboard", int(time.time()))

    def metering(self) -> Metering:
        with database.read(self.engine) as conn:
            provers = sales.provers(conn, int(time.time()))
            return Metering(sales.meters(conn), sales.measures(conn), sales.event_log(conn), provers)

    def timeline(self, pump: str, sale_seq: int) -> SaleTimeline:
        with database.read(self.engine) as conn:
            device = _device(conn, pump)
            line = forecourt.timeline(conn, device, sale_seq)
            return SaleTimeline(pump, sale_seq, line, sales.end_pulses(conn, device, sale_seq))

    def ask_timeline(self, pump: str, sale_seq: int) -> None:
        with database.write(self.engine) as conn:
            forecourt.ask_timeline(conn, _device(conn, pump), sale_seq, "dashboard", int(time.time()))

    def cards(self, search: str, offset: int, limit: int) -> Page[CardRow]:
        with database.read(self.engine) as conn:
            issued = station.cards.listing(conn, search, limit, offset)
            shadows = {s.card_no: s for s in sales.shadows(conn, [card.card_no for card in issued])}
            return Page([_card(c, shadows.get(c.card_no)) for c in issued], station.cards.count(conn, search))

    def quarantine(self, offset: int, limit: int) -> Page[QuarantineRow]:
        with database.read(self.engine) as conn:
            rows = sales.quarantine(conn, limit, offset=offset)
            return Page(rows, sales.quarantine_count(conn))


def _device(conn: Connection, pump: str) -> int:
    found = next((one.device for one in forecourt.pumps(conn) if one.pump == pump), None)
    if found is None:
        raise ValueError(f"没有油机 {pump} · no pump {pump}")
    return found


def view(name: str, heard: forecourt.PumpLive | None, known: forecourt.Pump | None) -> PumpView:
    """A pump from its last messages (docs/mqtt.md); what they leave out or spoil is unknown, never an error."""
    state = heard.state if heard else (known.state if known else {})
    live = heard.live if heard else {}
    registered = tuple((n.nozzle, n.grade, None) for n in known.nozzles) if known else ()
    silent = heard.silent_s if heard else None
    online = heard is not None and heard.online
    nozzle = _whole(live.get("n"), low=0)
    return PumpView(
        pump=name,
        online=online,
        state=_word(live.get("s")) or _word(state.get("state")) or "unknown",
        nozzle=nozzle,
        grade=(_whole(live.get("g"), low=1) if nozzle is not None else None),
        price_fen_per_l=_whole(live.get("p"), low=1),
        volume_ml=_whole(live.get("ml")),
        amount_fen=_whole(live.get("fen")),
        limit_fen=_whole(live.get("limit"), low=1),
        flow_ml_s=_whole(live.get("f")),
        card_no=_word(live.get("card")) or None,
        nozzles=_nozzles(state.get("nozzles")) or registered,
        alarms=_codes(live.get("a", state.get("alarms"))),
        unsent=_unsent(state.get("journal")),
        seen_s_ago=None if online or silent is None else int(silent),
    )


def _card(card: station.cards.Card, shadow: sales.Shadow | None) -> CardRow:
    row = CardRow(card.card_no, card.holder, card.plate, card.state, card.expiry or None)
    if shadow is None:
        return row
    return replace(
        row,
        books_fen=shadow.books_fen,
        seen_fen=shadow.seen_fen,
        in_flight_fen=shadow.in_flight_fen,
        pending_fen=shadow.pending_fen,
        shadow=shadow.state,
        missing=shadow.missing,
        seen_s=shadow.seen_at,
    )


def _whole(value: object, low: int = 0) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= low else None


def _word(value: object) -> str:
    return value[:32] if isinstance(value, str) else ""


def _codes(value: object) -> tuple[int, ...]:
    return tuple(v for v in value if type(v) is int)[:32] if isinstance(value, list) else ()


def _nozzles(value: object) -> tuple[tuple[int, int, int | None], ...]:
    if not isinstance(value, list):
        return ()
    whole = [n for n in value if isinstance(n, list) and len(n) == 3 and all(type(v) is int for v in n)]
    return tuple((n[0], n[1], n[2] or None) for n in whole[:4])


def _unsent(journal: object) -> int | None:
    if not isinstance(journal, dict):
        return None
    head, acked = _whole(journal.get("head")), _whole(journal.get("acked"))
    return max(0, head - acked) if head is not None and acked is not None else None


def _plans(conn: Connection, now: int) -> tuple[Plan, ...]:
    """The last tariffs, newest first."""
    current = forecourt.current_tariff(conn, now)
    coming = {tariff.version for tariff in forecourt.coming_tariffs(conn, now)}

    def state(tariff: forecourt.Tariff) -> str:
        if current and tariff.version == current.version:
            return "in_force"
        if tariff.version in coming:
            return "planned"
        return "void" if tariff.effective > now else "past"

    return tuple(Plan(tariff, state(tariff)) for tariff in forecourt.tariffs(conn))
