"""X3, X4: who may do what, and how they prove who they are."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyotp
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from station import staff
from station.api import app as api_app
from station.api import create_app
from station.api import routes as api_routes
from station.api.guard import OPEN
from station.forecourt import LiveBoard
from station.platform import audit, clock, database
from station.platform.sealing import Sealer, SealError
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.setup import prepare
from tests.station.world import T0

PASSWORD = "correct horse"
SEALER = Sealer({1: bytes(range(32))})
ROOT = Path(__file__).resolve().parents[2]


def _add(engine: Engine, name: str, role: str) -> None:
    with database.write(engine) as conn:
        staff.add(conn, name, "", role, PASSWORD, "setup", T0)


def _log_in(engine: Engine, name: str, password: str = PASSWORD, code: str = "", now: int = T0) -> object:
    with database.write(engine) as conn:
        return staff.log_in(conn, SEALER, name, password, code, now)


def _token(engine: Engine, name: str, code: str = "", now: int = T0) -> str:
    found = _log_in(engine, name, code=code, now=now)
    assert isinstance(found, tuple), found
    return str(found[0])


def _who(engine: Engine, token: str, now: int) -> str | None:
    with database.read(engine) as conn:
        found = staff.who(conn, token, now)
    return found.name if found else None


def test_x3_the_cashier_logs_in_and_is_known_until_the_shift_is_over(engine: Engine) -> None:
    _add(engine, "Wang.Fang", "cashier")
    token = _token(engine, "wang.fang")
    assert _who(engine, token, T0 + 60) == "wang.fang"
    assert _who(engine, token + "x", T0) is None
    assert _who(engine, token, T0 + 2 * 3600 + 1) is None, "two hours without use"
    with database.write(engine) as conn:
        staff.seen(conn, token, T0 + 7000)
    assert _who(engine, token, T0 + 2 * 3600 + 1) == "wang.fang"
    assert _who(engine, token, T0 + 12 * 3600) is None, "twelve hours at most"


def test_x3_nothing_in_the_tables_opens_a_door(engine: Engine) -> None:
    _add(engine, "wang", "cashier")
    token = _token(engine, "wang")
    with database.read(engine) as conn:
        rows = str(
            conn.execute(text("SELECT * FROM staff")).all() + conn.execute(text("SELECT * FROM staff_sessions")).all()
        )
    assert PASSWORD not in rows and token not in rows and "$argon2id$" in rows


def test_x3_five_wrong_guesses_put_the_name_to_rest(engine: Engine) -> None:
    _add(engine, "wang", "cashier")
    for _ in range(5):
        assert _log_in(engine, "wang", "wrong password") == staff.Denied("password")
    assert _log_in(engine, "wang") == staff.Denied("resting")
    assert isinstance(_log_in(engine, "wang", now=T0 + 15 * 60), tuple)
    assert _log_in(engine, "nobody") == staff.Denied("password"), "a name that does not exist looks the same"


def test_x3_who_is_switched_off_is_out_at_once(engine: Engine) -> None:
    _add(engine, "wang", "cashier")
    token = _token(engine, "wang")
    with database.write(engine) as conn:
        staff.set_active(conn, "wang", False, "boss", T0)
    assert _who(engine, token, T0) is None and _log_in(engine, "wang") == staff.Denied("password")


def test_x3_another_role_counts_at_once_and_not_for_oneself(engine: Engine) -> None:
    _add(engine, "wang", "cashier")
    token = _token(engine, "wang")
    with database.write(engine) as conn:
        staff.set_role(conn, "wang", "leader", "boss", T0)
    assert _who(engine, token, T0) is None
    with pytest.raises(staff.StaffError), database.write(engine) as conn:
        staff.set_role(conn, "wang", "manager", "wang", T0)
    for role in ("local", "king"):
        with pytest.raises(staff.StaffError), database.write(engine) as conn:
            staff.set_role(conn, "wang", role, "boss", T0)


@pytest.mark.parametrize("bad", ["short", "password", "aaaaaaaaaaaa", "1234567890", "my-wang-2026"])
def test_x3_passwords_that_everybody_tries_are_refused(engine: Engine, bad: str) -> None:
    with pytest.raises(staff.StaffError), database.write(engine) as conn:
        staff.add(conn, "wang", "", "cashier", bad, "setup", T0)


def test_x4_the_password_alone_does_not_make_a_manager(engine: Engine) -> None:
    _add(engine, "boss", "manager")
    assert _log_in(engine, "boss") == staff.Denied("setup")
    with database.write(engine) as conn:
        address = staff.set_up_code(conn, SEALER, "boss", "admin", T0)
    codes = pyotp.parse_uri(address)
    assert _log_in(engine, "boss") == staff.Denied("code")
    assert _log_in(engine, "boss", code="000000") == staff.Denied("code")
    _token(engine, "boss", codes.at(T0))


def test_x4_a_code_counts_once(engine: Engine) -> None:
    _add(engine, "boss", "manager")
    with database.write(engine) as conn:
        codes = pyotp.parse_uri(staff.set_up_code(conn, SEALER, "boss", "admin", T0))
    _token(engine, "boss", codes.at(T0))
    assert _log_in(engine, "boss", code=codes.at(T0)) == staff.Denied("code"), "seen over the shoulder"
    _token(engine, "boss", codes.at(T0 + 30), T0 + 30)


def test_x2_the_secret_of_the_codes_is_sealed_and_bound_to_its_person(engine: Engine) -> None:
    _add(engine, "boss", "manager")
    with database.write(engine) as conn:
        secret = pyotp.parse_uri(staff.set_up_code(conn, SEALER, "boss", "admin", T0)).secret
    with database.read(engine) as conn:
        sealed = bytes(conn.execute(text("SELECT totp FROM staff")).scalar_one())
    assert secret.encode() not in sealed
    with pytest.raises(SealError):
        SEALER.open(sealed, "totp:wang")
    newer = Sealer({1: bytes(range(32)), 2: bytes(range(32, 64))})
    assert newer.open(sealed, "totp:boss").decode() == secret and not newer.is_newest(sealed)


def test_x5_every_change_of_staff_is_in_the_audit(engine: Engine) -> None:
    _add(engine, "wang", "cashier")
    with database.write(engine) as conn:
        staff.set_role(conn, "wang", "leader", "boss", T0)
        staff.set_active(conn, "wang", False, "boss", T0)
    with database.read(engine) as conn:
        told = [(entry.who, entry.action) for entry in audit.recent(conn, 10)]
    assert told == [("boss", "staff.active"), ("boss", "staff.role"), ("setup", "staff.add")]


# -- the door


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Engine, Settings, TestClient]]:
    directory = tmp_path_factory.mktemp("guarded")
    settings = load(data_dir=directory / "var", bench=True, staff_auth=True, database_url="")
    engine = prepare(settings, clock.now())
    app = create_app(settings, board=LiveBoard(), dashboard=False)

    @app.get("/")
    def home() -> str:
        return "home"

    @app.get("/quarantine")
    def quarantine() -> str:
        return "odd things"

    with TestClient(app, follow_redirects=False) as client:
        yield engine, settings, client
    engine.dispose()


def _person(guarded: tuple[Engine, Settings, TestClient], role: str) -> str:
    """A fresh token of somebody with that role."""
    engine, settings, _ = guarded
    sealer, now, name = (
        Sealer(Secrets.load(settings.secrets_path).data_keys),
        clock.now(),
        f"{role}-{os.urandom(3).hex()}",
    )
    with database.write(engine) as conn:
        staff.add(conn, name, "", role, PASSWORD, "setup", now)
        code = pyotp.parse_uri(staff.set_up_code(conn, sealer, name, "setup", now)).at(now)
        found = staff.log_in(conn, sealer, name, PASSWORD, code, now)
    assert isinstance(found, tuple)
    return found[0]


def _needed(route: APIRoute) -> str | None:
    found = [getattr(dependant.call, "action", None) for dependant in route.dependant.dependencies]
    return next((action for action in found if action), None)


def test_x3_every_route_names_its_action_and_every_role_gets_exactly_what_it_holds(
    guarded: tuple[Engine, Settings, TestClient],
) -> None:
    engine, settings, client = guarded
    secrets = Secrets.load(settings.secrets_path)
    routers = [
        api_routes.router(settings, engine, LiveBoard()),
        *(field.router(settings, engine, secrets) for field in api_app.FIELDS),
    ]
    routes = [r for router in routers for r in router.routes if isinstance(r, APIRoute)]
    paths = client.app.openapi()["paths"]  # type: ignore[attr-defined]
    assert {f"/api/v1{r.path}" for r in routes} == {path for path in paths if path.startswith("/api/")}
    tokens = {role: _person(guarded, role) for role in staff.ROLES}
    tried = 0
    for route in routes:
        action = _needed(route)
        if f"/api/v1{route.path}" in OPEN:
            assert action is None
            continue
        assert action is not None, f"{route.path} is open to everybody"
        method = next(iter(route.methods - {"HEAD"}))
        path = "/api/v1" + route.path.format(**dict.fromkeys(route.param_convertors, "1"))
        assert client.request(method, path).status_code == 401, path
        for role, token in tokens.items():
            status = client.request(method, path, headers={"Authorization": f"Bearer {token}"}).status_code
            assert (status != 403) == staff.allows(role, action), (role, action, route.path, status)
            tried += 1
    assert tried >= 80


def test_x3_a_stranger_is_sent_to_the_log_in_and_back(guarded: tuple[Engine, Settings, TestClient]) -> None:
    engine, _, client = guarded
    page = {"accept": "text/html"}
    sent = client.get("/", headers=page)
    assert sent.status_code == 303 and sent.headers["location"] == "/login?next=/"
    with database.write(engine) as conn:
        staff.add(conn, "fang", "方红", "cashier", PASSWORD, "setup", clock.now())
    wrong = client.post("/login", data={"name": "fang", "password": "wrong password", "next": "/"})
    assert wrong.status_code == 401 and "密码" in wrong.text
    right = client.post("/login", data={"name": "fang", "password": PASSWORD, "next": "//evil.example/"})
    assert right.status_code == 303 and right.headers["location"] == "/"
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert client.get("/", headers=page).text == '"home"'
    assert client.get("/quarantine", headers=page).status_code == 403
    foreign = client.post("/api/v1/sales", headers={"origin": "https://evil.example"})
    assert foreign.status_code == 403 and "another site" in foreign.text
    client.post("/logout", headers={"origin": "http://testserver"})
    assert client.get("/", headers=page).status_code == 303
    client.cookies.clear()


def test_x3_what_a_stranger_types_comes_back_harmless(guarded: tuple[Engine, Settings, TestClient]) -> None:
    _, _, client = guarded
    told = client.post("/login", data={"name": '"><script>alert(1)</script>', "password": "x" * 12, "next": '"><b>'})
    assert "<script>" not in told.text and "<b>" not in told.text


def test_x3_a_strangers_websocket_is_closed(guarded: tuple[Engine, Settings, TestClient]) -> None:
    from starlette.websockets import WebSocketDisconnect

    _, _, client = guarded
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_nicegui_ws/socket.io/"):
        pass


def test_staff_are_made_and_read_back_at_the_command_line(tmp_path: Path) -> None:
    environment = os.environ | {"PUMPSIDE_DATA_DIR": str(tmp_path / "var"), "PUMPSIDE_BENCH": "true"}
    environment.pop("DATABASE_URL", None)

    def told(*words: str) -> str:
        command = [sys.executable, "-m", "station", *words]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    told("init")
    assert "还没有员工" in told("staff", "list")
    script = (
        "import getpass; getpass.getpass = lambda *_: 'correct horse'\n"
        "from station.cli.main import app; app(['staff', 'add', 'wang', '--role', 'cashier', '--by', 'boss'])"
    )
    subprocess.run([sys.executable, "-c", script], env=environment, cwd=ROOT, check=True, timeout=60)
    assert "收银员" in told("staff", "list")
    assert "staff.add" in told("audit") and "完整" in told("audit", "--check")
