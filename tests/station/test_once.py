"""Y8, Y9: what is asked twice happens once, and what is large takes two people."""

import threading

import pytest
from sqlalchemy import Engine

from station import ledger, staff
from station.platform import database, once
from station.platform.sealing import Sealer
from tests.station.world import T0

SEALER = Sealer({1: bytes(range(32))})
PASSWORD = "correct horse"


def _pay(engine: Engine, key: str, amount_fen: int) -> dict[str, object]:
    with database.write(engine) as conn:

        def do() -> dict[str, object]:
            ledger.post(conn, f"pay:{key}", T0, [ledger.Transfer("cash:a", "pending:1", amount_fen)])
            return {"amount_fen": amount_fen, "balance_fen": ledger.balance(conn, "pending:1")}

        return once.run(conn, key, {"amount_fen": amount_fen}, T0, do)


def test_the_till_that_got_no_answer_asks_again_and_pays_once(engine: Engine) -> None:
    first = _pay(engine, "till-1/77", 500)
    assert _pay(engine, "till-1/78", 300)["balance_fen"] == 800
    assert _pay(engine, "till-1/77", 500) == first == {"amount_fen": 500, "balance_fen": 500}
    with database.read(engine) as conn:
        assert ledger.balance(conn, "pending:1") == 800


def test_the_same_key_for_another_amount_is_refused(engine: Engine) -> None:
    _pay(engine, "till-1/77", 500)
    with pytest.raises(once.ConflictError, match="till-1/77"):
        _pay(engine, "till-1/77", 600)


def test_a_command_that_failed_may_be_tried_again(engine: Engine) -> None:
    def fails() -> dict[str, object]:
        raise RuntimeError("no paper")

    with pytest.raises(RuntimeError), database.write(engine) as conn:
        once.run(conn, "k", {}, T0, fails)
    with database.write(engine) as conn:
        assert once.run(conn, "k", {}, T0, lambda: {"done": True}) == {"done": True}


def test_ten_at_once_with_one_key_pay_once(engine: Engine) -> None:
    answers: list[dict[str, object]] = []
    threads = [threading.Thread(target=lambda: answers.append(_pay(engine, "same", 100))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [{"amount_fen": 100, "balance_fen": 100}] * 10


@pytest.mark.parametrize("key", ["", "x" * 81, "two\nlines"])
def test_an_impossible_key_is_refused(engine: Engine, key: str) -> None:
    with pytest.raises(ValueError, match="visible"), database.write(engine) as conn:
        once.run(conn, key, {}, T0, dict)


def test_old_keys_are_forgotten_and_the_books_still_refuse_a_second_time(engine: Engine) -> None:
    _pay(engine, "old", 500)
    with database.write(engine) as conn:
        assert once.forget(conn, T0 + 1) == 1
    assert _pay(engine, "old", 500)["balance_fen"] == 500, "the posting's own key holds"


def _approve(engine: Engine, approver: str, password: str = PASSWORD) -> object:
    with database.write(engine) as conn:
        return staff.approve(conn, SEALER, "wang", approver, password, "", "approve", "load 6200", T0)


def test_y8_a_large_load_takes_a_second_person_who_may_and_is_another(engine: Engine) -> None:
    assert staff.needs_second(100_001, 100_000) and not staff.needs_second(100_000, 100_000)
    with database.write(engine) as conn:
        for name, role in (("wang", "leader"), ("li", "leader"), ("zhao", "cashier")):
            staff.add(conn, name, "", role, PASSWORD, "setup", T0)
    with pytest.raises(staff.StaffError, match="本人"):
        _approve(engine, "WANG ")
    assert _approve(engine, "zhao") == staff.Denied("role")
    assert _approve(engine, "li", "wrong password") == staff.Denied("password")
    found = _approve(engine, "li")
    assert isinstance(found, staff.Person) and found.name == "li"


def test_y8_guessing_the_second_persons_password_is_slowed_like_the_door(engine: Engine) -> None:
    with database.write(engine) as conn:
        staff.add(conn, "li", "", "leader", PASSWORD, "setup", T0)
    for _ in range(5):
        _approve(engine, "li", "wrong password")
    assert _approve(engine, "li") == staff.Denied("resting")
