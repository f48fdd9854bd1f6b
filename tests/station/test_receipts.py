"""D27: a receipt in a customer's hand, looked at on the station's public page and on the command line."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from pump.core import receipt
from station import sales
from station.cli.receipt import app as command
from station.forecourt.provision import LONGEST_RECEIPT_URL
from station.platform import database
from station.platform.secrets import Secrets
from station.platform.settings import Settings, load
from station.portal import create_app
from station.portal.app import LOOKS, MOST_ADDRESSES, WINDOW_S, Looks
from tests.station.world import T0, PumpJournal, TestCard, issue, send

DEVICE, GRADE, PRICE, VOLUME_ML, AMOUNT_FEN = 257, 1, 756, 10_000, 7_560


def written(secrets: Secrets, seq: int, volume_ml: int = VOLUME_ML, device: int = DEVICE) -> str:
    key = secrets.device(DEVICE).journal
    return receipt.encode(key, device, seq, T0 + 21, GRADE, volume_ml, AMOUNT_FEN, PRICE)


@pytest.fixture
def sold(engine: Engine, secrets: Secrets) -> int:
    """One settled sale; its sequence."""
    pump, card = PumpJournal(secrets.device(DEVICE).journal), TestCard()
    seq = pump.sale(card, VOLUME_ML)
    with database.write(engine) as conn:
        issue(conn, TestCard())
        send(conn, secrets, *pump.written)
    return seq


@pytest.fixture
def phone(settings: Settings, sold: int) -> Iterator[TestClient]:
    with TestClient(create_app(settings), follow_redirects=False) as client:
        yield client


def test_d27_a_genuine_receipt_shows_its_sale_and_that_the_books_agree(
    phone: TestClient, secrets: Secrets, sold: int
) -> None:
    answer = phone.get(f"/R/{written(secrets, sold)}")
    assert answer.status_code == 200
    for shown in ("真实有效", "Genuine", "75.60", "10.00 L", "7.56", "92#", "p1", f"257-{sold}", "2026-09-"):
        assert shown in answer.text, shown
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"


def test_d27_nothing_of_the_card_or_its_owner_is_shown(phone: TestClient, secrets: Secrets, sold: int) -> None:
    page = phone.get(f"/R/{written(secrets, sold)}").text
    card = TestCard()
    assert card.number not in page and card.number[-4:] not in page and card.uid.hex() not in page
    assert "京A12345" not in page and "924.40" not in page  # plate, balance


@pytest.mark.parametrize("at", [0, 7, 20, 44])
def test_d27_a_forged_receipt_is_told_and_tells_nothing(
    phone: TestClient, secrets: Secrets, sold: int, at: int
) -> None:
    genuine = written(secrets, sold)
    forged = genuine[:at] + ("A" if genuine[at] != "A" else "I") + genuine[at + 1 :]
    answer = phone.get(f"/R/{forged}")
    assert answer.status_code == 404 and "真实有效" not in answer.text
    assert "75.60" not in answer.text and "签名有效" not in answer.text


def test_d27_a_receipt_of_an_unknown_device_makes_no_secrets_for_it(
    phone: TestClient, secrets: Secrets, settings: Settings, sold: int
) -> None:
    before = settings.secrets_path.read_text()
    assert "签名无效" in phone.get(f"/R/{written(secrets, sold, device=99_999)}").text
    assert settings.secrets_path.read_text() == before


def test_d27_a_sale_not_yet_uploaded_is_genuine_and_waits(phone: TestClient, secrets: Secrets, sold: int) -> None:
    answer = phone.get(f"/R/{written(secrets, sold + 100)}")
    assert answer.status_code == 200 and "尚未收到" in answer.text


def test_d27_books_altered_behind_the_stations_back_show(
    phone: TestClient, engine: Engine, secrets: Secrets, sold: int
) -> None:
    with engine.begin() as conn:
        conn.execute(text("UPDATE sales SET amount_fen = amount_fen - 100"))
    assert "与油站账目不符" in phone.get(f"/R/{written(secrets, sold)}").text


@pytest.mark.parametrize("nonsense", ["x", "<script>alert(1)</script>", "A" * 45, "A" * 5000, "%00%ff", "元"])
def test_d27_what_is_no_receipt_is_said_and_escaped(phone: TestClient, nonsense: str) -> None:
    answer = phone.get(f"/R/{nonsense}")
    assert answer.status_code == 404
    assert "<script>" not in answer.text


def test_a_typed_text_is_led_to_its_page_and_an_address_elsewhere_is_not_followed(phone: TestClient) -> None:
    assert "小票码" in phone.get("/").text
    assert phone.get("/", params={"text": " http://a/r/abc2 "}).headers["location"] == "/R/ABC2"
    assert phone.get("/", params={"text": "//evil.example/?a=b"}).status_code == 200


def test_there_is_nothing_else_behind_the_public_port(phone: TestClient) -> None:
    for path in ("/docs", "/openapi.json", "/api/v1/sales", "/bench", "/metrics"):
        assert phone.get(path).status_code == 404
    assert phone.post("/R/abc").status_code == 405


def test_d27_looks_are_limited_for_each_address_and_memory_is_bounded() -> None:
    now = [0.0]
    looks = Looks(lambda: now[0])
    assert [looks.allow("a") for _ in range(LOOKS + 1)] == [True] * LOOKS + [False]
    assert looks.allow("b")
    now[0] = WINDOW_S
    assert looks.allow("a")
    for number in range(MOST_ADDRESSES + 10):
        looks.allow(str(number))
    assert len(looks._seen) == MOST_ADDRESSES


def test_too_many_looks_get_a_page_that_says_so(settings: Settings, engine: Engine) -> None:
    with TestClient(create_app(settings, Looks(lambda: 0.0))) as client:
        answers = [client.get("/") for _ in range(LOOKS + 1)]
    assert [answer.status_code for answer in answers] == [200] * LOOKS + [429]
    assert "过于频繁" in answers[-1].text


@pytest.fixture
def verify(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], tuple[int, str]]:
    def run(shown: str) -> tuple[int, str]:
        monkeypatch.setenv("PUMPSIDE_DATA_DIR", str(tmp_path / "var"))
        done = CliRunner().invoke(command, ["receipt", "verify", shown])
        return done.exit_code, done.output

    return run


def test_d27_the_command_verifies_offline_with_the_secrets_alone(
    verify: Callable[[str], tuple[int, str]], tmp_path: Path
) -> None:
    secrets = Secrets.load(tmp_path / "var" / "secrets.json")
    code, said = verify(f"HTTP://127.0.0.1:8082/R/{written(secrets, 7)}")
    assert code == 0 and "签名有效" in said and "75.60 元" in said and "257-7" in said
    code, said = verify(written(secrets, 7)[:-1] + "A")
    assert code == 1
    code, said = verify("hello")
    assert code == 1 and "不是加油小票" in said


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_d27_the_command_asks_the_books_if_they_are_there(
    verify: Callable[[str], tuple[int, str]], secrets: Secrets, sold: int
) -> None:
    assert "与账目一致" in verify(written(secrets, sold))[1]


def test_the_address_in_the_code_is_upper_case_and_short_enough(tmp_path: Path) -> None:
    made = load(data_dir=tmp_path, portal_url="http://192.168.100.200:8082/")
    assert made.receipt_url == "HTTP://192.168.100.200:8082/R/"
    assert len(made.receipt_url) <= LONGEST_RECEIPT_URL
    assert sales.read_receipt("", Secrets.load(tmp_path / "secrets.json")) is None
