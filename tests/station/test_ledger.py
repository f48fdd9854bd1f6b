"""The books: balanced by construction, idempotent, append-only, rebuildable (C3, Y5 in part)."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from station import ledger
from station.ledger import FEN, ML, Entry, KeyReusedError, Transfer
from station.platform import database
from tests.station.test_order import undone

accounts = st.sampled_from([ledger.purse("1"), ledger.purse("10"), ledger.inflight("1"), ledger.sales(1), "cash:desk"])
entries = st.lists(
    st.tuples(st.integers(0, 30), accounts, accounts, st.integers(1, 10**12), st.sampled_from([FEN, ML])).filter(
        lambda entry: entry[1] != entry[2]
    ),
    max_size=60,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(drawn=entries, cut=st.integers(0, 60))
def test_any_postings_balance_and_rebuild(
    engine: Engine, drawn: list[tuple[int, str, str, int, str]], cut: int
) -> None:
    """Whatever is posted, however often and cut: sums to nought, equals its transfers, comes back anew."""
    wanted: dict[str, Transfer] = {}
    for number, debit, credit, amount, asset in drawn:
        wanted.setdefault(f"k{number}", Transfer(debit, credit, amount, asset))
    posts = [Entry(key, 1, transfer) for key, transfer in wanted.items()]
    with undone(engine) as conn:
        assert ledger.post_many(conn, posts[:cut]) + ledger.post_many(conn, posts) == len(posts)
        assert ledger.post_many(conn, posts) == 0
        assert ledger.verify(conn) == []
        for asset in (FEN, ML):
            before = ledger.balances(conn, "", asset)
            ledger.rebuild(conn)
            after = ledger.balances(conn, "", asset)
            assert {name: fen for name, fen in before.items() if fen} == {
                name: fen for name, fen in after.items() if fen
            }
        expected = sum(
            (transfer.credit == "cash:desk") * transfer.amount - (transfer.debit == "cash:desk") * transfer.amount
            for transfer in wanted.values()
            if transfer.asset == FEN
        )
        assert ledger.balance(conn, "cash:desk") == expected


def test_a_key_posts_once_and_never_something_else(engine: Engine) -> None:
    lines = [Transfer("cash:desk", "pending:1", 500), Transfer("pending:1", "purse:1", 500)]
    with database.write(engine) as conn:
        assert ledger.post(conn, "load:1", 1, lines)
        assert not ledger.post(conn, "load:1", 2, lines)
        with pytest.raises(KeyReusedError):
            ledger.post(conn, "load:1", 1, [Transfer("cash:desk", "pending:1", 501)])
        assert ledger.balance(conn, "purse:1") == 500
        assert ledger.total(conn, "purse:") == 500


@pytest.mark.parametrize("amount", [0, -1, 12.5, True])
def test_an_amount_that_is_no_whole_number_above_nought_is_refused(engine: Engine, amount: int) -> None:
    with database.write(engine) as conn, pytest.raises(ValueError, match="whole number"):
        ledger.post(conn, "x", 1, [Transfer("a", "b", amount)])


def test_the_database_itself_refuses_what_the_code_refuses(engine: Engine) -> None:
    """Constraints hold for whoever writes, not only for this code."""
    insert = "INSERT INTO transfers (key, line, at, debit, credit, asset, amount, memo) VALUES "
    for values in ("('k', 0, 1, 'a', 'b', 'fen', 0, '')", "('k', 0, 1, 'a', 'a', 'fen', 5, '')"):
        with engine.connect() as conn, pytest.raises(IntegrityError):
            conn.execute(text(insert + values))
    if engine.dialect.name == "sqlite":  # PostgreSQL rounds on assignment; our code refuses floats before it
        with engine.connect() as conn, pytest.raises(IntegrityError):
            conn.execute(text(insert + "('k', 0, 1, 'a', 'b', 'fen', 12.5, '')"))


@pytest.mark.parametrize("table", ["transfers", "records", "tariffs", "sale_decisions"])
@pytest.mark.parametrize("change", ["UPDATE {} SET {} = {}", "DELETE FROM {}"])
def test_what_is_written_cannot_be_changed_or_deleted(engine: Engine, table: str, change: str) -> None:
    """X5: triggers refuse it, on both databases, even INSERT OR REPLACE."""
    column = {"transfers": "at", "records": "at", "tariffs": "made", "sale_decisions": "at"}[table]
    with database.write(engine) as conn:
        ledger.post(conn, "k", 1, [Transfer("a", "b", 5)])
        conn.execute(text("INSERT INTO records VALUES (1, 1, 1, 1, 1, 1, :raw)"), {"raw": b"r"})
        decision = (
            "INSERT INTO sale_decisions (sale, at, what, content, by_whom, why) VALUES (1, 1, 'x', '{}', 'a', 'b')"
        )
        conn.execute(text(decision))
    with engine.connect() as conn, pytest.raises(DBAPIError, match="append-only"):
        conn.execute(text(change.format(table, column, column)))
    if engine.dialect.name == "sqlite" and table == "transfers":
        with engine.connect() as conn, pytest.raises(DBAPIError, match="append-only"):
            conn.execute(text("INSERT OR REPLACE INTO transfers VALUES ('k', 0, 1, 'a', 'b', 'fen', 6, '', NULL)"))


def test_one_fen_taken_from_a_balance_is_found(engine: Engine) -> None:
    """D31, X5: the roll-up no longer adds up to nought, nor to its transfers."""
    with database.write(engine) as conn:
        ledger.post(conn, "k", 1, [Transfer("a", "b", 5)])
        conn.execute(text("UPDATE balances SET balance = balance - 1 WHERE account = 'b'"))
        assert {finding.check for finding in ledger.verify(conn)} == {"balances", "zero_sum"}
        ledger.rebuild(conn)
        assert ledger.verify(conn) == []
