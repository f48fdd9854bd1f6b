"""O1: what a manager decides is kept with its versions, in bounds, with who and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from station.platform import audit, database, parameters, typed
from station.platform.parameters import ParameterError
from tests.station.world import T0


def test_o1_a_parameter_keeps_its_versions_with_who_and_why(engine: Engine) -> None:
    with database.write(engine) as conn:
        assert parameters.value(conn, "cap.load") == 200_000
        parameters.change(conn, "cap.load", 100_000, "chen", "节前从严", T0)
        made = parameters.change(conn, "cap.load", 150_000, "chen", "节后", T0 + 60)
        assert made.version == 2
        assert parameters.value(conn, "cap.load") == 150_000
        assert [v.value for v in parameters.history(conn, "cap.load")] == [150_000, 100_000]
        last = audit.recent(conn, 1)[0]
    assert (last.who, last.subject, last.old, last.new) == ("chen", "cap.load", {"value": 100_000}, {"value": 150_000})


@pytest.mark.parametrize(("name", "value", "why"), [("cap.load", -1, "x"), ("cap.none", 1, "x"), ("cap.load", 1, " ")])
def test_o1_what_cannot_be_a_parameter_is_refused_and_leaves_no_version(
    engine: Engine, name: str, value: int, why: str
) -> None:
    with database.write(engine) as conn, pytest.raises(ParameterError):
        parameters.change(conn, name, value, "chen", why, T0)
    with database.read(engine) as conn:
        assert parameters.history(conn, name) == []
        assert audit.recent(conn, 1) == []


@given(st.integers(0, typed.MOST_YUAN * 100))
def test_money_that_is_typed_as_it_is_shown_is_the_same_money(fen: int) -> None:
    assert typed.fen(f"{fen // 100:,}.{fen % 100:02d}") == fen


@pytest.mark.parametrize("text", ["", "1.234", "-1", "1e9", "nan", "一百", "0x10", "1_0_0.001"])
def test_what_is_no_amount_of_money_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="金额"):
        typed.fen(text)
