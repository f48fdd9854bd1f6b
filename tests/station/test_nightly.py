"""X5, Y5, N2: the check of the books finds and names what was edited; it runs by itself; vouchers balance by day."""

import time
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlalchemy import Engine, text

from station import ledger
from station.ledger import Transfer
from station.mqtt.night_watch import NightWatch
from station.platform import audit, database
from station.platform.migrations import trigger_names
from tests.station.world import T0

DAY = 86_400
NOW = T0 + 100 * DAY


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def _load(engine: Engine, number: int, at: int, fen: int = 500) -> None:
    with database.write(engine) as conn:
        lines = [
            Transfer(ledger.cash("a"), ledger.pending("1"), fen), Transfer(ledger.pending("1"), ledger.purse("1"), fen),
        ]  # fmt: skip
        ledger.post(conn, f"load:{number}", at, lines, "王芳")
        audit.record(conn, at, "wang", "card.load", "1", {}, {"fen": fen})


def _check(engine: Engine, now: int = NOW) -> ledger.Check:
    with database.snapshot(engine) as conn:
        seen = ledger.look(conn)
    with database.write(engine) as conn:
        return ledger.keep(conn, seen, ledger.SYSTEM, now)


def _meddle(engine: Engine, table: str, statement: str) -> None:
    """As somebody would who has the database's password: the triggers are in his way only until he drops them."""
    with database.write(engine) as conn:
        for name in trigger_names(table):
            conn.execute(text(f"DROP TRIGGER {name}" + (f" ON {table}" if conn.dialect.name == "postgresql" else "")))
        conn.execute(text(statement))


def test_y5_a_night_without_trouble_is_kept_with_the_heads_it_saw(engine: Engine) -> None:
    _load(engine, 1, T0)
    first, second = _check(engine), _check(engine, NOW + DAY)
    assert first.ok and second.ok and second.id == first.id + 1
    with database.read(engine) as conn:
        assert ledger.newest_check(conn) == second and ledger.check_count(conn) == 2
        assert (second.seen.audit_rows, second.seen.audit_head) == audit.head(conn)


def test_x5_an_edited_audit_row_and_a_changed_balance_are_named(engine: Engine) -> None:
    for number in range(3):
        _load(engine, number, T0 + number)
    _meddle(engine, "audit", "UPDATE audit SET who = 'nobody' WHERE seq = 2")
    with database.write(engine) as conn:
        conn.execute(text("UPDATE balances SET balance = balance + 1 WHERE account = 'purse:1'"))
    found = _check(engine).seen.found
    assert any(one.check == "audit" and "第 2 行" in one.text and "row 2" in one.text for one in found)
    assert any(one.check == "balances" and "purse:1" in one.text for one in found)


def test_x5_a_closed_transfer_that_was_edited_with_its_balances_is_found_by_its_day(
    engine: Engine, shanghai: None
) -> None:
    """Amount and balances were changed together, so that all sums hold: the seal of the day does not."""
    midnight = int(datetime(2026, 9, 1).astimezone().timestamp())
    for days in range(4):
        _load(engine, days, midnight + days * DAY + 3600)
    with database.write(engine) as conn:
        ledger.close(conn, midnight + 4 * DAY, "li", NOW)
    assert _check(engine).ok
    _meddle(engine, "transfers", "UPDATE transfers SET amount = 400 WHERE key = 'load:2'")
    with database.write(engine) as conn:
        ledger.rebuild(conn)
    (found,) = _check(engine).seen.found
    assert found.check == "seals" and found.text.startswith("2026-09-03"), found


def test_x5_seals_made_anew_do_not_fit_the_audit(engine: Engine) -> None:
    _load(engine, 1, T0)
    with database.write(engine) as conn:
        ledger.close(conn, T0 + DAY, "li", NOW)
    _meddle(engine, "ledger_seals", "UPDATE ledger_seals SET digest = 'x'")
    assert {one.check for one in _check(engine).seen.found} == {"seals"}


def test_x5_a_chain_that_was_cut_off_is_found_by_every_later_check(engine: Engine) -> None:
    for number in range(3):
        _load(engine, number, T0 + number)
    _check(engine)
    _meddle(engine, "audit", "DELETE FROM audit WHERE seq = 3")
    with database.read(engine) as conn:
        assert list(audit.verify(conn)) == [], "a chain without its end looks whole"
    for _ in range(2):
        (found,) = _check(engine).seen.found
        assert found.check == "audit" and "3" in found.text


