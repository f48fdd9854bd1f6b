"""Y5: the books close, late records count in the open period, corrections are reversals, all of it sums to nought."""

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from station import ledger
from station.ledger import FEN, ML, Entry, Transfer
from station.platform import audit, database
from tests.station.test_order import undone
from tests.station.world import T0

DAY = 86_400
NOW = T0 + 100 * DAY


def _sale(engine: Engine, key: str, at: int, fen: int = 500) -> None:
    with database.write(engine) as conn:
        ledger.post_many(conn, [Entry(key, at, Transfer("inflight:1", ledger.sales(1), fen))])


def _sold(engine: Engine, until: int | None = None, since: int = 0) -> int:
    with database.read(engine) as conn:
        lines = ledger.trial_balance(conn, until, since)
    return sum(line.balance for line in lines if (line.asset, line.kind) == (FEN, "sales"))


def _close(engine: Engine, until: int) -> None:
    with database.write(engine) as conn:
        ledger.close(conn, until, "boss", NOW)


def test_y5_a_record_that_comes_after_the_close_counts_in_the_open_period(engine: Engine) -> None:
    _sale(engine, "fuel:1", T0 + DAY)
    _close(engine, T0 + 30 * DAY)
    _sale(engine, "fuel:2", T0 + 2 * DAY, 300)  # a pump that was off the line
    assert _sold(engine, T0 + 30 * DAY) == 500, "what was closed stays as it was"
    assert _sold(engine, since=T0 + 30 * DAY) == 300 and _sold(engine) == 800
    with database.read(engine) as conn:
        (late, first) = ledger.statement(conn, ledger.sales(1), FEN, 10)
    assert (late.at, late.booked, late.change) == (T0 + 2 * DAY, T0 + 30 * DAY, 300) and first.booked == first.at


@pytest.mark.parametrize(("until", "told"), [(NOW + 1, "尚未结束"), (T0 + 30 * DAY, "已结账"), (T0, "已结账")])
def test_y5_periods_close_once_in_order_and_when_they_are_over(engine: Engine, until: int, told: str) -> None:
    _close(engine, T0 + 30 * DAY)
    with pytest.raises(ledger.PeriodError, match=told):
        _close(engine, until)
    with database.read(engine) as conn:
        assert [period.closed_by for period in ledger.periods(conn)] == ["boss"]
        assert audit.recent(conn, 1)[0].action == "books.close"


def test_y5_a_mistake_is_reversed_once_and_stays_readable(engine: Engine) -> None:
    with database.write(engine) as conn:
        ledger.post(conn, "load:1", T0, [Transfer("cash:a", "pending:1", 500), Transfer("pending:1", "purse:1", 500)])
        assert ledger.reverse(conn, "load:1", T0 + 1, "wrong card")
        assert not ledger.reverse(conn, "load:1", T0 + 2, "wrong card")
        with pytest.raises(KeyError):
            ledger.reverse(conn, "load:2", T0, "")
        assert ledger.balance(conn, "purse:1") == ledger.balance(conn, "cash:a") == 0
        assert [move.change for move in ledger.statement(conn, "purse:1", FEN, 10)] == [-500, 500]
        assert ledger.verify(conn) == []


def test_y5_every_account_the_product_names_is_in_the_chart() -> None:
    from station.ledger import accounts

    named = [value for name, value in vars(accounts).items() if callable(value) and not name.startswith("_")]
    named = [name for name in named if name is not accounts.place_typed]  # a place as people type it, not an account
    assert len(named) >= 12
    for name in named:
        assert ledger.class_of(name("1")), name


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["post", "post", "post", "reverse", "close"]),
            st.integers(0, 12),
            st.sampled_from(["cash:a", "pending:1", "purse:1", "inflight:1", "sales:1"]),
            st.sampled_from(["gateway:w", "purse:2", "sales:2", "receivable:7"]),
            st.integers(1, 10**9),
            st.integers(0, 90),
        ),
        max_size=25,
    )
)
def test_y5_any_order_of_postings_reversals_and_closes_balances(
    engine: Engine, acts: list[tuple[str, int, str, str, int, int]]
) -> None:
    with undone(engine) as conn:
        done: dict[str, Transfer] = {}
        shut: dict[int, int] = {}
        for what, number, debit, credit, amount, day in acts:
            key, at = f"k{number}", T0 + day * DAY
            if what == "post" and key not in done:
                done[key] = Transfer(debit, credit, amount)
                ledger.post(conn, key, at, [done[key]])
            elif what == "reverse" and key in done:
                ledger.reverse(conn, key, at, "")
            elif what == "close":
                try:
                    ledger.close(conn, at, "boss", NOW)
                except ledger.PeriodError:
                    continue
                shut[at] = sum(line.credit for line in ledger.trial_balance(conn, at))
        assert ledger.verify(conn) == []
        for until in [None, *shut]:
            lines = ledger.trial_balance(conn, until)
            assert sum(line.balance for line in lines) == 0
            if until is not None:
                assert sum(line.credit for line in lines) == shut[until], "a closed period never changes"


def test_y5_stock_and_money_have_lines_of_their_own(engine: Engine) -> None:
    _sale(engine, "fuel:1", T0)
    with database.write(engine) as conn:
        ledger.post(conn, "litres:1", T0, [Transfer(ledger.tank(1), ledger.sold(1), 40_000, ML)])
    with database.read(engine) as conn:
        lines = ledger.trial_balance(conn)
        opening = conn.execute(text("SELECT count(*) FROM transfers WHERE key LIKE 'opening:%'")).scalar_one()
    assert {line.account_class for line in lines if line.asset == ML} == {"stock"} and opening
    for asset in (FEN, ML):
        assert sum(line.balance for line in lines if line.asset == asset) == 0


def test_n2_the_vouchers_of_a_month_balance_and_the_commands_say_what_they_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from station.cli.main import app
    from station.platform.settings import load
    from station.setup import prepare

    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(tmp_path / "var"))
    engine = prepare(load())
    _sale(engine, "fuel:1", T0)
    engine.dispose()

    def told(*words: str) -> str:
        done = CliRunner().invoke(app, list(words))
        assert done.exit_code == 0, done.output
        return done.output

    rows = list(
        csv.DictReader(io.StringIO(told("books", "vouchers", "--since", "2020-01-01", "--until", "2040-01-01")))
    )
    for asset in (FEN, ML):
        lines = [row for row in rows if row["asset"] == asset]
        assert lines and sum(int(row["debit"]) - int(row["credit"]) for row in lines) == 0
    assert "平 balanced" in told("books", "balance")
    assert "5.00" in told("books", "statement", "sales:1")
    assert "audit chain" in told("books", "close", "--until", "2026-01-01", "--by", "boss")
    assert "everything checks" in told("books", "check", "--by", "boss")
    assert "v1" in told("parameter", "set", "cap.load", "150000", "--by", "boss", "--why", "节前")
    assert "150000 fen" in told("parameter", "list") and "节前" in told("parameter", "history", "cap.load")
    assert "没有待审核" in told("risk", "list")
    assert told("risk", "set", '{"name": "burst_count", "over": 9}', "--by", "boss", "--why", "test") == "v1\n"
    rule = next(json.loads(line) for line in told("risk", "rules").splitlines() if "burst_count" in line)
    assert (rule["over"], rule["action"]) == (9, "hold"), "what was not named keeps its value"
    bad = CliRunner().invoke(app, ["books", "close", "--until", "tomorrow", "--by", "boss"])
    assert bad.exit_code == 1 and "2026-12-01" in bad.output
