"""The pages' parts without a browser: figures, questions in the address line, messages into tiles, alarms, CSV."""

import asyncio
import csv
import io
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pump.core import codes
from station import texts
from station.dashboard import export, figures
from station.dashboard.asked import asked, sale_filter
from station.dashboard.hub import Hub
from station.dashboard.reads import view
from station.dashboard.source import Page, SaleFilter
from station.forecourt import LiveBoard
from station.sales import SaleRow
from tests.dashboard.fakes import FakeSource, sale

AMOUNTS = st.integers(-(10**12), 10**12)


@given(AMOUNTS)
def test_yuan_say_exactly_the_fen(fen: int) -> None:
    shown = figures.yuan(fen)
    assert int(shown.replace(",", "").replace("−", "-").replace(".", "")) == fen
    assert shown[-3] == "."


@given(st.integers(0, 10**9))
def test_litres_round_half_up_to_the_centilitre(volume_ml: int) -> None:
    shown = int(figures.litres(volume_ml).replace(",", "").replace(".", ""))
    assert -5 < shown * 10 - volume_ml <= 5
    assert figures.litres(-volume_ml).lstrip("−") == figures.litres(volume_ml)


def test_figures_as_people_read_them() -> None:
    assert figures.yuan(123456789) == "1,234,567.89"
    assert figures.litres(12345) == "12.35"
    assert figures.litres_per_minute(633) == "38.0"
    assert figures.whole_litres(21_974_900) == "21,975"
    assert figures.card("6200010000000017") == "6200 0100 0000 0017"
    assert {f(None) for f in (figures.yuan, figures.litres, figures.card, figures.clock, figures.day)} == {"—"}


@given(st.dictionaries(st.sampled_from(["pump", "grade", "card", "from", "to", "page", "x"]), st.text(max_size=60)))
def test_whatever_stands_in_the_address_line_becomes_a_sane_question(query: dict[str, str]) -> None:
    question = asked(query, ("pump", "grade", "card", "from", "to"))
    wanted = sale_filter(question)
    assert 0 <= question.offset <= 50 * 10**6
    assert wanted.grade in (None, *texts.GRADES)
    assert wanted.card_no is None or (wanted.card_no.isascii() and wanted.card_no.isdigit())
    assert wanted.since is None or abs(wanted.since) < 2**33
    assert question.link("/sales", 2).startswith("/sales?")


def test_a_day_runs_from_midnight_to_midnight() -> None:
    wanted = sale_filter(asked({"from": "2026-11-22", "to": "2026-11-22"}, ("from", "to")))
    assert wanted.since is not None
    assert wanted.until is not None
    assert wanted.until - wanted.since in (23 * 3600, 24 * 3600, 25 * 3600)  # summer time somewhere


def heard(state: dict[str, Any], live: dict[str, Any], silent_s: float = 0.0) -> Any:
    board = LiveBoard()
    board.heard_state("s1", "p1", state, 100.0)
    board.heard_live("s1", "p1", live, 100.0)
    return board.snapshot(100.0 + silent_s)["p1"]


STATE = {
    "v": 1, "online": True, "state": "idle", "alarms": [1], "nozzles": [[0, 1, 756], [1, 2, 806]],
    "journal": {"head": 812, "acked": 800, "free": 7900},
}  # fmt: skip
LIVE = {"s": "fuelling", "n": 0, "g": 1, "p": 756, "ml": 12345, "fen": 9333, "limit": 20000, "card": "6200010000000017",
        "a": [], "f": 633}  # fmt: skip


def test_a_pump_is_shown_from_its_own_messages() -> None:
    """D5, D9: docs/mqtt.md into a tile."""
    shown = view("p1", heard(STATE, LIVE), None)
    assert (shown.online, shown.state, shown.volume_ml, shown.amount_fen) == (True, "fuelling", 12345, 9333)
    assert (shown.nozzle, shown.grade, shown.price_fen_per_l, shown.limit_fen) == (0, 1, 756, 20000)
    assert (shown.card_no, shown.unsent, shown.alarms) == ("6200010000000017", 12, ())
    assert shown.nozzles == ((0, 1, 756), (1, 2, 806))


def test_a_pump_silent_for_longer_than_fifteen_seconds_is_offline() -> None:
    """D9."""
    assert view("p1", heard(STATE, LIVE, 14.9), None).online
    silent = view("p1", heard(STATE, LIVE, 15.1), None)
    assert not silent.online
    assert silent.seen_s_ago == 15


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.sampled_from([*STATE, *LIVE])


@given(st.dictionaries(KEYS, JSON), st.dictionaries(KEYS, JSON))
def test_spoiled_messages_make_unknown_figures_and_no_error(state: dict[str, Any], live: dict[str, Any]) -> None:
    shown = view("p1", heard(state, live), None)
    for figure in (shown.volume_ml, shown.amount_fen, shown.nozzle, shown.grade, shown.unsent, shown.flow_ml_s):
        assert figure is None or (type(figure) is int and figure >= 0)
    assert isinstance(shown.state, str)
    assert all(type(a) is int for a in shown.alarms)


def test_alarms_gather_pumps_books_and_quarantine() -> None:
    source = FakeSource()
    hub = Hub(source)
    asyncio.run(hub.refresh())
    lines = hub.alarms(source.forecourt())
    assert [line.pump for line in lines] == ["p3", "p3", "p3", "p4", ""]
    source.mode = "unbalanced"
    asyncio.run(hub.refresh())
    assert any("差额 0.01 元" in line.words[0] for line in hub.alarms(()))
    source.mode = "failing"
    asyncio.run(hub.refresh())
    assert hub.failure == "ConnectionError"
    assert hub.overview is not None  # what was known stays
    assert texts.PAGES["alarm.reading"] in [line.words for line in hub.alarms(())]


class Growing(FakeSource):
    """Sales come in while the export is under way."""

    def sales(self, wanted: SaleFilter, offset: int, limit: int) -> Page[SaleRow]:
        page = super().sales(wanted, offset, limit)
        self.stored.insert(0, sale(10_000 + offset))
        return page


def test_an_export_gives_every_sale_once_though_others_come_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 50)
    source = Growing()
    before = {f"{s.device}-{s.seq}" for s in source.stored}
    text = "".join(export.lines(source, SaleFilter(), texts.EN, now_s=1_900_000_000))
    numbers = [line[-1] for line in csv.reader(io.StringIO(text.removeprefix("\ufeff")))][1:]
    assert len(numbers) == len(set(numbers))
    assert before <= set(numbers)


def test_an_export_is_exact_and_nothing_in_it_is_a_formula() -> None:
    source = FakeSource(stored=[replace(sale(1), plate="=cmd|' /C calc'!A0", reason=codes.STOP_PRESET)])
    text = "".join(export.lines(source, SaleFilter(), texts.ZH, now_s=1_900_000_000))
    assert text.startswith("\ufeff时间,")
    line = list(csv.reader(io.StringIO(text)))[1]
    assert line[1:7] == ["p1", "1", "92#", "25.101", "7.56", "189.76"]
    assert line[8] == "'=cmd|' /C calc'!A0"
    assert line[9] == "到定额"


def test_times_say_their_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, expected in (("Asia/Shanghai", "UTC+08:00"), ("Asia/Kolkata", "UTC+05:30"), ("UTC", "UTC+00:00")):
        monkeypatch.setenv("TZ", name)
        time.tzset()
        assert figures.zone() == expected
    monkeypatch.undo()
    time.tzset()