def test_x5_transfers_that_vanished_with_their_balances_are_missed(engine: Engine) -> None:
    _load(engine, 1, T0)
    _load(engine, 2, T0)
    _check(engine)
    _meddle(engine, "transfers", "DELETE FROM transfers WHERE key = 'load:2'")
    with database.write(engine) as conn:
        ledger.rebuild(conn)
    (found,) = _check(engine).seen.found
    assert found.check == "transfers" and "2" in found.text


@pytest.mark.parametrize(
    ("last", "now", "due"),
    [
        ("2026-09-01 03:00", "2026-09-01 23:00", False), ("2026-09-01 03:00", "2026-09-02 02:59", False),
        ("2026-09-01 03:00", "2026-09-02 03:00", True), ("2026-08-31 22:00", "2026-09-01 03:01", True),
        ("2026-09-01 02:59", "2026-09-01 03:00", True), ("1970-01-02 00:00", "2026-09-01 00:00", True),
    ],
)  # fmt: skip
def test_y5_the_check_is_due_once_a_night_at_three(shanghai: None, last: str, now: str, due: bool) -> None:
    at = [int(datetime.fromisoformat(when).astimezone().timestamp()) for when in (last, now)]
    assert ledger.is_due(*at) is due


def test_y5_the_station_checks_by_itself_and_once_a_night(engine: Engine) -> None:
    _load(engine, 1, T0)
    watch = NightWatch(engine, now=lambda: NOW)
    made = watch.look()
    assert made is not None and made.ok and made.by == ledger.SYSTEM
    assert watch.look() is None, "the next one is due in the night"


def test_n2_a_days_voucher_by_hand(engine: Engine, shanghai: None) -> None:
    """1 September: 500 fen cash loaded, 300 fen fuelled of 400 reserved; 2 September: 7 fen more at one second past."""
    midnight = int(datetime(2026, 9, 1).astimezone().timestamp())
    _load(engine, 1, midnight)
    with database.write(engine) as conn:
        ledger.post(conn, "reserve:1", midnight + 60, [Transfer(ledger.purse("1"), ledger.inflight("1"), 400)])
        ledger.post(conn, "fuel:1", midnight + 90, [Transfer(ledger.inflight("1"), ledger.sales(1), 300)])
        ledger.post(conn, "settle:1", midnight + 95, [Transfer(ledger.inflight("1"), ledger.purse("1"), 100)])
        ledger.post(conn, "litres:1", midnight + 95, [Transfer(ledger.tank(1), ledger.sold(1), 400, ledger.ML)])
    _load(engine, 2, midnight + DAY, 7)
    with database.read(engine) as conn:
        lines = ledger.vouchers(conn, midnight, midnight + 2 * DAY)
    first = [(line.kind, line.debit, line.credit) for line in lines if (line.day.day, line.asset) == (1, ledger.FEN)]
    assert first == [
        ("cash", 500, 0), ("inflight", 400, 0), ("pending", 500, 0), ("purse", 400, 0),
        ("inflight", 0, 400), ("pending", 0, 500), ("purse", 0, 600), ("sales", 0, 300),
    ]  # fmt: skip
    second = [(line.kind, line.debit, line.credit) for line in lines if line.day.day == 2]
    assert second == [("cash", 7, 0), ("pending", 7, 0), ("pending", 0, 7), ("purse", 0, 7)]
    head, cash, *_ = ledger.voucher_csv(lines, str.upper).splitlines()
    assert head.removeprefix("\ufeff").startswith("day,asset,class,kind,name,debit,credit")
    assert cash == "2026-09-01,fen,asset,cash,CASH,500,0,5.00,0.00"
    assert [(line.kind, line.debit, line.credit) for line in lines if line.asset == ledger.ML] == [
        ("tank", 400, 0), ("sold", 0, 400),
    ]  # fmt: skip


def test_y5_a_statement_carries_the_balance_after_each_line_over_its_pages(engine: Engine) -> None:
    for number in range(5):
        _load(engine, number, T0 + number, 100 * (number + 1))
    with database.read(engine) as conn:
        pages = [ledger.statement(conn, "cash:a", ledger.FEN, 2, offset) for offset in (0, 2, 4)]
        assert ledger.move_count(conn, "cash:a", ledger.FEN) == 5
    assert [move.balance for page in pages for move in page] == [-1500, -1000, -600, -300, -100]
