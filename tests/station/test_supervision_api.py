"""X5, R2, O1, X3, N2 over the API: what is watched, decided and set there, by whom, and what must not be kept."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from station import cards, ledger, risk, staff
from station.api import create_app
from station.api.guard import COOKIE
from station.cards import issuing, registry
from station.dashboard.office import require_log_in
from station.forecourt import LiveBoard
from station.ledger import Transfer
from station.platform import audit, clock, database
from station.platform.sealing import Sealer
from station.platform.settings import load
from station.risk import SALE, Event
from station.setup import prepare
from station.staff import permissions as may
from tests.station.world import T0

API = "/api/v1"
PASSWORD = "correct horse"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, TestClient]]:
    settings = load(data_dir=tmp_path_factory.mktemp("supervised"), bench=True, database_url="")
    engine = prepare(settings, T0)
    with TestClient(create_app(settings, board=LiveBoard(), dashboard=False)) as client:
        yield engine, client
    engine.dispose()


def _suspect(engine: Engine, number: int) -> tuple[str, int]:
    """A card that was at two pumps at once, blocked by the watch: (its number, the finding's)."""
    now = clock.now()
    with database.write(engine) as conn:
        order = issuing.Order(holder="张三", document="1101")
        card_no = issuing.begin(conn, bytes([4]) + number.to_bytes(6, "big"), order, 1, now)
        issuing.complete(conn, card_no, "王芳", now)
        both = [Event(SALE, now - 60, card_no, "s1", device, now - 120, 100, 100, ref=device) for device in (257, 258)]
        risk.observe(conn, both, {}, now)
        cards.watch(conn, now)
        case = risk.held(conn, card_no)
    assert case is not None and case.action == risk.BLOCK
    return card_no, case.id


def _state(engine: Engine, card_no: str) -> str:
    with database.read(engine) as conn:
        known = registry.card(conn, card_no)
    assert known is not None
    return known.state


def _decide(client: TestClient, case: int, verdict: str, key: str) -> tuple[int, dict[str, object]]:
    answer = client.post(
        f"{API}/risk/cases/{case}/decision",
        json={"verdict": verdict, "why": "看过录像"},
        headers={"Idempotency-Key": key},
    )
    return answer.status_code, answer.json()


def test_r2_clearing_frees_the_card_that_the_finding_blocked_once_and_asked_twice(
    running: tuple[Engine, TestClient],
) -> None:
    engine, client = running
    card_no, case = _suspect(engine, 1)
    assert _state(engine, card_no) == "blocked"
    with database.read(engine) as conn, pytest.raises(risk.HeldError, match=str(case)):
        risk.refuse_held(conn, card_no)
    first, again = _decide(client, case, "clear", "c1"), _decide(client, case, "clear", "c1")
    assert first == again and first[0] == 200 and first[1]["state"] == "cleared"
    assert _state(engine, card_no) == "active"
    status, told = _decide(client, case, "block", "c2")
    assert status == 422 and "local" in str(told["detail"]), "decided is decided"
    with database.read(engine) as conn:
        risk.refuse_held(conn, card_no, risk.staff_subject("wang"))
        assert cards.findings(conn) == [], "a decided finding blocks nobody again"


def test_r2_a_held_card_takes_no_money_until_somebody_has_looked(running: tuple[Engine, TestClient]) -> None:
    engine, client = running
    now = clock.now()
    with database.write(engine) as conn:
        order = issuing.Order(holder="李四", document="1102")
        card_no = issuing.begin(conn, bytes.fromhex("04000000000009"), order, 1, now)
        issuing.complete(conn, card_no, "王芳", now)
        burst = [Event(SALE, now - 900 + 90 * n, card_no, "s1", 257, now - 960 + 90 * n, 9, 9, ref=n) for n in range(9)]
        risk.observe(conn, burst, {}, now)
        case = risk.held(conn, card_no)
        assert case is not None and case.action == risk.HOLD
        with pytest.raises(risk.HeldError, match=str(case.id)):
            cards.top_up(conn, card_no, 10_000, "wechat", now)
    assert _decide(client, case.id, "clear", "held")[0] == 200
    with database.write(engine) as conn:
        assert cards.top_up(conn, card_no, 10_000, "wechat", now).amount_fen == 10_000


def test_r2_a_card_blocked_for_its_loss_stays_blocked_when_a_finding_is_cleared(
    running: tuple[Engine, TestClient],
) -> None:
    engine, client = running
    card_no, case = _suspect(engine, 2)
    with database.write(engine) as conn:
        registry.unblock(conn, card_no, "wang", clock.now())
        registry.block(conn, card_no, registry.LOST, "wang", clock.now())
    assert _decide(client, case, "clear", "lost")[0] == 200
    assert _state(engine, card_no) == "blocked"


def test_r2_confirming_with_a_block_puts_the_card_on_the_list(running: tuple[Engine, TestClient]) -> None:
    engine, client = running
    card_no, case = _suspect(engine, 3)
    with database.write(engine) as conn:
        registry.unblock(conn, card_no, "wang", clock.now())
    assert _decide(client, case, "block", "b1")[1]["state"] == "confirmed"
    assert _state(engine, card_no) == "blocked"
    rows = client.get(f"{API}/risk/cases", params={"subject": card_no, "state": "confirmed"}).json()
    assert rows["total"] == 1 and rows["rows"][0]["why"] == "看过录像"
    trail = client.get(f"{API}/audit", params={"action": "risk.", "subject": card_no}).json()["rows"]
    assert [(row["action"], row["old"]["state"], row["new"]["state"]) for row in trail] == [
        ("risk.decide", "open", "confirmed")
    ]


def test_r1_a_rule_gets_a_version_with_its_reason(running: tuple[Engine, TestClient]) -> None:
    _, client = running
    body = {"metric": "count", "over": 6, "window_s": 3600, "action": "hold", "why": "节假日"}
    path = f"{API}/risk/rules/burst_count"
    assert client.put(path, json=body, headers={"Idempotency-Key": "r1"}).json()["over"] == 6
    assert client.put(path, json=body, headers={"Idempotency-Key": "r1"}).json()["version"] == 1, "once"
    versions = client.get(path).json()
    assert [(one["version"], one["over"], one["why"]) for one in versions] == [(1, 6, "节假日"), (0, 4, "")]
    wrong = client.put(path, json={**body, "metric": "moon"}, headers={"Idempotency-Key": "r2"})
    assert wrong.status_code == 422 and "metric" in wrong.text


def test_o1_a_parameter_stays_in_its_bounds_and_tells_its_versions(running: tuple[Engine, TestClient]) -> None:
    _, client = running
    path = f"{API}/parameters/refund.days"
    made = client.put(path, json={"value": 14, "why": "新规"}, headers={"Idempotency-Key": "p1"}).json()
    assert (made["value"], made["version"], made["highest"]) == (14, 1, 3650)
    wide = client.put(path, json={"value": 9_999, "why": "x"}, headers={"Idempotency-Key": "p2"})
    assert wide.status_code == 422 and "3650" in wide.text
    assert [one["value"] for one in client.get(path).json()] == [14]
    assert client.get(f"{API}/parameters/none").status_code == 404


def test_y5_n2_the_books_close_once_and_their_vouchers_balance_by_day(running: tuple[Engine, TestClient]) -> None:
    engine, client = running
    with database.write(engine) as conn:
        for day in range(3):
            ledger.post(conn, f"load:{day}", T0 + day * 86_400, [Transfer(ledger.cash("a"), ledger.pending("1"), 700)])
    close = {"until": T0 + 3 * 86_400}
    first = client.post(f"{API}/books/periods", json=close, headers={"Idempotency-Key": "close"})
    again = client.post(f"{API}/books/periods", json=close, headers={"Idempotency-Key": "close"})
    assert first.status_code == 200 and first.json() == again.json()
    assert client.post(f"{API}/books/periods", json=close, headers={"Idempotency-Key": "other"}).status_code == 422
    told = client.get(f"{API}/books/vouchers.csv", params={"since": 0, "until": T0 + 9 * 86_400, "lang": "en"})
    rows = list(csv.DictReader(io.StringIO(told.text.removeprefix("\ufeff"))))
    days = {(row["day"], row["asset"]) for row in rows}
    assert len([day for day, asset in days if asset == ledger.FEN]) == 3
    for which in days:
        some = [row for row in rows if (row["day"], row["asset"]) == which]
        assert sum(int(row["debit"]) - int(row["credit"]) for row in some) == 0
    statement = client.get(f"{API}/books/statement", params={"account": "cash:a"}).json()
    assert [row["balance"] for row in statement["rows"]] == [-2100, -1400, -700]
    assert client.post(f"{API}/books/checks").json()["ok"] is True


def test_x3_no_password_and_no_secret_of_a_code_is_kept_in_the_open(running: tuple[Engine, TestClient]) -> None:
    engine, client = running
    person = {"name": "lihua", "full_name": "李华", "role": "accountant", "password": PASSWORD}
    assert client.post(f"{API}/staff", json=person).json()["has_code"] is False
    assert client.post(f"{API}/staff", json=person).status_code == 422
    address = client.post(f"{API}/staff/lihua/code").json()["address"]
    secret = address.partition("secret=")[2].partition("&")[0]
    assert len(secret) == 32
    assert client.put(f"{API}/staff/lihua/password", json={"password": "battery staple"}).status_code == 200
    assert client.put(f"{API}/staff/lihua/role", json={"role": "manager"}).json()["role"] == "manager"
    assert client.put(f"{API}/staff/lihua/active", json={"active": False}).json()["active"] is False
    with database.read(engine) as conn:
        kept = str(conn.execute(text("SELECT * FROM commands_done")).all()) + str(audit.recent(conn, 100))
        kept += str(conn.execute(text("SELECT * FROM staff")).all())
    assert secret not in kept and PASSWORD not in kept and "battery staple" not in kept
    assert [entry["action"] for entry in client.get(f"{API}/audit", params={"subject": "lihua"}).json()["rows"]] == [
        "staff.active", "staff.role", "staff.password", "staff.code", "staff.add",
    ]  # fmt: skip


def test_x5_the_chain_is_followed_over_the_api_and_names_the_edited_row(running: tuple[Engine, TestClient]) -> None:
    engine, client = running
    assert client.get(f"{API}/audit/chain").json()["whole"] is True
    with database.write(engine) as conn:
        conn.execute(text("DROP TRIGGER audit_no_update"))
        conn.execute(text("UPDATE audit SET why = 'nothing' WHERE seq = 2"))
    told = client.get(f"{API}/audit/chain").json()
    assert told["whole"] is False and [one["seq"] for one in told["breaks"]] == [2]
    checked = client.post(f"{API}/books/checks").json()
    assert checked["ok"] is False and "row 2" in checked["found"][0]["text"]


@pytest.mark.parametrize(
    ("path", "action"),
    [
        ("/books", may.BOOKS_VIEW), ("/books/statement", may.BOOKS_VIEW), ("/books/periods", may.BOOKS_CLOSE),
        ("/audit", may.AUDIT_VIEW), ("/risk/case", may.RISK_REVIEW), ("/risk/rules/change", may.RISK_RULES),
        ("/parameters/change", may.SETTINGS_EDIT), ("/staff/person", may.STAFF_EDIT),
    ],
)  # fmt: skip
def test_x3_each_page_of_supervision_names_its_action(path: str, action: str) -> None:
    assert may.for_page(path) == action


def test_x4_a_page_left_open_does_nothing_for_who_is_switched_off(tmp_path: Path) -> None:
    settings = load(data_dir=tmp_path, bench=True, staff_auth=True, database_url="")
    engine, now = prepare(settings, T0), clock.now()
    app = create_app(settings, board=LiveBoard(), dashboard=False)
    opened: list[Any] = []

    @app.get("/opened")
    def page(request: Request) -> None:
        opened.append(SimpleNamespace(request=request))

    with database.write(engine) as conn:
        staff.add(conn, "sun", "孙丽", "cashier", PASSWORD, "boss", now)
        found = staff.log_in(conn, Sealer({1: bytes(32)}), "sun", PASSWORD, "", now)
    assert isinstance(found, tuple)
    with TestClient(app, cookies={COOKIE: found[0]}) as client:
        assert client.get("/opened").status_code == 200
    with database.write(engine) as conn:
        require_log_in(conn, opened[0])
        staff.set_active(conn, "sun", False, "boss", now)
        with pytest.raises(ValueError, match="重新登录"):
            require_log_in(conn, opened[0])
    engine.dispose()
