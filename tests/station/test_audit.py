"""X5: every change has its row, and a row that was edited, taken out or slipped in is found and named."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from station.platform import audit, database
from station.platform.migrations import trigger_names
from tests.station.world import T0

TEXT = st.text(
    st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=12
)  # PostgreSQL takes no NUL
VALUES = st.dictionaries(TEXT, st.integers() | TEXT | st.none() | st.booleans(), max_size=3)


def _fill(engine: Engine, rows: int) -> None:
    with database.write(engine) as conn:
        for number in range(1, rows + 1):
            audit.record(
                conn,
                T0 + number,
                "王芳",
                "card.block",
                f"62{number:014d}",
                {"state": "active"},
                {"state": "blocked"},
                "挂失",
            )


def _meddle(engine: Engine, statement: str) -> None:
    """As somebody would who has the database's password: the triggers are in his way only until he drops them."""
    with database.write(engine) as conn:
        for name in trigger_names("audit"):
            conn.execute(text(f"DROP TRIGGER {name}" + (" ON audit" if conn.dialect.name == "postgresql" else "")))
        conn.execute(text(statement))


def _breaks(engine: Engine) -> list[audit.Break]:
    with database.read(engine) as conn:
        return list(audit.verify(conn))


def test_x5_what_was_changed_by_whom_and_why_is_read_back(engine: Engine) -> None:
    _fill(engine, 3)
    with database.read(engine) as conn:
        newest, *_ = audit.recent(conn, 10)
        of_one = audit.recent(conn, 10, subject="6200000000000002")
    assert (newest.seq, newest.who, newest.old, newest.new, newest.why) == (
        3, "王芳", {"state": "active"}, {"state": "blocked"}, "挂失",
    )  # fmt: skip
    assert [entry.seq for entry in of_one] == [2]
    assert not _breaks(engine)


def test_x5_the_database_itself_refuses_to_change_a_row(engine: Engine) -> None:
    _fill(engine, 2)
    for statement in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(Exception, match="append-only"), database.write(engine) as conn:
            conn.execute(text(statement))


@pytest.mark.parametrize("column", ["at", "who", "action", "subject", "old", "new", "why"])
def test_x5_an_edited_row_is_found_and_named(engine: Engine, column: str) -> None:
    _fill(engine, 5)
    value = "7" if column == "at" else "'{}'"
    _meddle(engine, f"UPDATE audit SET {column} = {value} WHERE seq = 3")  # noqa: S608 - names of ours
    (broken,) = _breaks(engine)
    assert broken.seq == 3 and "3" in broken.text


def test_x5_a_row_taken_out_is_missed(engine: Engine) -> None:
    _fill(engine, 5)
    _meddle(engine, "DELETE FROM audit WHERE seq = 4")
    (broken,) = _breaks(engine)
    assert broken.seq == 4 and "缺失" in broken.text


def test_x5_a_change_without_a_name_is_refused(engine: Engine) -> None:
    with pytest.raises(ValueError, match="操作人"), database.write(engine) as conn:
        audit.record(conn, T0, " ", "card.block", "6200000000000001")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20, deadline=None)
@given(changes=st.lists(st.tuples(VALUES, VALUES), min_size=1, max_size=4))
def test_x5_any_values_survive_and_the_chain_holds(engine: Engine, changes: list[tuple[dict, dict]]) -> None:  # type: ignore[type-arg]
    with database.write(engine) as conn:
        for old, new in changes:
            audit.record(conn, T0, "test", "any", "thing", old, new)
    with database.read(engine) as conn:
        read = [(e.old, e.new) for e in audit.recent(conn, len(changes))][::-1]
        assert read == changes
    assert not _breaks(engine)
